//! Which worker does what next.
//!
//! Owns the order of precedence: crashes in fresh processes first, then warm-up, then minimizing
//! failures, then fuzzing; and which test a worker serves. Must not judge results.

use std::time::Duration;

use crate::ids::{Input, TestIndex, WorkerId};
use crate::limits::{
    FUZZ_CALL_EXECS, MINIMIZE_FIND_EXECS, MINIMIZE_FIND_TIME, PENDING_COMMITS_MAX, SLICE_EXECS,
    SLICE_TIME, SLICE_TIME_MIN, STAYS_PER_TEST,
};
use crate::schedule::share;
use crate::session::Session;
use crate::session::bugs::BugState;
use crate::session::config::Pace;
use crate::session::effect::{Call, Effect, StopRequestKind, Work};
use crate::session::finish::Phase;
use crate::session::report::Report;
use crate::session::slot::{Find, Job, SlotState};
use crate::session::test_state::{Stage, TestState};
use crate::signature::Signature;

impl Session {
    /// Gives work to every worker that waits for some, and a process to every slot without one.
    pub(super) fn assign_all(&mut self) {
        match self.phase {
            Phase::Running | Phase::Draining { .. } => {}
            Phase::Stopping { .. } | Phase::Flushing { .. } | Phase::Finished => return,
        }
        let is_disk_behind = self.commits.len() >= PENDING_COMMITS_MAX;
        if self.config.pace == Pace::Executions && (self.commits.has_bug_work() || is_disk_behind) {
            // When the disk answers must not decide what is done next: all wait for it.
            return;
        }
        for index in 0..self.slots.len() {
            let worker = WorkerId(index);
            match self.slots[index].state {
                SlotState::Vacant => self.fill(worker),
                SlotState::Idle(test) => self.employ(worker, test),
                SlotState::Starting(_) | SlotState::Busy(..) | SlotState::Stopping(..) => {}
            }
        }
    }

    /// Starts a process in an empty slot, if some test can use it now.
    fn fill(&mut self, worker: WorkerId) {
        let Some(test) = self.choose_test(worker) else { return };
        let slot = &mut self.slots[worker.0];
        let epoch = slot.begin(test);
        self.effects.push(Effect::Spawn { worker, epoch, test });
    }

    /// Gives the next job to a worker that waits, or ends it when another test needs it more.
    fn employ(&mut self, worker: WorkerId, test: TestIndex) {
        if self.slots[worker.0].is_fresh
            && let Some(signature) = self.test(test).ledger.wants_fresh_process()
        {
            return self.run_in_fresh_process(worker, test, signature);
        }
        if !self.tests[test.0].is_alive() || self.must_hand_over(worker) {
            return self.hand_over(worker, test);
        }
        let is_draining = self.phase != Phase::Running;
        if !is_draining && self.take_warmup(worker, test) {
            return;
        }
        if self.shrink(worker, test) {
            return;
        }
        if is_draining && self.may_be_asked(worker, test) {
            return;
        }
        if is_draining || self.is_stay_over(worker, test) {
            return self.hand_over(worker, test);
        }
        if self.tests[test.0].stage == Stage::Fuzzing {
            self.fuzz(worker, test);
        }
        if matches!(self.slots[worker.0].state, SlotState::Idle(_)) {
            // Others have all that is left of the budget: nobody is kept from fuzzing.
            self.join(worker, test);
        }
    }

    /// Whether a process of this test may be started in this slot now.
    fn may_start(&self, test: &TestState, worker: WorkerId) -> bool {
        test.is_alive() && test.losses.may_start(worker, self.now)
    }

    /// Whether a crash waits for a fresh process and no slot is about to provide one.
    fn must_hand_over(&self, worker: WorkerId) -> bool {
        self.tests.iter().filter(|test| self.may_start(test, worker)).any(|test| {
            test.ledger.wants_fresh_process().is_some()
                && !self.slots.iter().enumerate().any(|(index, slot)| {
                    let comes = match slot.state {
                        SlotState::Starting(own) => own == test.index,
                        // An empty or ending slot is filled for this test first, if it may be.
                        SlotState::Vacant | SlotState::Stopping(..) => {
                            self.may_start(test, WorkerId(index))
                        }
                        SlotState::Idle(_) | SlotState::Busy(..) => false,
                    };
                    comes && index != worker.0
                })
        })
    }

    fn hand_over(&mut self, worker: WorkerId, test: TestIndex) {
        self.test(test).share.end_stay();
        self.stop_worker(worker, StopRequestKind::Ladder);
    }

    /// The test that a slot without a process serves next.
    fn choose_test(&self, worker: WorkerId) -> Option<TestIndex> {
        let may_start = |test: &&TestState| self.may_start(test, worker);
        let urgent = self.tests.iter().filter(may_start).find(|test| {
            let starting = self.slots.iter().any(|slot| match slot.state {
                SlotState::Starting(own) => own == test.index,
                SlotState::Vacant
                | SlotState::Idle(_)
                | SlotState::Busy(..)
                | SlotState::Stopping(..) => false,
            });
            test.ledger.wants_fresh_process().is_some() && !starting
        });
        if let Some(test) = urgent {
            return Some(test.index);
        }
        let wanted = self.tests.iter().filter(may_start).filter(|test| match self.phase {
            Phase::Running => !self.budget.is_used_up(),
            Phase::Draining { .. } => {
                self.wants_helper(test.index, self.servants(test.index, worker))
            }
            Phase::Stopping { .. } | Phase::Flushing { .. } | Phase::Finished => false,
        });
        wanted.min_by_key(|test| (self.standing(test.index, worker), test.index)).map(|t| t.index)
    }

    /// Cost of a test so far, with the stays under way counted in advance: least is next.
    fn standing(&self, test: TestIndex, except: WorkerId) -> u64 {
        let state = &self.tests[test.0];
        let stays = self.servants(test, except).saturating_mul(self.stay_limit());
        state.share.pass().saturating_add(share::ahead(stays, self.weight(test)))
    }

    /// What one stay with a test may cost, in the unit of the pace: shorter where the budget is so
    /// small, or the tests so many, that not every test would have its turn.
    fn stay_limit(&self) -> u64 {
        let turns = STAYS_PER_TEST * (self.tests.len() as u64).max(1);
        let workers = self.slots.len() as u64;
        match self.config.pace {
            Pace::Clock => {
                let budget = self.config.time_max.map_or(u64::MAX, micros);
                let share = budget.saturating_mul(workers) / turns;
                share.clamp(micros(SLICE_TIME_MIN), micros(SLICE_TIME))
            }
            Pace::Executions => {
                let budget = self.config.execs_max.unwrap_or(u64::MAX);
                (budget / turns).clamp(FUZZ_CALL_EXECS, SLICE_EXECS)
            }
        }
    }

    fn servants(&self, test: TestIndex, except: WorkerId) -> u64 {
        let serving = self.slots.iter().enumerate();
        serving.filter(|(index, slot)| *index != except.0 && slot.is_serving(test)).count() as u64
    }

    /// Whether the worker served this test for a whole stay and another test stands further back.
    fn is_stay_over(&mut self, worker: WorkerId, test: TestIndex) -> bool {
        if self.slots[worker.0].stay < self.stay_limit() {
            return false;
        }
        if self.tests[test.0].losses.is_recent(self.now) {
            // Nobody could take its place now.
            return false;
        }
        match self.choose_test(worker) {
            Some(next) if next != test => true,
            Some(_) | None => {
                self.slots[worker.0].stay = 0;
                self.test(test).share.end_stay();
                false
            }
        }
    }

    fn run_in_fresh_process(&mut self, worker: WorkerId, test: TestIndex, signature: Signature) {
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        let job = match &mut bug.state {
            BugState::Confirming { is_taken, .. } => {
                *is_taken = true;
                Job::Confirm(signature)
            }
            BugState::Rechecking { is_taken, .. } => {
                *is_taken = true;
                Job::Recheck(signature)
            }
            BugState::Committing
            | BugState::Settling(_)
            | BugState::Unminimized { .. }
            | BugState::Improving { .. }
            | BugState::Recording
            | BugState::Settled
            | BugState::Loaded
            | BugState::Passing => return,
        };
        let Some(input) = self.tests[test.0].bug_input(signature) else { return };
        self.send(worker, test, job, input, Work::Execute);
    }

    fn take_warmup(&mut self, worker: WorkerId, test: TestIndex) -> bool {
        if self.tests[test.0].stage != Stage::WarmingUp {
            return false;
        }
        if self.commits.len() >= PENDING_COMMITS_MAX {
            return true;
        }
        let state = self.test(test);
        let inputs = state.warmup.given;
        let measured_before = state.measured_before;
        if !std::mem::replace(&mut state.has_announced_warmup, true) {
            self.report(Report::WarmupStarted { test, inputs, measured_before });
        }
        let Some(item) = self.test(test).warmup.take() else {
            // Other workers run the last inputs and this one waits for them; unless there were
            // none, because the coverage of every entry was known.
            self.finish_warmup(test);
            return self.tests[test.0].stage == Stage::WarmingUp;
        };
        let input = item.input.clone();
        self.send(worker, test, Job::Warmup(item), input, Work::Execute);
        true
    }

    /// Makes a find smaller on the worker that found it.
    pub(super) fn minimize_find(&mut self, worker: WorkerId, test: TestIndex, find: Find) {
        let work = Work::MinimizeFind {
            keep: find.keep.clone(),
            execs_max: MINIMIZE_FIND_EXECS,
            time_max: self.time_limit(MINIMIZE_FIND_TIME),
        };
        let input = find.input.clone();
        self.send(worker, test, Job::MinimizeFind(find), input, work);
    }

    pub(super) fn send(
        &mut self,
        worker: WorkerId,
        test: TestIndex,
        job: Job,
        input: Input,
        work: Work,
    ) {
        self.publish(test);
        let state = &mut self.tests[test.0];
        let slot = &mut self.slots[worker.0];
        let (coverage, journal) = state.coverage.since(slot.journal);
        let ignore = state.ledger.ignored();
        slot.journal = journal;
        slot.is_fresh = false;
        slot.called_at = self.now;
        slot.state = SlotState::Busy(test, job);
        let epoch = slot.epoch;
        self.watch.started_at.get_or_insert(self.now);
        let call = Call { input, work, coverage, ignore };
        self.effects.push(Effect::Call { worker, epoch, call });
    }

    pub(super) fn time_limit(&self, limit: Duration) -> Option<Duration> {
        match self.config.pace {
            Pace::Clock => Some(limit),
            Pace::Executions => None,
        }
    }
}

/// Whole microseconds, saturating.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
