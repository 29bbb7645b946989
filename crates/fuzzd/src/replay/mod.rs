//! Running a fuzz test on known inputs, without looking for new ones.
//!
//! ```text
//! run_all ── seeds in code ── caught in this process
//!       └─── each file of testdata ── a child of the same executable:
//!              process::run ◄─ limits        child: run_file ── tell ─► outcome on stderr
//!              outcome::Outcome ◄─ how it ended and what it told
//! ```
//!
//! Owns: which inputs are run, and the list of those that fail. Must not: keep or change inputs.

mod capture;
mod child;
mod outcome;
mod process;
mod report;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fuzzd_protocol::input;
use fuzzd_worker::Verdict;

pub(crate) use child::{run_file, show_file};

use crate::fuzz_test::FuzzTest;
use crate::settings::Limits;
use crate::show::input_text;
use outcome::Outcome;
use report::{Report, Source};

/// Runs the fuzz test on its seeds and its testdata. The error is the list of what failed.
pub(crate) fn run_all(test: &FuzzTest) -> Result<(), String> {
    let limits = Limits::from_env().map_err(|error| error.to_string())?;
    let mut report = Report::new(test);
    for (index, memory) in test.seed_memories().iter().enumerate() {
        let outcome = run_caught(test, memory);
        let shown = outcome.is_failure().then(|| input_text(test.types, test.parameters, memory));
        report.add(Source::Seed(index), outcome, shown);
    }
    if let Some(root) = test.package_root() {
        let files = testdata_files(test, &root)
            .map_err(|error| format!("fuzz test `{}`: {error}", test.path()))?;
        for file in files {
            let (outcome, shown) = run_in_child(test, &file, limits);
            report.add(Source::File(file), outcome, shown);
        }
    }
    report.finish()
}

/// Every file of the testdata directories, in order of names. Directories in them are not looked
/// into; names that begin with a dot belong to tools (`.gitkeep`), not to the fuzz test.
fn testdata_files(test: &FuzzTest, root: &Path) -> Result<Vec<PathBuf>, TestdataError> {
    let named = |path: &Path| {
        let path = path.to_owned();
        move |source| TestdataError { path, source }
    };
    let dirs = test.testdata_dirs(root).map_err(named(&root.join("testdata").join("fuzz")))?;
    let mut files = Vec::new();
    for dir in dirs {
        for entry in std::fs::read_dir(&dir).map_err(named(&dir))? {
            let entry = entry.map_err(named(&dir))?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !is_hidden && !entry.path().is_dir() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A directory of testdata that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot list {path}: {source}", path = path.display())]
struct TestdataError {
    path: PathBuf,
    source: std::io::Error,
}

/// The outcome for one file, and the readable form of its input if it failed.
fn run_in_child(test: &FuzzTest, file: &Path, limits: Limits) -> (Outcome, Option<String>) {
    // A file that cannot be an input needs no process to say so.
    if let Err(reason) = read_input(test, file) {
        return (Outcome::Unreadable(reason), None);
    }
    match child::start(test, file, limits) {
        Ok((ended, token)) => Outcome::of_child(&ended, &token),
        Err(error) => (Outcome::NotStarted(error.to_string()), None),
    }
}

/// The input in a file, in memory form.
fn read_input(test: &FuzzTest, file: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot be read: {error}"))?;
    input::from_file(test.types, &bytes).map_err(|error| error.to_string())
}

/// Runs one input in this process.
fn run_caught(test: &FuzzTest, memory: &[u8]) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| (test.run)(memory))) {
        Ok(Verdict::Pass) => Outcome::Passed,
        Ok(Verdict::Reject) => Outcome::Rejected,
        Ok(Verdict::Fail(message)) => Outcome::Failed(message),
        Err(payload) => {
            Outcome::Panicked { location: None, message: panic_message(&*payload).to_owned() }
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "a panic without a message",
    }
}
