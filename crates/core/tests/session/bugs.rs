//! Crashes of this session: on disk, confirmed, told, minimized, in this order.

use fuzzd_core::session::{FinishReason, Outcome, Record, Report, StopRequest, Verdict, Work};
use fuzzd_core::signature::FailureKind;

use crate::script::{DiskMode, Stage, config, failed, failure, minimized, panic_at, passed};

#[test]
fn a_crash_is_stored_then_confirmed_then_reported_then_minimized_then_improved() {
    let mut stage = Stage::start(config());
    stage.disk = DiskMode::Holds;
    stage.reply(0, failed(b"long crash", panic_at(1)));
    assert!(matches!(&stage.held[0].1, Record::Crash { input, .. } if **input == *b"long crash"));
    assert!(matches!(stage.work(0), Work::Fuzz { .. }), "fuzzing goes on while the disk is slow");
    stage.store_all();
    stage.reply(0, Outcome::Nothing);
    for run in 1..=3 {
        assert_eq!(stage.spawned.len(), 1 + run, "each run has a process of its own");
        stage.expect_execute(0, b"long crash");
        assert!(stage.told().is_empty(), "nothing is told before the verdict");
        stage.reply(0, failed(b"long crash", panic_at(1)));
    }
    assert_eq!(stage.told(), ["bug"]);
    stage.reply(0, Outcome::Nothing);
    assert!(matches!(stage.work(0), Work::MinimizeFailure { .. }));
    stage.reply(0, minimized(b"crash", &[]));
    stage.expect_execute(0, b"crash");
    assert_eq!(stage.spawned.len(), 5, "the smaller input runs in a fresh process too");
    stage.reply(0, failed(b"crash", panic_at(1)));
    assert_eq!(stage.told(), ["bug", "minimized"]);
    let Some(Report::BugMinimized(bug)) =
        stage.reports.iter().rev().find(|report| matches!(report, Report::BugMinimized(_)))
    else {
        panic!("told above");
    };
    assert_eq!((&*bug.input, bug.reproduced, bug.runs), (&b"crash"[..], 3, 3));
    assert!(matches!(stage.work(0), Work::Fuzz { .. }));
    assert_eq!(&*stage.call(0).ignore, [panic_at(1).signature()]);
}

#[test]
fn a_crash_of_the_same_signature_is_counted_not_reported_again() {
    let mut stage = Stage::start(config());
    stage.reply(0, failed(b"1", panic_at(1)));
    for _ in 0..3 {
        stage.reply(0, failed(b"1", panic_at(1)));
    }
    for _ in 0..20 {
        stage.reply(0, failed(b"2", panic_at(1)));
        stage.reply(0, failed(b"3", panic_at(1)));
    }
    assert_eq!(stage.told(), ["bug"]);
    assert_eq!(stage.crashes(panic_at(1).signature()).len(), 8, "a bounded number is kept");
}

#[test]
fn a_crash_that_does_not_reproduce_is_a_flaky_bug() {
    let mut stage = Stage::start(config());
    stage.die(0, b"once", failure(FailureKind::Abort, ""));
    for _ in 0..3 {
        stage.expect_execute(0, b"once");
        stage.reply(0, passed(&[(0, 1)]));
    }
    assert_eq!(stage.told(), ["flaky bug"]);
}

#[test]
fn a_kill_from_outside_that_does_not_reproduce_is_unconfirmed_and_no_bug() {
    let mut stage = Stage::start(config());
    stage.die(0, b"innocent", failure(FailureKind::ForeignSignal(9), ""));
    for _ in 0..3 {
        stage.expect_execute(0, b"innocent");
        stage.reply(0, passed(&[(0, 1)]));
    }
    assert_eq!(stage.told(), ["unconfirmed"]);
    stage.signal(StopRequest::Graceful);
    assert_eq!(stage.summary().status.bugs, 0);
}

#[test]
fn after_an_accident_an_input_that_does_get_its_process_killed_is_still_found() {
    let killed = || failure(FailureKind::ForeignSignal(9), "");
    let mut stage = Stage::start(config());
    stage.die(0, b"innocent", killed());
    for _ in 0..3 {
        stage.reply(0, passed(&[(0, 1)]));
    }
    assert_eq!(stage.told(), ["unconfirmed"]);
    stage.die(0, b"guilty", killed());
    for _ in 0..3 {
        stage.expect_execute(0, b"guilty");
        stage.die(0, b"guilty", killed());
    }
    assert_eq!(stage.told(), ["unconfirmed", "bug"]);
}

#[test]
fn a_kill_from_outside_before_its_first_run_waits_for_the_next_session() {
    let mut stage = Stage::start(config());
    stage.die(0, b"innocent", failure(FailureKind::ForeignSignal(9), ""));
    stage.signal(StopRequest::Graceful);
    assert_eq!(stage.told(), ["finished"]);
    assert!(!stage.has_verdict(), "the crash is kept without a verdict");
}

#[test]
fn a_stop_in_the_middle_of_a_run_is_not_a_verdict_of_that_run() {
    let mut stage = Stage::start(config());
    stage.die(0, b"abort", failure(FailureKind::Abort, ""));
    stage.die(0, b"abort", failure(FailureKind::Abort, ""));
    stage.expect_execute(0, b"abort");
    stage.signal(StopRequest::Graceful);
    let verdict = stage.stored.iter().find_map(|record| match record {
        Record::Bug { verdict, .. } => Some(*verdict),
        _ => None,
    });
    assert_eq!(verdict, Some(Verdict::Confirmed { reproduced: 1, runs: 1 }));
    assert_eq!(stage.told(), ["bug", "finished"]);
}

#[test]
fn a_smaller_input_that_fails_otherwise_leaves_the_original_and_is_a_crash_of_its_own() {
    let mut stage = Stage::start(config());
    stage.crash(0, b"long crash", panic_at(1));
    stage.confirm(0, b"long crash", &panic_at(1));
    stage.reply(0, minimized(b"crash", &[]));
    stage.reply(0, failed(b"crash", panic_at(2)));
    assert_eq!(stage.told(), ["bug"], "not minimized");
    assert_eq!(stage.crashes(panic_at(2).signature()), [b"crash"]);
    stage.reply(0, Outcome::Nothing);
    stage.expect_execute(0, b"crash");
}

#[test]
fn a_crash_during_minimization_is_kept_beside_what_was_minimized() {
    let mut stage = Stage::start(config());
    stage.crash(0, b"long crash", panic_at(1));
    stage.confirm(0, b"long crash", &panic_at(1));
    assert!(matches!(stage.work(0), Work::MinimizeFailure { .. }));
    stage.die(0, b"other", failure(FailureKind::Signal(11), ""));
    assert_eq!(stage.crashes(failure(FailureKind::Signal(11), "").signature()), [b"other"]);
}

#[test]
fn fail_fast_finishes_the_bug_and_then_the_session() {
    let mut stage =
        Stage::start(fuzzd_core::session::SessionConfig { fail_fast: true, ..config() });
    stage.crash(0, b"long crash", panic_at(1));
    stage.confirm(0, b"long crash", &panic_at(1));
    assert_eq!(stage.told(), ["bug"]);
    stage.reply(0, minimized(b"crash", &[]));
    stage.reply(0, failed(b"crash", panic_at(1)));
    assert_eq!(stage.told(), ["bug", "minimized", "finished"]);
    assert_eq!(stage.summary().reason, FinishReason::FailFast);
}
