//! Crashes that a worker told while it was being ended: our own signal may have made them.

use fuzzd_core::ids::Epoch;
use fuzzd_core::session::{
    LoadedBug, Outcome, Record, SessionConfig, StopRequest, TestConfig, Verdict, Work,
};

use crate::script::{DiskMode, Stage, bug, config, failed, panic_at, passed, test};

/// A session that was told to end, and its worker that was not heard of yet.
fn ended(mut stage: Stage) -> (Stage, Epoch) {
    stage.holds_stops = true;
    stage.signal(StopRequest::Graceful);
    let epoch = stage.stopping[0].1;
    (stage, epoch)
}

#[test]
fn a_failure_of_a_worker_that_is_being_ended_waits_for_the_next_session() {
    let (mut stage, epoch) = ended(Stage::start(config()));
    // The target took our signal in its own way, say.
    stage.answer_stopping(0, epoch, failed(b"innocent", panic_at(1)));
    stage.end_stops();
    assert_eq!(stage.told(), ["finished"]);
    let crash = |record: &Record| matches!(record, Record::Crash { is_doubtful: true, .. });
    assert!(stage.stored.iter().any(crash));
    assert!(!stage.has_verdict(), "the crash is kept without a verdict");
    assert_eq!(stage.summary().status.bugs, 0);
}

#[test]
fn such_a_failure_is_doubtful_again_in_a_session_in_which_it_was_unconfirmed() {
    let doubtful = LoadedBug { is_doubtful: true, ..bug(&panic_at(1), b"innocent", true) };
    let tests = vec![TestConfig { bugs: vec![doubtful], ..test() }];
    let mut stage = Stage::start(SessionConfig { tests, ..config() });
    for _ in 0..3 {
        stage.expect_execute(0, b"innocent");
        stage.reply(0, passed(&[(0, 1)]));
    }
    assert_eq!(stage.told(), ["unconfirmed"]);
    let (mut stage, epoch) = ended(stage);
    stage.answer_stopping(0, epoch, failed(b"another", panic_at(1)));
    stage.end_stops();
    assert_eq!(stage.told(), ["unconfirmed", "finished"]);
    assert_eq!(stage.summary().status.bugs, 0);
}

#[test]
fn a_doubtful_crash_that_fails_again_is_a_new_bug() {
    let doubtful = LoadedBug { is_doubtful: true, ..bug(&panic_at(1), b"guilty", true) };
    let tests = vec![TestConfig { bugs: vec![doubtful], ..test() }];
    let mut stage = Stage::start(SessionConfig { tests, ..config() });
    stage.confirm(0, b"guilty", &panic_at(1));
    assert_eq!(stage.told(), ["bug"]);
}

/// A session in which this bug was left undecided by an earlier one.
fn with_pending(input: &[u8], is_doubtful: bool, workers: usize) -> Stage {
    let pending = LoadedBug { is_doubtful, ..bug(&panic_at(1), input, true) };
    let tests = vec![TestConfig { bugs: vec![pending], ..test() }];
    Stage::start(SessionConfig { tests, workers, ..config() })
}

#[test]
fn a_crash_whose_runs_were_merely_cut_off_is_flaky_if_it_does_not_come_again() {
    let mut stage = with_pending(b"crash", false, 1);
    for _ in 0..3 {
        stage.expect_execute(0, b"crash");
        stage.reply(0, passed(&[(0, 1)]));
    }
    assert_eq!(stage.told(), ["flaky bug"]);
    let verdicts = |record: &Record| match record {
        Record::Bug { verdict, .. } => Some(*verdict),
        _ => None,
    };
    let verdicts: Vec<Verdict> = stage.stored.iter().filter_map(verdicts).collect();
    assert_eq!(verdicts, [Verdict::Flaky { runs: 3 }]);
}

#[test]
fn workers_do_not_go_over_a_bug_that_is_in_doubt() {
    let mut stage = with_pending(b"innocent", true, 2);
    let fuzzes =
        |stage: &Stage| (0..2).find(|worker| !matches!(stage.work(*worker), Work::Execute));
    let worker = fuzzes(&stage).expect("one is enough to confirm");
    assert!(stage.call(worker).ignore.is_empty());
    for _ in 0..3 {
        stage.expect_execute(1 - worker, b"innocent");
        stage.reply(1 - worker, passed(&[(0, 1)]));
    }
    stage.reply(worker, Outcome::Nothing);
    assert_eq!(stage.told(), ["unconfirmed"]);
    assert!(stage.call(worker).ignore.is_empty(), "nor of one that was set aside");
}

#[test]
fn what_fails_beside_a_bug_in_doubt_is_what_is_tried_and_it_is_no_accident() {
    let mut stage = with_pending(b"innocent", true, 2);
    let confirms = usize::from(stage.call(0).input.as_ref() != b"innocent");
    stage.reply(1 - confirms, failed(b"guilty", panic_at(1)));
    // The run that was under way is of the other input.
    stage.reply(confirms, passed(&[(0, 1)]));
    for _ in 0..100 {
        let waits = (0..2).find(|worker| &*stage.call(*worker).input == b"guilty");
        let Some(worker) = waits else { break };
        stage.reply(worker, failed(b"guilty", panic_at(1)));
    }
    assert_eq!(stage.told(), ["bug"]);
    let told = |record: &Record| match record {
        Record::Bug { input, .. } => Some(input.to_vec()),
        _ => None,
    };
    let inputs: Vec<Vec<u8>> = stage.stored.iter().filter_map(told).collect();
    assert_eq!(inputs, [b"guilty"]);
    let is_sure = |record: &Record| matches!(record, Record::Crash { is_doubtful: false, .. });
    assert!(stage.stored.iter().any(is_sure), "on the disk it is in doubt no more");
}

#[test]
fn a_crash_while_the_verdict_on_an_accident_is_being_written_is_tried_all_the_same() {
    let mut stage = with_pending(b"innocent", true, 2);
    let confirms = usize::from(stage.call(0).input.as_ref() != b"innocent");
    for _ in 0..2 {
        stage.reply(confirms, passed(&[(0, 1)]));
    }
    stage.disk = DiskMode::Holds;
    stage.reply(confirms, passed(&[(0, 1)]));
    assert!(matches!(&stage.held[0].1, Record::Bug { verdict: Verdict::Unconfirmed { .. }, .. }));
    stage.reply(1 - confirms, failed(b"guilty", panic_at(1)));
    stage.store_all();
    let tried = |stage: &Stage| {
        stage
            .calls
            .values()
            .any(|(_, _, call)| matches!(call.work, Work::Execute) && &*call.input == b"guilty")
    };
    for _ in 0..10 {
        let fuzzing = stage.calls.keys().copied();
        let Some(worker) = fuzzing.max().filter(|_| !tried(&stage)) else { break };
        stage.reply(worker, Outcome::Nothing);
    }
    assert!(tried(&stage));
    assert!(stage.told().is_empty(), "nobody is told of an accident that was none");
}

#[test]
fn a_doubtful_crash_of_a_known_bug_says_nothing() {
    let known = bug(&panic_at(1), b"known", false);
    let tests = vec![TestConfig { bugs: vec![known], entries: Vec::new(), ..test() }];
    let (mut stage, epoch) = ended(Stage::start(SessionConfig { tests, ..config() }));
    stage.answer_stopping(0, epoch, failed(b"another", panic_at(1)));
    stage.end_stops();
    assert_eq!(stage.told(), ["finished"]);
    let crash = |record: &Record| matches!(record, Record::Crash { .. });
    assert!(!stage.stored.iter().any(crash));
}

#[test]
fn an_accident_is_dropped_after_all_of_its_runs_and_not_after_the_first() {
    let mut stage = with_pending(b"innocent", true, 1);
    stage.reply(0, passed(&[(0, 1)]));
    stage.signal(StopRequest::Graceful);
    assert_eq!(stage.told(), ["finished"]);
    assert!(!stage.has_verdict(), "the next session tries it again");
}

#[test]
fn a_run_in_a_fresh_process_that_is_killed_with_the_session_is_no_verdict() {
    let mut stage = with_pending(b"crash", false, 1);
    stage.expect_execute(0, b"crash");
    stage.holds_stops = true;
    stage.signal(StopRequest::Immediate);
    let epoch = stage.stopping[0].1;
    stage.answer_stopping(0, epoch, failed(b"crash", panic_at(1)));
    stage.end_stops();
    let is_news = |record: &Record| matches!(record, Record::Bug { .. } | Record::Crash { .. });
    assert!(!stage.stored.iter().any(is_news), "the next session confirms it");
}
