//! Executions are exact, and every test gets its time.

use std::collections::BTreeMap;
use std::time::Duration;

use fuzzd_core::ids::TestIndex;
use fuzzd_core::session::{FinishReason, Outcome, Pace, SessionConfig, TestConfig, Work};
use fuzzd_core::signature::FailureKind;

use crate::script::{Stage, config, failure, find, test};

fn limit(stage: &Stage, worker: usize) -> u64 {
    match stage.work(worker) {
        Work::Fuzz { execs_max, .. } => *execs_max,
        other => panic!("a Fuzz call is due: {other:?}"),
    }
}

#[test]
fn the_budget_is_split_among_workers_and_reached_exactly() {
    let execs_max = Some(1_000);
    let mut stage = Stage::start(SessionConfig { workers: 3, execs_max, ..config() });
    let mut done = 0;
    let mut turn = 0;
    while !stage.is_finished {
        let limits: BTreeMap<usize, u64> =
            stage.calls.keys().map(|worker| (*worker, limit(&stage, *worker))).collect();
        assert!(done + limits.values().sum::<u64>() <= 1_000, "never over-committed");
        let (worker, limit) = limits.into_iter().nth(turn % stage.calls.len()).expect("a call");
        turn += 1;
        // Early, exact, and a lie.
        let claim = [limit.div_ceil(2), limit, u64::MAX][turn % 3];
        done += claim.min(limit);
        stage.reply_after(worker, claim, Duration::from_millis(1), Outcome::Nothing);
    }
    assert_eq!(done, 1_000);
    assert_eq!(stage.summary().status.execs, 1_000);
    assert_eq!(stage.summary().reason, FinishReason::ExecsReached);
}

#[test]
fn a_worker_that_executes_nothing_is_replaced_and_at_last_given_up() {
    let mut stage = Stage::start(SessionConfig { execs_max: Some(1_000), ..config() });
    while !stage.is_finished {
        if stage.calls.contains_key(&0) {
            stage.reply_after(0, 0, Duration::from_millis(1), Outcome::Nothing);
        } else {
            stage.wait(Duration::from_millis(100));
        }
    }
    assert_eq!(stage.summary().reason, FinishReason::WorkersWouldNotStart);
}

/// Plays `seconds` of a session of two tests with `play`, and sums the time each was executed.
fn shares(
    mut stage: Stage,
    seconds: u64,
    mut play: impl FnMut(&mut Stage, TestIndex),
) -> [Duration; 2] {
    let mut shares = [Duration::ZERO; 2];
    while stage.now < Duration::from_secs(seconds) {
        let test = stage.calls[&0].1;
        let before = stage.now;
        play(&mut stage, test);
        shares[test.0] += stage.now - before;
    }
    shares
}

fn two_tests() -> SessionConfig {
    let second = TestConfig { name: "second".into(), counters: 16, ..test() };
    SessionConfig { minimize: false, tests: vec![test(), second], ..config() }
}

#[test]
fn a_test_that_finds_gets_more_time_and_the_other_still_gets_some() {
    let mut finds = 0u32;
    let [first, second] = shares(Stage::start(two_tests()), 200, |stage, test| {
        let outcome = if test == TestIndex(0) && finds < 120 && stage.now.as_millis() % 10 == 0 {
            finds += 1;
            let bit = 1 << (finds % 8);
            find(&finds.to_le_bytes(), &[(1 + finds / 8 % 15, bit)])
        } else {
            Outcome::Nothing
        };
        stage.reply_after(0, 100, Duration::from_millis(100), outcome);
    });
    assert!(first > second, "{first:?} and {second:?}");
    assert!(second * 6 > first, "{first:?} and {second:?}");
}

#[test]
fn a_test_that_kills_its_workers_does_not_starve_the_other() {
    let [first, second] = shares(Stage::start(two_tests()), 200, |stage, test| {
        if test == TestIndex(0) {
            // Known after the first: nothing but the loss of time comes of it.
            stage.now += Duration::from_secs(1);
            stage.die(0, b"hang", failure(FailureKind::Timeout, ""));
        } else {
            stage.reply_after(0, 100, Duration::from_millis(100), Outcome::Nothing);
        }
    });
    assert!(second * 6 > first, "{first:?} and {second:?}");
}

#[test]
fn paced_by_executions_the_same_share_holds() {
    let config = SessionConfig { pace: Pace::Executions, ..two_tests() };
    let mut execs = [0u64; 2];
    let mut stage = Stage::start(config);
    for _ in 0..400 {
        let test = stage.calls[&0].1;
        let limit = limit(&stage, 0);
        execs[test.0] += limit;
        stage.reply_after(0, limit, Duration::from_millis(1), Outcome::Nothing);
    }
    let [first, second] = execs;
    assert!(first < second * 2 && second < first * 2, "{execs:?}");
}
