//! The protocol is open: workers in plain Python and in C, written from proto-spec/ alone, are as
//! good as one of ours.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use fuzzd_integration::limits::STOP_MAX;
use fuzzd_integration::{Place, c_worker, repository};
use rustix::process::Signal;
use serde_json::Value;

fn python(file: &str) -> PathBuf {
    repository().join("integration").join(file)
}

/// A program, or one of the fuzz tests that it announces.
fn named(program: &Path, test: &str) -> OsString {
    let mut target = program.as_os_str().to_owned();
    target.push(":");
    target.push(test);
    target
}

/// Runs until the first bug is minimized or confirmed; its file replays, and with the same end.
fn finds_a_bug_that_replays(target: OsString, is_wanted: impl Fn(&Value) -> bool) {
    let place = Place::new();
    let mut session = place.target(target.clone()).start();
    let bug = session.wait_until("the bug", |event| event["event"] == "bug" && is_wanted(event));
    session.signal(Signal::INT);
    session.wait_at_most(STOP_MAX).expect_code(1);
    let path = bug["path"].as_str().expect("a bug has a file");
    let outcome = place.run(["replay".into(), target, path.into()]);
    outcome.expect_code(1);
    let message = bug["message"].as_str().expect("a bug has a message");
    assert!(outcome.all().contains(message), "{message}: {}", outcome.all());
}

#[test]
fn python_finds_a_bug_in_a_parser() {
    let target = named(&python("workers/python/fuzz_settings.py"), "parse");
    finds_a_bug_that_replays(target, |bug| {
        bug["kind"] == "panic" && bug["message"] == "IndexError: string index out of range"
    });
}

#[test]
fn c_finds_a_bug_in_a_calculator() {
    let target = c_worker("workers/c/calc.c", "gcc").into_os_string();
    finds_a_bug_that_replays(target, |bug| bug["kind"] == "signal-8");
}

#[test]
fn a_program_is_all_the_fuzz_tests_that_it_announces() {
    let program = python("workers/python/fuzz_settings.py");
    let outcome = Place::new().target(&program).execs(400).to_end();
    assert!(matches!(outcome.code(), Some(0 | 1)), "{}", outcome.all());
    let tests = &outcome.finished()["tests"];
    let names: Vec<&str> =
        tests.as_array().expect("a list").iter().filter_map(|t| t["test"].as_str()).collect();
    assert_eq!(names, ["parse", "message_id"], "{}", outcome.all());
    let outcome = Place::new().target(named(&program, "pars")).execs(1).to_end();
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("it has parse, message_id"), "{}", outcome.all());
}

#[test]
fn its_fuzz_tests_are_listed_with_their_types() {
    let program = python("workers/python/fuzz_settings.py");
    let outcome = Place::new().run(["list".as_ref(), program.as_os_str()]);
    outcome.expect_code(0);
    let tests: Vec<&str> =
        outcome.lines.iter().filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(tests, ["parse(string)", "message_id(string)"], "{}", outcome.all());
    let outcome = Place::new().run(["list".into(), "--json".into(), named(&program, "parse")]);
    let object: Value = serde_json::from_str(&outcome.expect_code(0).lines[0]).expect("JSON");
    assert_eq!(object["test"], "parse");
    assert_eq!(object["executable"].as_str(), program.to_str());
}

#[test]
fn executions_are_counted_exactly() {
    let target = named(&python("workers/python/fuzz_settings.py"), "parse");
    let outcome = Place::new().target(target).workers(2).execs(5_003).to_end();
    assert!(matches!(outcome.code(), Some(0 | 1)), "{}", outcome.all());
    assert_eq!(outcome.finished()["execs"], 5_003, "{}", outcome.all());
    assert!(outcome.events_named("warning").is_empty(), "{}", outcome.all());
}

#[test]
fn a_death_keeps_the_input() {
    let place = Place::new();
    let seeds = place.path().join("seeds");
    std::fs::create_dir(&seeds).expect("a folder can be made");
    std::fs::write(seeds.join("one"), b"wid and more").expect("a seed can be written");
    let worker = python("fixtures/broken_worker/worker.py");
    let run = place.target(&worker).execs(1_000).args([OsString::from("--seeds"), seeds.into()]);
    let outcome = run.to_end();
    outcome.expect_code(1);
    let bugs = outcome.events_named("bug");
    let abort = bugs.iter().find(|bug| bug["kind"] == "abort").expect("the seed aborts");
    let path = abort["path"].as_str().expect("a bug has a file");
    assert_eq!(std::fs::read(path).expect("the file of a bug can be read"), b"wid and more");
    let replay: [OsString; 3] = ["replay".into(), worker.into(), path.into()];
    place.run(replay).expect_code(1);
}
