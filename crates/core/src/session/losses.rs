//! Workers that are lost with no input to blame: pauses before the next start, what people are
//! told of it, and when a test is given up.
//!
//! ```text
//!   slot:  (no pause) ──lost──▶ 10 ms ──lost──▶ 20 ms ─▶ … ─▶ 10 s
//!              ◀── a good answer of this slot
//!   test:  (no round) ──lost──▶ round 1 ──lost──▶ round 2 ─▶ … ─▶ round 8: given up
//!              ◀── a good answer of any slot
//! ```
//!
//! A slot has pauses of its own, so that a healthy worker does not hide a broken one beside it; a
//! test is given up only if none of its workers gets on. Must not judge what was lost.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::{TestIndex, WorkerId};
use crate::limits::{FAILED_STARTS_MAX, LOSS_INTERVAL, RESTART_DELAY_MAX, RESTART_DELAY_MIN};
use crate::session::Session;
use crate::session::finish::Phase;
use crate::session::report::Report;
use crate::session::test_state::Stage;

/// How a worker was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// It did not come up.
    Start,
    /// It came up, and broke the protocol.
    Protocol,
    /// It came up, and ended while no input could be blamed.
    Death,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    losses: u32,
    until: Duration,
}

/// The losses of one test.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Rounds in a row in which no worker gave a good answer. Losses of workers that were under
    /// way together are one round.
    rounds: u32,
    round_until: Duration,
    /// Since the last good answer, some were no failed starts; some did not break the protocol.
    has_started: bool,
    has_other: bool,
    /// One per slot at most.
    pauses: BTreeMap<WorkerId, Pause>,
    told_at: Option<Duration>,
    untold: u32,
    last: Option<(WorkerId, String)>,
}

impl Losses {
    /// Whether a process of this test may be started in this slot now.
    pub(super) fn may_start(&self, worker: WorkerId, now: Duration) -> bool {
        self.pauses.get(&worker).is_none_or(|pause| pause.until <= now)
    }

    /// Whether a worker of this test was lost so lately that one which runs had better be kept.
    pub(super) fn is_recent(&self, now: Duration) -> bool {
        self.round_until > now
    }

    /// Counts a loss. Returns whether the test must be given up.
    fn count(&mut self, worker: WorkerId, loss: Loss, now: Duration) -> bool {
        self.has_started |= loss != Loss::Start;
        self.has_other |= loss != Loss::Protocol;
        let pause = self.pauses.entry(worker).or_insert(Pause { losses: 0, until: now });
        pause.until = now + delay(pause.losses);
        pause.losses = pause.losses.saturating_add(1);
        if now < self.round_until {
            return false;
        }
        self.round_until = now + delay(self.rounds);
        self.rounds = self.rounds.saturating_add(1);
        self.rounds >= FAILED_STARTS_MAX
    }

    /// A process of this slot did its work.
    pub(super) fn count_good_answer(&mut self, worker: WorkerId) {
        self.pauses.remove(&worker);
        (self.rounds, self.round_until) = (0, Duration::ZERO);
        (self.has_started, self.has_other) = (false, false);
    }

    /// Notes a loss for people. Returns what to tell them now, if it is time to.
    fn note(&mut self, worker: WorkerId, reason: &str, now: Duration) -> Option<String> {
        self.untold = self.untold.saturating_add(1);
        self.last = Some((worker, reason.to_owned()));
        self.due(now).map(|(_, sentence)| sentence)
    }

    /// What was kept back and may be told now.
    fn due(&mut self, now: Duration) -> Option<(WorkerId, String)> {
        if self.told_at.is_some_and(|at| now < at + LOSS_INTERVAL) {
            return None;
        }
        let told = self.take_untold()?;
        self.told_at = Some(now);
        Some(told)
    }

    fn take_untold(&mut self) -> Option<(WorkerId, String)> {
        let (worker, reason) = self.last.take()?;
        let sentence = match std::mem::take(&mut self.untold) {
            0 | 1 => reason,
            losses => format!("{losses} losses since the last warning; the latest: {reason}"),
        };
        Some((worker, sentence))
    }

    /// Why a test is given up after a last loss for `reason`.
    fn verdict(&self, reason: &str) -> String {
        match (self.has_started, self.has_other) {
            (true, false) => format!(
                "its workers start, but each breaks the protocol while it executes inputs; the \
                 last: {reason}"
            ),
            (true, true) => {
                format!("its workers start, but none gets any work done; the last: {reason}")
            }
            (false, _) => format!("its workers would not start: {reason}"),
        }
    }
}

/// The pause after so many losses before.
fn delay(losses: u32) -> Duration {
    (RESTART_DELAY_MIN * 2u32.saturating_pow(losses.min(16))).min(RESTART_DELAY_MAX)
}

impl Session {
    /// A worker is lost with no input to blame: people are told, and the next start waits longer.
    pub(super) fn lose_worker(
        &mut self,
        worker: WorkerId,
        test: TestIndex,
        loss: Loss,
        reason: &str,
    ) {
        self.watch.restarts += 1;
        self.watch.last_loss = Some(reason.to_owned());
        let now = self.now;
        let losses = &mut self.tests[test.0].losses;
        let gives_up = losses.count(worker, loss, now);
        if let Some(reason) = losses.note(worker, reason, now) {
            self.report(Report::WorkerLost { worker, test, reason });
        }
        if gives_up && self.phase == Phase::Running && self.tests[test.0].is_alive() {
            self.give_up(test, reason);
        }
    }

    fn give_up(&mut self, test: TestIndex, reason: &str) {
        let reason = self.tests[test.0].losses.verdict(reason);
        self.test(test).stage = Stage::GivenUp { reason: reason.clone() };
        self.report(Report::TestGivenUp { test, reason });
        self.settle_open_bugs(test);
    }

    /// Tells of losses that were kept back, as far as it is time to.
    pub(super) fn tell_losses(&mut self) {
        let now = self.now;
        for index in 0..self.tests.len() {
            if let Some((worker, reason)) = self.tests[index].losses.due(now) {
                let test = TestIndex(index);
                self.report(Report::WorkerLost { worker, test, reason });
            }
        }
    }

    /// Tells of all losses that were kept back: the last chance.
    pub(super) fn tell_last_losses(&mut self) {
        for index in 0..self.tests.len() {
            if let Some((worker, reason)) = self.tests[index].losses.take_untold() {
                let test = TestIndex(index);
                self.report(Report::WorkerLost { worker, test, reason });
            }
        }
    }
}
