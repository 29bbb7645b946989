//! A place for one test: its folder, its state directory, and the runs that share them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::programs::{command, fixture_target, fuzzd, zoo_executable};
use crate::session::{Outcome, TestSession, run_to_end};

/// A folder that is removed at the end of the test. Runs in one place share state and testdata.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// A new, empty place.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("fuzzd-").tempdir();
        Self { folder: folder.expect("a temporary folder can be made") }
    }

    /// Its folder, in which programs are started.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The state directory of its runs.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    /// `fuzzd` with any arguments, in this place.
    #[must_use]
    pub fn fuzzd<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Command {
        let mut command = command(fuzzd());
        command.args(arguments).current_dir(self.path()).env("CARGO_TARGET_DIR", fixture_target());
        command
    }

    /// Runs `fuzzd` with any arguments to its end.
    pub fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Outcome {
        run_to_end(self.fuzzd(arguments))
    }

    /// A run of one fuzz test of the zoo: JSON events, one worker, this place's state.
    #[must_use]
    pub fn zoo(&self, test: &str) -> Run<'_> {
        let mut target = zoo_executable().as_os_str().to_owned();
        target.push(":");
        target.push(test);
        self.target(target)
    }

    /// A run of any target, as given on the command line.
    #[must_use]
    pub fn target(&self, target: impl Into<OsString>) -> Run<'_> {
        let state = self.state().into_os_string();
        let run =
            Run { place: self, arguments: vec!["run".into(), target.into()], env: Vec::new() };
        run.args(["--json", "-j", "1", "--seed", "1", "--state"]).args([state])
    }

    /// The testdata of a fuzz test, as path and content, in the order of the names.
    #[must_use]
    pub fn testdata(&self, test: &str) -> Vec<(PathBuf, Vec<u8>)> {
        files(&self.testdata_folder(test))
    }

    /// Where the testdata of a fuzz test lies.
    #[must_use]
    pub fn testdata_folder(&self, test: &str) -> PathBuf {
        self.path().join("testdata/fuzz").join(test.replace("::", "."))
    }

    /// All files below a folder of the state, as path and content; none if it does not exist.
    #[must_use]
    pub fn state_files(&self, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
        files(&self.state().join(folder))
    }
}

/// Every file below `folder`, in the order of the paths.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(bytes) = fs::read(&path) {
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// One `fuzzd run` in the making.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    place: &'a Place,
    arguments: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Run<'_> {
    /// More arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The number of workers.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        let position = self.arguments.iter().position(|argument| argument == "-j");
        let position = position.expect("every run has its number of workers");
        self.arguments[position + 1] = workers.to_string().into();
        self
    }

    /// An exact number of executions.
    #[must_use]
    pub fn execs(self, execs: u64) -> Self {
        self.args(["--execs".to_owned(), execs.to_string()])
    }

    /// A variable for the coordinator, and so for its workers.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Another state directory than the place's.
    #[must_use]
    pub fn state(mut self, state: impl Into<OsString>) -> Self {
        let position = self.arguments.iter().position(|argument| argument == "--state");
        let position = position.expect("every run has its state");
        self.arguments[position + 1] = state.into();
        self
    }

    /// The command, not started.
    #[must_use]
    pub fn command(self) -> Command {
        let mut command = self.place.fuzzd(&self.arguments);
        command.envs(self.env);
        command
    }

    /// Starts it.
    #[must_use]
    pub fn start(self) -> TestSession {
        TestSession::start(self.command())
    }

    /// Starts it and waits for its end.
    #[must_use]
    pub fn to_end(self) -> Outcome {
        self.start().wait()
    }
}
