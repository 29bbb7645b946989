//! What was there before the session: bugs, testdata and seeds that fail.

use std::path::PathBuf;

use fuzzd_core::session::{Origin, Outcome, Report, SessionConfig, StopRequest, TestConfig, Work};
use fuzzd_core::signature::FailureKind;

use crate::script::{Stage, bug, config, entry, failed, failure, panic_at, passed, test};

fn one(test: TestConfig) -> SessionConfig {
    SessionConfig { minimize: false, tests: vec![test], ..config() }
}

#[test]
fn testdata_that_fails_in_warmup_is_known_and_does_not_count_as_new() {
    let origin = Origin::Testdata(PathBuf::from("testdata/old"));
    let entries = vec![entry(b"old", origin, None), entry(b"good", Origin::Corpus, None)];
    let mut stage = Stage::start(one(TestConfig { entries, ..test() }));
    stage.reply(0, failed(b"old", panic_at(1)));
    stage.reply(0, passed(&[(0, 1)]));
    assert_eq!(stage.told(), ["known"]);
    assert!(matches!(stage.work(0), Work::Fuzz { .. }), "fuzzing goes on");
    stage.signal(StopRequest::Graceful);
    let summary = stage.summary();
    assert_eq!((summary.tests[0].bugs_new, summary.tests[0].bugs_known), (0, 1));
}

#[test]
fn a_seed_that_fails_is_a_new_bug() {
    let entries = vec![entry(b"seed", Origin::Seed, None)];
    let mut stage = Stage::start(one(TestConfig { entries, ..test() }));
    stage.expect_execute(0, b"seed");
    stage.crash(0, b"seed", panic_at(1));
    stage.confirm(0, b"seed", &panic_at(1));
    assert_eq!(stage.told(), ["bug"]);
}

#[test]
fn a_seed_that_fails_like_testdata_is_known() {
    let origin = Origin::Testdata(PathBuf::from("testdata/old"));
    let entries = vec![entry(b"seed", Origin::Seed, None), entry(b"old", origin, None)];
    let mut stage = Stage::start(one(TestConfig { entries, ..test() }));
    stage.expect_execute(0, b"old");
    stage.reply(0, failed(b"old", panic_at(1)));
    stage.reply(0, failed(b"seed", panic_at(1)));
    assert_eq!(stage.told(), ["known"]);
}

#[test]
fn another_input_that_fails_like_a_bug_of_before_shows_that_bug() {
    let bugs = vec![bug(&panic_at(1), b"bug", false)];
    let entries = vec![entry(b"seed", Origin::Seed, None)];
    let mut config = one(TestConfig { entries, bugs, ..test() });
    config.workers = 2;
    let mut stage = Stage::start(config);
    stage.expect_execute(0, b"bug");
    stage.expect_execute(1, b"seed");
    stage.reply(1, failed(b"seed", panic_at(1)));
    stage.reply(0, passed(&[(0, 1)]));
    assert_eq!(stage.told(), ["known"], "neither new nor gone");
}

#[test]
fn a_pending_bug_is_confirmed_before_anything_else_and_is_new() {
    let bugs = vec![bug(&panic_at(1), b"pending", true)];
    let entries = vec![entry(b"good", Origin::Corpus, None)];
    let mut stage = Stage::start(one(TestConfig { entries, bugs, ..test() }));
    for _ in 0..3 {
        stage.expect_execute(0, b"pending");
        stage.reply(0, failed(b"pending", panic_at(1)));
    }
    assert_eq!(stage.told(), ["bug"]);
    stage.expect_execute(0, b"good");
}

#[test]
fn a_fixed_bug_is_told_and_its_return_is_new() {
    let bugs = vec![bug(&panic_at(1), b"bug", false)];
    let mut stage = Stage::start(one(TestConfig { bugs, ..test() }));
    stage.expect_execute(0, b"bug");
    stage.reply(0, passed(&[(0, 1)]));
    assert_eq!(stage.told(), ["no longer fails"]);
    assert!(stage.call(0).ignore.is_empty(), "a worker must tell of its return");
    stage.crash(0, b"again", panic_at(1));
    stage.confirm(0, b"again", &panic_at(1));
    assert_eq!(stage.told(), ["no longer fails", "bug"]);
}

#[test]
fn a_bug_whose_input_is_rejected_now_no_longer_fails() {
    let bugs = vec![bug(&panic_at(1), b"bug", false)];
    let mut stage = Stage::start(one(TestConfig { bugs, ..test() }));
    stage.reply(0, Outcome::Rejected);
    assert_eq!(stage.told(), ["no longer fails"]);
}

#[test]
fn a_kill_from_outside_in_warmup_is_tried_again_before_it_is_believed() {
    let bugs = vec![bug(&panic_at(1), b"bug", false)];
    let mut stage = Stage::start(one(TestConfig { bugs, ..test() }));
    stage.die(0, b"bug", failure(FailureKind::ForeignSignal(9), ""));
    stage.expect_execute(0, b"bug");
    stage.reply(0, failed(b"bug", panic_at(1)));
    assert_eq!(stage.told(), ["known"]);
}

#[test]
fn two_bugs_kept_with_one_input_are_both_judged_by_it() {
    let bugs = vec![bug(&panic_at(1), b"bug", false), bug(&panic_at(2), b"bug", false)];
    let mut stage = Stage::start(one(TestConfig { bugs: bugs.clone(), ..test() }));
    stage.reply(0, failed(b"bug", panic_at(2)));
    assert_eq!(stage.told(), ["known"]);
    let mut stage = Stage::start(one(TestConfig { bugs, ..test() }));
    stage.reply(0, passed(&[]));
    assert_eq!(stage.told(), ["no longer fails", "no longer fails"]);
}

#[test]
fn a_known_bug_is_told_with_the_runs_of_the_session_that_confirmed_it() {
    let runs = |stage: &Stage| {
        let told = stage.reports.iter().find_map(|report| match report {
            Report::KnownBug(bug) | Report::NoLongerFails(bug) => Some((bug.reproduced, bug.runs)),
            _ => None,
        });
        told.expect("told of")
    };
    let known = || TestConfig { bugs: vec![bug(&panic_at(1), b"bug", false)], ..test() };
    let mut by_its_input = Stage::start(one(known()));
    by_its_input.reply(0, failed(b"bug", panic_at(1)));
    assert_eq!(runs(&by_its_input), (2, 3));
    let entries = vec![entry(b"seed", Origin::Seed, None)];
    let mut config = one(TestConfig { entries, ..known() });
    config.workers = 2;
    let mut by_another = Stage::start(config);
    by_another.reply(1, failed(b"seed", panic_at(1)));
    assert_eq!(runs(&by_another), (2, 3));
    let mut fixed = Stage::start(one(known()));
    fixed.reply(0, passed(&[]));
    assert_eq!(runs(&fixed), (2, 3));
}
