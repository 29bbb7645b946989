//! The states of one worker process, and the stop ladder.
//!
//! ```text
//!  Spawning ──► Pinging ──► Idle ◄──► Calling, Searching
//!     │            ├─────────┴───────────┤   pipe closed
//!     │            │                     ├────────────────► PipeClosed ──1 s──┐
//!     │            │                     │   deadline, hang, memory, garbage  ▼
//!     │            └─────────────────────┴──────────────────────────────► Condemned
//!     ▼
//!  any of them, when a stop is asked for ──► Stopping(StopStage)
//!  any of them, when the process is gone ──► Exited
//!
//!  StopStage:  CloseInput ──1 s──► Interrupt ──1 s──► Kill ──0.3 s──► Reaped or abandoned
//!              (a call in flight: at once)      ▲ an urgent stop comes in here
//! ```
//! Condemned is killed by us for a reason of its own; the reason is told once it is gone. A Go
//! process that hangs may list its goroutines before. Spawning has no variant here: there is no
//! process yet. Searching is Idle to the process: others run the candidates of a search for it.
//! Must not do anything to a process: [`StopLadder`] says what is to be done next.

use std::time::{Duration, Instant};

use fuzzd_core::death::Cause;
use fuzzd_core::session::StopRequestKind;

use crate::limits::{INTERRUPT_AFTER, KILL_AFTER, REAP_DEADLINE};
use crate::worker::dialect::InFlight;

/// What is told once a process is gone.
#[derive(Debug)]
pub(super) enum LastWord {
    /// It never answered `Ping`; why, for people.
    StartFailed(String),
    /// It died of this, maybe in a call.
    Died(Cause, Option<Box<InFlight>>),
    /// Everything was told already.
    Nothing,
}

/// The state of one process.
#[derive(Debug)]
pub(super) enum WorkerState {
    /// It was sent `Ping`.
    Pinging { deadline: Instant },
    /// It waits for a call.
    Idle,
    /// A call is in flight.
    Calling(Box<InFlight>),
    /// It closed a protocol pipe. It is given a moment to end by itself.
    PipeClosed { word: LastWord, deadline: Instant },
    /// A search is under way in processes of its own.
    Searching,
    /// It was killed by us, for a reason of its own; or is given until `kill_at` for last words.
    Condemned { word: LastWord, deadline: Instant, kill_at: Option<Instant> },
    /// Its end was asked for.
    Stopping { ladder: StopLadder, in_flight: Option<Box<InFlight>> },
    /// It is gone, and everything was told.
    Exited,
}

impl WorkerState {
    /// What is to be told if the process ends in this state, and nobody asked for it.
    pub(super) fn into_last_word(self) -> LastWord {
        match self {
            Self::Pinging { .. } => {
                LastWord::StartFailed("it ended before it answered Ping".into())
            }
            Self::Idle | Self::Searching => LastWord::Died(Cause::Itself, None),
            Self::Calling(in_flight) => LastWord::Died(Cause::Itself, Some(in_flight)),
            Self::PipeClosed { word, .. } | Self::Condemned { word, .. } => word,
            Self::Stopping { .. } | Self::Exited => LastWord::Nothing,
        }
    }
}

/// Where a stop stands. Only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StopStage {
    /// fuzz_in is closed.
    CloseInput,
    /// SIGINT was sent.
    Interrupt,
    /// SIGKILL was sent.
    Kill,
    /// It is gone, or was given up.
    Reaped,
}

/// What to do to the process now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopStep {
    /// Set the stop flag in memory and close fuzz_in.
    CloseInput,
    /// SIGINT to the worker's process.
    Interrupt,
    /// SIGKILL to the group.
    Kill,
    /// It is stuck in the kernel: go on without it.
    Abandon,
}

/// One stop under way.
#[derive(Debug)]
pub(super) struct StopLadder {
    stage: StopStage,
    deadline: Instant,
}

impl StopLadder {
    /// Begins a stop, and says what to do at once.
    pub(super) fn begin(
        how: StopRequestKind,
        is_calling: bool,
        now: Instant,
    ) -> (Self, &'static [StopStep]) {
        match (how, is_calling) {
            (StopRequestKind::Ladder, false) => {
                let deadline = now + INTERRUPT_AFTER;
                (Self { stage: StopStage::CloseInput, deadline }, &[StopStep::CloseInput])
            }
            (StopRequestKind::Ladder, true) => {
                let deadline = now + KILL_AFTER;
                let steps = &[StopStep::CloseInput, StopStep::Interrupt];
                (Self { stage: StopStage::Interrupt, deadline }, steps)
            }
            (StopRequestKind::Kill, _) => {
                let deadline = now + REAP_DEADLINE;
                (Self { stage: StopStage::Kill, deadline }, &[StopStep::CloseInput, StopStep::Kill])
            }
        }
    }

    /// A further request while the stop is under way.
    pub(super) fn hurry(&mut self, how: StopRequestKind, now: Instant) -> Option<StopStep> {
        match (how, self.stage) {
            (StopRequestKind::Kill, StopStage::CloseInput | StopStage::Interrupt) => {
                Some(self.advance(StopStage::Kill, now + REAP_DEADLINE, StopStep::Kill))
            }
            (StopRequestKind::Kill, StopStage::Kill | StopStage::Reaped)
            | (StopRequestKind::Ladder, _) => None,
        }
    }

    /// Looks at the clock. `gap` is time in which the coordinator itself did not run.
    pub(super) fn tick(&mut self, now: Instant, gap: Duration) -> Option<StopStep> {
        self.deadline += gap;
        if now < self.deadline {
            return None;
        }
        match self.stage {
            StopStage::CloseInput => {
                Some(self.advance(StopStage::Interrupt, now + KILL_AFTER, StopStep::Interrupt))
            }
            StopStage::Interrupt => {
                Some(self.advance(StopStage::Kill, now + REAP_DEADLINE, StopStep::Kill))
            }
            StopStage::Kill => Some(self.advance(StopStage::Reaped, now, StopStep::Abandon)),
            StopStage::Reaped => None,
        }
    }

    fn advance(&mut self, stage: StopStage, deadline: Instant, step: StopStep) -> StopStep {
        assert!(self.stage < stage, "a stop only moves forward");
        *self = Self { stage, deadline };
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StopRequestKind::{Kill, Ladder};

    const NO_GAP: Duration = Duration::ZERO;

    #[test]
    fn an_idle_worker_climbs_the_whole_ladder() {
        let start = Instant::now();
        let (mut ladder, steps) = StopLadder::begin(Ladder, false, start);
        assert_eq!(steps, [StopStep::CloseInput]);
        let almost = start + INTERRUPT_AFTER - Duration::from_millis(1);
        assert_eq!(ladder.tick(almost, NO_GAP), None);
        let interrupted = start + INTERRUPT_AFTER;
        assert_eq!(ladder.tick(interrupted, NO_GAP), Some(StopStep::Interrupt));
        let killed = interrupted + KILL_AFTER;
        assert_eq!(ladder.tick(killed, NO_GAP), Some(StopStep::Kill));
        assert_eq!(ladder.tick(killed, NO_GAP), None);
        assert_eq!(ladder.tick(killed + REAP_DEADLINE, NO_GAP), Some(StopStep::Abandon));
        assert_eq!(ladder.tick(killed + KILL_AFTER, NO_GAP), None);
    }

    #[test]
    fn a_call_in_flight_is_interrupted_at_once() {
        let start = Instant::now();
        let (mut ladder, steps) = StopLadder::begin(Ladder, true, start);
        assert_eq!(steps, [StopStep::CloseInput, StopStep::Interrupt]);
        assert_eq!(ladder.tick(start + KILL_AFTER, NO_GAP), Some(StopStep::Kill));
    }

    #[test]
    fn a_late_kill_jumps_ahead_once() {
        let start = Instant::now();
        for is_calling in [false, true] {
            let (mut ladder, _) = StopLadder::begin(Ladder, is_calling, start);
            assert_eq!(ladder.hurry(Ladder, start), None);
            assert_eq!(ladder.hurry(Kill, start), Some(StopStep::Kill));
            assert_eq!(ladder.hurry(Kill, start), None);
            assert_eq!(ladder.hurry(Ladder, start), None);
            assert_eq!(ladder.tick(start + REAP_DEADLINE, NO_GAP), Some(StopStep::Abandon));
        }
        let (_, steps) = StopLadder::begin(Kill, true, start);
        assert_eq!(steps, [StopStep::CloseInput, StopStep::Kill]);
    }

    #[test]
    fn time_in_which_we_did_not_run_does_not_count() {
        let start = Instant::now();
        let (mut ladder, _) = StopLadder::begin(Ladder, false, start);
        let gap = Duration::from_secs(60);
        assert_eq!(ladder.tick(start + gap, gap), None);
        let step = ladder.tick(start + gap + INTERRUPT_AFTER, NO_GAP);
        assert_eq!(step, Some(StopStep::Interrupt));
    }
}
