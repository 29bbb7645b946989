//! The session state machine (under construction).

mod config;
mod effect;
mod event;
mod record;
mod report;

pub use config::{LoadedBug, LoadedEntry, Origin, Pace, SessionConfig, TestConfig};
pub use effect::{Call, Effect, StopRequestKind, Work};
pub use event::{Death, Event, Outcome, Reply, StopRequest, WorkerEvent};
pub use record::{Record, Verdict};
pub use report::{
    Activity, BugReport, FinishReason, Report, Status, Summary, TestSummary, UnsavedCrash,
};

use std::time::Duration;

/// All state of one run, owned by value. See [`Session::handle`].
#[derive(Debug)]
pub struct Session {}

impl Session {
    /// A session that has not started; the first [`Event::Tick`] starts it.
    #[must_use]
    pub fn new(_config: SessionConfig) -> Self {
        Self {}
    }

    /// Takes one event that happened at `now` (since any fixed start, never running backwards) and
    /// returns what to do about it, in order.
    pub fn handle(&mut self, _now: Duration, _event: Event) -> Vec<Effect> {
        Vec::new()
    }
}
