//! Bad arguments and bad packages: a clear error, the right exit code, no harm done.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use fuzzd_integration::{Outcome, Place, copy_fixture, repository};

/// Runs `fuzzd` and checks exit code and words of stderr.
fn refused(arguments: &[&str], code: i32, words: &[&str]) -> Outcome {
    let place = Place::new();
    let outcome = place.run(arguments);
    outcome.expect_code(code);
    for word in words {
        assert!(outcome.stderr.contains(word), "{word:?} is missing:\n{}", outcome.all());
    }
    assert!(!outcome.stderr.contains("panicked at"), "{}", outcome.all());
    outcome
}

fn manifest(fixture: &str) -> String {
    let path = repository().join("integration/fixtures").join(fixture).join("Cargo.toml");
    path.to_string_lossy().into_owned()
}

#[test]
fn unknown_flags_are_refused() {
    refused(&["run", "--tiem", "5s"], 2, &["--tiem", "--time"]);
    refused(&["run", "-max_total_time=60"], 2, &["--time 60s"]);
    refused(&["rnu"], 2, &["rnu"]);
}

#[test]
fn senseless_values_are_refused() {
    refused(&["run", "-j", "0"], 2, &["worker"]);
    refused(&["run", "--time", "5"], 2, &["5s"]);
    refused(&["run", "--execs", "0"], 2, &["--execs"]);
    refused(&["run", "--max-len", "0"], 2, &["--max-len"]);
}

#[test]
fn contradictions_are_refused() {
    refused(&["run", "--json", "--plain"], 2, &["--json", "--plain"]);
    refused(&["run", "--seeds", "/no/such/directory"], 2, &["/no/such/directory"]);
}

#[test]
fn an_unknown_fuzz_test_brings_the_nearest_one() {
    let zoo = manifest("zoo");
    let words = ["panics_on_magik", "panics_on_magic"];
    refused(&["run", "--manifest-path", &zoo, "panics_on_magik"], 2, &words);
}

#[test]
fn an_unknown_fuzz_test_of_an_executable_too() {
    let place = Place::new();
    let outcome = place.zoo("abrots").to_end();
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("aborts"), "{}", outcome.all());
}

#[test]
fn a_package_without_fuzz_tests_says_how_to_write_one() {
    let manifest = manifest("no_fuzz_tests");
    refused(&["run", "--manifest-path", &manifest], 2, &["no_fuzz_tests", "#[fuzzd::test]"]);
}

#[test]
fn no_package_at_all_is_a_usage_error() {
    refused(&["run"], 2, &["Cargo.toml"]);
    refused(&["run", "--manifest-path", "/no/such/Cargo.toml"], 2, &["/no/such/Cargo.toml"]);
    refused(&["run", "/no/such/program"], 2, &["/no/such/program"]);
}

#[test]
fn a_build_failure_has_the_compilers_own_words() {
    let manifest = manifest("broken_build");
    refused(&["run", "--manifest-path", &manifest], 3, &["error[E0308]", "expected `String`"]);
}

#[test]
fn a_target_without_instrumentation_is_fuzzed_only_if_asked() {
    let place = Place::new();
    let built = place.run(["build", "--blind", "--manifest-path", &manifest("zoo")]);
    built.expect_code(0);
    let words: Vec<&str> = built.lines.iter().flat_map(|line| line.split_whitespace()).collect();
    let path = words.iter().find(|word| word.contains("/zoo-")).expect("a path");
    let outcome = place.target(format!("{path}:empty")).execs(100).to_end();
    outcome.expect_code(4);
    assert!(outcome.stderr.contains("instrument"), "{}", outcome.all());
    assert!(outcome.stderr.contains("--blind"), "{}", outcome.all());
    let outcome = place.target(format!("{path}:empty")).execs(100).args(["--blind"]).to_end();
    outcome.expect_code(0);
    assert_eq!(outcome.finished()["execs"], 100);
}

#[test]
fn a_contradicting_flag_of_the_user_is_refused_with_its_place() {
    let place = Place::new();
    let manifest = copy_fixture("no_fuzz_tests", place.path());
    let mut command = place.fuzzd(["run", "--manifest-path"]);
    command.arg(manifest).env("RUSTFLAGS", "-C instrument-coverage");
    let outcome = fuzzd_integration::run_to_end(command);
    outcome.expect_code(3);
    for word in ["RUSTFLAGS", "instrument-coverage", "--blind"] {
        assert!(outcome.stderr.contains(word), "{word}: {}", outcome.all());
    }
}

#[test]
fn paths_that_are_not_utf_8_work() {
    let place = Place::new();
    let folder = place.path().join(OsStr::from_bytes(b"st\xff\xfete"));
    let seeds = place.path().join(OsStr::from_bytes(b"s\xffeds"));
    std::fs::create_dir(&seeds).expect("a folder can be made");
    std::fs::write(seeds.join(OsStr::from_bytes(b"\xff")), b"a seed").expect("a seed is written");
    let arguments: Vec<OsString> =
        vec!["--state".into(), folder.clone().into(), "--seeds".into(), seeds.into()];
    let mut target = fuzzd_integration::zoo_executable().as_os_str().to_owned();
    target.push(":panics_on_magic");
    let mut command = place.fuzzd(["run", "--json", "-j", "1", "--seed", "1", "--fail-fast"]);
    command.arg(target).args(arguments);
    let outcome = fuzzd_integration::run_to_end(command);
    outcome.expect_code(1);
    assert!(folder.join("session.db").is_file());
}

#[test]
fn a_package_below_a_path_that_is_not_utf_8_is_refused_by_cargos_own_words() {
    let place = Place::new();
    let folder = place.path().join(OsStr::from_bytes(b"p\xff"));
    std::fs::create_dir(&folder).expect("a folder can be made");
    let manifest = copy_fixture("no_fuzz_tests", &folder);
    let mut command = place.fuzzd(["run", "--manifest-path"]);
    command.arg(manifest);
    let outcome = fuzzd_integration::run_to_end(command);
    outcome.expect_code(3);
    assert!(outcome.stderr.contains("UTF-8"), "{}", outcome.all());
}

#[test]
fn every_flag_can_be_set_by_its_variable() {
    let place = Place::new();
    let run = place.zoo("empty").env("FUZZD_EXECS", "77").env("FUZZD_NO_MINIMIZE", "1");
    let outcome = run.to_end();
    outcome.expect_code(0);
    assert_eq!(outcome.finished()["execs"], 77);
    let wrong = place.zoo("empty").env("FUZZD_EXECS", "many").to_end();
    wrong.expect_code(2);
}

#[test]
fn cargo_fuzzd_is_the_same_program() {
    let place = Place::new();
    let program = fuzzd_integration::fuzzd().with_file_name("cargo-fuzzd");
    for arguments in [&["fuzzd", "--version"][..], &["--version"]] {
        let output = std::process::Command::new(&program).args(arguments).output();
        let output = output.expect("cargo-fuzzd starts");
        let version = place.run(["--version"]).lines;
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), version.join("\n"));
    }
}
