//! Binaries that are built otherwise: with C, with the race detector.

use fuzzd_integration::go::{self, Suite};
use fuzzd_integration::{Place, Run};

/// A run of one fuzz test, or all, of a package that is built otherwise.
fn run<'a>(place: &'a Place, which: Suite, test: &str) -> Option<Run<'a>> {
    Some(place.target(format!("{}{test}", go::suite(which)?.display())))
}

#[test]
fn a_package_with_c_is_fuzzed_and_what_c_does_is_told() {
    let place = Place::new();
    let Some(twice) = run(&place, Suite::Cgo, ":FuzzTwice") else { return };
    let limits = ["--time", "60s", "--fail-fast"];
    let bug = twice.args(limits).to_end().only_bug();
    assert_eq!(bug["message"], "more than a hundred");
    let abort = run(&place, Suite::Cgo, ":FuzzAbort").unwrap();
    let outcome = abort.args(limits).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!(bug["kind"], "abort", "{}", outcome.all());
    assert!(bug["location"].as_str().unwrap().contains("cgo.go:"), "{bug}");
}

#[test]
fn the_race_detector_has_nothing_to_say_of_instrumentation() {
    let place = Place::new();
    let Some(locked) = run(&place, Suite::Race, ":FuzzLocked") else { return };
    let outcome = locked.execs(2_000).to_end();
    outcome.expect_code(0);
    assert!(outcome.events_named("bug").is_empty(), "{}", outcome.all());
    assert!(!outcome.all().contains("worker_lost"), "{}", outcome.all());
}

#[test]
fn a_race_of_the_code_under_test_is_a_bug() {
    let place = Place::new();
    let Some(unlocked) = run(&place, Suite::Race, ":FuzzUnlocked") else { return };
    let outcome = unlocked.args(["--time", "60s", "--fail-fast", "--no-minimize"]).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert!(bug["message"].as_str().unwrap().contains("race detected"), "{}", outcome.all());
}
