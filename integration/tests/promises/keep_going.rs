//! A bug does not end a session: it goes on and finds the others.

use std::collections::BTreeSet;

use fuzzd_integration::Place;
use rustix::process::Signal;

#[test]
fn all_bugs_of_a_fuzz_test_are_found_in_one_run() {
    let place = Place::new();
    let mut session = place.zoo("three_bugs").workers(2).start();
    let bugs = [(); 3].map(|()| session.wait_for("bug"));
    session.signal(Signal::INT);
    let outcome = session.wait();
    outcome.expect_code(1);
    let signatures: BTreeSet<&str> =
        bugs.iter().map(|bug| bug["signature"].as_str().expect("a signature")).collect();
    assert_eq!(signatures.len(), 3, "{}", outcome.all());
    let kinds: Vec<&str> = bugs.iter().filter_map(|bug| bug["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "panic").count(), 2, "{kinds:?}");
    assert!(kinds.contains(&"abort"), "{kinds:?}");
    assert_eq!(outcome.events_named("bug").len(), 3, "each is told once");
    assert_eq!(outcome.finished()["bugs"], 3);
    assert_eq!(place.testdata("three_bugs").len(), 3);
}

#[test]
fn fail_fast_stops_at_the_first() {
    let place = Place::new();
    let outcome = place.zoo("three_bugs").args(["--fail-fast"]).to_end();
    outcome.expect_code(1);
    let finished = outcome.finished();
    assert_eq!(finished["reason"], "fail_fast");
}

#[test]
fn a_dying_fuzz_test_does_not_stop_another() {
    let place = Place::new();
    let mut other = fuzzd_integration::zoo_executable().as_os_str().to_owned();
    other.push(":panics_on_magic");
    let mut session = place.zoo("aborts").args([other]).start();
    let tests: BTreeSet<String> = [(); 2]
        .map(|()| session.wait_for("bug"))
        .iter()
        .filter_map(|bug| bug["test"].as_str().map(str::to_owned))
        .collect();
    session.signal(Signal::INT);
    session.wait().expect_code(1);
    assert_eq!(tests.len(), 2, "{tests:?}");
}
