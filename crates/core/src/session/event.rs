//! Everything that can happen to a session. A closed list: all causes of work are on this page.

use std::path::PathBuf;
use std::time::Duration;

use crate::coverage::Feature;
use crate::failure::Failure;
use crate::ids::{CommitToken, Epoch, Input, WorkerId};
use crate::signature::Signature;

/// One event. Events of one worker arrive in order; those of different workers in any order.
#[derive(Debug, Clone)]
pub enum Event {
    /// Time passed. Sent at least every 100 ms, first of all to start the session.
    Tick,
    /// Somebody asked the session to stop.
    Stop(StopRequest),
    /// Something happened to the process `epoch` of `worker`.
    Worker {
        /// The slot.
        worker: WorkerId,
        /// The process in that slot; events of an older one are dropped.
        epoch: Epoch,
        /// What happened.
        event: WorkerEvent,
    },
    /// The record of this commit is on stable storage.
    Stored {
        /// The commit.
        token: CommitToken,
        /// The file it was written to for people to see, if there is one.
        path: Option<PathBuf>,
    },
    /// The record could not be written. Nothing of it was kept.
    StoreFailed {
        /// The commit.
        token: CommitToken,
        /// A sentence for people.
        reason: String,
    },
}

/// How urgently to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRequest {
    /// First signal: stop the workers by the ladder, commit what is known, end within 3 seconds.
    Graceful,
    /// Second signal: kill, commit what is already known, end.
    Immediate,
}

/// What can happen to one worker process.
#[derive(Debug, Clone)]
pub enum WorkerEvent {
    /// It answered `Ping` and waits for its first call. No input was executed in it so far.
    Ready {
        /// Process id, for people.
        pid: u32,
        /// Number of counters it announced.
        counters: usize,
        /// What it can do beyond what every worker can.
        can: Abilities,
    },
    /// It could not be started, or ended before it answered `Ping`. The process is gone.
    StartFailed {
        /// A sentence for people, with the tail of its stderr.
        reason: String,
    },
    /// It told a find while its Fuzz call goes on. Those of one call come in the order in which
    /// the worker made them, and before the end of the call; where executions replace the clock,
    /// right before it.
    Found(Found),
    /// It answered the call in flight and waits for the next.
    Replied(Reply),
    /// The process ended by itself, or was killed by us for a hang or for its memory. It is gone.
    Died(Death),
    /// The process ended after [`crate::session::Effect::StopWorker`]. It is gone. An answer to the
    /// call that was in flight may come before it, as `Replied`.
    Stopped {
        /// New mutated inputs executed by a Fuzz call that was cut off (0 otherwise).
        execs: u64,
    },
}

/// What not every worker can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// It takes plans of several entries by their position in the published corpus, and tells
    /// finds while a Fuzz call goes on.
    pub has_plans: bool,
    /// It can run the candidates of a minimization in processes it forks, and so lives on where
    /// they end theirs.
    pub has_fork: bool,
    /// It can do a part of a minimization.
    pub has_search: bool,
}

/// A find of a worker with plans, confirmed and made smaller by the worker.
#[derive(Debug, Clone)]
pub struct Found {
    /// The input.
    pub input: Input,
    /// Its whole snapshot.
    pub coverage: Vec<Feature>,
    /// What it was mutated from.
    pub parent: FoundParent,
    /// Time of one execution of it; zero if it was not measured.
    pub exec_time: Duration,
    /// It is shorter than its parent and has all the coverage that its parent was kept for.
    pub replaces_parent: bool,
}

/// What a find was mutated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundParent {
    /// The item at this position of the call's plan.
    Plan(usize),
    /// The find told as this one of the call, from 0; those that were dropped count.
    Found(usize),
}

/// What a Fuzz call did with one item of its plan, finds made from it included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanUse {
    /// Executions.
    pub execs: u64,
    /// Time they took.
    pub elapsed: Duration,
}

/// An answer to the call in flight.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Executions of newly mutated inputs (Fuzz calls only; 0 for all others).
    pub execs: u64,
    /// All other executions.
    pub execs_other: u64,
    /// Time the worker spent in the call.
    pub elapsed: Duration,
    /// Failures that the worker was told to ignore and went on over, counted.
    pub ignored: Vec<(Signature, u64)>,
    /// One for each item of the plan, in order. Empty from workers without plans, and for calls
    /// that have none.
    pub plan: Vec<PlanUse>,
    /// The finds told in this call that it did not look at, counted as for [`FoundParent`]. Numbers
    /// that stand for none mean nothing.
    pub unlooked: Vec<usize>,
    /// What came of the call.
    pub outcome: Outcome,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// `Execute`: the input passed. `coverage` is its whole snapshot.
    Passed {
        /// Every counter that was hit, with its class.
        coverage: Vec<Feature>,
    },
    /// `Execute`: the fuzz test rejected the input; it stays out of the corpus.
    Rejected,
    /// `Fuzz`: the limit was reached and nothing was found.
    Nothing,
    /// `Fuzz`: an input with coverage that the worker had not been told of.
    Find {
        /// The input.
        input: Input,
        /// Its whole snapshot.
        coverage: Vec<Feature>,
    },
    /// `Execute`, `Fuzz` or a minimization: an input failed and the worker lives.
    Failed {
        /// The input.
        input: Input,
        /// How it failed.
        failure: Failure,
    },
    /// A minimization ended; `input` is the smallest that held (maybe the one given).
    Minimized {
        /// The input.
        input: Input,
        /// Its whole snapshot (`MinimizeFind` only).
        coverage: Vec<Feature>,
    },
    /// A part of the minimization of a failure ended.
    Searched {
        /// The smallest that held, in this call or before.
        input: Input,
        /// Numbers of the candidates that held in this call, ascending.
        held: Vec<u64>,
        /// The first candidate of its part that was not judged.
        until: u64,
        /// There is none at `until` or behind it, as far as those of other parts fail.
        is_done: bool,
    },
    /// The worker answered, but not sensibly: it must be replaced. Not a crash.
    Misbehaved {
        /// A sentence for people.
        reason: String,
        /// The input it was executing, copied from memory; `None` if it executed nothing.
        input: Option<Input>,
    },
}

/// The unasked end of a worker process.
#[derive(Debug, Clone)]
pub struct Death {
    /// Classified from the exit status, the tail of its output and what we did to it.
    pub failure: Failure,
    /// The input it was executing, byte-exact; `None` if it executed nothing.
    pub input: Option<Input>,
    /// New mutated inputs the Fuzz call in flight had executed, the last one included.
    pub execs: u64,
    /// Other executions of the call in flight.
    pub execs_other: u64,
}
