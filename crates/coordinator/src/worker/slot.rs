//! The place of one worker in the session: what is asked of it, and where its events go.
//!
//! Owns the task's ends of both queues between it and the event loop, and the settings that all
//! slots share. Must not know what a process does.

use std::sync::Arc;

use fuzzd_core::ids::{Epoch, WorkerId};
use fuzzd_core::session::{Call, Event, StopRequestKind, WorkerEvent};
use tokio::sync::mpsc;

use crate::worker::target::{WorkerSettings, WorkerTarget};

/// What the loop asks of a slot.
#[derive(Debug)]
pub(crate) enum Command {
    /// Start a process; the slot has none.
    Spawn { epoch: Epoch, target: Arc<WorkerTarget> },
    /// Send a call; none is in flight.
    Call { epoch: Epoch, call: Box<Call> },
    /// End the process.
    Stop { epoch: Epoch, how: StopRequestKind },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) worker: WorkerId,
    pub(super) settings: WorkerSettings,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) events: mpsc::Sender<Event>,
}

impl Slot {
    /// Waits while the loop's queue is full; a loop that is gone needs no events.
    pub(super) async fn tell(&self, epoch: Epoch, event: WorkerEvent) {
        let event = Event::Worker { worker: self.worker, epoch, event };
        drop(self.events.send(event).await);
    }
}
