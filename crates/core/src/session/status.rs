//! What people are told while a session runs.
//!
//! Owns the clock of the session (it starts at the first execution), the rate, and the warning
//! that nothing is being executed. Must not change what the session does.

use std::time::Duration;

use crate::limits::{STALL_TIME, STATUS_INTERVAL};
use crate::session::config::Pace;
use crate::session::effect::Effect;
use crate::session::finish::Phase;
use crate::session::record::Record;
use crate::session::report::{Activity, Report, Status};
use crate::session::slot::{Job, SlotState};
use crate::session::test_state::Stage;
use crate::session::{Session, commits::Consequence};

/// What the reports are made from.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When the first call that executes was sent.
    pub(super) started_at: Option<Duration>,
    pub(super) last_find_at: Option<Duration>,
    /// When an execution was last heard of, or a stall last reported.
    pub(super) last_progress_at: Duration,
    pub(super) execs_other: u64,
    pub(super) restarts: u64,
    /// The last reason a worker was lost.
    pub(super) last_loss: Option<String>,
    told_at: Option<Duration>,
    told_execs: u64,
}

impl Watch {
    /// An answer with executions came in.
    pub(super) fn count_progress(&mut self, now: Duration, execs_other: u64) {
        self.last_progress_at = now;
        self.execs_other = self.execs_other.saturating_add(execs_other);
    }
}

impl Session {
    /// Time since the first execution.
    pub(super) fn elapsed(&self) -> Duration {
        self.watch.started_at.map_or(Duration::ZERO, |at| self.now.saturating_sub(at))
    }

    /// On each tick: a status and the statistics once a second, and a warning when nothing moves.
    pub(super) fn tell_status(&mut self) {
        if self.watch.told_at.is_some_and(|at| self.now < at + STATUS_INTERVAL) {
            return;
        }
        let status = self.status();
        if self.watch.told_at.is_none() {
            // The clock may start anywhere.
            self.watch.last_progress_at = self.now;
            self.tell_given_up();
        }
        self.watch.told_at = Some(self.now);
        self.watch.told_execs = self.budget.done();
        self.report(Report::Status(status));
        self.commit_progress();
        if self.phase == Phase::Running && self.now >= self.watch.last_progress_at + STALL_TIME {
            self.watch.last_progress_at = self.now;
            let reason = self.stall_reason();
            self.report(Report::Stalled { reason });
        }
    }

    /// At the start: tests of which it is known already that no worker comes up.
    fn tell_given_up(&mut self) {
        for test in &self.tests {
            if let Stage::GivenUp { reason } = &test.stage {
                let (test, reason) = (test.index, reason.clone());
                let is_skipped = self.config.tests[test.0].is_skipped;
                let what = if is_skipped { "" } else { "its workers would not start: " };
                let reason = format!("{what}{reason}");
                self.effects.push(Effect::Report(Report::TestGivenUp { test, reason }));
            }
        }
    }

    /// The state of the session at this instant.
    pub(super) fn status(&self) -> Status {
        let span = self.now.saturating_sub(self.watch.told_at.unwrap_or_default()).as_secs_f64();
        let fresh = self.budget.done().saturating_sub(self.watch.told_execs);
        let rate = if span > 0.0 { execs_as_f64(fresh) / span } else { 0.0 };
        let bugs = self.tests.iter().map(|test| test.ledger.counts().0).sum();
        Status {
            elapsed: self.elapsed(),
            execs: self.budget.done(),
            execs_other: self.watch.execs_other,
            execs_per_sec: rate,
            edges: self.tests.iter().map(|test| test.durable.edges).sum(),
            features: self.tests.iter().map(|test| test.durable.features).sum(),
            corpus: self.tests.iter().map(|test| test.durable_corpus).sum(),
            new_finds: self.tests.iter().map(|test| test.new_finds).sum(),
            bugs,
            workers: self.slots.iter().filter(|slot| slot.test().is_some()).count(),
            restarts: self.watch.restarts,
            since_last_find: self.watch.last_find_at.map(|at| self.now.saturating_sub(at)),
            activity: self.activity(),
        }
    }

    fn activity(&self) -> Activity {
        match self.phase {
            Phase::Running => {
                let warming = self.tests.iter().filter(|test| test.stage == Stage::WarmingUp);
                let (done, total) = warming.fold((0, 0), |(done, total), test| {
                    (done + test.warmup.done(), total + test.warmup.total)
                });
                let is_fuzzing = self.slots.iter().any(|slot| match &slot.state {
                    SlotState::Busy(_, Job::Fuzz(_)) => true,
                    SlotState::Busy(..)
                    | SlotState::Vacant
                    | SlotState::Starting(_)
                    | SlotState::Idle(_)
                    | SlotState::Stopping(..) => false,
                });
                if total > 0 && !is_fuzzing {
                    Activity::WarmingUp { done, total }
                } else {
                    Activity::Fuzzing
                }
            }
            Phase::Draining { .. } => Activity::Draining,
            Phase::Stopping { .. } | Phase::Flushing { .. } | Phase::Finished => Activity::Stopping,
        }
    }

    fn stall_reason(&self) -> String {
        if self.commits.is_failing() {
            return "the disk refuses writes, crashes wait for it".into();
        }
        let starting = self.slots.iter().filter(|slot| match slot.state {
            SlotState::Vacant | SlotState::Starting(_) => true,
            SlotState::Idle(_) | SlotState::Busy(..) | SlotState::Stopping(..) => false,
        });
        if starting.count() == self.slots.len() {
            let loss = self.watch.last_loss.as_deref().unwrap_or("none has failed so far");
            return format!("no worker is up yet; last loss: {loss}");
        }
        let busy = self.slots.iter().find_map(|slot| match &slot.state {
            SlotState::Busy(test, job) => Some((*test, job, slot.called_at)),
            SlotState::Vacant
            | SlotState::Starting(_)
            | SlotState::Idle(_)
            | SlotState::Stopping(..) => None,
        });
        let Some((test, job, since)) = busy else {
            return "the workers wait for commits or are being replaced".into();
        };
        let seconds = self.now.saturating_sub(since).as_secs();
        let name = &self.config.tests[test.0].name;
        let what = match job {
            Job::Warmup(_) => "an input of the warm-up",
            // Nothing is heard of a call before its end.
            Job::Fuzz(_) if self.config.pace == Pace::Executions => "a call of many executions",
            Job::Fuzz(_) => "one mutated input",
            Job::MinimizeFind(_) | Job::MinimizeFailure(_) => "a candidate of the minimizer",
            Job::Confirm(_) | Job::Recheck(_) => "the input of a crash",
        };
        format!("{name}: {what} has been running for {seconds}s")
    }

    /// Puts the statistics of every test that moved on record.
    pub(super) fn commit_progress(&mut self) {
        let elapsed = self.elapsed();
        for index in 0..self.tests.len() {
            let test = &mut self.tests[index];
            let done = test.execs.saturating_add(test.execs_other);
            if test.is_progress_pending {
                continue;
            }
            let seen = test.ledger.take_unrecorded();
            if test.progress_execs == done && seen.is_empty() {
                continue;
            }
            test.progress_execs = done;
            test.is_progress_pending = true;
            let record = Record::Progress {
                test: test.index,
                execs: test.execs_before.saturating_add(test.execs),
                execs_other: test.execs_other,
                elapsed,
                seen,
            };
            let consequence = Consequence::ProgressKept { test: test.index };
            self.commit(record, consequence);
        }
    }
}

/// A count of executions as a floating-point number; exact below 2^53, which is decades of work.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn execs_as_f64(execs: u64) -> f64 {
    execs as f64
}
