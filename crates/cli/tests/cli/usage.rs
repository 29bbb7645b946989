//! Arguments that make no sense: a clear sentence, a next step, exit code 2.

use crate::support::{Fixture, fuzzd, outcome};

/// stderr of a command that must end with 2 and say nothing on stdout.
fn refused(arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("the temporary directory is writable");
    let (code, stdout, stderr) = outcome(&mut fuzzd(directory.path(), arguments));
    assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
    stderr
}

#[test]
fn senseless_arguments_are_refused_with_a_reason() {
    for (arguments, reason) in [
        (&["run", "-j", "0"][..], "nothing runs without a worker"),
        (&["run", "--time", "60"], "60 has no unit; write 60s"),
        (&["run", "--timeout", "0"], "must be longer than zero"),
        (&["run", "--time", "1000x"], "write --execs 1000"),
        (&["run", "--json", "--plain"], "contradict each other"),
        (&["run", "--seeds", "gone"], "--seeds gone is not a directory"),
        (&["run", "--no-such-flag"], "unexpected argument"),
        (&["run", "--tim", "5s"], "--time"),
        (&["fly"], "unrecognized subcommand"),
        (&["run", "--manifest-path", "gone/Cargo.toml"], "is not a file"),
        (&["run", "./gone"], "failed to read ./gone"),
        (&["run"], "there is no Cargo.toml in"),
        (&["replay"], "required"),
    ] {
        let told = refused(arguments);
        assert!(told.contains(reason), "{arguments:?}: {told}");
    }
}

#[test]
fn libfuzzers_spellings_are_translated() {
    assert!(refused(&["run", "-max_total_time=60"]).contains("--time 60s"));
    assert!(refused(&["run", "parse", "--", "-runs=5"]).contains("--execs 5"));
    assert!(refused(&["run", "-workers=3"]).contains("-j 3"));
}

#[test]
fn an_environment_variable_is_as_good_as_a_flag() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = fuzzd(directory.path(), &["run"]);
    let (code, _, stderr) = outcome(command.env("FUZZD_TIME", "5"));
    assert!(code == 2 && stderr.contains("5 has no unit"), "{stderr}");
    let mut command = fuzzd(directory.path(), &["run", "--json"]);
    let (code, _, stderr) = outcome(command.env("FUZZD_PLAIN", "1"));
    assert!(code == 2 && stderr.contains("contradict each other"), "{stderr}");
    let mut command = fuzzd(directory.path(), &["run", "--json"]);
    let (_, _, stderr) = outcome(command.env("FUZZD_PLAIN", "0"));
    assert!(stderr.contains("no Cargo.toml"), "{stderr}");
}

#[test]
fn help_goes_to_stdout_and_names_only_what_exists() {
    let directory = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = outcome(&mut fuzzd(directory.path(), &["--help"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    for word in ["run", "list", "build", "replay", "cmin", "bugs", "#[fuzzd::test]"] {
        assert!(stdout.contains(word), "{word}: {stdout}");
    }
    for word in ["tmin", "coverage", "serve", "farm"] {
        assert!(!stdout.contains(&format!("\n  {word}")), "{word}: {stdout}");
    }
    let (code, stdout, _) = outcome(&mut fuzzd(directory.path(), &["run", "--help"]));
    assert!(code == 0 && stdout.contains("Exit codes") && stdout.contains("--rss-limit"));
}

#[test]
fn a_file_that_is_no_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("notes.txt"), "x").unwrap();
    let mut command = fuzzd(directory.path(), &["run", "./notes.txt"]);
    let (code, _, stderr) = outcome(&mut command);
    assert!(code == 2 && stderr.contains("not an executable file"), "{stderr}");
}

#[test]
fn packages_and_workspaces_without_fuzz_tests_are_told_how_to_get_one() {
    let fixture = Fixture::new();
    let check = |arguments: &[&str], reason: &str, help: &str| {
        let (code, _, stderr) = outcome(&mut fuzzd(&fixture.root(), arguments));
        assert!(code == 2 && stderr.contains(reason) && stderr.contains(help), "{code} {stderr}");
    };
    let write_one = "#[fuzzd::test]";
    check(&["run", "--offline", "-p", "stranger"], "stranger does not depend on fuzzd", write_one);
    check(&["run", "--offline", "-p", "ap"], "no package ap", "did you mean app?");
    fixture.write("Cargo.toml", "[workspace]\nresolver = '2'\nmembers = ['stranger', 'mac']\n");
    check(&["run", "--offline"], "no package of this workspace depends on fuzzd", write_one);
}

#[test]
fn the_help_of_each_command_teaches_by_examples_and_tells_the_exit_codes() {
    let directory = tempfile::tempdir().unwrap();
    for command in ["run", "list", "build", "replay", "cmin", "bugs"] {
        let (code, stdout, _) = outcome(&mut fuzzd(directory.path(), &[command, "--help"]));
        assert_eq!(code, 0);
        for word in ["Examples:", "Exit codes:", &format!("fuzzd {command}")] {
            assert!(stdout.contains(word), "{command}: no {word} in {stdout}");
        }
        assert!(stdout.lines().all(|line| line.chars().count() <= 100), "{command}: {stdout}");
    }
}

#[test]
fn a_manifest_is_called_cargo_toml() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("README.md"), "").unwrap();
    let arguments = ["list", "--manifest-path", "README.md"];
    let (code, _, stderr) = outcome(&mut fuzzd(directory.path(), &arguments));
    assert!(code == 2 && stderr.contains("README.md is not called Cargo.toml"), "{stderr}");
}
