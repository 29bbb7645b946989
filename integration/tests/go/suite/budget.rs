//! The end of a budget is never a failure, and what is counted is what is run.

use std::collections::BTreeSet;
use std::fs;

use fuzzd_integration::{Place, TestSession};

use super::{expect_no_failure, run};

/// Sessions at once, with two workers each: more than any machine that runs this has cores for.
const AT_ONCE: usize = 6;

/// Times that so many sessions come to their end.
const ROUNDS: usize = 3;

#[test]
fn the_end_of_the_time_is_no_failure_however_busy_the_machine_is() {
    for _ in 0..ROUNDS {
        let places: Vec<Place> = (0..AT_ONCE).map(|_| Place::new()).collect();
        let start = |place| {
            let run = run(place, "FuzzStairs")?.workers(2).args(["--time", "100ms"]);
            Some(run.start())
        };
        let Some(sessions) = places.iter().map(start).collect::<Option<Vec<TestSession>>>() else {
            return;
        };
        for (session, place) in sessions.into_iter().zip(&places) {
            let outcome = session.wait();
            expect_no_failure(place, &outcome);
            assert_eq!(outcome.finished()["reason"], "time", "{}", outcome.all());
            assert!(!outcome.all().contains("worker_lost"), "{}", outcome.all());
        }
    }
}

/// What FuzzNotes was run with, an input a line.
fn notes(execs: u64) -> Option<(Vec<String>, u64)> {
    let place = Place::new();
    let log = place.path().join("log");
    let outcome = run(&place, "FuzzNotes")?.execs(execs).env("GOSUITE_LOG", &log).to_end();
    let finished = outcome.expect_code(0).finished();
    assert_eq!(finished["execs"], execs, "{}", outcome.all());
    let lines = fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect();
    Some((lines, execs + finished["execs_other"].as_u64().unwrap()))
}

#[test]
fn a_hundred_executions_are_many_mutants_and_no_other_test() {
    let Some((notes, executed)) = notes(100) else { return };
    assert_eq!(notes.len() as u64, executed, "{notes:?}");
    assert!(notes.iter().all(|note| note.starts_with('"')), "no unit test: {notes:?}");
    assert!(notes.iter().collect::<BTreeSet<_>>().len() >= 10, "{notes:?}");
}

#[test]
fn asking_for_seeds_executes_nothing() {
    let Some((notes, executed)) = notes(1) else { return };
    assert_eq!(notes.len() as u64, executed, "{notes:?}");
    assert_eq!(notes[0], "\"seed\"", "the seed comes first: {notes:?}");
}
