//! What the clock brings to one process: deadlines of its state, and the watch of its call.
//!
//! Owns how often a process is looked at. Must not judge a call: `watch` does.

use std::time::{Duration, Instant};

use fuzzd_core::death::Cause;

use crate::limits::{WATCH_TICK, WATCH_TICK_MAX};
use crate::process::{ExitStatus, GroupSignal};
use crate::worker::life::Life;
use crate::worker::state::{LastWord, WorkerState};
use crate::worker::watch::{Alarm, Sample};

impl Life<'_> {
    pub(super) fn tick(&mut self, now: Instant, gap: Duration) {
        match &mut self.state {
            WorkerState::Pinging { deadline } => {
                *deadline += gap;
                if now >= *deadline {
                    let limit = self.slot.settings.ping_deadline;
                    self.misbehaved(format!("it did not answer Ping within {limit:?}"));
                }
            }
            WorkerState::Calling(_) => {
                self.drain_at_tick();
                self.look(now, gap);
            }
            WorkerState::PipeClosed { deadline, .. } => {
                *deadline += gap;
                if now >= *deadline {
                    self.misbehaved("it closed a pipe of the protocol and lives on".into());
                }
            }
            WorkerState::Condemned { deadline, kill_at, .. } => {
                *deadline += gap;
                if kill_at.take_if(|at| now >= *at).is_some() {
                    self.client.signal(GroupSignal::Kill);
                } else if now >= *deadline {
                    let word = self.take_state().into_last_word();
                    self.say(word, ExitStatus::Unknown);
                }
            }
            WorkerState::Stopping { ladder, .. } => {
                if let Some(step) = ladder.tick(now, gap) {
                    self.carry_out(step);
                }
            }
            WorkerState::Idle | WorkerState::Searching | WorkerState::Exited => {}
        }
    }

    /// How often the clock ticks in the present state; a call in flight sees to it itself.
    pub(super) fn set_pace(&mut self) {
        match self.state {
            WorkerState::Pinging { .. } => self.client.set_tick(WATCH_TICK_MAX),
            WorkerState::PipeClosed { .. }
            | WorkerState::Condemned { .. }
            | WorkerState::Stopping { .. } => self.client.set_tick(WATCH_TICK),
            WorkerState::Idle
            | WorkerState::Searching
            | WorkerState::Calling(_)
            | WorkerState::Exited => {}
        }
    }

    /// A call begins. No tick of the ones before it is waited for, so its memory is seen to here.
    pub(super) fn begin_watching(&mut self, now: Instant) {
        let limits = self.slot.settings.limits;
        self.weigh(now, false);
        let is_near = self.memory_pace.is_near;
        self.client.restart_ticks(now, if is_near { WATCH_TICK } else { limits.tick() });
    }

    /// Reads the memory of the process, if it is time to.
    fn weigh(&mut self, now: Instant, is_urgent: bool) -> Option<u64> {
        let limit = self.slot.settings.limits.rss_limit_bytes;
        let is_due = self.memory_pace.is_due(now, is_urgent, limit);
        let rss_bytes = is_due.then(|| self.client.rss_bytes()).flatten();
        self.memory_pace.saw(now, rss_bytes, limit);
        rss_bytes
    }

    fn look(&mut self, now: Instant, gap: Duration) {
        let limits = self.slot.settings.limits;
        let WorkerState::Calling(in_flight) = &self.state else { return };
        let counts = self.client.memory().counts();
        let is_urgent = !in_flight.watch.is_calm(now, counts);
        let asks_activity = in_flight.watch.asks_activity(now, counts);
        let rss_bytes = self.weigh(now, is_urgent);
        let sample = Sample {
            counts,
            is_running: self.client.memory().is_running(),
            is_replying: self.client.has_partial_line(),
            rss_bytes,
            activity: asks_activity.then(|| self.client.activity()).flatten(),
        };
        let is_calm = !is_urgent && !self.memory_pace.is_near;
        self.client.set_tick(if is_calm { limits.tick() } else { WATCH_TICK });
        let WorkerState::Calling(in_flight) = &mut self.state else { return };
        let Some(alarm) = in_flight.watch.look(now, gap, sample) else { return };
        let cause = match alarm {
            Alarm::Misbehaved(reason) => return self.misbehaved(reason),
            Alarm::Hung { is_running } => {
                Cause::of_hang(limits.input_timeout, is_running, self.client.stopped_by())
            }
            Alarm::Memory { seen } => Cause::Memory { limit: limits.rss_limit_bytes, seen },
        };
        let asks_for_goroutines = matches!(cause, Cause::Hung { .. }) && self.is_go();
        if let WorkerState::Calling(in_flight) = self.take_state() {
            let word = LastWord::Died(cause, Some(in_flight));
            if asks_for_goroutines { self.condemn_with_dump(word) } else { self.condemn(word) }
        }
    }
}
