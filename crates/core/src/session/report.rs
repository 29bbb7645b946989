//! What the outside sees, as data. Rendering it is the command line's work.

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Failure;
use crate::ids::{EntryId, Input, TestIndex, WorkerId};
use crate::signature::Signature;

/// One thing for people and scripts to know.
#[derive(Debug, Clone)]
pub enum Report {
    /// The baseline of a test is being gathered.
    WarmupStarted {
        /// The test.
        test: TestIndex,
        /// Inputs to run; the empty one that is tried where there are none does not count.
        inputs: usize,
        /// Entries whose coverage was already known for this build.
        measured_before: usize,
    },
    /// The baseline of a test is complete: it is being fuzzed from now on.
    WarmupFinished {
        /// The test.
        test: TestIndex,
        /// Entries in the corpus.
        corpus: usize,
        /// Edges they cover.
        edges: u64,
        /// Inputs that failed, known bugs all of them.
        failing: usize,
    },
    /// Once a second.
    Status(Status),
    /// A new bug. Its crash and its testdata file are on stable storage.
    Bug(BugReport),
    /// The testdata file of a bug reported before now holds a smaller input.
    BugMinimized(BugReport),
    /// A bug of an earlier session, or a testdata file, still fails.
    KnownBug(BugReport),
    /// The input of a known bug passed.
    NoLongerFails(BugReport),
    /// A death from outside that did not reproduce, or an input during which a worker broke the
    /// protocol (kind `Protocol`, no runs); kept, but not a bug.
    Unconfirmed(BugReport),
    /// Workers would not start, misbehaved or died with no input to blame; they are replaced. At
    /// most one for each test in [`crate::limits::LOSS_INTERVAL`]; the sentence says how many.
    WorkerLost {
        /// The slot of the latest.
        worker: WorkerId,
        /// The test it ran.
        test: TestIndex,
        /// A sentence for people, maybe with the tail of its stderr.
        reason: String,
    },
    /// A test was given up because its workers would not start, or start and get nothing done.
    TestGivenUp {
        /// The test.
        test: TestIndex,
        /// The last reason; if they did start, a whole sentence that says so.
        reason: String,
    },
    /// Nothing has been executed for a while.
    Stalled {
        /// Why, as far as is known.
        reason: String,
    },
    /// The disk refused a write; it is tried again.
    StoreFailing {
        /// The disk's own words.
        reason: String,
    },
    /// The disk took a write again.
    StoreRecovered,
    /// The session is over.
    Finished(Summary),
}

/// The state of the session at one instant. Every count of things kept is of things on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Since the first execution.
    pub elapsed: Duration,
    /// Executions of newly mutated inputs in this session.
    pub execs: u64,
    /// All other executions.
    pub execs_other: u64,
    /// Over the time since the last status.
    pub execs_per_sec: f64,
    /// Edges covered, all tests.
    pub edges: u64,
    /// Features (edges with their hit classes) covered, all tests.
    pub features: u64,
    /// Corpus entries, all tests.
    pub corpus: usize,
    /// Entries added in this session.
    pub new_finds: u64,
    /// New bugs in this session.
    pub bugs: usize,
    /// Worker processes alive.
    pub workers: usize,
    /// Worker processes lost to crashes, hangs and failed starts.
    pub restarts: u64,
    /// Since the last new entry.
    pub since_last_find: Option<Duration>,
    /// What the session is doing.
    pub activity: Activity,
}

/// What a session is doing, for the status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Gathering baseline coverage.
    WarmingUp {
        /// Inputs run.
        done: usize,
        /// Inputs to run.
        total: usize,
    },
    /// Fuzzing.
    Fuzzing,
    /// The budget is used up; crashes are being confirmed and minimized.
    Draining,
    /// Ending the workers and writing what is left.
    Stopping,
}

/// One bug as shown to people.
#[derive(Debug, Clone)]
pub struct BugReport {
    /// The test.
    pub test: TestIndex,
    /// Its identity.
    pub signature: Signature,
    /// How it failed.
    pub failure: Failure,
    /// The input shown, in memory form.
    pub input: Input,
    /// The file that holds it.
    pub path: Option<PathBuf>,
    /// Runs in a fresh process that failed the same way.
    pub reproduced: u32,
    /// Runs in a fresh process.
    pub runs: u32,
    /// It did not reproduce by itself.
    pub is_flaky: bool,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// `--execs` reached.
    ExecsReached,
    /// `--time` reached.
    TimeReached,
    /// `--fail-fast`, and a new bug.
    FailFast,
    /// First signal.
    Stopped,
    /// Second signal.
    Killed,
    /// Every test was given up: no worker would start and do its work.
    WorkersWouldNotStart,
}

/// The end of a session.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Why it ended.
    pub reason: FinishReason,
    /// The last status.
    pub status: Status,
    /// One per test, in order.
    pub tests: Vec<TestSummary>,
    /// Crashes the disk would not take, or not as the bugs they are: to be shown, so that they are
    /// not lost.
    pub unsaved: Vec<UnsavedCrash>,
    /// Corpus entries the disk would not take.
    pub unsaved_entries: usize,
}

/// One test at the end of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct TestSummary {
    /// The test.
    pub test: TestIndex,
    /// Executions of newly mutated inputs in this session.
    pub execs: u64,
    /// Executions of all sessions.
    pub execs_total: u64,
    /// Edges covered.
    pub edges: u64,
    /// Counters there are.
    pub counters: usize,
    /// Corpus entries.
    pub corpus: usize,
    /// New bugs in this session.
    pub bugs_new: usize,
    /// Known bugs that still fail.
    pub bugs_known: usize,
    /// Why it was given up, if it was.
    pub given_up: Option<String>,
    /// It was given up because it skips itself: that is no failure.
    pub is_skipped: bool,
}

/// A crash that is in memory only, or whose verdict is.
#[derive(Debug, Clone)]
pub struct UnsavedCrash {
    /// The test.
    pub test: TestIndex,
    /// Address of the input.
    pub id: EntryId,
    /// The input.
    pub input: Input,
    /// How it failed.
    pub failure: Failure,
}
