//! One worker slot: the decision core's picture of one worker process.
//!
//! ```text
//!             Spawn            Ready            Call
//!   Vacant ──────────▶ Starting ─────▶ Idle ◀────────▶ Busy(job)
//!      ▲                  │             │    Replied      │
//!      │   StartFailed    │             │ StopWorker      │ StopWorker
//!      ├──────────────────┘             ▼                 ▼
//!      │           Stopped          Stopping ◀────────────┘
//!      ├────────────────────────────────┘
//!      │   Died (from Idle, Busy)
//!      └──────────────────────── any
//! ```
//!
//! Must not decide anything: `assign` chooses jobs, `replies` and `ends` judge what came of them.

use std::time::Duration;

use crate::budget::Reservation;
use crate::corpus::EntryIndex;
use crate::coverage::{Feature, Gain};
use crate::ids::{Epoch, Input, TestIndex};
use crate::limits::FUZZ_CALL_TIME_START;
use crate::schedule::{Pick, Profile};
use crate::session::search::SearchJob;
use crate::session::warmup::WarmupItem;
use crate::signature::Signature;

/// What one call is for.
#[derive(Debug)]
pub(super) enum Job {
    /// Measure an input known before the session.
    Warmup(WarmupItem),
    /// Fuzz the entries of a plan.
    Fuzz(FuzzJob),
    /// Make a find smaller before it becomes an entry.
    MinimizeFind(Find),
    /// Run the input of a new crash, in a process that ran nothing else.
    Confirm(Signature),
    /// Make the input of a confirmed bug smaller, or help with it.
    MinimizeFailure(SearchJob),
    /// Run the minimized input once, in a process that ran nothing else.
    Recheck(Signature),
}

/// A Fuzz call in flight.
#[derive(Debug)]
pub(super) struct FuzzJob {
    /// Never empty.
    pub(super) plan: Vec<Pick>,
    pub(super) reservation: Reservation,
    /// What each find told so far goes back to, those that were dropped included.
    pub(super) told: Vec<Descent>,
    /// Finds kept, by item of the plan; one with new edges counts 1, others less.
    pub(super) finds: Vec<f32>,
    /// Some find brought new edges.
    pub(super) has_edge: bool,
    pub(super) profile: Profile,
}

/// What a find becomes a parent of further finds as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Descent {
    /// The entry it became, or its nearest ancestor that is one.
    pub(super) entry: EntryIndex,
    /// The item of the plan it goes back to.
    pub(super) item: usize,
    /// It became an entry itself.
    pub(super) is_entry: bool,
}

/// A find on its way into the corpus. Its new coverage is already merged, so that no other worker
/// can bring the same find again.
#[derive(Debug)]
pub(super) struct Find {
    pub(super) input: Input,
    pub(super) coverage: Vec<Feature>,
    pub(super) keep: Vec<Feature>,
    pub(super) gain: Gain,
    pub(super) parent: EntryIndex,
    /// Time of one execution; zero: not measured, or not to be depended on.
    pub(super) exec_time: Duration,
    /// Its worker looks at it, or says that it did not come to.
    pub(super) is_seen: bool,
    /// It stands in for its parent.
    pub(super) replaces_parent: bool,
}

/// The state of a slot's process.
#[derive(Debug)]
pub(super) enum SlotState {
    /// No process.
    Vacant,
    /// A process was asked for.
    Starting(TestIndex),
    /// It waits for a call.
    Idle(TestIndex),
    /// A call is in flight.
    Busy(TestIndex, Job),
    /// Its end was asked for; a job that was in flight may still be answered.
    Stopping(TestIndex, Option<Job>),
}

/// One slot.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) state: SlotState,
    pub(super) epoch: Epoch,
    /// How much of the test's coverage journal this process was told.
    pub(super) journal: usize,
    /// The process takes plans, and tells finds while a call goes on.
    pub(super) has_plans: bool,
    /// The process can minimize what would end it, by forking.
    pub(super) has_fork: bool,
    /// The process can do a part of a minimization.
    pub(super) has_search: bool,
    /// The bug whose search it takes part in, between the calls for it too.
    pub(super) search: Option<Signature>,
    /// It told something that cannot be true: nothing more of what it tells is taken.
    pub(super) is_distrusted: bool,
    /// How long its next Fuzz call may take, where it takes plans.
    pub(super) call_time: Duration,
    /// The process has run no input yet.
    pub(super) is_fresh: bool,
    /// What this stay with the test cost so far, in the unit of the session's pace.
    pub(super) stay: u64,
    /// When the call in flight was sent.
    pub(super) called_at: Duration,
}

impl Slot {
    pub(super) fn new() -> Self {
        Self {
            state: SlotState::Vacant,
            epoch: Epoch(0),
            journal: 0,
            has_plans: false,
            has_fork: false,
            has_search: false,
            search: None,
            is_distrusted: false,
            call_time: FUZZ_CALL_TIME_START,
            is_fresh: false,
            stay: 0,
            called_at: Duration::ZERO,
        }
    }

    /// The test of the slot's process, if it has one.
    pub(super) fn test(&self) -> Option<TestIndex> {
        match &self.state {
            SlotState::Vacant => None,
            SlotState::Starting(test)
            | SlotState::Idle(test)
            | SlotState::Busy(test, _)
            | SlotState::Stopping(test, _) => Some(*test),
        }
    }

    /// Whether a process that is meant to stay runs here or is about to.
    pub(super) fn is_serving(&self, test: TestIndex) -> bool {
        match &self.state {
            SlotState::Vacant | SlotState::Stopping(..) => false,
            SlotState::Starting(own) | SlotState::Idle(own) | SlotState::Busy(own, _) => {
                *own == test
            }
        }
    }

    /// A process is started in this slot: nothing is known of it.
    pub(super) fn begin(&mut self, test: TestIndex) -> Epoch {
        let epoch = Epoch(self.epoch.0 + 1);
        *self = Self { state: SlotState::Starting(test), epoch, is_fresh: true, ..Self::new() };
        epoch
    }

    /// The Fuzz call in flight, also where its end was asked for.
    pub(super) fn fuzz_job(&mut self) -> Option<(TestIndex, &mut FuzzJob)> {
        match &mut self.state {
            SlotState::Busy(test, Job::Fuzz(job))
            | SlotState::Stopping(test, Some(Job::Fuzz(job))) => Some((*test, job)),
            SlotState::Vacant
            | SlotState::Starting(_)
            | SlotState::Idle(_)
            | SlotState::Busy(..)
            | SlotState::Stopping(..) => None,
        }
    }

    /// Takes the job out of a call that just ended. `None`: there was no call in flight.
    pub(super) fn take_job(&mut self) -> Option<(TestIndex, Job)> {
        match std::mem::replace(&mut self.state, SlotState::Vacant) {
            SlotState::Busy(test, job) => {
                self.state = SlotState::Idle(test);
                Some((test, job))
            }
            SlotState::Stopping(test, job) => {
                self.state = SlotState::Stopping(test, None);
                job.map(|job| (test, job))
            }
            other @ (SlotState::Vacant | SlotState::Starting(_) | SlotState::Idle(_)) => {
                self.state = other;
                None
            }
        }
    }
}
