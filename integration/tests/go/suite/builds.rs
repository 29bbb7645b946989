//! Binaries that are built otherwise: with C, with the race detector, in a module of their own.

use std::fs;

use fuzzd_integration::go::{self, Suite};
use fuzzd_integration::{Place, Run};

use super::expect_one_bug;

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
fn a_skipped_fuzz_test_does_not_fail_the_session_of_the_others() {
    let place = Place::new();
    let Some(all) = run(&place, Suite::Cgo, "") else { return };
    let outcome = all.args(["--time", "60s", "--fail-fast"]).to_end();
    expect_one_bug(&outcome);
    let told = outcome.events_named("warning");
    assert_eq!(told.len(), 1, "{}", outcome.all());
    assert_eq!(told[0]["test"], "FuzzSkipped", "{}", outcome.all());
    assert!(told[0]["message"].as_str().unwrap().starts_with("FuzzSkipped was skipped"));
    let tests = outcome.finished()["tests"].as_array().unwrap().clone();
    let skipped: Vec<_> = tests.iter().filter(|test| test["skipped"] == true).collect();
    assert_eq!(skipped.len(), 1, "{}", outcome.all());
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

#[test]
fn a_package_of_another_module_is_built_as_that_module_builds_it_and_left_as_it_was() {
    let place = Place::new();
    let Some(toolchain) = go::toolchain() else { return };
    let other = place.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(place.path().join("go.mod"), "module ours.example\n\ngo 1.24\n").unwrap();
    fs::write(other.join("go.mod"), "module other.example\n\ngo 1.24\n").unwrap();
    let test = "package other\n\nimport \"testing\"\n\nfunc FuzzIt(f *testing.F) {\n\
                \tf.Fuzz(func(t *testing.T, n int) {})\n}\n";
    fs::write(other.join("other_test.go"), test).unwrap();
    let before = fs::read_dir(&other).unwrap().count();
    let run = place.target("./other").env("PATH", go::search_path(toolchain));
    let run = go::environment().into_iter().fold(run, |run, (name, value)| run.env(name, value));
    let outcome = run.execs(100).to_end();
    assert_eq!(outcome.expect_code(0).finished()["execs"], 100, "{}", outcome.all());
    assert_eq!(fs::read_dir(&other).unwrap().count(), before, "nothing is written there");
}
