//! Everything about replays that needs no child process. What children do is checked in
//! `tests/replay.rs`.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use fuzzd_protocol::value::ValueType;
use fuzzd_worker::Verdict;

use super::capture::Capture;
use super::outcome::{Outcome, told_input};
use super::process::{self, Ended, Ending};
use super::report::{Report, Source};
use super::{run_all, testdata_files};
use crate::fuzz_test::{Build, FuzzTest};
use crate::limits::{OUTPUT_HEAD_BYTES_MAX, OUTPUT_TAIL_BYTES_MAX};
use crate::parameter::Parameter;
use crate::settings::Limits;

const TOKEN: &str = "7-0";

/// A fuzz test `parse` of a `String` and a `u32` in the package at `root`.
fn fuzz_test(root: &Path) -> FuzzTest {
    let root: &'static str = Box::leak(root.to_str().unwrap().to_owned().into_boxed_str());
    FuzzTest {
        marker: "",
        module: "my_target::inner",
        name: "parse",
        file: "tests/my-target.rs",
        build: Build {
            manifest_dir: Some(root),
            package: Some("pkg"),
            bin: None,
            test_tmpdir: Some("/tmp"),
        },
        types: &[ValueType::String, ValueType::Uint32],
        parameters: &[
            Parameter { name: "name", ty: "String", debug: None },
            Parameter { name: "number", ty: "u32", debug: None },
        ],
        run: |_| Verdict::Pass,
        seeds: |_| {},
    }
}

fn write(root: &Path, dir: &str, files: &[(&str, &str)]) {
    let dir = root.join("testdata/fuzz").join(dir);
    std::fs::create_dir_all(&dir).unwrap();
    for (name, content) in files {
        std::fs::write(dir.join(name), content).unwrap();
    }
}

#[test]
fn files_that_are_no_inputs_are_listed_with_the_reason() {
    let package = tempfile::tempdir().unwrap();
    let files = [
        ("not-text", "hello"),
        ("swapped", "go test fuzz v1\nuint32(7)\nstring(\"x\")\n"),
        ("one-value", "go test fuzz v1\nstring(\"x\")\n"),
        ("too-large", "go test fuzz v1\nstring(\"x\")\nuint32(4294967296)\n"),
    ];
    write(package.path(), "inner.parse", &files);
    let error = run_all(&fuzz_test(package.path())).unwrap_err();
    assert!(error.contains("fuzz test `inner::parse` fails on 4 of 4 inputs"), "{error}");
    for (file, _) in files {
        let listed =
            format!("testdata/fuzz/inner.parse/{file}\n    not an input of this fuzz test");
        assert!(error.contains(&listed), "{file} is not in:\n{error}");
    }
    let types = "the fuzz test takes (string, uint32), the file has (uint32, string)";
    assert!(error.contains(types), "{error}");
    assert!(!error.contains("run it:"), "there is nothing to run:\n{error}");
}

#[test]
fn no_control_sequence_of_an_input_reaches_the_terminal() {
    let root = tempfile::tempdir().unwrap();
    let test = fuzz_test(root.path());
    let mut report = Report::new(&test);
    let message = "red \x1b[31m\x07\tnot\u{9b}\nsecond".to_owned();
    let shown = Some("name: String = \x1b".to_owned());
    report.add(Source::Seed(0), Outcome::Panicked { location: None, message }, shown);
    let text = report.finish().unwrap_err();
    assert!(text.contains("red \\u{1b}[31m\\u{7}\tnot\\u{9b}\n    second"), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{text:?}");
}

#[test]
fn testdata_is_found_under_the_path_and_under_the_target_and_the_path() {
    let package = tempfile::tempdir().unwrap();
    write(package.path(), "inner.parse", &[("b", ""), ("a", ""), (".gitkeep", "")]);
    write(package.path(), "my-target.inner.parse", &[("c", "")]);
    write(package.path(), "other.inner.parse", &[("d", "")]);
    write(package.path(), "parse", &[("e", "")]);
    std::fs::create_dir(package.path().join("testdata/fuzz/inner.parse/directory")).unwrap();
    let files = testdata_files(&fuzz_test(package.path()), package.path()).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn without_testdata_there_is_nothing_to_fail() {
    let package = tempfile::tempdir().unwrap();
    assert_eq!(run_all(&fuzz_test(package.path())), Ok(()));
}

#[test]
fn testdata_that_cannot_be_listed_fails_the_test() {
    let package = tempfile::tempdir().unwrap();
    std::fs::create_dir(package.path().join("testdata")).unwrap();
    std::fs::write(package.path().join("testdata/fuzz"), "a file").unwrap();
    let error = run_all(&fuzz_test(package.path())).unwrap_err();
    assert!(error.contains("fuzz test `inner::parse`: cannot list"), "{error}");
}

#[test]
fn the_test_target_has_the_name_of_its_file() {
    let test = fuzz_test(Path::new("/"));
    assert_eq!(test.target_option(), "--test my-target");
    let test = FuzzTest { file: "tests/my_target/main.rs", ..test };
    assert_eq!(test.target_option(), "--test my_target");
}

fn outcome(ending: Ending, stderr: &str) -> Outcome {
    let ended = Ended { ending, stderr: stderr.as_bytes().to_vec() };
    Outcome::of_child(&ended, TOKEN).0
}

fn exited(code: i32) -> Ending {
    Ending::Exited(ExitStatus::from_raw(code << 8))
}

#[test]
fn an_outcome_is_told_and_understood() {
    let outcomes = [
        Outcome::Passed,
        Outcome::Rejected,
        Outcome::Panicked { location: Some("a.rs:1:2".into()), message: "x \\ \n\r\ny".into() },
        Outcome::Panicked { location: None, message: String::new() },
        Outcome::Failed("no\n".into()),
        Outcome::Unreadable("line 1".into()),
    ];
    for told in outcomes {
        let stderr = format!("unfinished{}\nmore\n", told.told(TOKEN));
        assert_eq!(outcome(exited(0), &stderr), told);
    }
}

#[test]
fn a_told_outcome_counts_only_with_the_token_and_a_good_end() {
    let forged = Outcome::Passed.told("other");
    let died = |ending, stderr| match outcome(ending, stderr) {
        Outcome::Died { how, .. } => how,
        other => panic!("{other:?}"),
    };
    assert!(died(exited(0), &forged).contains("exited with code 0"));
    let told = Outcome::Passed.told(TOKEN);
    assert!(died(exited(1), &told).contains("exited with code 1"));
    assert!(died(Ending::Exited(ExitStatus::from_raw(11)), &told).contains("SIGSEGV"));
    let timeout = Duration::from_secs(1);
    assert_eq!(outcome(Ending::TimedOut(timeout), &told), Outcome::TimedOut(timeout));
}

#[test]
fn the_printed_input_survives_any_ending() {
    let stderr = format!("{}\nabort: x\n", told_input(TOKEN, "a = 1\nb = \"\\n\""));
    let ended = Ended { ending: exited(134), stderr: stderr.into_bytes() };
    let (outcome, shown) = Outcome::of_child(&ended, TOKEN);
    assert_eq!(shown.as_deref(), Some("a = 1\nb = \"\\n\""));
    assert!(outcome.text().ends_with("its last output:\nabort: x"), "{}", outcome.text());
}

#[test]
fn output_is_kept_within_bounds_from_both_ends() {
    let mut capture = Capture::default();
    for number in 0..50_000 {
        capture.push(format!("{number}\n").as_bytes());
    }
    let text = String::from_utf8(capture.bytes()).unwrap();
    assert!(text.len() <= OUTPUT_HEAD_BYTES_MAX + OUTPUT_TAIL_BYTES_MAX + 64, "{}", text.len());
    assert!(text.starts_with("0\n1\n") && text.ends_with("\n49999\n"), "{text}");
    assert!(text.contains("bytes left out"), "{text}");
    let mut at_once = Capture::default();
    let all: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    at_once.push(all.as_bytes());
    assert_eq!(at_once.bytes(), capture.bytes());
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_child_that_hangs_is_killed_with_all_it_started() {
    let limits = Limits { timeout: Duration::from_millis(300), rss_bytes: None };
    let started = Instant::now();
    // Both hold the output open.
    let ended = process::run(shell("echo out >&2; sleep 100 & sleep 100"), limits).unwrap();
    assert_eq!(ended.ending, Ending::TimedOut(Duration::from_millis(300)));
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert_eq!(ended.stderr, b"out\n");
}

#[test]
fn a_child_within_its_limits_ends_by_itself() {
    let limits = Limits { timeout: Duration::from_secs(60), rss_bytes: None };
    let ended = process::run(shell("echo err >&2; exit 3"), limits).unwrap();
    assert_eq!((ended.ending, ended.stderr.as_slice()), (exited(3), &b"err\n"[..]));
    process::run(Command::new("/no/such/program"), limits).unwrap_err();
}
