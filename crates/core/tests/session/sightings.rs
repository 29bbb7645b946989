//! How often bugs are seen: on the disk as in the session, and who is worth a place in a call.

use std::time::Duration;

use fuzzd_core::limits::IGNORED_SIGNATURES_MAX;
use fuzzd_core::session::{Outcome, Record, SessionConfig, StopRequest};
use fuzzd_core::signature::Signature;

use crate::script::{DiskMode, Stage, config, failed, panic_at};

/// What the disk was told to count for a bug.
fn seen_on_disk(stage: &Stage, wanted: Signature) -> u64 {
    let counts = stage.stored.iter().map(|record| match record {
        Record::Crash { signature, .. } => u64::from(*signature == wanted),
        Record::Progress { seen, .. } => {
            let own = seen.iter().filter(|(signature, _)| *signature == wanted);
            own.map(|(_, count)| count).sum()
        }
        _ => 0,
    });
    counts.sum()
}

#[test]
fn ignored_failures_reach_the_count_on_disk_in_few_records() {
    let mut stage = Stage::start(SessionConfig { minimize: false, ..config() });
    let signature = panic_at(1).signature();
    stage.crash(0, b"crash", panic_at(1));
    stage.confirm(0, b"crash", &panic_at(1));
    let before = stage.stored.len();
    for _ in 0..50 {
        stage.ignore(0, 100, vec![(signature, 3)]);
    }
    stage.wait(Duration::from_secs(3));
    assert_eq!(seen_on_disk(&stage, signature), 1 + 50 * 3);
    assert!(stage.stored.len() <= before + 3, "{} records", stage.stored.len() - before);
    stage.ignore(0, 100, vec![(signature, u64::MAX)]);
    stage.signal(StopRequest::Graceful);
    assert_eq!(seen_on_disk(&stage, signature), 1 + 150 + 100, "no more than were executed");
}

#[test]
fn crashes_that_are_not_kept_are_counted_on_disk() {
    let mut stage = Stage::start(SessionConfig { minimize: false, ..config() });
    for number in 0..20u8 {
        stage.reply(0, failed(&[number], panic_at(1)));
        if number == 0 {
            stage.reply(0, Outcome::Nothing);
            stage.confirm(0, &[0], &panic_at(1));
        }
    }
    stage.signal(StopRequest::Graceful);
    assert_eq!(seen_on_disk(&stage, panic_at(1).signature()), 20);
}

#[test]
fn failures_of_a_bug_that_is_not_on_the_disk_yet_are_counted_when_it_is() {
    let mut stage = Stage::start(SessionConfig { minimize: false, ..config() });
    let signature = panic_at(1).signature();
    stage.disk = DiskMode::Holds;
    stage.reply(0, failed(b"crash", panic_at(1)));
    stage.ignore(0, 9, vec![(signature, 9)]);
    stage.wait(Duration::from_secs(2));
    let seen = stage.held.iter().any(|(_, record)| match record {
        Record::Progress { seen, .. } => !seen.is_empty(),
        _ => false,
    });
    assert!(!seen, "there is no row to count in");
    stage.store_all();
    stage.signal(StopRequest::Graceful);
    assert_eq!(seen_on_disk(&stage, signature), 10);
}

#[test]
fn of_too_many_bugs_those_seen_most_and_latest_are_ignored() {
    let mut stage = Stage::start(SessionConfig { minimize: false, ..config() });
    stage.disk = DiskMode::Holds;
    let count = u32::try_from(IGNORED_SIGNATURES_MAX).expect("small") + 40;
    for line in 0..count {
        stage.reply(0, failed(&line.to_le_bytes(), panic_at(line)));
    }
    let has = |stage: &Stage, line: u32| stage.call(0).ignore.contains(&panic_at(line).signature());
    assert_eq!(stage.call(0).ignore.len(), IGNORED_SIGNATURES_MAX);
    assert!(stage.call(0).ignore.is_sorted(), "the same set is the same message");
    assert!((40..count).all(|line| has(&stage, line)), "the latest");
    assert!(!(0..40).any(|line| has(&stage, line)));
    stage.reply(0, failed(b"again", panic_at(7)));
    assert!(has(&stage, 7) && !has(&stage, 40), "seen twice");
    stage.ignore(0, 5, vec![(panic_at(41).signature(), 5)]);
    for line in 0..40 {
        stage.reply(0, failed(b"again", panic_at(line)));
    }
    assert!(has(&stage, 41) && !has(&stage, 42));
}
