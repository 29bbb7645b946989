//! What a session starts from: options, and everything that was loaded or probed before it.

use std::path::PathBuf;
use std::time::Duration;

use crate::coverage::Feature;
use crate::ids::Input;
use crate::signature::{FailureKind, Signature};

/// What paces the decisions that could follow a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// The clock: calls, slices and minimization have time limits.
    Clock,
    /// Executions: the same run repeats byte for byte with one worker and a deterministic target.
    Executions,
}

/// Options of one session. All are validated by the caller: `workers` is at least 1.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Seed of every random decision of the coordinator and of the mutation seeds it hands out.
    pub seed: u64,
    /// Clock or executions.
    pub pace: Pace,
    /// Worker slots.
    pub workers: usize,
    /// Executions of newly mutated inputs, over all workers and tests; `None` is no limit.
    pub execs_max: Option<u64>,
    /// Time from the first execution; `None` is no limit.
    pub time_max: Option<Duration>,
    /// Stop at the first new bug.
    pub fail_fast: bool,
    /// Minimize finds and failures.
    pub minimize: bool,
    /// Minimize inputs that run into the per-input timeout as well: it is short enough to wait for
    /// it with every candidate.
    pub minimize_timeouts: bool,
    /// The tests, in the order of their [`crate::ids::TestIndex`].
    pub tests: Vec<TestConfig>,
}

/// One fuzz test, as probed from its worker and loaded from its state.
#[derive(Debug, Clone)]
pub struct TestConfig {
    /// Unique name, shown to people.
    pub name: String,
    /// Number of coverage counters; 0 means fuzzing blind (the user asked for it).
    pub counters: usize,
    /// The counters that begin a function, ascending; empty: not known.
    pub functions: Vec<u32>,
    /// Seeds, testdata and corpus, without duplicates, in the order in which to warm up; seeds come
    /// last all the same, so that a failure that testdata has too is known when a seed shows it.
    pub entries: Vec<LoadedEntry>,
    /// Bugs of earlier sessions.
    pub bugs: Vec<LoadedBug>,
    /// Executions of earlier sessions, so that totals go on.
    pub execs_before: u64,
    /// Why it cannot be fuzzed: its worker did not come up when it was asked what it is. It is
    /// given up from the beginning, and people are told so; the other tests are fuzzed.
    pub given_up: Option<String>,
    /// It is given up because it skips itself: that is no failure.
    pub is_skipped: bool,
}

/// Where an entry comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Declared in code.
    Seed,
    /// A file of a directory of seeds that the user named.
    SeedFile(PathBuf),
    /// A file of the test's testdata directory.
    Testdata(PathBuf),
    /// The state's own corpus.
    Corpus,
    /// Found in this session.
    Found,
}

/// An input known before the session starts.
#[derive(Debug, Clone)]
pub struct LoadedEntry {
    /// The input in memory form.
    pub input: Input,
    /// Where it comes from.
    pub origin: Origin,
    /// Its coverage, if it was measured with this very build; `None`: run it in warm-up.
    pub coverage: Option<Vec<Feature>>,
}

/// A bug known before the session starts.
#[derive(Debug, Clone)]
pub struct LoadedBug {
    /// Its identity.
    pub signature: Signature,
    /// How it failed.
    pub kind: FailureKind,
    /// Its message, for people.
    pub message: String,
    /// The smallest input known for it; it runs in warm-up.
    pub input: Input,
    /// Where that input lies for people to see, if it does.
    pub path: Option<PathBuf>,
    /// Runs in a fresh process that failed the same way, in an earlier session.
    pub reproduced: u32,
    /// Runs in a fresh process, in an earlier session.
    pub runs: u32,
    /// The crash was written but never confirmed: the earlier session was cut off. It is confirmed
    /// now, and reported as new.
    pub is_pending: bool,
    /// It was only seen while its worker was being ended: it is a bug only if it fails again.
    pub is_doubtful: bool,
}
