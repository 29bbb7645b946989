//! Whether a program is a worker: checks it against `proto-spec/`, rule by rule.
//!
//! Owns: the table of rules that a worker can be tested for, and the tests. Each starts the program
//! as a coordinator would and knows nothing of it but what it says. Must not use the worker tasks
//! of a session: those forgive what they can, and this must not. Blocking, with a deadline for
//! every wait (`limits`).
//!
//! ```text
//!  run ─► learn (dialect, types, a healthy input) ─► search (inputs that fail) ─► rules ─► Report
//!                                         bench ◄──────────────────────────────────┘
//!                        subject: one process ─► pump: its pipes
//! ```

mod bench;
mod checks;
mod limits;
mod noted;
mod pump;
mod rules;
mod subject;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::options::TargetSpec;
use crate::process::Spawner;

pub use rules::{RULES, Rule};

/// What to check, and with what.
#[derive(Debug, Clone)]
pub struct ConformanceOptions {
    /// How a worker is started.
    pub target: TargetSpec,
    /// Identifiers of the rules to check; all without any.
    pub only: Vec<String>,
    /// A file with an input that passes; `None`: one is made up.
    pub input: Option<PathBuf>,
    /// A file with an input that fails and leaves the process alive.
    pub failing: Option<PathBuf>,
    /// A file with an input that ends the process.
    pub deadly: Option<PathBuf>,
    /// How long inputs that fail are looked for, where none was given.
    pub search_time: Duration,
}

/// Which of the two kinds of worker it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerDialect {
    /// It keeps inputs in memory.
    Native,
    /// It speaks the protocol as Go's own fuzzing does.
    Go,
}

impl WorkerDialect {
    /// `native` or `go`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Go => "go",
        }
    }
}

/// What came of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The worker keeps it.
    Kept,
    /// It does not; a sentence on what was seen. It may hold bytes of the worker's.
    Failed(String),
    /// It has no meaning for this worker, or could not be tested; the reason.
    NotApplicable(String),
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleResult {
    /// The rule.
    pub rule: &'static Rule,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of the rules that were asked for, in the order of [`RULES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConformanceReport {
    /// The kind of worker.
    pub dialect: WorkerDialect,
    /// What it announced.
    pub caps: Vec<String>,
    /// The rules.
    pub results: Vec<RuleResult>,
}

impl ConformanceReport {
    /// Whether no rule failed.
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.results.iter().all(|result| !matches!(result.verdict, Verdict::Failed(_)))
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// There is no process, or it is none that answers.
    #[error("{0}")]
    NotStarted(String),
    /// A file that was given cannot be used.
    #[error("{path}: {problem}", path = .path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// There is no memory to share.
    #[error("make the memory of a worker: {0}")]
    Memory(#[from] fuzzd_shm::ShmError),
    /// A pipe or a descriptor failed.
    #[error("talk to a worker: {0}")]
    System(#[from] io::Error),
    /// A process was killed and does not end.
    #[error("process {0} was killed and does not end")]
    Stuck(u32),
}

/// Why a check came to no good end.
#[derive(Debug)]
enum Trouble {
    /// The rule is broken.
    Failed(String),
    /// It cannot be tested here.
    NotApplicable(String),
    /// The target failed of itself in a call that was about something else.
    Disturbed,
    /// Nothing can be said of any rule any more.
    Broken(ConformanceError),
}

type Checked<T = ()> = Result<T, Trouble>;

impl From<ConformanceError> for Trouble {
    fn from(error: ConformanceError) -> Self {
        Self::Broken(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Broken(ConformanceError::System(error))
    }
}

fn failed<T>(what: impl Into<String>) -> Checked<T> {
    Err(Trouble::Failed(what.into()))
}

fn not_applicable<T>(why: impl Into<String>) -> Checked<T> {
    Err(Trouble::NotApplicable(why.into()))
}

/// Why a rule about calls that are not ended by failures was not tested.
const DISTURBED: &str = "the fuzz test fails too often to test it";

/// Fails with the sentence unless it holds.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { failed(otherwise()) }
}

/// Checks a program. `on_result` is told of each rule as soon as it is judged.
///
/// # Errors
/// The program would not start or did not answer its first call, or the system failed.
pub fn run(
    options: &ConformanceOptions,
    mut on_result: impl FnMut(&RuleResult),
) -> Result<ConformanceReport, ConformanceError> {
    let spawner =
        Spawner::of_process().map_err(|error| ConformanceError::NotStarted(error.to_string()))?;
    let mut bench = bench::Bench::learn(options, spawner)?;
    let mut results = Vec::new();
    let is_asked = |rule: &&Rule| options.only.is_empty() || options.only.contains(&rule.id.into());
    for rule in RULES.iter().filter(is_asked) {
        let outcome = match rule.is_for(bench.facts.dialect) {
            true => (rule.check)(&mut bench),
            false => not_applicable(match bench.facts.dialect {
                WorkerDialect::Go => "not a rule of the Go dialect",
                WorkerDialect::Native => "a rule of the Go dialect",
            }),
        };
        let verdict = match outcome {
            Ok(()) => Verdict::Kept,
            Err(Trouble::Failed(what)) => Verdict::Failed(what),
            Err(Trouble::NotApplicable(why)) => Verdict::NotApplicable(why),
            Err(Trouble::Disturbed) => Verdict::NotApplicable(DISTURBED.to_owned()),
            Err(Trouble::Broken(error)) => return Err(error),
        };
        let result = RuleResult { rule, verdict };
        on_result(&result);
        results.push(result);
    }
    let facts = &bench.facts;
    Ok(ConformanceReport { dialect: facts.dialect, caps: facts.ping.caps.clone(), results })
}
