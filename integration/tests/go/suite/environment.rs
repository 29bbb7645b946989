//! What a fuzz test of Go relies on holds in the workers of fuzzd.

use fuzzd_integration::Place;
use fuzzd_integration::go::{self, Suite};

use super::{expect_no_failure, run};

#[test]
fn variables_contexts_cleanups_parallel_tests_and_no_deadline() {
    let place = Place::new();
    let Some(first) = run(&place, "FuzzSetenv") else { return };
    let binary = go::suite(Suite::Root).unwrap().display();
    let others = ["FuzzUnset", "FuzzDeadline", "FuzzContext", "FuzzParallel"];
    let others = others.map(|test| format!("{binary}:{test}"));
    let outcome = first.args(others).workers(2).execs(30_000).to_end();
    expect_no_failure(&place, &outcome);
    let tests = outcome.finished()["tests"].as_array().unwrap().clone();
    assert_eq!(tests.len(), 5, "{}", outcome.all());
    for test in tests {
        assert!(test["execs"].as_u64() > Some(0), "{test}");
    }
}

#[test]
fn what_a_target_prints_is_neither_an_event_nor_on_the_screen() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzPrints") else { return };
    let outcome = run.execs(10_000).to_end();
    expect_no_failure(&place, &outcome);
    assert!(outcome.events_named("printed by the target").is_empty(), "{}", outcome.all());
    assert!(!outcome.all().contains("by the target"), "{}", outcome.all());
}
