//! `--execs N` is N executions of newly mutated inputs, whatever happens on the way.

use fuzzd_integration::{Outcome, Place};

/// Checks that the totals are exact, over all and by test.
fn exactly(outcome: &Outcome, execs: u64) {
    let finished = outcome.finished();
    assert_eq!(finished["execs"], execs, "{}", outcome.all());
    assert_eq!(finished["reason"], "execs", "{}", outcome.all());
    let tests = finished["tests"].as_array().expect("the end has its tests");
    let sum: u64 = tests.iter().filter_map(|test| test["execs"].as_u64()).sum();
    assert_eq!(sum, execs, "{}", outcome.all());
}

#[test]
fn one_worker_executes_exactly_that_many() {
    for execs in [1, 2, 12_345] {
        let outcome = Place::new().zoo("empty").execs(execs).to_end();
        exactly(outcome.expect_code(0), execs);
    }
}

#[test]
fn two_workers_share_the_budget_exactly() {
    for execs in [1, 3, 123_457] {
        let outcome = Place::new().zoo("empty").workers(2).execs(execs).to_end();
        exactly(outcome.expect_code(0), execs);
    }
}

#[test]
fn rejected_inputs_count() {
    let outcome = Place::new().zoo("rejects_all").workers(2).execs(20_001).to_end();
    exactly(outcome.expect_code(0), 20_001);
    assert_eq!(outcome.finished()["tests"][0]["corpus"], 0, "{}", outcome.all());
}

#[test]
fn crashes_and_restarts_lose_no_execution() {
    for test in ["three_bugs", "exits_zero", "panics_on_magic"] {
        let run = Place::new();
        let outcome = run.zoo(test).workers(2).execs(30_011).to_end();
        assert!(matches!(outcome.code(), Some(0 | 1)), "{}", outcome.all());
        exactly(&outcome, 30_011);
    }
}

#[test]
fn several_fuzz_tests_share_one_budget() {
    let place = Place::new();
    let mut other = fuzzd_integration::zoo_executable().as_os_str().to_owned();
    other.push(":rejects_all");
    let outcome = place.zoo("empty").args([other]).workers(2).execs(40_003).to_end();
    exactly(outcome.expect_code(0), 40_003);
}

#[test]
fn a_seed_one_worker_and_a_budget_repeat_the_run() {
    let runs = [(); 2].map(|()| {
        let place = Place::new();
        let outcome = place.zoo("stairs").execs(60_000).args(["--no-minimize"]).to_end();
        let finished = outcome.finished();
        let corpus: Vec<Vec<u8>> =
            place.state_files("corpus").into_iter().map(|(_, bytes)| bytes).collect();
        (finished["execs"].clone(), finished["edges"].clone(), finished["corpus"].clone(), corpus)
    });
    assert_eq!(runs[0], runs[1]);
}
