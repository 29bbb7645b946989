//! Failing disks, workers that will not start, and stops.

use std::time::Duration;

use fuzzd_core::ids::TestIndex;
use fuzzd_core::limits::{COMMIT_GRACE, FAILED_STARTS_MAX};
use fuzzd_core::session::{
    Event, FinishReason, Outcome, Pace, Record, Report, SessionConfig, StopRequest, TestConfig,
    Work,
};

use crate::script::{DiskMode, Stage, config, failed, find, panic_at, test};

#[test]
fn a_refused_write_is_tried_again_and_the_recovery_is_told_once() {
    let mut stage = Stage::start(SessionConfig { minimize: false, ..config() });
    stage.disk = DiskMode::Refuses;
    stage.reply(0, find(b"one", &[(3, 1)]));
    stage.reply(0, find(b"two", &[(4, 1)]));
    stage.wait(Duration::from_secs(20));
    assert!(matches!(stage.work(0), Work::Fuzz { .. }), "fuzzing goes on");
    assert!(stage.entries().is_empty());
    stage.disk = DiskMode::Stores;
    stage.wait(Duration::from_secs(60));
    assert_eq!(stage.entries(), [&b"one"[..], b"two"]);
    let told: Vec<_> = stage.told().into_iter().filter(|told| told.starts_with("store")).collect();
    assert_eq!(told, ["store failing", "store recovered"]);
}

#[test]
fn a_refused_write_that_is_answered_late_is_still_one_failure() {
    let mut stage = Stage::start(SessionConfig { minimize: false, ..config() });
    stage.disk = DiskMode::Refuses;
    stage.reply(0, find(b"one", &[(3, 1)]));
    stage.disk = DiskMode::Holds;
    stage.wait(Duration::from_secs(3));
    stage.store_all();
    let told: Vec<_> = stage.told().into_iter().filter(|told| told.starts_with("store")).collect();
    assert_eq!(told, ["store failing", "store recovered"]);
}

#[test]
fn a_crash_the_disk_never_takes_is_listed_at_the_end() {
    let mut stage = Stage::start(config());
    stage.disk = DiskMode::Refuses;
    stage.reply(0, failed(b"crash", panic_at(1)));
    stage.signal(StopRequest::Graceful);
    stage.wait(COMMIT_GRACE);
    let unsaved: Vec<&[u8]> = stage.summary().unsaved.iter().map(|crash| &*crash.input).collect();
    assert_eq!(unsaved, [b"crash"]);
    assert!(!stage.told().contains(&"bug"), "not told as a bug: it is not durable");
}

#[test]
fn a_bug_whose_verdict_the_disk_never_takes_is_listed_at_the_end() {
    let mut stage = Stage::start(config());
    stage.crash(0, b"crash", panic_at(1));
    stage.disk = DiskMode::Refuses;
    stage.confirm(0, b"crash", &panic_at(1));
    stage.signal(StopRequest::Graceful);
    stage.wait(COMMIT_GRACE);
    let unsaved: Vec<&[u8]> = stage.summary().unsaved.iter().map(|crash| &*crash.input).collect();
    assert_eq!((unsaved, stage.summary().status.bugs), (vec![&b"crash"[..]], 0));
}

#[test]
fn a_test_that_was_given_up_before_the_session_is_told_of_while_others_go_on() {
    let given_up = Some("no library".to_owned());
    let second =
        TestConfig { name: "second".into(), counters: 0, entries: Vec::new(), given_up, ..test() };
    let mut stage =
        Stage::start(SessionConfig { workers: 2, tests: vec![second, test()], ..config() });
    assert_eq!(stage.told(), ["given up"]);
    let tests: Vec<TestIndex> = stage.calls.values().map(|(_, test, _)| *test).collect();
    assert_eq!(tests, [TestIndex(1), TestIndex(1)]);
    stage.signal(StopRequest::Graceful);
    let summary = stage.summary();
    assert_eq!(summary.tests[0].given_up.as_deref(), Some("no library"));
    assert!(summary.tests[1].given_up.is_none());
}

#[test]
fn a_test_that_skips_itself_is_told_of_in_its_own_words() {
    let given_up = Some("second was skipped".to_owned());
    let second = TestConfig { name: "second".into(), given_up, is_skipped: true, ..test() };
    let mut stage = Stage::start(SessionConfig { tests: vec![second, test()], ..config() });
    let told = stage.reports.iter().find_map(|report| match report {
        Report::TestGivenUp { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(told.as_deref(), Some("second was skipped"));
    stage.signal(StopRequest::Graceful);
    let skipped: Vec<bool> = stage.summary().tests.iter().map(|test| test.is_skipped).collect();
    assert_eq!(skipped, [true, false]);
}

#[test]
fn a_stop_tries_what_was_refused_once_more() {
    let mut stage = Stage::start(SessionConfig { minimize: false, ..config() });
    stage.disk = DiskMode::Refuses;
    stage.reply(0, find(b"one", &[(3, 1)]));
    stage.wait(Duration::from_secs(100));
    stage.disk = DiskMode::Stores;
    stage.signal(StopRequest::Graceful);
    assert_eq!(stage.entries(), [b"one"]);
    assert_eq!(stage.summary().unsaved_entries, 0);
}

#[test]
fn statistics_of_a_silent_disk_do_not_pile_up() {
    let mut stage = Stage::start(config());
    stage.disk = DiskMode::Holds;
    for _ in 0..60 {
        stage.reply_after(0, 100, Duration::from_millis(100), Outcome::Nothing);
        stage.wait(Duration::from_millis(1_000));
    }
    let progress =
        stage.held.iter().filter(|(_, record)| matches!(record, Record::Progress { .. }));
    assert_eq!(progress.count(), 1);
}

#[test]
fn a_test_whose_workers_will_not_start_is_given_up_while_others_go_on() {
    let tests = vec![test(), TestConfig { name: "second".into(), ..test() }];
    let config = SessionConfig { workers: 2, tests, ..config() };
    let mut stage = Stage::start_with(config, |stage| stage.broken = vec![TestIndex(1)]);
    let attempts =
        |stage: &Stage| stage.spawned.iter().filter(|(_, test)| *test == TestIndex(1)).count();
    while !stage.told().contains(&"given up") {
        for worker in 0..2 {
            if stage.calls.contains_key(&worker) {
                stage.reply_after(worker, 9, Duration::from_millis(50), Outcome::Nothing);
            }
        }
        stage.give(Event::Tick);
        assert!(stage.now < Duration::from_secs(60), "{} attempts", attempts(&stage));
    }
    assert!(attempts(&stage) >= FAILED_STARTS_MAX as usize);
    let tests: Vec<TestIndex> = stage.calls.values().map(|(_, test, _)| *test).collect();
    assert_eq!(tests, [TestIndex(0), TestIndex(0)], "both workers serve the other");
    stage.signal(StopRequest::Graceful);
    assert_eq!(stage.summary().reason, FinishReason::Stopped);
    assert!(stage.summary().tests[1].given_up.is_some());
}

#[test]
fn one_bad_moment_of_many_workers_does_not_end_the_session() {
    let config = SessionConfig { workers: 32, ..config() };
    let mut stage = Stage::start_with(config, |stage| stage.broken = vec![TestIndex(0)]);
    assert_eq!((stage.spawned.len(), stage.calls.len()), (32, 0), "all are lost");
    stage.broken.clear();
    stage.wait(Duration::from_millis(200));
    assert_eq!(stage.calls.len(), 32);
}

#[test]
fn a_session_whose_workers_will_not_start_ends_with_that_reason() {
    let mut stage = Stage::start_with(config(), |stage| stage.broken = vec![TestIndex(0)]);
    stage.wait(Duration::from_secs(30));
    assert_eq!(stage.summary().reason, FinishReason::WorkersWouldNotStart);
}

#[test]
fn a_second_signal_kills_and_keeps_the_crash_that_is_known() {
    let mut stage = Stage::start(config());
    stage.disk = DiskMode::Holds;
    stage.reply(0, failed(b"crash", panic_at(1)));
    stage.signal(StopRequest::Graceful);
    stage.signal(StopRequest::Immediate);
    stage.wait(Duration::from_millis(300));
    assert_eq!(stage.summary().reason, FinishReason::Killed);
    assert_eq!(stage.summary().unsaved.len(), 1);
}

#[test]
fn time_is_up_from_the_first_execution_on() {
    let time_max = Some(Duration::from_secs(5));
    let config = SessionConfig { time_max, ..config() };
    let mut stage = Stage::start_with(config, |stage| stage.now = Duration::from_secs(1_000));
    stage.wait(Duration::from_millis(4_900));
    assert!(!stage.is_finished);
    stage.wait(Duration::from_millis(1_200));
    assert_eq!(stage.summary().reason, FinishReason::TimeReached);
}

#[test]
fn a_session_in_which_nothing_runs_says_so_and_not_at_once() {
    for (pace, what) in [
        (Pace::Clock, "one mutated input"),
        // It tells nothing before its end, so it may well get on.
        (Pace::Executions, "a call of many executions"),
    ] {
        let config = SessionConfig { pace, ..config() };
        let mut stage = Stage::start_with(config, |stage| stage.now = Duration::from_secs(1_000));
        stage.wait(Duration::from_secs(4));
        assert!(stage.told().is_empty());
        stage.wait(Duration::from_secs(2));
        assert_eq!(stage.told(), ["stalled"]);
        let reason = stage.reports.iter().find_map(|report| match report {
            Report::Stalled { reason } => Some(reason.as_str()),
            _ => None,
        });
        assert_eq!(reason, Some(format!("test: {what} has been running for 5s").as_str()));
    }
}
