//! The session state machine: every decision of one run.
//!
//! ```text
//!  Running ──budget used up, --fail-fast──▶ Draining ──crashes settled, or too late──▶ Stopping
//!     └──────────────── first signal, no worker will start ──────────────────────────▶    │
//!                       second signal: Stopping at once, by SIGKILL            all workers gone
//!                                                                                        ▼
//!                                                     Finished ◀──last commits answered── Flushing
//! ```
//!
//! Owns all state of a run by value. [`Session::handle`] is the only way in; what it returns is
//! the only way out. Must not do I/O, read a clock or draw random numbers from anywhere but its
//! own seeded generator. The parts: `slot`, `test_state`, `warmup`, `bugs`, `search` and `commits`
//! hold state; `assign`, `plans` and `shrinking` give work to workers; `account` books what it
//! cost; `replies`, `finds`, `ends` and `crashes` judge what comes back, `losses` and `suspects`
//! what only went wrong; `finish` brings a run to its end; `status` tells people.

mod account;
mod assign;
mod bugs;
mod commits;
mod config;
mod crashes;
mod effect;
mod ends;
mod event;
mod finds;
mod finish;
mod losses;
mod plans;
mod record;
mod replies;
mod report;
mod search;
mod shrinking;
mod slot;
mod status;
mod suspects;
mod test_state;
mod warmup;

pub use config::{LoadedBug, LoadedEntry, Origin, Pace, SessionConfig, TestConfig};
pub use effect::{Call, Effect, PlanItem, SearchPart, StopRequestKind, Work};
pub use event::{
    Abilities, Death, Event, Found, FoundParent, Outcome, PlanUse, Reply, StopRequest, WorkerEvent,
};
pub use record::{Record, Verdict};
pub use report::{
    Activity, BugReport, FinishReason, Report, Status, Summary, TestSummary, UnsavedCrash,
};

use std::time::Duration;

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::budget::Budget;
use crate::ids::{CommitToken, Epoch, TestIndex, WorkerId};
use crate::session::commits::{Commits, Consequence};
use crate::session::finish::Phase;
use crate::session::slot::{Slot, SlotState};
use crate::session::status::Watch;
use crate::session::test_state::TestState;

/// All state of one run, owned by value. See [`Session::handle`].
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    now: Duration,
    rng: Xoshiro256PlusPlus,
    phase: Phase,
    budget: Budget,
    slots: Vec<Slot>,
    tests: Vec<TestState>,
    commits: Commits,
    watch: Watch,
    effects: Vec<Effect>,
}

impl Session {
    /// A session that has not started; the first [`Event::Tick`] starts it.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        let tests = config.tests.iter().enumerate();
        Self {
            now: Duration::ZERO,
            rng: Xoshiro256PlusPlus::seed_from_u64(config.seed),
            phase: Phase::Running,
            budget: Budget::new(config.execs_max),
            slots: (0..config.workers).map(|_| Slot::new()).collect(),
            tests: tests.map(|(index, test)| TestState::new(TestIndex(index), test)).collect(),
            commits: Commits::default(),
            watch: Watch::default(),
            effects: Vec::new(),
            config,
        }
    }

    /// Takes one event that happened at `now` and returns what to do about it, in order.
    ///
    /// `now` counts from any fixed start; should it run backwards, it is taken to stand still.
    /// After [`Effect::Finish`] every event is ignored.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Effect> {
        self.now = self.now.max(now);
        if self.phase == Phase::Finished {
            return Vec::new();
        }
        match event {
            Event::Tick => self.on_tick(),
            Event::Stop(request) => self.on_stop(request),
            Event::Worker { worker, epoch, event } => self.on_worker(worker, epoch, event),
            Event::Stored { token, path } => {
                if let Some((consequence, has_recovered)) = self.commits.stored(token, self.now) {
                    if has_recovered {
                        self.report(Report::StoreRecovered);
                    }
                    self.on_stored(consequence, path);
                }
            }
            Event::StoreFailed { token, reason } => {
                if self.commits.failed(token, self.now) {
                    self.report(Report::StoreFailing { reason });
                }
            }
        }
        self.advance_phase();
        self.publish_all();
        self.assign_all();
        self.advance_phase();
        self.publish_all();
        std::mem::take(&mut self.effects)
    }

    fn on_tick(&mut self) {
        self.retry_commits();
        self.drain_overdue_calls();
        self.tell_losses();
        self.tell_status();
    }

    fn on_worker(&mut self, worker: WorkerId, epoch: Epoch, event: WorkerEvent) {
        let Some(slot) = self.slots.get(worker.0) else { return };
        if slot.epoch != epoch {
            return;
        }
        match event {
            WorkerEvent::Ready { pid: _, counters, can } => self.on_ready(worker, counters, can),
            WorkerEvent::StartFailed { reason } => self.on_start_failed(worker, reason),
            WorkerEvent::Found(found) => self.on_found(worker, found),
            WorkerEvent::Replied(reply) => self.on_reply(worker, reply),
            WorkerEvent::Died(death) => self.on_death(worker, death),
            WorkerEvent::Stopped { execs } => self.on_stopped(worker, execs),
        }
    }

    fn retry_commits(&mut self) {
        let due = self.commits.due(self.now);
        self.send_again(due);
    }

    fn send_again(&mut self, commits: Vec<(CommitToken, Record)>) {
        let again = commits.into_iter().map(|(token, record)| Effect::Commit { token, record });
        self.effects.extend(again);
    }

    fn commit(&mut self, record: Record, consequence: Consequence) {
        let token = self.commits.begin(record.clone(), consequence);
        self.effects.push(Effect::Commit { token, record });
    }

    fn report(&mut self, report: Report) {
        self.effects.push(Effect::Report(report));
    }

    fn stop_worker(&mut self, worker: WorkerId, how: StopRequestKind) {
        let slot = &mut self.slots[worker.0];
        let state = std::mem::replace(&mut slot.state, SlotState::Vacant);
        slot.state = match state {
            SlotState::Vacant => return,
            SlotState::Starting(test) | SlotState::Idle(test) => SlotState::Stopping(test, None),
            SlotState::Busy(test, job) => SlotState::Stopping(test, Some(job)),
            SlotState::Stopping(test, job) => {
                slot.state = SlotState::Stopping(test, job);
                if how == StopRequestKind::Ladder {
                    // Its end was asked for before; it can be hastened only.
                    return;
                }
                let epoch = slot.epoch;
                return self.effects.push(Effect::StopWorker { worker, epoch, how });
            }
        };
        let epoch = slot.epoch;
        self.effects.push(Effect::StopWorker { worker, epoch, how });
    }

    fn test(&mut self, test: TestIndex) -> &mut TestState {
        &mut self.tests[test.0]
    }
}
