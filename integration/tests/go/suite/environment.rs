//! What a fuzz test of Go relies on holds in the workers of fuzzd.

use fuzzd_integration::Place;

use super::{expect_no_failure, run};

#[test]
fn variables_contexts_cleanups_parallel_tests_and_no_deadline() {
    for test in ["FuzzSetenv", "FuzzUnset", "FuzzDeadline", "FuzzContext", "FuzzParallel"] {
        let place = Place::new();
        let Some(run) = run(&place, test) else { return };
        let outcome = run.execs(3_000).to_end();
        expect_no_failure(&place, &outcome);
        assert_eq!(outcome.finished()["execs"], 3_000, "{test}: {}", outcome.all());
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
