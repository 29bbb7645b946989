//! `fuzzd replay`: which inputs fail, as a table and as an exit code.

use std::ffi::OsString;
use std::fs;

use fuzzd_integration::{Outcome, Place, zoo_executable};

fn target(test: &str) -> OsString {
    let mut target = zoo_executable().as_os_str().to_owned();
    target.push(":");
    target.push(test);
    target
}

fn replay(place: &Place, test: &str, paths: &[&str]) -> Outcome {
    let mut arguments: Vec<OsString> =
        vec!["replay".into(), target(test), "--timeout".into(), "1s".into()];
    arguments.extend(paths.iter().map(OsString::from));
    place.run(arguments)
}

#[test]
fn files_and_directories_are_run_and_judged() {
    let place = Place::new();
    for (name, bytes) in [("good", b"ok"), ("bad", b"!x")] {
        fs::write(place.path().join(name), bytes).expect("a file can be written");
    }
    replay(&place, "panics_on_magic", &["good"]).expect_code(0);
    let failing = replay(&place, "panics_on_magic", &["good", "bad"]);
    failing.expect_code(1);
    let shown = failing.lines.join("\n");
    assert!(shown.contains("good") && shown.contains("bad"), "{}", failing.all());
    assert!(shown.contains("the magic was found"), "{}", failing.all());
}

#[test]
fn deaths_and_hangs_do_not_end_the_replay() {
    let place = Place::new();
    let folder = place.path().join("inputs");
    fs::create_dir(&folder).expect("a folder can be made");
    for (name, bytes) in [("1-bad", b"!x"), ("2-good", b"ok"), ("3-bad", b"!y")] {
        fs::write(folder.join(name), bytes).expect("a file can be written");
    }
    for test in ["aborts", "hangs", "exits_zero"] {
        let outcome = replay(&place, test, &["inputs"]);
        outcome.expect_code(1);
        let shown = outcome.lines.join("\n");
        for name in ["1-bad", "2-good", "3-bad"] {
            assert!(shown.contains(name), "{test}, {name}: {}", outcome.all());
        }
    }
}

#[test]
fn without_paths_all_of_testdata_is_run() {
    let place = Place::new();
    let found = place.zoo("panics_on_magic").args(["--fail-fast"]).to_end();
    found.expect_code(1);
    let outcome = replay(&place, "panics_on_magic", &[]);
    outcome.expect_code(1);
    let path = found.only_bug()["path"].as_str().expect("a bug has a file").to_owned();
    let name = path.rsplit('/').next().expect("a file has a name");
    assert!(outcome.lines.join("\n").contains(name), "{}", outcome.all());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let place = Place::new();
    let outcome = replay(&place, "panics_on_magic", &["no-such-file"]);
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("no-such-file"), "{}", outcome.all());
}

#[test]
fn the_command_that_a_bug_report_shows_works() {
    let place = Place::new();
    let mut command = place.fuzzd(["run", "--plain", "-j", "1", "--seed", "1", "--fail-fast"]);
    command.args(["--state", "state"]).arg(target("aborts"));
    let outcome = fuzzd_integration::run_to_end(command);
    outcome.expect_code(1);
    let shown = outcome.lines.iter().map(|line| line.trim());
    let replay = shown.filter_map(|line| line.strip_prefix("fuzzd replay ")).next();
    let replay = replay.unwrap_or_else(|| panic!("no replay command: {}", outcome.all()));
    let words: Vec<&str> = replay.split_whitespace().collect();
    let again = place.run(["replay"].into_iter().chain(words));
    again.expect_code(1);
}
