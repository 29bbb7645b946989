//! What calls cost: executions against the budget, time against the share of a test.
//!
//! Owns the booking of every call that ended, however it ended. Must not judge what came of it.
//! What a worker claims is hostile input: executions are clamped to what was granted, and a test's
//! share of the workers is measured with the session's own clock.

use std::time::Duration;

use crate::corpus::EntryIndex;
use crate::ids::{TestIndex, WorkerId};
use crate::session::Session;
use crate::session::assign::micros;
use crate::session::config::Pace;
use crate::session::slot::{Find, Job};
use crate::session::warmup::WarmupItem;
use crate::signature::Signature;

/// What a worker says a call took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Claim {
    pub(super) execs: u64,
    pub(super) execs_other: u64,
    /// `None`: the call was not answered.
    pub(super) elapsed: Option<Duration>,
    pub(super) finds: u64,
}

/// A job whose executions are booked.
#[derive(Debug)]
pub(super) enum SpentJob {
    Warmup(WarmupItem),
    Fuzz { entry: EntryIndex },
    MinimizeFind(Find),
    Confirm(Signature),
    MinimizeFailure(Signature),
    Recheck(Signature),
}

impl Session {
    /// Books a call that ended, and settles the budget.
    pub(super) fn account(
        &mut self,
        worker: WorkerId,
        test: TestIndex,
        job: Job,
        claim: Claim,
    ) -> SpentJob {
        let mut executed = 0;
        let spent = match job {
            Job::Fuzz { entry, reservation } => {
                executed = self.budget.settle(reservation, claim.execs);
                SpentJob::Fuzz { entry }
            }
            Job::MinimizeFind(find) => SpentJob::MinimizeFind(find),
            Job::Warmup(item) => SpentJob::Warmup(item),
            Job::Confirm(signature) => SpentJob::Confirm(signature),
            Job::MinimizeFailure(signature) => SpentJob::MinimizeFailure(signature),
            Job::Recheck(signature) => SpentJob::Recheck(signature),
        };
        let all = executed.saturating_add(claim.execs_other);
        let took = self.now.saturating_sub(self.slots[worker.0].called_at);
        let (cost, own_cost) = match self.config.pace {
            Pace::Clock => {
                (micros(took), micros(claim.elapsed.map_or(took, |claimed| claimed.min(took))))
            }
            Pace::Executions => (all, all),
        };
        let slot = &mut self.slots[worker.0];
        slot.stay = slot.stay.saturating_add(cost);
        let state = &mut self.tests[test.0];
        state.charge(cost);
        state.execs = state.execs.saturating_add(executed);
        state.execs_other = state.execs_other.saturating_add(claim.execs_other);
        match &spent {
            SpentJob::Fuzz { entry } => {
                state.fuzz_cost = state.fuzz_cost.saturating_add(own_cost);
                state.corpus.charge(*entry, own_cost, claim.finds);
            }
            SpentJob::MinimizeFind(_) => {
                state.minimize_cost = state.minimize_cost.saturating_add(own_cost);
            }
            SpentJob::Warmup(_)
            | SpentJob::Confirm(_)
            | SpentJob::MinimizeFailure(_)
            | SpentJob::Recheck(_) => {}
        }
        if all > 0 {
            self.watch.count_progress(self.now, claim.execs_other);
        }
        spent
    }
}
