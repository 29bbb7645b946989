//! Whatever a target does to the descriptors of its worker: the session goes on and ends in order.

use fuzzd_integration::{Outcome, Place};

/// Executions of one run: enough to meet the trigger, and to go on after it.
const EXECS: u64 = 30_000;

/// Runs it; whether the fuzz test can go on is for the session to judge, but it must end in order,
/// say what happened, and count right.
fn abuse(test: &str) -> Outcome {
    let place = Place::new();
    let run = place.zoo(test).workers(2).execs(EXECS).args(["--timeout", "3s"]);
    let outcome = run.to_end();
    let finished = outcome.finished();
    let is_given_up = finished["tests"][0]["given_up"].is_string();
    if is_given_up {
        outcome.expect_code(4);
        assert!(finished["execs"].as_u64() <= Some(EXECS), "{}", outcome.all());
    } else {
        assert!(matches!(outcome.code(), Some(0 | 1)), "{}", outcome.all());
        assert_eq!(finished["execs"], EXECS, "{}", outcome.all());
    }
    let told = [outcome.events_named("warning"), outcome.events_named("bug")].concat();
    assert!(!told.is_empty(), "something was to be told: {}", outcome.all());
    assert!(!outcome.stderr.contains("panicked at"), "{}", outcome.all());
    outcome
}

#[test]
fn closing_the_answer_pipe() {
    abuse("closes_fuzz_out");
}

#[test]
fn garbage_in_place_of_an_answer() {
    abuse("writes_garbage");
}

#[test]
fn half_an_answer_and_death() {
    let outcome = abuse("dies_mid_line");
    let told = outcome.events_named("bug");
    assert!(told.iter().any(|bug| bug["kind"] == "exit-0"), "{}", outcome.all());
}

#[test]
fn an_answer_without_end() {
    abuse("floods_line");
}

#[test]
fn an_answer_that_claims_too_much() {
    abuse("forges_answer");
}

#[test]
fn nonsense_in_the_shared_memory() {
    // What the target overwrote cannot be recovered, but how the process ended is known.
    let outcome = abuse("scribbles_header");
    assert!(outcome.all().contains("exited with status 6"), "{}", outcome.all());
}

#[test]
fn memory_cannot_be_taken_away() {
    let outcome = abuse("truncates_memory");
    let told = outcome.events_named("bug");
    assert!(told.iter().any(|bug| bug["kind"] == "exit-7"), "{}", outcome.all());
}
