//! Entries: each find is kept once, and none is lost.

use fuzzd_core::session::{Origin, Outcome, Report, SessionConfig, StopRequest, TestConfig, Work};
use fuzzd_core::signature::FailureKind;

use crate::script::{
    DiskMode, Stage, config, entry, failed, failure, find, minimized, panic_at, passed, test,
};

fn unminimized() -> SessionConfig {
    SessionConfig { minimize: false, ..config() }
}

#[test]
fn a_find_of_two_workers_is_kept_once() {
    let mut stage = Stage::start(SessionConfig { workers: 2, ..unminimized() });
    stage.reply(0, find(b"one", &[(0, 1), (3, 1)]));
    stage.reply(1, find(b"two", &[(0, 1), (3, 1)]));
    assert_eq!(stage.entries(), [b"one"]);
    assert_eq!(stage.call(1).coverage, [(3, 1)], "the other worker is told of it");
}

#[test]
fn a_find_is_minimized_before_it_is_kept() {
    let mut stage = Stage::start(config());
    stage.reply(0, find(b"long", &[(3, 1)]));
    assert!(matches!(stage.work(0), Work::MinimizeFind { keep, .. } if *keep == [(3, 1)]));
    assert!(stage.entries().is_empty());
    stage.reply(0, minimized(b"l", &[(3, 1), (4, 1)]));
    assert_eq!(stage.entries(), [b"l"]);
}

#[test]
fn a_find_whose_minimization_fails_is_kept_as_it_was() {
    let mut stage = Stage::start(config());
    stage.reply(0, find(b"long", &[(3, 1)]));
    stage.die(0, b"lon", failure(FailureKind::Abort, ""));
    assert_eq!(stage.entries(), [b"long"]);
    for _ in 0..3 {
        stage.die(0, b"lon", failure(FailureKind::Abort, ""));
    }
    stage.reply(0, find(b"other", &[(5, 1)]));
    stage.reply(0, minimized(b"o", &[(6, 1)]));
    assert_eq!(stage.entries(), [&b"long"[..], b"other"], "what lost the coverage is refused");
}

#[test]
fn two_finds_minimized_to_one_input_are_one_entry() {
    let mut stage = Stage::start(SessionConfig { workers: 2, ..config() });
    stage.reply(0, find(b"one", &[(3, 1)]));
    stage.reply(1, find(b"two", &[(4, 1)]));
    stage.reply(0, minimized(b"m", &[(3, 1), (4, 1)]));
    stage.reply(1, minimized(b"m", &[(3, 1), (4, 1)]));
    stage.signal(StopRequest::Graceful);
    let status = &stage.summary().status;
    assert_eq!((status.corpus, status.new_finds, status.features), (2, 1, 3));
}

#[test]
fn a_find_is_counted_when_it_is_on_disk_not_before() {
    let mut stage = Stage::start(unminimized());
    stage.disk = DiskMode::Holds;
    stage.reply(0, find(b"one", &[(3, 1)]));
    let told = |stage: &Stage| match stage.reports.last() {
        Some(Report::Status(status)) => (status.corpus, status.edges),
        other => panic!("a status is due: {other:?}"),
    };
    stage.wait(std::time::Duration::from_millis(1_000));
    assert_eq!(told(&stage), (1, 1));
    stage.store_all();
    stage.wait(std::time::Duration::from_millis(1_000));
    assert_eq!(told(&stage), (2, 2));
}

#[test]
fn a_corpus_measured_with_this_build_is_fuzzed_at_once() {
    let stage = Stage::start(config());
    assert!(matches!(stage.work(0), Work::Fuzz { .. }));
    assert_eq!(stage.call(0).coverage, [(0, 1)]);
}

#[test]
fn an_input_rejected_in_warmup_stays_out_and_the_empty_input_can_still_be_found() {
    let entries = vec![entry(b"bad", Origin::Seed, None)];
    let tests = vec![TestConfig { entries, ..test() }];
    let mut stage = Stage::start(SessionConfig { tests, ..unminimized() });
    stage.reply(0, Outcome::Rejected);
    assert!(stage.call(0).input.is_empty(), "mutation starts from the empty input");
    stage.reply(0, find(b"", &[(2, 1)]));
    assert_eq!(stage.entries(), [b""]);
    stage.signal(StopRequest::Graceful);
    let status = &stage.summary().status;
    assert_eq!((status.corpus, status.edges), (1, 1));
}

#[test]
fn the_empty_input_run_for_want_of_seeds_becomes_an_entry() {
    let tests = vec![TestConfig { entries: Vec::new(), ..test() }];
    let mut stage = Stage::start(SessionConfig { tests, ..unminimized() });
    stage.expect_execute(0, b"");
    stage.reply(0, passed(&[(0, 1)]));
    assert_eq!(stage.entries(), [b""], "or the next session would not have its coverage");
}

#[test]
fn a_counter_out_of_range_costs_the_worker_its_place_and_changes_nothing() {
    let mut stage = Stage::start(unminimized());
    stage.reply(0, find(b"lie", &[(99, 1)]));
    assert_eq!(stage.told(), ["lost"]);
    stage.wait(std::time::Duration::from_millis(100));
    assert_eq!(stage.spawned.len(), 2);
    assert!(stage.entries().is_empty());
    stage.reply(0, failed(b"x", panic_at(1)));
    assert_eq!(stage.crashes(panic_at(1).signature()), [b"x"]);
}
