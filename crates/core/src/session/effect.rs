//! Everything a session can ask for. The shell carries effects out in order and answers by events.

use std::sync::Arc;
use std::time::Duration;

use crate::coverage::Feature;
use crate::ids::{CommitToken, Epoch, Input, TestIndex, WorkerId};
use crate::schedule::Profile;
use crate::session::record::Record;
use crate::session::report::Report;
use crate::signature::Signature;

/// One thing to do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Start a process in a slot that has none. Answer: `Ready` or `StartFailed`.
    Spawn {
        /// The slot.
        worker: WorkerId,
        /// The number of the new process.
        epoch: Epoch,
        /// What it runs.
        test: TestIndex,
    },
    /// Show all workers of a test coverage that was merged; what is shown stays. Comes before any
    /// call of the same event.
    PublishCoverage {
        /// The test.
        test: TestIndex,
        /// Bits that were not shown before.
        features: Vec<Feature>,
    },
    /// Show all workers of a test the next entry of its corpus. Comes before any call that names
    /// it.
    PublishEntry {
        /// The test.
        test: TestIndex,
        /// Its position: 0, 1, 2, … with nothing left out.
        index: u32,
        /// Its bytes, in memory form.
        input: Input,
    },
    /// Send a call to a worker that waits for one. Answer: `Replied` or `Died`.
    Call {
        /// The slot.
        worker: WorkerId,
        /// The process.
        epoch: Epoch,
        /// The call.
        call: Call,
    },
    /// End the process. Answer: `Stopped` (also if a reply or a death was already on its way).
    StopWorker {
        /// The slot.
        worker: WorkerId,
        /// The process.
        epoch: Epoch,
        /// By the ladder, or at once.
        how: StopRequestKind,
    },
    /// Put a record on stable storage. Answer: `Stored` or `StoreFailed`.
    Commit {
        /// Names this commit in the answer.
        token: CommitToken,
        /// What to write.
        record: Record,
    },
    /// Tell people. Whatever it names is already on stable storage.
    Report(Report),
    /// The session is over: every worker has ended. The last effect.
    Finish,
}

/// How to end a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRequestKind {
    /// Close fuzz_in, then SIGINT, then SIGKILL, each with its deadline.
    Ladder,
    /// SIGKILL to the whole group.
    Kill,
}

/// One call to a worker.
#[derive(Debug, Clone)]
pub struct Call {
    /// The input to work on, in memory form; of a Fuzz call the first entry of the plan.
    pub input: Input,
    /// What to do with it.
    pub work: Work,
    /// Coverage merged since the last call to this process (since ever, for the first one).
    pub coverage: Vec<Feature>,
    /// Failures to count and go on over (Fuzz only).
    pub ignore: Arc<[Signature]>,
}

/// What to do with the input of a call. A limit of `None` does not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Run it once, as it is.
    Execute,
    /// Mutate and run.
    Fuzz {
        /// Executions, exact.
        execs_max: u64,
        /// Looked at between executions.
        time_max: Option<Duration>,
        /// Seed of all mutations of this call.
        rng_seed: u64,
        /// Entries to mutate; never empty. Workers without plans get one item, which is `input`.
        plan: Vec<PlanItem>,
        /// Longest input to make, in bytes.
        len_max: Option<usize>,
        /// In which way to mutate, for workers that know profiles.
        profile: Profile,
    },
    /// Find a smaller input that has all of `keep`.
    MinimizeFind {
        /// Class bits that must be kept.
        keep: Vec<Feature>,
        /// Executions.
        execs_max: u64,
        /// Looked at between executions.
        time_max: Option<Duration>,
    },
    /// Find a smaller input that fails with the same signature.
    MinimizeFailure {
        /// The signature that must be kept.
        signature: Signature,
        /// Every candidate runs in a process that the worker forks: it ends that process. Only for
        /// workers that can.
        by_fork: bool,
        /// What of the search to do; `None`: all of it. Only for workers that can.
        search: Option<SearchPart>,
        /// Executions.
        execs_max: u64,
        /// Looked at between executions.
        time_max: Option<Duration>,
    },
}

/// What of a search one call does. Candidates are numbered; the input of the call is number 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPart {
    /// The first candidate that was not judged.
    pub from: u64,
    /// Those before it that held, ascending.
    pub held: Arc<[u64]>,
    /// Which part this is, from 0: every `parts`th candidate, from `from + part` on.
    pub part: u32,
    /// Workers that take turns; at least 1. With more than one the first candidate that holds ends
    /// the call.
    pub parts: u32,
}

/// One entry of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanItem {
    /// Its position in the published corpus.
    pub entry: u32,
    /// How often to take it in relation to the others; at least 1.
    pub weight: u32,
    /// A look at it is due: its comparisons are not known to anybody.
    pub is_new: bool,
}
