//! Crashes that end the process they happen in: minimized by workers that can fork.

use fuzzd_core::ids::WorkerId;
use fuzzd_core::session::{
    Death, Event, Outcome, Record, Report, SessionConfig, Work, WorkerEvent,
};
use fuzzd_core::signature::FailureKind;

use crate::script::{Stage, config, failed, failure, minimized, panic_at};

fn forking(config: SessionConfig) -> Stage {
    Stage::start_with(config, |stage| stage.has_fork = true)
}

/// A crash that is found, and ends three fresh processes.
fn found_and_confirmed(stage: &mut Stage, kind: FailureKind, runs: u32) {
    for _ in 0..=runs {
        stage.die(0, b"long crash", failure(kind, ""));
    }
}

fn is_by_fork(work: &Work) -> bool {
    matches!(work, Work::MinimizeFailure { by_fork: true, .. })
}

#[test]
fn a_crash_that_ends_the_process_is_minimized_by_forking() {
    for kind in [
        FailureKind::Abort,
        FailureKind::Signal(11),
        FailureKind::StackOverflow,
        FailureKind::Exit(0),
        FailureKind::OutOfMemory,
        FailureKind::ForeignSignal(9),
    ] {
        let mut stage = forking(config());
        found_and_confirmed(&mut stage, kind, 3);
        assert_eq!(stage.told(), ["bug"], "{kind:?}");
        assert!(is_by_fork(stage.work(0)), "{kind:?}: {:?}", stage.work(0));
        stage.reply(0, minimized(b"crash", &[]));
        stage.expect_execute(0, b"crash");
        stage.die(0, b"crash", failure(kind, ""));
        assert_eq!(stage.told(), ["bug", "minimized"], "{kind:?}");
        let smaller = stage
            .reports
            .iter()
            .any(|report| matches!(report, Report::BugMinimized(bug) if *bug.input == *b"crash"));
        assert!(smaller, "{kind:?}");
    }
}

#[test]
fn a_panic_that_ends_the_process_is_minimized_by_forking_and_another_is_not() {
    let mut stage = forking(config());
    for _ in 0..=3 {
        stage.die(0, b"long crash", panic_at(1));
    }
    assert!(is_by_fork(stage.work(0)), "{:?}", stage.work(0));
    let mut stage = forking(config());
    stage.crash(0, b"long crash", panic_at(1));
    stage.confirm(0, b"long crash", &panic_at(1));
    assert!(matches!(stage.work(0), Work::MinimizeFailure { by_fork: false, .. }));
}

#[test]
fn a_worker_that_cannot_fork_keeps_the_crash_as_it_was_found() {
    let mut stage = Stage::start(config());
    found_and_confirmed(&mut stage, FailureKind::Abort, 3);
    assert_eq!(stage.told(), ["bug"]);
    assert!(matches!(stage.work(0), Work::Fuzz { .. }), "{:?}", stage.work(0));
}

#[test]
fn a_timeout_is_minimized_only_where_it_is_short() {
    for minimize_timeouts in [true, false] {
        let mut stage = forking(SessionConfig { minimize_timeouts, ..config() });
        found_and_confirmed(&mut stage, FailureKind::Timeout, 1);
        assert_eq!(stage.told(), ["bug"]);
        assert_eq!(is_by_fork(stage.work(0)), minimize_timeouts);
    }
}

#[test]
fn a_worker_lost_while_it_forks_is_not_blamed_on_the_input() {
    let mut stage = forking(config());
    found_and_confirmed(&mut stage, FailureKind::Abort, 3);
    assert!(is_by_fork(stage.work(0)));
    let crashes = |stage: &Stage| {
        stage.stored.iter().filter(|record| matches!(record, Record::Crash { .. })).count()
    };
    let before = crashes(&stage);
    let (epoch, ..) = stage.calls.remove(&0).expect("the worker has a call");
    let failure = failure(FailureKind::Signal(11), "lost");
    let event = WorkerEvent::Died(Death { failure, input: None, execs: 0, execs_other: 40 });
    stage.give(Event::Worker { worker: WorkerId(0), epoch, event });
    stage.wait(std::time::Duration::from_secs(1));
    assert_eq!(crashes(&stage), before, "nothing is kept as a crash");
    assert!(matches!(stage.work(0), Work::Fuzz { .. }), "the bug stays as it is");
    stage.reply(0, Outcome::Nothing);
    stage.reply(0, failed(b"other", panic_at(3)));
    assert_eq!(stage.crashes(panic_at(3).signature()), [b"other"]);
}
