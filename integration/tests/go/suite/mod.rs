//! What Go's own tests of its fuzzing check, checked of fuzzd on unmodified test binaries, and what
//! they do not check. `integration/go/SUITE.md` says which test stands for which of Go's.
//!
//! Owns how the fuzz tests of the fixture are run, by fuzzd and by Go.

use std::process::{Command, Output, Stdio};

use fuzzd_integration::go::{self, Suite};
use fuzzd_integration::{Outcome, Place, Run};

mod beginning;
mod budget;
mod builds;
mod corpus;
mod deaths;
mod environment;
mod failures;
mod finds;
mod minimization;
mod seeds;
mod stop;

/// A run of one fuzz test of the suite. `None`: there is no toolchain.
fn run<'a>(place: &'a Place, test: &str) -> Option<Run<'a>> {
    let binary = go::suite(Suite::Root)?;
    Some(place.target(format!("{}:{test}", binary.display())))
}

/// As Go runs the seeds and the testdata of a place, or one of them.
fn go_runs(place: &Place, which: &str) -> Option<Output> {
    let binary = go::suite(Suite::Root)?;
    // A hang of the target is a failure for Go after this time.
    let flags = [format!("-test.run=^{which}$"), "-test.timeout=5s".to_owned()];
    let mut command = Command::new(binary);
    command.args(flags).current_dir(place.path()).stdin(Stdio::null());
    Some(command.output().unwrap())
}

/// The only file in the testdata of a fuzz test: its name, and the lines of its values.
fn only_file(place: &Place, test: &str) -> (String, String) {
    let (name, text) = crate::run::only_file(place, test);
    let values = text.strip_prefix("go test fuzz v1\n").unwrap();
    (name, values.to_owned())
}

/// Nothing failed, and nothing is said to have.
#[track_caller]
fn expect_no_failure(place: &Place, outcome: &Outcome) {
    outcome.expect_code(0);
    assert!(outcome.events_named("bug").is_empty(), "{}", outcome.all());
    assert!(!place.path().join("testdata").exists(), "{}", outcome.all());
}

/// One bug was found, and it was news.
#[track_caller]
fn expect_one_bug(outcome: &Outcome) {
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!(outcome.finished()["bugs"], 1, "{bug}");
}
