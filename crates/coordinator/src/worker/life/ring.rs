//! Finds of the call in flight: when they are taken from the ring.
//!
//! Owns the order: a find is told before the end of its call is. Must not judge a find: `finds`
//! does.

use crate::worker::dialect::InFlight;
use crate::worker::finds::Drain;
use crate::worker::life::Life;
use crate::worker::state::WorkerState;

impl Life<'_> {
    /// Takes finds of a call. The error is a sentence on what is wrong with the next one.
    pub(super) fn drain(&mut self, in_flight: &mut InFlight, drain: Drain) -> Result<(), String> {
        let memory = self.client.memory();
        in_flight.drain(&self.link, memory, &self.target, drain, &mut self.untold)
    }

    /// Takes the finds of a call that ends in any way but by a good reply: a damaged ring is no
    /// news then.
    pub(super) fn drain_last(&mut self, in_flight: Option<&mut InFlight>) {
        let Some(in_flight) = in_flight else { return };
        if let Err(reason) = self.drain(in_flight, Drain::End) {
            let worker = self.slot.worker.0;
            tracing::debug!(worker, reason, "the last finds of a worker could not be read");
        }
    }

    /// Takes a few finds of a call that goes on.
    pub(super) fn drain_at_tick(&mut self) {
        if self.slot.settings.finds_at_end || !matches!(self.state, WorkerState::Calling(_)) {
            return;
        }
        if let WorkerState::Calling(mut in_flight) = self.take_state() {
            let drained = self.drain(&mut in_flight, Drain::Tick);
            self.state = WorkerState::Calling(in_flight);
            if let Err(reason) = drained {
                self.misbehaved(reason);
            }
        }
    }
}
