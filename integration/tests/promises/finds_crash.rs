//! Every kind of death is noticed, named, and its input kept byte for byte.

use fuzzd_integration::{Outcome, Place};

/// Executions within which the trigger, one first byte, is found for sure.
const EXECS: u64 = 5_000_000;

/// Runs a fuzz test of the zoo until its bug is found; checks kind, exit code and the input.
fn check(test: &str, kind: &str, arguments: &[&str]) -> Outcome {
    let place = Place::new();
    let log = place.path().join("inputs");
    let run = place.zoo(test).execs(EXECS).args(["--fail-fast", "--no-minimize"]);
    let outcome = run.args(arguments.iter().copied()).env("ZOO_LOG", &log).to_end();
    outcome.expect_code(1);
    let bug = outcome.only_bug();
    assert_eq!(bug["kind"], kind, "{}", outcome.all());
    assert_eq!(outcome.finished()["reason"], "fail_fast", "{}", outcome.all());
    let path = bug["path"].as_str().expect("a bug has a file");
    assert!(path.contains("testdata/fuzz/"), "{path}");
    let kept = std::fs::read(path).expect("the file of a bug can be read");
    assert_eq!(bug["size"], kept.len(), "{}", outcome.all());
    // The first input that misbehaved, as the target itself wrote it down.
    let log = std::fs::read_to_string(&log).expect("the target has kept a log");
    let kept: String = kept.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(log.lines().next(), Some(kept.as_str()), "{}", outcome.all());
    assert!(bug["reproduced"].as_u64() > Some(0), "{}", outcome.all());
    assert_eq!(bug["reproduced"], bug["runs"], "{}", outcome.all());
    outcome
}

deaths! {
    panics_on_magic: "panic";
    returns_error: "error";
    aborts: "abort";
    segfaults: "signal-11";
    overflows_stack: "stack-overflow";
    exits_zero: "exit-0";
    exits_three: "exit-3";
    hangs: "timeout", "--timeout", "1s";
    eats_memory: "oom", "--rss-limit", "256";
    allocates_too_much: "oom";
    forks_grandchild: "exit-5";
    truncates_memory: "exit-7";
}

#[test]
fn a_target_that_kills_itself_is_a_bug_because_it_reproduces() {
    check("kills_itself", "killed-9", &[]);
}

#[test]
fn a_seed_that_fails_is_a_new_bug() {
    let place = Place::new();
    let outcome = place.zoo("fails_always").execs(1_000).to_end();
    outcome.expect_code(1);
    assert_eq!(outcome.only_bug()["kind"], "panic");
}

#[test]
fn a_typed_input_is_kept_as_text() {
    let place = Place::new();
    let outcome = place.zoo("types").execs(EXECS).args(["--fail-fast"]).to_end();
    outcome.expect_code(1);
    let (_, text) = place.testdata("types").pop().expect("a file in testdata");
    let text = String::from_utf8(text).expect("typed inputs are text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 8, "{text}");
    assert_eq!(lines[0], "go test fuzz v1");
    assert!(lines[1].starts_with("string(\""), "{text}");
    assert!(lines[2].starts_with("uint32("), "{text}");
    assert_eq!(lines[3], "bool(true)");
    assert!(lines[7].starts_with("int128("), "{text}");
}

#[test]
fn a_value_built_by_arbitrary_is_kept_as_its_bytes() {
    let place = Place::new();
    let outcome = place.zoo("arbitrary").execs(EXECS).args(["--fail-fast"]).to_end();
    outcome.expect_code(1);
    let bug = outcome.only_bug();
    let message = bug["message"].as_str().expect("a panic has a message");
    assert!(message.contains("pop of an empty stack"), "{message}");
    assert_eq!(place.testdata("arbitrary").len(), 1);
}

#[test]
fn a_bug_that_does_not_reproduce_is_flaky_and_still_a_bug() {
    let place = Place::new();
    let outcome = place.zoo("flaky").execs(50_000).to_end();
    outcome.expect_code(1);
    let bug = outcome.only_bug();
    assert_eq!(bug["flaky"], true, "{}", outcome.all());
    assert_eq!(bug["reproduced"], 0);
}

#[test]
fn a_smaller_input_has_the_same_signature() {
    let place = Place::new();
    let mut session = place.zoo("panics_anywhere").start();
    let bug = session.wait_for("bug");
    let minimized = session.wait_for("bug_minimized");
    session.signal(rustix::process::Signal::INT);
    session.wait().expect_code(1);
    assert_eq!((&minimized["signature"], &minimized["kind"]), (&bug["signature"], &bug["kind"]));
    // The smallest that still fails: five bytes, one of them the mark.
    assert_eq!(minimized["size"], 5);
    let testdata = place.testdata("panics_anywhere");
    let smallest = testdata.iter().find(|(_, bytes)| bytes.len() == 5).expect("the small input");
    assert!(smallest.1.contains(&b'!'));
    assert_eq!(testdata.len(), 1, "one file for one bug: {testdata:?}");
}
