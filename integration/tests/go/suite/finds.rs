//! Coverage guides the search, and finds are kept as small as they can be.

use std::collections::BTreeSet;

use fuzzd_integration::Place;
use rustix::process::Signal;

use super::{expect_one_bug, only_file, run};

/// The texts of the corpus of a place.
fn corpus(place: &Place) -> BTreeSet<String> {
    let texts = place.state_files("corpus").into_iter();
    texts.map(|(_, text)| String::from_utf8(text).unwrap()).collect()
}

#[test]
fn a_word_of_eight_bytes_is_found_byte_by_byte() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzStairs") else { return };
    // Without coverage it would take 2⁶⁴ executions.
    let outcome = run.workers(2).args(["--fail-fast"]).to_end();
    expect_one_bug(&outcome);
    assert_eq!(only_file(&place, "FuzzStairs").1, "[]byte(\"step by!\")\n");
    assert!(corpus(&place).len() > 5, "{}", outcome.all());
}

#[test]
fn a_find_is_one_byte_if_one_byte_is_enough() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzAny") else { return };
    let outcome = run.execs(20_000).to_end();
    outcome.expect_code(0);
    let corpus = corpus(&place);
    assert_eq!(corpus.len(), 1, "seeds in the code are not written: {corpus:?}");
    let longest = corpus.iter().map(String::len).max();
    assert!(longest <= Some("go test fuzz v1\n[]byte(\"\\x00\")\n".len()), "{corpus:?}");
}

#[test]
fn what_shorter_inputs_do_not_cover_is_kept_as_it_is() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzPair") else { return };
    let mut session = run.workers(2).start();
    session.wait_until("the pair in the corpus", |_| {
        corpus(&place).contains("go test fuzz v1\n[]byte(\"ab\")\n")
    });
    session.signal(Signal::INT);
    session.wait().expect_code(0);
}

#[test]
fn coverage_that_does_not_come_again_is_no_find_and_holds_nothing_up() {
    for execs in [25, 5_000] {
        let place = Place::new();
        let Some(run) = run(&place, "FuzzWandering") else { return };
        let outcome = run.execs(execs).to_end();
        let finished = outcome.expect_code(0).finished();
        assert_eq!(finished["execs"], execs, "{}", outcome.all());
        assert_eq!((&finished["corpus"], &finished["new_finds"]), (&1.into(), &0.into()));
    }
}

/// What a find is made smaller by fails: that is a bug, which is made smaller itself.
fn fails_while_a_find_is_made_smaller(test: &str, kind: &str) {
    let place = Place::new();
    let Some(run) = run(&place, test) else { return };
    let outcome = run.args(["--time", "60s", "--fail-fast"]).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!(bug["kind"], kind, "{}", outcome.all());
    // So few bytes are left of the seed by mutation once in ten thousands of executions.
    assert!(outcome.finished()["execs"].as_u64() < Some(10_000), "{}", outcome.all());
    let smallest = outcome.events_named("bug_minimized").pop().unwrap_or(bug);
    assert_eq!(smallest["size"], 1, "{}", outcome.all());
    only_file(&place, test);
}

#[test]
fn a_panic_while_a_find_is_made_smaller_is_a_bug() {
    fails_while_a_find_is_made_smaller("FuzzShortPanics", "panic");
}

#[test]
fn an_exit_while_a_find_is_made_smaller_is_a_bug() {
    fails_while_a_find_is_made_smaller("FuzzShortExits", "exit-4");
}
