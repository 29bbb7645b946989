//! How a run comes to its end.
//!
//! Owns the phase and its transitions (drawn in the module header of `session`). An end is a state
//! with a recorded reason, never an error: what a stop or a budget cuts off is not a failure.

use std::time::Duration;

use crate::failure::Failure;
use crate::ids::{EntryId, Input, TestIndex, WorkerId};
use crate::limits::{
    COMMIT_GRACE, COMMIT_GRACE_KILLED, COMMIT_WAIT_MAX, DRAIN_CALL_TIME, DRAIN_REFUSED_TIME,
    DRAIN_TIME,
};
use crate::session::Session;
use crate::session::bugs::BugState;
use crate::session::config::Pace;
use crate::session::effect::{Effect, StopRequestKind};
use crate::session::event::StopRequest;
use crate::session::record::Record;
use crate::session::report::{FinishReason, Report, Summary, TestSummary, UnsavedCrash};
use crate::session::slot::{Job, SlotState};
use crate::session::test_state::{Stage, TestState};
use crate::signature::Signature;

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Warming up and fuzzing.
    Running,
    /// No new fuzzing; crashes are confirmed and minimized until `until`.
    Draining { reason: FinishReason, until: Duration },
    /// Every worker was told to end.
    Stopping { reason: FinishReason },
    /// Every worker has ended; the last commits are waited for.
    Flushing { reason: FinishReason, since: Duration },
    /// Over.
    Finished,
}

impl Session {
    /// Takes every transition of the phase that is due.
    pub(super) fn advance_phase(&mut self) {
        if self.phase == Phase::Running {
            self.leave_running();
        }
        if let Phase::Draining { reason, until } = self.phase {
            let is_busy = self.slots.iter().any(|slot| match slot.state {
                SlotState::Busy(..) => true,
                // A process that starts is of use only to a bug that is open.
                SlotState::Vacant
                | SlotState::Starting(_)
                | SlotState::Idle(_)
                | SlotState::Stopping(..) => false,
            });
            let has_open_bugs = self
                .tests
                .iter()
                .any(|test| test.is_alive() && test.ledger.bugs.values().any(|b| b.is_open()));
            let is_settled = !has_open_bugs || self.waits_for_failing_disk_only();
            if self.now >= until || (!is_busy && is_settled) {
                self.begin_stopping(reason, StopRequestKind::Ladder);
            }
        }
        if let Phase::Stopping { reason } = self.phase
            && self.slots.iter().all(|slot| slot.test().is_none())
        {
            self.phase = Phase::Flushing { reason, since: self.now };
            // One more try for all that was refused, however long its pause would be.
            let refused = self.commits.waiting();
            self.send_again(refused);
        }
        if let Phase::Flushing { reason, since } = self.phase {
            self.commit_progress();
            let patience = match (reason, self.commits.has_only_refused()) {
                (FinishReason::Killed, _) => COMMIT_GRACE_KILLED,
                (_, true) => COMMIT_GRACE,
                (_, false) => COMMIT_WAIT_MAX,
            };
            if self.commits.len() == 0 || self.now >= since + patience {
                self.finish(reason);
            }
        }
    }

    /// Whether all that open bugs wait for is a disk that has refused it for a while.
    fn waits_for_failing_disk_only(&self) -> bool {
        // Paced by executions, no worker runs before the disk has taken what it refused.
        let may_run = self.config.pace == Pace::Clock;
        let waits_for_run = |test: &TestState| {
            test.is_alive() && test.ledger.bugs.values().any(|bug| bug.waits_for_run())
        };
        self.commits.has_refused_bug_work(self.now, DRAIN_REFUSED_TIME)
            && !(may_run && self.tests.iter().any(waits_for_run))
    }

    fn leave_running(&mut self) {
        let is_time_up = self.watch.started_at.is_some()
            && self.config.time_max.is_some_and(|max| self.elapsed() >= max);
        if !self.tests.iter().any(|test| test.is_alive()) {
            self.begin_stopping(FinishReason::WorkersWouldNotStart, StopRequestKind::Ladder);
        } else if self.budget.is_used_up() {
            self.begin_draining(FinishReason::ExecsReached);
        } else if is_time_up {
            self.begin_draining(FinishReason::TimeReached);
        }
    }

    /// `--fail-fast`: the bug was told.
    pub(super) fn drain_after_bug(&mut self) {
        self.begin_draining(FinishReason::FailFast);
    }

    fn begin_draining(&mut self, reason: FinishReason) {
        self.phase = Phase::Draining { reason, until: self.now + DRAIN_TIME };
    }

    /// Ends calls that go on long after the budget: they hang, which is nobody's bug by now.
    pub(super) fn drain_overdue_calls(&mut self) {
        let Phase::Draining { until, .. } = self.phase else { return };
        if self.now + DRAIN_TIME < until + DRAIN_CALL_TIME {
            return;
        }
        for index in 0..self.slots.len() {
            let is_overdue = match &self.slots[index].state {
                SlotState::Busy(_, Job::Fuzz(_) | Job::Warmup(_)) => true,
                // Paced by executions, what a find is minimized to must not depend on the clock.
                SlotState::Busy(_, Job::MinimizeFind(_)) => self.config.pace == Pace::Clock,
                SlotState::Busy(_, Job::Confirm(_) | Job::MinimizeFailure(_) | Job::Recheck(_))
                | SlotState::Vacant
                | SlotState::Starting(_)
                | SlotState::Idle(_)
                | SlotState::Stopping(..) => false,
            };
            if is_overdue {
                self.stop_worker(WorkerId(index), StopRequestKind::Ladder);
            }
        }
    }

    /// Somebody asked for the end.
    pub(super) fn on_stop(&mut self, request: StopRequest) {
        match request {
            StopRequest::Graceful => match self.phase {
                Phase::Running | Phase::Draining { .. } => {
                    self.begin_stopping(FinishReason::Stopped, StopRequestKind::Ladder);
                }
                Phase::Stopping { .. } | Phase::Flushing { .. } | Phase::Finished => {}
            },
            StopRequest::Immediate => match self.phase {
                Phase::Running | Phase::Draining { .. } | Phase::Stopping { .. } => {
                    self.begin_stopping(FinishReason::Killed, StopRequestKind::Kill);
                }
                Phase::Flushing { since, .. } => {
                    self.phase = Phase::Flushing { reason: FinishReason::Killed, since };
                }
                Phase::Finished => {}
            },
        }
    }

    fn begin_stopping(&mut self, reason: FinishReason, how: StopRequestKind) {
        self.phase = Phase::Stopping { reason };
        for index in 0..self.slots.len() {
            self.stop_worker(WorkerId(index), how);
        }
        if how == StopRequestKind::Ladder {
            for index in 0..self.tests.len() {
                self.settle_open_bugs(TestIndex(index));
            }
        }
    }

    /// No more runs will come for this test: verdicts are drawn from those there were.
    pub(super) fn settle_open_bugs(&mut self, test: TestIndex) {
        let open: Vec<Signature> = self.tests[test.0].ledger.bugs.keys().copied().collect();
        for signature in open {
            let Some(bug) = self.test(test).ledger.get_mut(signature) else { continue };
            match bug.state {
                BugState::Confirming { .. } => self.settle_confirmed(test, signature),
                BugState::Unminimized { .. } | BugState::Rechecking { .. } => {
                    bug.state = BugState::Settled;
                }
                BugState::Committing
                | BugState::Settling(_)
                | BugState::Improving { .. }
                | BugState::Recording
                | BugState::Settled
                | BugState::Loaded
                | BugState::Passing => {}
            }
        }
    }

    /// Whether the run is past the point where workers are given jobs.
    pub(super) fn is_winding_up(&self) -> bool {
        match self.phase {
            Phase::Running | Phase::Draining { .. } => false,
            Phase::Stopping { .. } | Phase::Flushing { .. } | Phase::Finished => true,
        }
    }

    fn finish(&mut self, reason: FinishReason) {
        self.phase = Phase::Finished;
        let mut unsaved = Vec::new();
        let mut unsaved_entries = 0;
        for (record, was_refused) in self.commits.unsaved() {
            match record {
                Record::Crash { test, input, failure, .. } => {
                    unsaved.push(unsaved_crash(*test, input, failure));
                }
                Record::Entry { .. } => unsaved_entries += 1,
                // The crash is kept, but nobody was told of the bug: this is the last chance.
                Record::Bug { test, signature, input, verdict } if was_refused => {
                    let bug = self.tests[test.0].ledger.bugs.get(signature);
                    if let (Some(bug), true) = (bug, verdict.is_new_bug()) {
                        unsaved.push(unsaved_crash(*test, input, &bug.failure));
                    }
                }
                // A verdict can be drawn again, coverage measured again.
                Record::Measured { .. } | Record::Bug { .. } | Record::Progress { .. } => {}
            }
        }
        let tests = self.tests.iter().map(|test| {
            let (bugs_new, bugs_known) = test.ledger.counts();
            TestSummary {
                test: test.index,
                execs: test.execs,
                execs_total: test.execs_before.saturating_add(test.execs),
                edges: test.durable.edges,
                counters: test.coverage.counters(),
                corpus: test.durable_corpus,
                bugs_new,
                bugs_known,
                given_up: match &test.stage {
                    Stage::GivenUp { reason } => Some(reason.clone()),
                    Stage::WarmingUp | Stage::Fuzzing => None,
                },
                is_skipped: self.config.tests[test.index.0].is_skipped,
            }
        });
        let tests = tests.collect();
        self.tell_last_losses();
        let summary = Summary { reason, status: self.status(), tests, unsaved, unsaved_entries };
        self.report(Report::Finished(summary));
        self.effects.push(Effect::Finish);
    }
}

fn unsaved_crash(test: TestIndex, input: &Input, failure: &Failure) -> UnsavedCrash {
    let (id, input) = (EntryId::of(input), input.clone());
    UnsavedCrash { test, id, input, failure: failure.clone() }
}
