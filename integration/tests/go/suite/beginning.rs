//! What goes wrong before the first execution is no crash: it is told in the words of whoever
//! noticed it, and nothing is written.

use fuzzd_integration::{Outcome, Place};

use super::{go_runs, run};

/// A run that ends before it begins.
fn ends_before_it_begins(place: &Place, test: &str, words: &str) -> Option<Outcome> {
    let outcome = run(place, test)?.execs(100).to_end();
    outcome.expect_code(4);
    assert!(outcome.all().contains(words), "{test}: {}", outcome.all());
    assert!(outcome.events_named("bug").is_empty(), "{test}: {}", outcome.all());
    assert_eq!(place.testdata(test), [], "{test}: {}", outcome.all());
    Some(outcome)
}

/// Go does not run it either.
fn fails_for_both(tests: &[(&str, &str)]) {
    for (test, words) in tests {
        let place = Place::new();
        if ends_before_it_begins(&place, test, words).is_none() {
            return;
        }
        assert!(!go_runs(&place, test).unwrap().status.success(), "{test}");
    }
}

#[test]
fn a_fuzz_test_that_fails_before_fuzz() {
    fails_for_both(&[
        ("FuzzNever", "returned without calling F.Fuzz"),
        ("FuzzErrorBefore", "an error before Fuzz"),
        ("FuzzFatalBefore", "fatal before Fuzz"),
        ("FuzzPanicBefore", "a panic before Fuzz"),
        ("FuzzPanicNilBefore", "panic called with nil argument"),
        ("FuzzGoexitBefore", "runtime.Goexit"),
        ("FuzzExitBefore", "an exit before Fuzz"),
    ]);
}

#[test]
fn a_fuzz_function_that_go_does_not_take() {
    fails_for_both(&[
        ("FuzzWithoutT", "must receive at least two arguments"),
        ("FuzzNoFunction", "must receive a function"),
        ("FuzzWithResult", "must not return a value"),
        ("FuzzUnsupportedType", "unsupported type for fuzzing"),
    ]);
}

#[test]
fn seeds_that_are_not_what_the_function_takes() {
    fails_for_both(&[
        ("FuzzAddUnsupported", "unsupported type to Add chan int"),
        ("FuzzAddOther", "mismatched types in corpus entry"),
        ("FuzzAddTooMany", "wrong number of values in corpus entry: 2, want 1"),
    ]);
}

#[test]
fn a_fuzz_test_that_skips_is_said_to_be_skipped() {
    let place = Place::new();
    let Some(passed) = go_runs(&place, "FuzzSkipBefore") else { return };
    assert!(passed.status.success(), "{passed:?}");
    ends_before_it_begins(&place, "FuzzSkipBefore", "FuzzSkipBefore was skipped");
}

#[test]
fn a_worker_that_ends_before_it_answers_is_tried_again_a_few_times_and_quoted() {
    let place = Place::new();
    let Some(outcome) = ends_before_it_begins(&place, "FuzzWorkerEnds", "the port is in use")
    else {
        return;
    };
    let finished = outcome.finished();
    assert_eq!(finished["reason"], "workers_would_not_start", "{}", outcome.all());
    assert!((1..=20).contains(&finished["restarts"].as_u64().unwrap()), "{}", outcome.all());
    assert_eq!(finished["execs"], 0, "{}", outcome.all());
}

#[test]
fn garbage_before_the_first_answer() {
    let place = Place::new();
    ends_before_it_begins(&place, "FuzzWorkerBabbles", "its answer to Ping is not one");
}
