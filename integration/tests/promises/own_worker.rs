//! Programs that are no worker, or not yet: a clear error with their own last words.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use fuzzd_integration::{Outcome, Place};

fn program(place: &Place, name: &str, text: &str) -> PathBuf {
    let path = place.path().join(name);
    std::fs::write(&path, text).expect("a script can be written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("a script can be made executable");
    path
}

fn run(name: &str, text: &str) -> Outcome {
    let place = Place::new();
    let program = program(&place, name, text);
    let outcome = place.target(program).execs(100).to_end();
    outcome.expect_code(4);
    assert!(outcome.events_named("bug").is_empty(), "{}", outcome.all());
    assert!(!outcome.stderr.contains("panicked at"), "{}", outcome.all());
    outcome
}

#[test]
fn a_worker_that_dies_before_it_answers_is_no_crash() {
    let outcome = run("dies", "#!/bin/sh\necho 'libfoo.so.1: no such file' >&2\nexit 127\n");
    assert!(outcome.stderr.contains("libfoo.so.1: no such file"), "{}", outcome.all());
}

#[test]
fn a_program_that_ends_at_once_is_no_worker() {
    run("true", "#!/bin/sh\nexit 0\n");
}

#[test]
fn a_program_that_answers_nonsense_is_no_worker() {
    run("babbles", "#!/bin/sh\nread line <&3\necho 'hello there' >&4\nread line <&3\n");
}

#[test]
fn a_worker_of_a_newer_protocol_is_refused() {
    let reply = r#"{"Proto":999,"Caps":["input_in_memory"],"Counters":8}"#;
    let outcome = run("newer", &format!("#!/bin/sh\nread l <&3\necho '{reply}' >&4\nread l <&3\n"));
    assert!(outcome.stderr.contains("999"), "{}", outcome.all());
}

#[test]
fn a_program_that_does_not_start_is_named() {
    let outcome = run("no_interpreter", "#!/no/such/interpreter\n");
    assert!(outcome.stderr.contains("no_interpreter"), "{}", outcome.all());
}
