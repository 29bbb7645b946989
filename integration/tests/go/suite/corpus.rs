//! The life of a corpus: what makes it, what it brings to the next run, and what happens when it
//! is damaged or gone.

use std::fs;

use fuzzd_integration::Place;
use fuzzd_integration::go::{self, Suite};
use fuzzd_integration::limits::STOP_MAX;
use rustix::process::Signal;
use serde_json::Value;

use super::{expect_no_failure, go_runs, run};

/// Puts a corpus file into the state of a place.
fn put(place: &Place, test: &str, name: &str, value: &str) {
    let folder = place.state().join("corpus").join(test);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), format!("go test fuzz v1\n{value}\n")).unwrap();
}

#[test]
fn only_fuzzing_makes_a_corpus_and_the_next_run_begins_with_it() {
    let place = Place::new();
    let Some(passed) = go_runs(&place, "FuzzAny") else { return };
    assert!(passed.status.success() && !place.state().exists(), "{passed:?}");
    let first = run(&place, "FuzzAny").unwrap().execs(20_000).to_end();
    expect_no_failure(&place, &first);
    let finished = first.finished();
    assert_eq!((&finished["corpus"], &finished["new_finds"]), (&2.into(), &1.into()));
    let second = run(&place, "FuzzAny").unwrap().execs(20_000).to_end();
    expect_no_failure(&place, &second);
    let warmup = second.events_named("warmup_finished").remove(0);
    assert_eq!(warmup["corpus"], 2, "{}", second.all());
    let finished = second.finished();
    assert_eq!((&finished["corpus"], &finished["new_finds"]), (&2.into(), &0.into()));
    assert_eq!(finished["tests"][0]["execs_total"], 40_000, "{}", second.all());
}

#[test]
fn another_build_begins_with_the_same_corpus_and_not_with_its_coverage() {
    let place = Place::new();
    let mut counters = Vec::new();
    // A worker that is told a mask of another length ends at once.
    for which in [Suite::Root, Suite::Cgo, Suite::Root] {
        let Some(binary) = go::suite(which) else { return };
        let target = format!("{}:FuzzAny", binary.display());
        let outcome = place.target(target).execs(2_000).to_end();
        expect_no_failure(&place, &outcome);
        let finished = outcome.finished();
        assert_eq!(finished["restarts"], 0, "{}", outcome.all());
        let entries = outcome.events_named("warmup_finished")[0]["corpus"].as_u64();
        assert!(entries > Some(u64::from(!counters.is_empty())), "{}", outcome.all());
        counters.push(finished["tests"][0]["counters"].as_u64().unwrap());
    }
    assert!(counters[0] != counters[1] && counters[0] == counters[2], "{counters:?}");
}

#[test]
fn a_run_without_bugs_writes_nothing_beside_its_state() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzAny") else { return };
    let outcome = run.execs(5_000).to_end();
    expect_no_failure(&place, &outcome);
    let entries = fs::read_dir(place.path()).unwrap();
    let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["state"]);
}

#[test]
fn equal_files_are_one_entry_and_run_once() {
    let place = Place::new();
    let log = place.path().join("log");
    for value in ["seed", "aaa", "bbb", "ccc", "ddd"] {
        for copy in ["one", "two"] {
            let name = format!("{value}-{copy}");
            put(&place, "FuzzNotes", &name, &format!("[]byte(\"{value}\")"));
        }
    }
    let Some(run) = run(&place, "FuzzNotes") else { return };
    let outcome = run.execs(1).env("GOSUITE_LOG", &log).to_end();
    expect_no_failure(&place, &outcome);
    let warmup = outcome.events_named("warmup_finished").remove(0);
    assert_eq!(warmup["corpus"], 5, "{}", outcome.all());
    let notes = fs::read_to_string(log).unwrap();
    let mut warmup: Vec<&str> = notes.lines().take(5).collect();
    warmup.sort_unstable();
    assert_eq!(warmup, ["\"aaa\"", "\"bbb\"", "\"ccc\"", "\"ddd\"", "\"seed\""], "{notes}");
}

#[test]
fn entries_that_are_none_are_set_aside_and_named() {
    let place = Place::new();
    put(&place, "FuzzTwoBytes", "malformed", "int(");
    put(&place, "FuzzTwoBytes", "mistyped", "[]byte(\"x\")\nstring(\"x\")");
    put(&place, "FuzzTwoBytes", "too-few", "[]byte(\"x\")");
    put(&place, "FuzzTwoBytes", "good", "[]byte(\"x\")\n[]byte(\"\")");
    let Some(run) = run(&place, "FuzzTwoBytes") else { return };
    let outcome = run.execs(1).to_end();
    let warmup = outcome.events_named("warmup_finished").remove(0);
    assert_eq!(warmup["corpus"], 1, "{}", outcome.all());
    let kept = place.state_files("quarantine");
    let told: String = outcome.events_named("warning").iter().map(Value::to_string).collect();
    for name in ["malformed", "mistyped", "too-few"] {
        assert!(kept.iter().any(|(path, _)| path.ends_with(name)), "{name}: {}", outcome.all());
        assert!(told.contains(&format!("{name} is not used")), "{name}: {}", outcome.all());
    }
}

#[test]
fn a_corpus_that_goes_away_holds_nothing_up_and_loses_nothing() {
    let place = Place::new();
    let gate = place.path().join("gate");
    put(&place, "FuzzGate", "entry", "[]byte(\"xy\")");
    let Some(first) = run(&place, "FuzzGate") else { return };
    let mut session = first.env("GOSUITE_GATE", &gate).start();
    session.wait_for_executions();
    // A file in its place: no file can be made below.
    let corpus = place.state().join("corpus");
    fs::remove_dir_all(&corpus).unwrap();
    fs::write(&corpus, "in the way").unwrap();
    fs::write(&gate, "").unwrap();
    session.wait_until("a find", |event| event["new_finds"].as_u64() > Some(0));
    session.signal(Signal::INT);
    let outcome = session.wait_at_most(STOP_MAX);
    let finished = outcome.expect_code(0).finished();
    assert_eq!(finished["unsaved_entries"], 0, "{}", outcome.all());
    assert_eq!(fs::read_to_string(&corpus).unwrap(), "in the way", "it is not ours");
    fs::remove_file(&corpus).unwrap();
    let again = run(&place, "FuzzGate").unwrap().env("GOSUITE_GATE", &gate).execs(1).to_end();
    let warmup = again.expect_code(0).events_named("warmup_finished").remove(0);
    assert_eq!(warmup["corpus"], finished["corpus"], "{}", again.all());
    let finds = finished["new_finds"].as_u64().unwrap();
    assert!(place.state_files("corpus").len() as u64 >= finds, "written again: {}", again.all());
}
