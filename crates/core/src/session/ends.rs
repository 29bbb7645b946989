//! How worker processes begin and end.
//!
//! Owns the judgement of starts that fail, deaths and stops: the slot is freed, the budget settled,
//! and the job of a call that was in flight is passed on to `replies` and `crashes`.

use crate::failure::Failure;
use crate::ids::{TestIndex, WorkerId};
use crate::session::Session;
use crate::session::account::{Claim, SpentJob};
use crate::session::effect::StopRequestKind;
use crate::session::event::{Abilities, Death};
use crate::session::losses::Loss;
use crate::session::slot::SlotState;

impl Session {
    /// A process answered Ping.
    pub(super) fn on_ready(&mut self, worker: WorkerId, counters: usize, can: Abilities) {
        let SlotState::Starting(test) = self.slots[worker.0].state else { return };
        let expected = self.tests[test.0].coverage.counters();
        if counters != expected {
            let reason = format!(
                "the target changed while it was being fuzzed: {counters} counters instead of \
                 {expected}; stop and run again"
            );
            self.lose_worker(worker, test, Loss::Start, &reason);
            return self.stop_worker(worker, StopRequestKind::Kill);
        }
        let slot = &mut self.slots[worker.0];
        (slot.has_plans, slot.has_fork, slot.has_search) =
            (can.has_plans, can.has_fork, can.has_search);
        let state = &mut self.tests[test.0];
        (state.has_fork, state.has_search) = (can.has_fork, can.has_search);
        self.slots[worker.0].state = SlotState::Idle(test);
    }

    /// A process did not come up. It is gone.
    pub(super) fn on_start_failed(&mut self, worker: WorkerId, reason: String) {
        let state = std::mem::replace(&mut self.slots[worker.0].state, SlotState::Vacant);
        match state {
            SlotState::Starting(test) | SlotState::Idle(test) => {
                self.lose_worker(worker, test, Loss::Start, &reason);
            }
            SlotState::Busy(test, job) => {
                let job = self.account(worker, test, job, Claim::default());
                self.abandon(test, job);
                self.lose_worker(worker, test, Loss::Start, &reason);
            }
            SlotState::Stopping(test, job) => {
                if let Some(job) = job {
                    let job = self.account(worker, test, job, Claim::default());
                    self.abandon_cut_off(test, job);
                }
            }
            SlotState::Vacant => {}
        }
    }

    /// A process ended by itself, or for a hang or its memory. It is gone.
    pub(super) fn on_death(&mut self, worker: WorkerId, death: Death) {
        let was_stopping = matches!(self.slots[worker.0].state, SlotState::Stopping(..));
        let test = self.slots[worker.0].test();
        let job = self.slots[worker.0].take_job();
        self.slots[worker.0].state = SlotState::Vacant;
        let Some((test, job)) = job else {
            if let (Some(test), false) = (test, was_stopping) {
                self.lose_worker(worker, test, Loss::Death, &death.failure.message);
            }
            return;
        };
        let Death { execs, execs_other, .. } = death;
        let claim = Claim { execs, execs_other, ..Claim::default() };
        let job = self.account(worker, test, job, claim);
        match death.input {
            Some(input) => {
                self.watch.restarts += 1;
                self.test(test).losses.count_good_answer(worker);
                self.note_fatal(test, &job, &death.failure);
                self.judge_failure(test, job, input, death.failure, true);
            }
            None => {
                self.abandon(test, job);
                self.lose_worker(worker, test, Loss::Death, &death.failure.message);
            }
        }
    }

    /// A run in a fresh process ended that process: whatever its kind, this is not survived.
    fn note_fatal(&mut self, test: TestIndex, job: &SpentJob, failure: &Failure) {
        if let SpentJob::Confirm(signature) = job
            && *signature == failure.signature()
            && let Some(bug) = self.test(test).ledger.get_mut(*signature)
        {
            bug.is_fatal = true;
        }
    }

    /// A process ended because we asked for it. It is gone.
    pub(super) fn on_stopped(&mut self, worker: WorkerId, execs: u64) {
        let job = self.slots[worker.0].take_job();
        self.slots[worker.0].state = SlotState::Vacant;
        if let Some((test, job)) = job {
            let claim = Claim { execs, ..Claim::default() };
            let job = self.account(worker, test, job, claim);
            self.abandon_cut_off(test, job);
        }
    }

    /// A job ends because its worker was stopped by us: no verdict, and no blame.
    pub(super) fn abandon_cut_off(&mut self, test: TestIndex, job: SpentJob) {
        match job {
            SpentJob::Confirm(signature) => self.confirm_cut_off(test, signature),
            other @ (SpentJob::Warmup(_)
            | SpentJob::Fuzz { .. }
            | SpentJob::MinimizeFind(_)
            | SpentJob::MinimizeFailure(_)
            | SpentJob::Recheck(_)) => self.abandon(test, other),
        }
    }
}
