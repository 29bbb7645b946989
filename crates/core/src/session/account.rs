//! What calls cost: executions against the budget, time against the share of a test.
//!
//! Owns the booking of every call that ended, however it ended. Must not judge what came of it.
//! What a worker claims is hostile input: executions are clamped to what was granted, and a test's
//! share of the workers is measured with the session's own clock.

use std::time::Duration;

use crate::corpus::EntryIndex;
use crate::ids::{TestIndex, WorkerId};
use crate::limits::EXEC_TIME_PACED;
use crate::schedule::{Pick, Visit};
use crate::session::Session;
use crate::session::assign::micros;
use crate::session::config::Pace;
use crate::session::event::PlanUse;
use crate::session::search::SpentSearch;
use crate::session::slot::{Find, FuzzJob, Job};
use crate::session::warmup::WarmupItem;
use crate::signature::Signature;

/// What a worker says a call took.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    pub(super) execs: u64,
    pub(super) execs_other: u64,
    /// `None`: the call was not answered.
    pub(super) elapsed: Option<Duration>,
    /// The call ended with a new find.
    pub(super) has_find: bool,
    /// One for each item of the plan, or none.
    pub(super) plan: Vec<PlanUse>,
    /// The finds of the call that it did not look at.
    pub(super) unlooked: Vec<usize>,
}

/// A job whose executions are booked.
#[derive(Debug)]
pub(super) enum SpentJob {
    Warmup(WarmupItem),
    /// The first entry of its plan.
    Fuzz {
        entry: EntryIndex,
    },
    MinimizeFind(Find),
    Confirm(Signature),
    MinimizeFailure(SpentSearch),
    Recheck(Signature),
}

impl Session {
    /// Books a call that ended, and settles the budget.
    pub(super) fn account(
        &mut self,
        worker: WorkerId,
        test: TestIndex,
        job: Job,
        mut claim: Claim,
    ) -> SpentJob {
        let took = self.now.saturating_sub(self.slots[worker.0].called_at);
        // Executions of the pace know no time that a worker claims.
        let own = match self.config.pace {
            Pace::Clock => claim.elapsed.map_or(took, |claimed| claimed.min(took)),
            Pace::Executions => Duration::ZERO,
        };
        let mut executed = 0;
        let spent = match job {
            Job::Fuzz(job) => {
                let entry = job.plan[0].entry;
                executed = self.book_plan(test, job, own, &mut claim);
                SpentJob::Fuzz { entry }
            }
            Job::MinimizeFind(find) => SpentJob::MinimizeFind(find),
            Job::Warmup(item) => SpentJob::Warmup(item),
            Job::Confirm(signature) => SpentJob::Confirm(signature),
            Job::MinimizeFailure(job) => {
                let walked = match self.config.pace {
                    Pace::Clock => took.saturating_sub(own),
                    Pace::Executions => Duration::ZERO,
                };
                SpentJob::MinimizeFailure(job.spent(claim.execs_other, own, walked))
            }
            Job::Recheck(signature) => SpentJob::Recheck(signature),
        };
        let all = executed.saturating_add(claim.execs_other);
        let (cost, own_cost) = match self.config.pace {
            Pace::Clock => (micros(took), micros(own)),
            Pace::Executions => (all, all),
        };
        let slot = &mut self.slots[worker.0];
        slot.stay = slot.stay.saturating_add(cost);
        let weight = self.weight(test);
        let state = &mut self.tests[test.0];
        state.share.charge(cost, weight);
        state.execs = state.execs.saturating_add(executed);
        state.execs_other = state.execs_other.saturating_add(claim.execs_other);
        match &spent {
            SpentJob::Fuzz { .. } => state.fuzz_cost = state.fuzz_cost.saturating_add(own_cost),
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

    /// Books a Fuzz call with the entries of its plan. Returns the executions that count.
    fn book_plan(
        &mut self,
        test: TestIndex,
        mut job: FuzzJob,
        own: Duration,
        claim: &mut Claim,
    ) -> u64 {
        let executed = self.budget.settle(job.reservation, claim.execs);
        let own = match self.config.pace {
            Pace::Clock => own,
            Pace::Executions => paced(executed),
        };
        if claim.has_find {
            job.finds[0] += 1.0;
        }
        let uses = std::mem::take(&mut claim.plan);
        let workers = u32::try_from(self.slots.len()).unwrap_or(u32::MAX).max(1);
        let state = &mut self.tests[test.0];
        state.schedule.book_call(own / workers, job.has_edge);
        state.profiles.book(job.profile, own, job.finds.iter().sum(), &mut self.rng);
        let shares = if uses.len() == job.plan.len() {
            believed(&uses, executed, own)
        } else {
            spread(&job.plan, executed, own)
        };
        for ((pick, (execs, elapsed)), finds) in job.plan.iter().zip(shares).zip(&job.finds) {
            let elapsed = match self.config.pace {
                Pace::Clock => elapsed,
                Pace::Executions => paced(execs),
            };
            if execs > 0 || *finds > 0.0 {
                state.schedule.book(pick.entry, &Visit { execs, elapsed, finds: *finds });
            }
        }
        for (position, pick) in job.plan.iter().enumerate().filter(|(_, pick)| pick.is_new) {
            let has_looked = uses.get(position).is_some_and(|used| used.execs > 0);
            state.schedule.end_look(pick.entry, has_looked);
        }
        for told in claim.unlooked.iter().filter_map(|&find| job.told.get(find)) {
            if told.is_entry {
                state.schedule.owe_look(told.entry);
            }
        }
        if claim.elapsed.is_none() {
            // Whether the worker came to look at what is new is not known.
            let new = job.plan.iter().filter(|pick| pick.is_new).map(|pick| pick.entry);
            let told = job.told.iter().filter(|told| told.is_entry).map(|told| told.entry);
            new.chain(told).for_each(|entry| state.schedule.unsee(entry));
        }
        executed
    }
}

/// What so many executions count as, where they replace the clock.
fn paced(execs: u64) -> Duration {
    let nanos = u64::try_from(EXEC_TIME_PACED.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(nanos.saturating_mul(execs))
}

/// What a worker says of each item, as far as it fits into the whole.
fn believed(uses: &[PlanUse], mut execs: u64, mut own: Duration) -> Vec<(u64, Duration)> {
    let items = uses.iter().map(|part| {
        let (item_execs, elapsed) = (part.execs.min(execs), part.elapsed.min(own));
        execs -= item_execs;
        own -= elapsed;
        (item_execs, elapsed)
    });
    items.collect()
}

/// The whole divided by weight, where nobody says what each item had of it.
fn spread(plan: &[Pick], execs: u64, own: Duration) -> Vec<(u64, Duration)> {
    let sum: u64 = plan.iter().map(|pick| u64::from(pick.weight)).sum();
    let items = plan.iter().map(|pick| {
        let part = u128::from(execs) * u128::from(pick.weight) / u128::from(sum.max(1));
        let divisor = u32::try_from(sum.max(1)).unwrap_or(u32::MAX);
        (u64::try_from(part).unwrap_or(u64::MAX), own / divisor * pick.weight)
    });
    items.collect()
}
