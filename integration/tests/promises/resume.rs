//! A second run starts from all that the first found; a kill -9 in between changes nothing.

use std::collections::BTreeSet;

use fuzzd_integration::{Outcome, Place};
use rustix::process::Signal;

fn signatures(outcome: &Outcome, event: &str) -> BTreeSet<String> {
    let events = outcome.events_named(event);
    events.iter().filter_map(|event| event["signature"].as_str().map(str::to_owned)).collect()
}

#[test]
fn corpus_and_totals_go_on() {
    let place = Place::new();
    let first = place.zoo("stairs").execs(200_000).to_end();
    first.expect_code(0);
    let corpus = first.finished()["corpus"].as_u64();
    assert!(corpus > Some(1), "{}", first.all());
    let second = place.zoo("stairs").execs(10_000).to_end();
    second.expect_code(0);
    let warmup = second.events_named("warmup_finished").remove(0);
    assert!(warmup["corpus"].as_u64() >= corpus, "{}", second.all());
    assert_eq!(second.finished()["tests"][0]["execs_total"], 210_000);
}

#[test]
fn known_bugs_are_listed_and_are_no_news() {
    let place = Place::new();
    let mut session = place.zoo("three_bugs").start();
    let bugs = [(); 3].map(|()| session.wait_for("bug"));
    session.signal(Signal::INT);
    session.wait().expect_code(1);
    let second = place.zoo("three_bugs").execs(20_000).to_end();
    second.expect_code(0);
    let known = signatures(&second, "known_bug");
    for bug in &bugs {
        let signature = bug["signature"].as_str().expect("a signature");
        assert!(known.contains(signature), "{signature}: {}", second.all());
    }
    assert!(second.events_named("bug").is_empty(), "{}", second.all());
    assert_eq!(second.finished()["tests"][0]["bugs_known"], 3);
}

#[test]
fn a_bug_that_was_fixed_is_told() {
    let place = Place::new();
    let first = place.zoo("gets_fixed").args(["--fail-fast"]).to_end();
    first.expect_code(1);
    let signature = first.only_bug()["signature"].clone();
    let second = place.zoo("gets_fixed").execs(5_000).env("ZOO_FIXED", "1").to_end();
    second.expect_code(0);
    let fixed = second.events_named("no_longer_fails");
    assert_eq!(fixed.len(), 1, "{}", second.all());
    assert_eq!(fixed[0]["signature"], signature);
    assert!(second.events_named("known_bug").is_empty(), "{}", second.all());
}

#[test]
fn testdata_that_fails_is_a_known_bug_from_the_start() {
    let place = Place::new();
    let folder = place.testdata_folder("panics_on_magic");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    std::fs::write(folder.join("from-a-colleague"), b"!known").expect("a file can be written");
    let outcome = place.zoo("panics_on_magic").execs(20_000).to_end();
    outcome.expect_code(0);
    let known = outcome.events_named("known_bug");
    assert_eq!(known.len(), 1, "{}", outcome.all());
    let path = known[0]["path"].as_str().expect("it has a file");
    assert!(path.ends_with("from-a-colleague"), "{path}");
    assert_eq!(place.testdata("panics_on_magic").len(), 1, "the file stays, alone");
}

/// Kills the coordinator after its `events`-th event of interest; nothing that was told is lost.
fn kill_and_resume(events: usize) {
    let place = Place::new();
    let mut session = place.zoo("three_bugs").workers(2).start();
    let mut reported = Vec::new();
    let mut corpus = 0;
    for _ in 0..events {
        let told = session.wait_until("news", |event| {
            matches!(event["event"].as_str(), Some("bug" | "bug_minimized" | "status"))
        });
        if told["event"] == "status" {
            corpus = told["corpus"].as_u64().expect("a status counts the corpus");
            continue;
        }
        let path = told["path"].as_str().expect("a bug has a file").to_owned();
        reported.push((told["signature"].as_str().expect("a signature").to_owned(), path));
    }
    session.signal(Signal::KILL);
    let killed = session.wait_for_orphans(&[], std::time::Duration::ZERO);
    // What was told in the last instant counts as well.
    for bug in killed.events_named("bug") {
        let field = |name: &str| bug[name].as_str().expect("a bug is complete").to_owned();
        reported.push((field("signature"), field("path")));
    }
    let second = place.zoo("three_bugs").execs(5_000).to_end();
    assert!(matches!(second.code(), Some(0 | 1)), "{}", second.all());
    let known = signatures(&second, "known_bug");
    for (signature, path) in &reported {
        assert!(known.contains(signature), "{signature} is lost: {}", second.all());
        assert!(std::fs::metadata(path).is_ok_and(|file| file.len() > 0), "{path} is lost");
    }
    let warmup = second.events_named("warmup_finished").remove(0);
    assert!(warmup["corpus"].as_u64() >= Some(corpus), "corpus of {corpus}: {}", second.all());
}

#[test]
fn kill_9_loses_nothing_that_was_reported() {
    for events in [1, 2, 3, 5, 7] {
        kill_and_resume(events);
    }
}
