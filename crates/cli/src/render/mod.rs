//! What people and scripts see of a session. Pure: reports in, lines out.
//!
//! Owns: every word and every field. Must not write anywhere (see `output`), nor let bytes of a
//! target through unescaped.

pub(crate) mod crash;
pub(crate) mod escape;
pub(crate) mod format;
mod frames;
pub(crate) mod json;
pub(crate) mod plain;
pub(crate) mod status;
pub(crate) mod summary;

#[cfg(test)]
pub(crate) mod samples;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fuzzd_core::ids::TestIndex;
use fuzzd_core::session::{BugReport, Report, Summary};
use fuzzd_protocol::value::ValueType;

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// To stdout; complete, with its line end.
    Out(String),
    /// To stderr; complete, with its line end.
    Err(String),
    /// To stderr, without a line end: the next of its kind takes its place.
    Status(String),
}

/// What is shown of a fuzz test beside its reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestView {
    pub(crate) name: String,
    /// Parameter types; empty if they are not known.
    pub(crate) types: Vec<ValueType>,
    /// Runs it with cargo, if it is a test of a package.
    pub(crate) cargo_test: Option<String>,
    /// Runs it with `go test`, if it is a test of Go; a slash and the name of a file can be put
    /// behind it.
    pub(crate) go_test: Option<String>,
    /// Replays its inputs with fuzzd; a path can be put behind it.
    pub(crate) replay: String,
}

/// What people are shown beside the reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) tests: Vec<TestView>,
    /// Lists the bugs of the session.
    pub(crate) list_bugs: String,
    /// The directory that commands are typed in: paths below it are shown without it.
    pub(crate) here: PathBuf,
}

impl Context {
    /// A path for people, in one line.
    fn path(&self, path: &Path) -> String {
        escape::line(&format::short_path(path, &self.here).to_string_lossy())
    }
}

/// The beginning of a session.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    pub(crate) workers: usize,
    pub(crate) state: PathBuf,
    pub(crate) seed: u64,
    pub(crate) time: Option<Duration>,
    pub(crate) execs: Option<u64>,
}

/// Turns what happens into lines.
#[derive(Debug)]
pub(crate) enum Renderer {
    /// For people.
    Plain(plain::Plain),
    /// For scripts.
    Json(json::Json),
}

impl Renderer {
    /// The session was handed to the coordinator.
    pub(crate) fn started(&self, beginning: &Beginning, elapsed: Duration) -> Vec<Line> {
        match self {
            Self::Plain(plain) => plain.started(beginning),
            Self::Json(json) => json.started(beginning, elapsed),
        }
    }

    /// The types of the parameters of all fuzz tests, in their order.
    pub(crate) fn types_known(&mut self, types: impl Iterator<Item = Vec<ValueType>>) {
        let tests = match self {
            Self::Plain(plain) => &mut plain.context.tests,
            Self::Json(json) => &mut json.tests,
        };
        for (view, types) in tests.iter_mut().zip(types) {
            view.types = types;
        }
    }

    /// The terminal may have another width by now.
    pub(crate) fn resized(&mut self, columns: Option<usize>) {
        match self {
            Self::Plain(plain) => plain.resized(columns),
            Self::Json(_) => {}
        }
    }

    /// Something was reported; `elapsed` counts from the start of the program.
    pub(crate) fn report(&mut self, report: &Report, elapsed: Duration) -> Vec<Line> {
        match self {
            Self::Plain(plain) => plain.report(report, elapsed),
            Self::Json(json) => json.report(report, elapsed),
        }
    }

    /// A new bug; `shown` is its input as its target prints it.
    pub(crate) fn bug(
        &mut self,
        bug: &BugReport,
        shown: Option<&str>,
        elapsed: Duration,
    ) -> Vec<Line> {
        match self {
            Self::Plain(plain) => plain.bug(bug, shown),
            Self::Json(json) => vec![json.new_bug(bug, shown, elapsed)],
        }
    }

    /// Something to know that changes nothing about the course of the session.
    pub(crate) fn warning(&self, message: &str, elapsed: Duration) -> Vec<Line> {
        match self {
            Self::Plain(_) => vec![plain::warning(message)],
            Self::Json(json) => vec![json.warning("loaded", None, message, elapsed)],
        }
    }

    /// The session is over.
    pub(crate) fn finished(&self, summary: &Summary, elapsed: Duration) -> Vec<Line> {
        match self {
            Self::Plain(plain) => summary::lines(summary, &plain.context),
            Self::Json(json) => json.finished(summary, elapsed),
        }
    }

    /// The session could not be held to its end.
    pub(crate) fn failed(&self, message: &str, elapsed: Duration) -> Vec<Line> {
        match self {
            // The command says it on its way out.
            Self::Plain(_) => Vec::new(),
            Self::Json(json) => json.failed(message, elapsed),
        }
    }
}

/// The name of a test; a number where there is none.
fn name(tests: &[TestView], test: TestIndex) -> String {
    tests.get(test.0).map_or_else(|| format!("test {}", test.0), |view| escape::line(&view.name))
}
