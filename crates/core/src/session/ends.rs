//! How worker processes begin and end.
//!
//! Owns the judgement of starts that fail, deaths and stops: the slot is freed, the budget settled,
//! and the job of a call that was in flight is passed on to `replies` and `crashes`.

use crate::ids::{TestIndex, WorkerId};
use crate::session::Session;
use crate::session::effect::StopRequestKind;
use crate::session::event::Death;
use crate::session::finish::Phase;
use crate::session::replies::SpentJob;
use crate::session::report::Report;
use crate::session::slot::{Job, SlotState};
use crate::session::test_state::Stage;

impl Session {
    /// A process answered Ping.
    pub(super) fn on_ready(&mut self, worker: WorkerId, counters: usize) {
        let SlotState::Starting(test) = self.slots[worker.0].state else { return };
        let expected = self.tests[test.0].coverage.counters();
        if counters != expected {
            let reason = format!(
                "the target changed while it was being fuzzed: {counters} counters instead of \
                 {expected}; stop and run again"
            );
            self.lose_worker(worker, test, &reason);
            return self.stop_worker(worker, StopRequestKind::Kill);
        }
        self.slots[worker.0].state = SlotState::Idle(test);
    }

    /// A process did not come up. It is gone.
    pub(super) fn on_start_failed(&mut self, worker: WorkerId, reason: String) {
        let state = std::mem::replace(&mut self.slots[worker.0].state, SlotState::Vacant);
        match state {
            SlotState::Starting(test) | SlotState::Idle(test) => {
                self.lose_worker(worker, test, &reason);
            }
            SlotState::Busy(test, job) => {
                let job = self.settle_job(test, job, 0, 0);
                self.abandon(test, job);
                self.lose_worker(worker, test, &reason);
            }
            SlotState::Stopping(test, job) => {
                if let Some(job) = job {
                    let job = self.settle_job(test, job, 0, 0);
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
                self.lose_worker(worker, test, &death.failure.message);
            }
            return;
        };
        let job = self.settle_job(test, job, death.execs, death.execs_other);
        match death.input {
            Some(input) => {
                self.watch.restarts += 1;
                self.test(test).count_good_answer();
                self.judge_failure(test, job, input, death.failure);
            }
            None => {
                self.abandon(test, job);
                self.lose_worker(worker, test, &death.failure.message);
            }
        }
    }

    /// A process ended because we asked for it. It is gone.
    pub(super) fn on_stopped(&mut self, worker: WorkerId, execs: u64) {
        let job = self.slots[worker.0].take_job();
        self.slots[worker.0].state = SlotState::Vacant;
        if let Some((test, job)) = job {
            let job = self.settle_job(test, job, execs, 0);
            self.abandon_cut_off(test, job);
        }
    }

    /// Books what a call that did not answer has executed.
    fn settle_job(&mut self, test: TestIndex, job: Job, execs: u64, execs_other: u64) -> SpentJob {
        let mut executed = 0;
        let spent = match job {
            Job::Fuzz { entry, reservation } => {
                executed = self.budget.settle(reservation, execs);
                SpentJob::Fuzz { entry }
            }
            Job::Warmup(item) => SpentJob::Warmup(item),
            Job::MinimizeFind(find) => SpentJob::MinimizeFind(find),
            Job::Confirm(signature) => SpentJob::Confirm(signature),
            Job::MinimizeFailure(signature) => SpentJob::MinimizeFailure(signature),
            Job::Recheck(signature) => SpentJob::Recheck(signature),
        };
        let state = self.test(test);
        state.execs = state.execs.saturating_add(executed);
        state.execs_other = state.execs_other.saturating_add(execs_other);
        if executed.saturating_add(execs_other) > 0 {
            self.watch.count_progress(self.now, execs_other);
        }
        spent
    }

    /// A job ends because its worker was stopped by us: no verdict, and no blame.
    fn abandon_cut_off(&mut self, test: TestIndex, job: SpentJob) {
        match job {
            SpentJob::Confirm(signature) => self.confirm_cut_off(test, signature),
            other @ (SpentJob::Warmup(_)
            | SpentJob::Fuzz { .. }
            | SpentJob::MinimizeFind(_)
            | SpentJob::MinimizeFailure(_)
            | SpentJob::Recheck(_)) => self.abandon(test, other),
        }
    }

    /// A worker is lost with no input to blame: people are told, and the next start waits longer.
    pub(super) fn lose_worker(&mut self, worker: WorkerId, test: TestIndex, reason: &str) {
        self.watch.restarts += 1;
        self.watch.last_loss = Some(reason.to_owned());
        let now = self.now;
        let gives_up = self.test(test).count_failed_start(now);
        self.report(Report::WorkerLost { worker, test, reason: reason.to_owned() });
        if gives_up && self.phase == Phase::Running && self.tests[test.0].is_alive() {
            self.give_up(test, reason);
        }
    }

    fn give_up(&mut self, test: TestIndex, reason: &str) {
        self.test(test).stage = Stage::GivenUp { reason: reason.to_owned() };
        self.report(Report::TestGivenUp { test, reason: reason.to_owned() });
        self.settle_open_bugs(test);
    }
}
