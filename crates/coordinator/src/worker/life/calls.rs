//! Calls and answers of one process.
//!
//! Owns the order of what is done with a call: begun, watched, sent; and of an answer: its finds
//! first. What a call says is in `dialect`.

use std::time::Instant;

use fuzzd_core::session::{Call, Reply, WorkerEvent};

use crate::worker::call::CallLimits;
use crate::worker::dialect::{AnswerContext, InFlight, Pinged};
use crate::worker::finds::Drain;
use crate::worker::go::Next;
use crate::worker::life::{Life, UNASKED};
use crate::worker::state::{LastWord, WorkerState};

impl Life<'_> {
    pub(super) fn call(&mut self, call: Box<Call>) {
        if !matches!(self.state, WorkerState::Idle) {
            return; // What is told of the end of the process answers the call.
        }
        if self.begins_search(&call) {
            return;
        }
        if let Some(room) = self.link.needs_more_room(&call, self.client.memory()) {
            return self.grow(room, call);
        }
        let has_unread = self.client.has_unread();
        let (limits, started) = (self.call_limits(), Instant::now());
        let (memory, target) = (self.client.memory(), &self.target);
        let (talk, line) = self.link.begin(&call, memory, target, limits, started);
        let watch = InFlight::watch(&talk, limits, started);
        self.state = WorkerState::Calling(Box::new(InFlight { talk, started, watch }));
        self.begin_watching(started);
        match line {
            Err(reason) => self.misbehaved(reason),
            Ok(_) if has_unread => self.misbehaved(UNASKED.into()),
            Ok(line) => self.client.send(line),
        }
    }

    fn call_limits(&self) -> CallLimits {
        let settings = &self.slot.settings;
        CallLimits { input_bytes_max: settings.input_bytes_max, each: settings.limits }
    }

    pub(super) fn on_line(&mut self, line: &[u8]) {
        match self.take_state() {
            WorkerState::Pinging { .. } => self.pinged(line),
            WorkerState::Calling(in_flight) => self.answered(in_flight, line),
            WorkerState::Stopping { ladder, mut in_flight } => {
                self.drain_last(in_flight.as_deref_mut());
                let reply = in_flight.as_mut().and_then(|call| self.last_reply(call, line));
                // A graceful stop brings the last reply home.
                let in_flight = in_flight.filter(|_| reply.is_none());
                self.untold.extend(reply.map(WorkerEvent::Replied));
                self.state = WorkerState::Stopping { ladder, in_flight };
            }
            before @ (WorkerState::Idle
            | WorkerState::Searching
            | WorkerState::PipeClosed { .. }
            | WorkerState::Condemned { .. }
            | WorkerState::Exited) => {
                self.state = before;
                self.misbehaved(UNASKED.into());
            }
        }
    }

    /// A call was answered, or one step of it.
    fn answered(&mut self, mut in_flight: Box<InFlight>, line: &[u8]) {
        let drained = self.drain(&mut in_flight, Drain::End);
        match drained.and_then(|()| self.answer(&mut in_flight, line, false)) {
            Ok(Next::Reply(reply)) => {
                self.drain_last(Some(&mut in_flight));
                self.state = WorkerState::Idle;
                self.untold.push(WorkerEvent::Replied(reply));
            }
            Ok(Next::Line(line)) => {
                in_flight.watch =
                    InFlight::watch(&in_flight.talk, self.call_limits(), Instant::now());
                self.state = WorkerState::Calling(in_flight);
                if !self.slot.settings.finds_at_end {
                    self.drain_at_tick();
                }
                self.client.send(line);
            }
            Err(reason) => self.condemn_in_call(&mut in_flight, reason),
        }
    }

    fn answer(
        &mut self,
        in_flight: &mut InFlight,
        line: &[u8],
        is_last: bool,
    ) -> Result<Next, String> {
        let client = &self.client;
        let output = || client.output();
        let (memory, target) = (client.memory(), &*self.target);
        let context = AnswerContext { memory, target, output: &output, is_last };
        in_flight.answer(&mut self.link, &context, line)
    }

    /// The reply that a line brings of a call that is not to go on.
    pub(super) fn last_reply(&mut self, in_flight: &mut InFlight, line: &[u8]) -> Option<Reply> {
        let next = self.answer(in_flight, line, true).ok();
        self.drain_last(Some(in_flight));
        match next? {
            Next::Reply(reply) => Some(reply),
            Next::Line(_) => None,
        }
    }

    pub(super) fn pinged(&mut self, line: &[u8]) {
        let pinged = self.link.pinged(line, self.client.memory(), &self.target);
        let (counters, can) = match pinged {
            Ok(Pinged::Ready { counters, can }) => (counters, can),
            Ok(Pinged::Changed) => {
                let reason = "the types of its parameters changed since it was probed".into();
                return self.condemn(LastWord::StartFailed(reason));
            }
            Err(error) => return self.condemn(LastWord::StartFailed(error.to_string())),
        };
        self.state = WorkerState::Idle;
        match self.beside.first_call.take() {
            Some(call) => self.call(call),
            None => {
                let pid = self.client.pid();
                self.untold.push(WorkerEvent::Ready { pid, counters, can });
            }
        }
    }
}
