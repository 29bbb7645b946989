//! Workers that are lost with no input to blame, and disks that end a drain.

use std::path::PathBuf;
use std::time::Duration;

use fuzzd_core::ids::TestIndex;
use fuzzd_core::limits::{
    COMMIT_GRACE, DRAIN_REFUSED_TIME, DRAIN_TIME, FAILED_STARTS_MAX, LOSS_INTERVAL,
};
use fuzzd_core::session::{
    Event, FinishReason, Origin, Outcome, Pace, Record, Report, SessionConfig, StopRequest,
    TestConfig, Verdict,
};
use fuzzd_core::signature::FailureKind;

use crate::script::{DiskMode, Stage, config, entry, failed, panic_at, passed, test};

fn broken(reason: &str, input: Option<&[u8]>) -> Outcome {
    Outcome::Misbehaved { reason: reason.into(), input: input.map(Into::into) }
}

fn warnings(stage: &Stage) -> Vec<&str> {
    let told = stage.reports.iter().filter_map(|report| match report {
        Report::WorkerLost { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    told.collect()
}

fn given_up(stage: &Stage) -> Option<&str> {
    stage.reports.iter().find_map(|report| match report {
        Report::TestGivenUp { reason, .. } => Some(reason.as_str()),
        _ => None,
    })
}

#[test]
fn losses_are_told_once_in_a_while_and_counted_in_between() {
    let mut stage = Stage::start(config());
    for number in 0..5 {
        stage.reply(0, Outcome::Nothing);
        stage.reply(0, broken(&format!("number {number}"), None));
        stage.wait(Duration::from_millis(100));
    }
    assert_eq!(warnings(&stage), ["number 0"]);
    stage.wait(LOSS_INTERVAL);
    let counted = "4 losses since the last warning; the latest: number 4";
    assert_eq!(warnings(&stage), ["number 0", counted]);
    stage.reply(0, broken("last", None));
    stage.signal(StopRequest::Graceful);
    assert_eq!(warnings(&stage), ["number 0", counted, "last"], "nothing is left untold");
}

#[test]
fn a_target_that_breaks_the_protocol_is_given_up_for_that() {
    let mut stage = Stage::start(config());
    while given_up(&stage).is_none() {
        assert!(stage.now < Duration::from_secs(60), "it is given up");
        if stage.calls.contains_key(&0) {
            stage.reply(0, broken("its reply is not one", Some(b"bad")));
        }
        stage.wait(Duration::from_millis(100));
    }
    let reason = given_up(&stage).expect("just seen");
    assert!(reason.starts_with("its workers start, but each breaks the protocol"), "{reason}");
    assert!(reason.ends_with("its reply is not one"), "{reason}");
    assert!(stage.spawned.len() >= FAILED_STARTS_MAX as usize);
    assert_eq!(stage.summary().reason, FinishReason::WorkersWouldNotStart);
}

#[test]
fn the_input_during_which_the_protocol_was_broken_is_kept_aside() {
    let mut stage = Stage::start(config());
    stage.reply(0, broken("garbage", Some(b"bad")));
    stage.wait(Duration::from_millis(100));
    let kept = |stage: &Stage| {
        let verdicts = stage.stored.iter().filter_map(|record| match record {
            Record::Bug { input, verdict, .. } => Some((input.to_vec(), *verdict)),
            _ => None,
        });
        verdicts.collect::<Vec<_>>()
    };
    let aside = Verdict::Unconfirmed { runs: 0 };
    assert_eq!(kept(&stage), [(b"bad".to_vec(), aside)]);
    assert!(stage.told().contains(&"unconfirmed") && !stage.told().contains(&"bug"));
    let kind = stage.reports.iter().find_map(|report| match report {
        Report::Unconfirmed(bug) => Some(bug.failure.kind),
        _ => None,
    });
    assert_eq!(kind, Some(FailureKind::Protocol));
    stage.reply(0, broken("garbage", Some(b"bad")));
    stage.wait(Duration::from_millis(100));
    stage.reply(0, broken("garbage", None));
    stage.wait(Duration::from_millis(100));
    assert_eq!(kept(&stage).len(), 1, "the same once, and nothing where nothing was executed");
    stage.reply(0, broken("garbage", Some(b"other")));
    assert_eq!(kept(&stage)[1..], [(b"other".to_vec(), aside)]);
    assert_eq!(stage.summary_after_stop().status.bugs, 0);
}

#[test]
fn an_input_that_is_on_the_disk_already_is_not_kept_aside() {
    let origin = Origin::Testdata(PathBuf::from("testdata/old"));
    let entries = vec![entry(b"old", origin, None)];
    let mut stage =
        Stage::start(SessionConfig { tests: vec![TestConfig { entries, ..test() }], ..config() });
    stage.reply(0, broken("garbage", Some(b"old")));
    assert!(!stage.stored.iter().any(|record| matches!(record, Record::Crash { .. })));
}

#[test]
fn a_healthy_worker_does_not_hide_a_broken_slot() {
    let config = SessionConfig { workers: 2, ..config() };
    let mut stage = Stage::start_with(config, |stage| stage.broken_slots = vec![1]);
    for _ in 0..600 {
        stage.reply_after(0, 9, Duration::from_millis(50), Outcome::Nothing);
        stage.give(Event::Tick);
    }
    let starts = stage.spawned.iter().filter(|(worker, _)| *worker == 1).count();
    assert!(starts < 20, "{starts} starts in 30 s");
    assert!(given_up(&stage).is_none(), "the other worker gets on");
    stage.broken_slots.clear();
    stage.wait(Duration::from_secs(11));
    assert!(stage.calls.contains_key(&1), "the pause is bounded");
}

#[test]
fn an_empty_input_that_nobody_gave_is_not_counted_as_one() {
    let tests = vec![TestConfig { entries: Vec::new(), ..test() }];
    let mut stage = Stage::start(SessionConfig { tests, ..config() });
    stage.expect_execute(0, b"");
    let inputs = stage.reports.iter().find_map(|report| match report {
        Report::WarmupStarted { test: TestIndex(0), inputs, .. } => Some(*inputs),
        _ => None,
    });
    assert_eq!(inputs, Some(0));
    stage.reply(0, passed(&[(0, 1)]));
    assert_eq!(stage.entries(), [b""]);
}

fn drain_on_full_disk(pace: Pace) -> Duration {
    let config = SessionConfig { execs_max: Some(1), minimize: false, pace, ..config() };
    let mut stage = Stage::start(config);
    stage.disk = DiskMode::Refuses;
    stage.reply(0, failed(b"crash", panic_at(1)));
    let begun = stage.now;
    while !stage.is_finished {
        stage.wait(Duration::from_millis(100));
        assert!(stage.now < begun + DRAIN_TIME, "it waits for nothing");
    }
    assert_eq!(stage.summary().reason, FinishReason::ExecsReached);
    assert_eq!(stage.summary().unsaved.len(), 1);
    stage.now - begun
}

#[test]
fn a_drain_ends_soon_when_only_a_failing_disk_is_left_to_wait_for() {
    for pace in [Pace::Clock, Pace::Executions] {
        let took = drain_on_full_disk(pace);
        assert!(took >= DRAIN_REFUSED_TIME, "a disk that was busy is tried again: {took:?}");
        assert!(took <= DRAIN_REFUSED_TIME + COMMIT_GRACE * 2, "{took:?}");
    }
}
