//! Instrumented builds of a workspace with everything in it that they tend to break. These are
//! slow: each one runs a whole `cargo test --no-run`.

use std::process::Command;

use crate::support::{Fixture, fuzzd, outcome};

/// Runs one test of a test executable and gives its output.
fn output_of(executable: &str, test: &str) -> String {
    let mut command = Command::new(executable);
    let (code, stdout, stderr) = outcome(command.args([test, "--exact", "--nocapture"]));
    assert_eq!(code, 0, "{executable}: {stdout}{stderr}");
    stdout
}

fn counters(output: &str) -> u32 {
    let number = output.split("counters ").nth(1).and_then(|rest| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn a_whole_workspace_links_and_is_instrumented_and_user_settings_hold() {
    let fixture = Fixture::new();
    let root = fixture.root();
    let log = root.join("wrapped");
    fixture.write("wrapper.sh", &format!("#!/bin/sh\necho x >> {}\nexec \"$@\"\n", log.display()));
    let made_executable =
        Command::new("chmod").arg("+x").arg(root.join("wrapper.sh")).status().unwrap();
    assert!(made_executable.success());
    fixture.write(".cargo/config.toml", "[build]\nrustc-wrapper = './wrapper.sh'\n");
    let mut command = fuzzd(&root, &["list", "--json", "--offline"]);
    command.env("RUSTFLAGS", "--cfg user_flag --check-cfg cfg(user_flag)");
    let (code, stdout, stderr) = outcome(&mut command);
    assert_eq!(code, 0, "{stderr}");
    assert!(!stderr.contains("warning"), "{stderr}");

    let tests: Vec<serde_json::Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = tests.iter().map(|test| test["test"].as_str().unwrap()).collect();
    assert_eq!(names, ["outside", "tests::inside"]);
    let testdata = root.canonicalize().unwrap().join("app/testdata/fuzz/tests.inside");
    assert_eq!(tests[1]["testdata"], testdata.to_str().unwrap());
    for test in &tests {
        let output =
            output_of(test["executable"].as_str().unwrap(), test["test_path"].as_str().unwrap());
        assert!(counters(&output) > 5, "{output}");
        assert!(output.contains("runtime instrumented 0"), "{output}");
    }
    let output = output_of(tests[0]["executable"].as_str().unwrap(), "binary");
    assert!(output.contains("user flag 1"), "{output}");
    assert!(std::fs::read_to_string(log).unwrap().lines().count() > 5);

    // Nothing is built again, and the user's own target directory was left alone.
    let mut command = fuzzd(&root, &["list", "--offline"]);
    let (code, again, stderr) =
        outcome(command.env("RUSTFLAGS", "--cfg user_flag --check-cfg cfg(user_flag)"));
    assert!(code == 0 && !stderr.contains("Compiling"), "{stderr}");
    assert_eq!(again.lines().count(), 2, "{again}");
    assert!(!root.join("target/release").exists() && !root.join("target/debug").exists());
}

#[test]
fn without_instrumentation_there_are_no_counters() {
    let fixture = Fixture::new();
    let mut command = fuzzd(&fixture.root(), &["build", "--blind", "--offline"]);
    let (code, stdout, stderr) = outcome(&mut command);
    assert_eq!((code, stdout.lines().count()), (0, 2), "{stderr}");
    let outside = stdout.lines().find(|line| line.contains("/fuzz-")).unwrap();
    assert_eq!(counters(&output_of(outside, "outside")), 0);
}

#[test]
fn what_does_not_compile_ends_with_3_and_the_compilers_words() {
    let fixture = Fixture::new();
    fixture.write("app/src/lib.rs", "pub fn parse() -> u32 { \"text\" }\n");
    let (code, stdout, stderr) = outcome(&mut fuzzd(&fixture.root(), &["run", "--offline"]));
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(stderr.contains("mismatched types") && stderr.contains("the build failed"), "{stderr}");
}

#[test]
fn flags_that_cannot_work_are_refused_before_anything_is_built() {
    let fixture = Fixture::new();
    for (name, value, reason) in [
        ("RUSTFLAGS", "-C instrument-coverage", "two kinds of coverage"),
        ("RUSTFLAGS", "-Cpanic=abort", "panics have to unwind"),
        ("CARGO_BUILD_TARGET", "wasm32-unknown-unknown", "run on this machine"),
    ] {
        let mut command = fuzzd(&fixture.root(), &["build", "--offline"]);
        let (code, _, stderr) = outcome(command.env(name, value));
        assert!(code == 3 && stderr.contains(reason) && stderr.contains(name), "{code} {stderr}");
        assert!(!stderr.contains("Compiling"), "{stderr}");
    }
}

#[test]
fn a_target_directory_that_takes_no_files_is_named() {
    let fixture = Fixture::new();
    fixture.write("taken", "a file");
    let mut command = fuzzd(&fixture.root(), &["build", "--offline"]);
    let (code, _, stderr) = outcome(command.env("CARGO_TARGET_DIR", fixture.root().join("taken")));
    assert!(code == 4 && stderr.contains("failed to write"), "{code} {stderr}");
    assert!(stderr.contains("build elsewhere with CARGO_TARGET_DIR"), "{stderr}");
}

#[test]
fn fuzzd_may_come_through_another_package() {
    let fixture = Fixture::new();
    fixture
        .write("Cargo.toml", "[workspace]\nresolver = '2'\nmembers = ['via', 'helper', 'user']\n");
    let package = |name: &str, dependencies: &str| {
        let manifest = format!("{name}/Cargo.toml");
        let head = format!("[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2021'\n");
        fixture.write(&manifest, &format!("{head}{dependencies}"));
    };
    package("helper", "[dependencies]\nfuzzd = { path = '../../runtime' }\n");
    fixture.write("helper/src/lib.rs", "pub use fuzzd;\n");
    package("via", "[dev-dependencies]\nhelper = { path = '../helper' }\n");
    fixture.write("via/src/lib.rs", "");
    fixture.write("via/tests/fuzz.rs", "helper::fuzzd::fuzz!(outside, |_: &[u8]| {});\n");
    // What `via` needs for its own tests is nothing to those who use it.
    package("user", "[dependencies]\nvia = { path = '../via' }\n");
    fixture.write("user/src/lib.rs", "#[cfg(test)] compile_error!(\"it was built\");\n");
    let (code, stdout, stderr) = outcome(&mut fuzzd(&fixture.root(), &["list", "--offline"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("via.outside([]byte)"), "{stdout}");
}
