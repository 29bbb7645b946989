//! `scripts/go-toolchain` says what it takes, and does not silently give another toolchain than was
//! asked for.

use std::process::{Command, Output};

use fuzzd_integration::repository;

/// Runs the script, with a cache and a named toolchain that do not exist.
fn script(arguments: &[&str]) -> Output {
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new(repository().join("scripts/go-toolchain"));
    command.args(arguments).env("FUZZD_CACHE", place.path()).env("FUZZD_GO", "/opt/our/go");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_usage_is_printed_when_asked_for_and_as_an_error_otherwise() {
    for asked in ["--help", "-h"] {
        let output = script(&[asked]);
        assert_eq!(output.status.code(), Some(0), "{asked}");
        assert!(text(&output.stdout).contains("scripts/go-toolchain [VERSION]"), "{asked}");
    }
    for wrong in [["--version"].as_slice(), &["1.27.3", "1.26.0"]] {
        let output = script(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert_eq!(text(&output.stdout), "", "{wrong:?}: standard output is for the path");
        assert!(text(&output.stderr).contains("scripts/go-toolchain [VERSION]"), "{wrong:?}");
    }
}

#[test]
fn a_named_toolchain_is_printed_but_no_version_of_it() {
    let output = script(&[]);
    assert_eq!(text(&output.stdout), "/opt/our/go\n");
    let output = script(&["1.26.0"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let complaint = text(&output.stderr);
    assert!(complaint.contains("/opt/our/go") && complaint.contains("1.26.0"), "{complaint}");
}
