//! Workers that die, babble, eat memory or never come back: told apart, and survived.

use std::fs;

use fuzzd_integration::{Outcome, Place};
use rustix::process::Signal;

use super::{expect_one_bug, only_file, run};

/// Until the first bug, as it was found.
const FIRST_BUG: [&str; 4] = ["--time", "60s", "--fail-fast", "--no-minimize"];

/// What comes of a fuzz test that sends itself this signal; `None` without Go.
fn killed_by(place: &Place, signal: &str) -> Option<Outcome> {
    let run = run(place, "FuzzSignal")?;
    Some(run.args(FIRST_BUG).env("GOSUITE_SIGNAL", signal).to_end())
}

#[test]
fn a_death_without_a_word_keeps_exactly_the_input_that_ran() {
    let place = Place::new();
    let log = place.path().join("log");
    let Some(run) = run(&place, "FuzzSilentExit") else { return };
    let outcome = run.args(FIRST_BUG).env("GOSUITE_LOG", &log).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!((&bug["kind"], bug["flaky"].as_bool()), (&"exit-3".into(), Some(false)));
    let (_, values) = only_file(&place, "FuzzSilentExit");
    let told = fs::read_to_string(log).unwrap();
    // When it was found, and in three fresh processes. There may be others before the end: while
    // the disk takes the crash in, the next process fuzzes on.
    assert!(told.starts_with(&values), "{values}\n{told}");
    assert_eq!(told.matches(&values).count(), 4, "{values}\n{told}");
}

#[test]
fn a_signal_that_comes_again_in_every_fresh_process_is_a_bug() {
    for (signal, kind) in [("9", "killed-9"), ("15", "killed-15"), ("1", "killed-1")] {
        let place = Place::new();
        let Some(outcome) = killed_by(&place, signal) else { return };
        let bug = outcome.expect_code(1).only_bug();
        assert_eq!(bug["kind"], kind, "{}", outcome.all());
        assert_eq!((&bug["reproduced"], &bug["runs"]), (&3.into(), &3.into()));
    }
}

#[test]
fn a_signal_of_a_fault_is_told_by_its_name_whichever_thread_it_meets() {
    for (signal, kind, words) in [("4", "signal-4", "SIGILL"), ("6", "abort", "SIGABRT")] {
        let place = Place::new();
        let Some(outcome) = killed_by(&place, signal) else { return };
        let bug = outcome.expect_code(1).only_bug();
        assert_eq!(bug["kind"], kind, "{}", outcome.all());
        assert!(bug["message"].as_str().unwrap().starts_with(words), "{bug}");
        assert_eq!(bug["location"], "", "{bug}");
        only_file(&place, "FuzzSignal");
    }
}

#[test]
fn garbage_in_place_of_an_answer_is_no_crash() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzBabbles") else { return };
    let outcome = run.execs(30_000).to_end();
    let finished = outcome.finished();
    // Whether it is given up depends on how often it happens.
    let code = if finished["tests"][0]["given_up"].is_string() { 4 } else { 0 };
    outcome.expect_code(code);
    assert!(outcome.events_named("bug").is_empty(), "{}", outcome.all());
    let told = outcome.events_named("unconfirmed");
    assert!(told.iter().any(|told| told["kind"] == "protocol"), "{}", outcome.all());
    assert_eq!(place.testdata("FuzzBabbles"), [], "{}", outcome.all());
}

#[test]
fn a_fuzz_test_that_survives_nothing_is_executed_exactly_that_often() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzAlwaysExits") else { return };
    let outcome = run.execs(60).workers(2).to_end();
    expect_one_bug(&outcome);
    let finished = outcome.finished();
    assert_eq!((&finished["execs"], &finished["reason"]), (&60.into(), &"execs".into()));
    // Mutants that are the seed again are survived.
    assert!(finished["restarts"].as_u64() > Some(30), "{}", outcome.all());
}

#[test]
fn workers_that_do_not_come_back_are_given_up_soon() {
    let place = Place::new();
    let once = place.path().join("once");
    let Some(run) = run(&place, "FuzzNoWorkerTwice") else { return };
    let outcome = run.env("GOSUITE_ONCE", &once).to_end();
    outcome.expect_code(4);
    let finished = outcome.finished();
    assert_eq!(finished["reason"], "workers_would_not_start", "{}", outcome.all());
    assert!((2..=20).contains(&finished["restarts"].as_u64().unwrap()), "{}", outcome.all());
    assert!(outcome.all().contains("there was a worker before"), "{}", outcome.all());
    // What ended the first one is kept: nobody could run it again.
    only_file(&place, "FuzzNoWorkerTwice");
}

#[test]
fn memory_that_is_kept_from_input_to_input_is_told_once_and_survived() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzLeak") else { return };
    let mut session = run.args(["--rss-limit", "150"]).start();
    let bug = session.wait_for("bug");
    assert_eq!((&bug["kind"], bug["flaky"].as_bool()), (&"oom".into(), Some(true)));
    session.wait_until("the next worker that takes too much", |event| {
        event["restarts"].as_u64() > Some(1)
    });
    session.signal(Signal::INT);
    let outcome = session.wait();
    let _told_once = outcome.expect_code(1).only_bug();
}
