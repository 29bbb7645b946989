#![cfg(target_os = "linux")]

use std::process::{Child, Stdio};

use super::*;

/// A script in place of the binary.
fn shell(script: &str) -> io::Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn listed(spawn: Spawn) -> Result<Vec<String>, ListError> {
    list(Path::new("x.test"), Path::new("/"), spawn)
}

#[test]
fn names_are_told_from_what_a_test_main_wrote() {
    let names = listed(|_| shell("echo starting; echo FuzzOne; echo Fuzz this; echo FuzzTwo"));
    assert_eq!(names.unwrap(), ["FuzzOne", "FuzzTwo"]);
}

#[test]
fn a_list_that_may_not_be_whole_is_an_error() {
    let error = listed(|_| shell("echo FuzzOne; head -c 3000000 /dev/zero")).unwrap_err();
    assert!(matches!(error, ListError::TooLong(_)), "{error}");
}

#[test]
fn a_failure_comes_with_the_end_of_what_was_written() {
    const FAILS: &str = "head -c 3000000 /dev/zero >&2; echo panic: as told >&2; exit 2";
    let error = listed(|_| shell(FAILS)).unwrap_err();
    let ListError::Failed { output, .. } = error else { panic!("{error}") };
    assert!(output.ends_with("panic: as told") && output.len() < 5_000, "{output}");
}
