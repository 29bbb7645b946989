//! Where an input comes from decides what its failure means.

use std::fs;

use fuzzd_integration::{Outcome, Place};

use super::{expect_one_bug, only_file, run};

/// The text of an input that FuzzBad fails for.
const BAD: &str = "go test fuzz v1\n[]byte(\"bad from a file, and more\")\n";

/// The bug is known from the start: it is listed before anything is mutated, and is no news.
#[track_caller]
fn expect_known(outcome: &Outcome) {
    outcome.expect_code(0);
    assert!(outcome.events_named("bug").is_empty(), "{}", outcome.all());
    let known = outcome.events_named("known_bug");
    assert_eq!(known.len(), 1, "{}", outcome.all());
    assert_eq!((&known[0]["kind"], &known[0]["message"]), (&"error".into(), &"bad".into()));
    let warmup = outcome.events_named("warmup_finished").remove(0);
    assert_eq!(warmup["failing"], 1, "{}", outcome.all());
    assert_eq!(outcome.finished()["execs"], 1_000, "it goes on: {}", outcome.all());
}

#[test]
fn testdata_that_fails_is_named_and_not_written_again() {
    let place = Place::new();
    let folder = place.testdata_folder("FuzzBad");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("by-hand"), BAD).unwrap();
    let Some(run) = run(&place, "FuzzBad") else { return };
    let outcome = run.execs(1_000).to_end();
    expect_known(&outcome);
    let known = outcome.events_named("known_bug").remove(0);
    assert!(known["path"].as_str().unwrap().ends_with("by-hand"), "{known}");
    assert_eq!(place.testdata("FuzzBad"), [(folder.join("by-hand"), BAD.into())]);
}

#[test]
fn a_corpus_entry_that_fails_becomes_testdata() {
    let place = Place::new();
    let folder = place.state().join("corpus/FuzzBad");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("entry"), BAD).unwrap();
    let Some(run) = run(&place, "FuzzBad") else { return };
    let outcome = run.execs(1_000).to_end();
    expect_known(&outcome);
    let (_, values) = only_file(&place, "FuzzBad");
    assert_eq!(format!("go test fuzz v1\n{values}"), BAD);
}

#[test]
fn a_seed_in_the_code_that_fails_is_a_bug_before_anything_is_mutated() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzBadSeed") else { return };
    let outcome = run.execs(1).args(["--no-minimize"]).to_end();
    expect_one_bug(&outcome);
    assert_eq!(outcome.events_named("warmup_finished")[0]["failing"], 1, "{}", outcome.all());
    assert_eq!(only_file(&place, "FuzzBadSeed").1, "[]byte(\"bad from the code\")\n");
}

#[test]
fn folders_in_testdata_are_left_alone() {
    let place = Place::new();
    let folder = place.testdata_folder("FuzzNotes").join("folder");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("no-input"), "whatever").unwrap();
    let Some(run) = run(&place, "FuzzNotes") else { return };
    let outcome = run.execs(100).to_end();
    outcome.expect_code(0);
    assert_eq!(fs::read_to_string(folder.join("no-input")).unwrap(), "whatever");
}

#[test]
fn testdata_that_go_does_not_take_is_named_in_its_words() {
    for (value, words) in [
        ("int(", "malformed line"),
        ("string(\"x\")", "mismatched types in corpus entry"),
        ("[]byte(\"x\")\n[]byte(\"y\")", "wrong number of values"),
    ] {
        let place = Place::new();
        let folder = place.testdata_folder("FuzzNotes");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("broken"), format!("go test fuzz v1\n{value}\n")).unwrap();
        let Some(run) = run(&place, "FuzzNotes") else { return };
        let outcome = run.execs(100).to_end();
        outcome.expect_code(4);
        let stderr = &outcome.stderr;
        assert!(stderr.contains("broken") && stderr.contains(words), "{}", outcome.all());
        assert_eq!(place.testdata("FuzzNotes").len(), 1, "{}", outcome.all());
    }
}
