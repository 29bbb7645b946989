//! One process in a slot, from its start to its end: the state machine of `state` at work.
//!
//! Owns the process while it lives. Every handler is synchronous; the only waits are for the next
//! thing to happen and for room to tell it. What the clock brings is in `life::clock`.

use std::sync::Arc;
use std::time::Instant;

use fuzzd_core::death::Cause;
use fuzzd_core::ids::Epoch;
use fuzzd_core::session::{Death, Outcome, Reply, StopRequestKind, WorkerEvent};

use crate::limits::{CONDEMNED_REAP_DEADLINE, PIPE_CLOSED_GRACE};
use crate::process::{Child, ExitStatus, GroupSignal};
use crate::worker::client::{ClientEvent, WorkerClient};
use crate::worker::death::{start_failure, with_stderr};
use crate::worker::dialect::{self, InFlight, Link};
use crate::worker::slot::{Command, Slot};
use crate::worker::state::{LastWord, StopLadder, StopStep, WorkerState};
use crate::worker::target::WorkerTarget;
use crate::worker::watch::MemoryPace;

mod calls;
mod clock;
mod go;
mod ring;

pub(super) use go::Growth;

/// How a life ended.
pub(super) struct Ended {
    /// It had to be given up, stuck in the kernel.
    pub(super) stuck: Option<Child>,
    /// Another process is to go on in its place.
    pub(super) growth: Option<go::Growth>,
}

const UNASKED: &str = "it wrote a line that nobody asked for";

/// See the module.
pub(super) struct Life<'a> {
    slot: &'a mut Slot,
    epoch: Epoch,
    target: Arc<WorkerTarget>,
    client: WorkerClient,
    state: WorkerState,
    /// How it is spoken to.
    link: Link,
    /// What is done beside it.
    beside: go::Beside,
    memory_pace: MemoryPace,
    /// Told in order, before the next thing is looked at.
    untold: Vec<WorkerEvent>,
    is_loop_gone: bool,
}

impl<'a> Life<'a> {
    /// Takes over a process that was just started, and sends it `Ping`.
    pub(super) fn begin(
        slot: &'a mut Slot,
        epoch: Epoch,
        target: Arc<WorkerTarget>,
        mut client: WorkerClient,
        is_loop_gone: bool,
    ) -> Self {
        let link = Link::new(&target, &slot.settings);
        client.send(link.ping_line(client.memory()));
        let state = WorkerState::Pinging { deadline: Instant::now() + slot.settings.ping_deadline };
        let beside = go::Beside::default();
        Self {
            slot,
            epoch,
            target,
            client,
            state,
            link,
            beside,
            memory_pace: MemoryPace::default(),
            untold: Vec::new(),
            is_loop_gone,
        }
    }

    /// Lives until the process is gone.
    pub(super) async fn run(mut self, stop: Option<StopRequestKind>) -> Ended {
        if let Some(how) = stop {
            self.stop(how);
        }
        loop {
            for event in std::mem::take(&mut self.untold) {
                self.slot.tell(self.epoch, event).await;
            }
            if matches!(self.state, WorkerState::Exited) {
                let stuck = self.client.reap().is_none().then(|| self.client.abandon());
                return Ended { stuck, growth: self.beside.growth };
            }
            self.set_pace();
            tokio::select! {
                // A stop comes before everything; the client's own floods never hold it up.
                biased;
                command = self.slot.commands.recv(), if !self.is_loop_gone => {
                    self.on_command(command);
                }
                event = self.client.next() => self.on_client(event),
                reply = self.beside.searched() => self.searched(reply),
            }
        }
    }

    fn on_command(&mut self, command: Option<Command>) {
        match command {
            None => {
                self.is_loop_gone = true;
                self.stop(StopRequestKind::Kill);
            }
            Some(Command::Stop { epoch, how }) if epoch == self.epoch => self.stop(how),
            Some(Command::Call { epoch, call }) if epoch == self.epoch => self.call(call),
            Some(Command::Spawn { epoch, .. } | Command::Stop { epoch, .. })
            | Some(Command::Call { epoch, .. }) => {
                let worker = self.slot.worker.0;
                tracing::error!(worker, ?epoch, "a command for another process of the slot");
            }
        }
    }

    fn on_client(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Exited => self.exited(),
            ClientEvent::Line(line) => self.on_line(&line),
            ClientEvent::Garbage(reason) => self.misbehaved(reason),
            ClientEvent::PipeClosed => self.pipe_closed(),
            ClientEvent::Tick { now, gap } => self.tick(now, gap),
        }
    }

    fn take_state(&mut self) -> WorkerState {
        std::mem::replace(&mut self.state, WorkerState::Exited)
    }

    // ---- ends that are the worker's own doing ----

    fn misbehaved(&mut self, reason: String) {
        match self.take_state() {
            before @ (WorkerState::Condemned { .. }
            | WorkerState::Stopping { .. }
            | WorkerState::Exited) => self.state = before,
            before @ (WorkerState::Pinging { .. }
            | WorkerState::Idle
            | WorkerState::Searching
            | WorkerState::Calling(_)
            | WorkerState::PipeClosed { .. }) => match before.into_last_word() {
                LastWord::StartFailed(_) => self.condemn(LastWord::StartFailed(reason)),
                LastWord::Died(_, Some(mut in_flight)) => {
                    self.condemn_in_call(&mut in_flight, reason);
                }
                LastWord::Died(_, None) => {
                    self.condemn(LastWord::Died(Cause::Misbehaved(reason), None));
                }
                LastWord::Nothing => self.condemn(LastWord::Nothing),
            },
        }
    }

    /// Misbehaviour is a reply: the core asks for the end of the process itself. It is killed here
    /// and now nevertheless, so that it cannot do any more.
    fn condemn_in_call(&mut self, in_flight: &mut InFlight, reason: String) {
        // Dead or dying, it changes its memory no more while that is copied.
        self.client.signal(GroupSignal::Kill);
        self.drain_last(Some(in_flight));
        let (execs, execs_other) = in_flight.executed(self.client.memory());
        let input = in_flight.input_at_death(self.client.memory(), &self.target);
        let outcome = Outcome::Misbehaved { reason, input };
        let elapsed = in_flight.started.elapsed();
        let (ignored, plan, unlooked) = (Vec::new(), Vec::new(), Vec::new());
        let reply = Reply { execs, execs_other, elapsed, ignored, plan, unlooked, outcome };
        self.untold.push(WorkerEvent::Replied(reply));
        self.condemn(LastWord::Nothing);
    }

    fn condemn(&mut self, word: LastWord) {
        self.client.signal(GroupSignal::Kill);
        let deadline = Instant::now() + CONDEMNED_REAP_DEADLINE;
        self.state = WorkerState::Condemned { word, deadline, kill_at: None };
    }

    fn pipe_closed(&mut self) {
        self.state = match self.take_state() {
            before @ (WorkerState::Pinging { .. }
            | WorkerState::Idle
            | WorkerState::Searching
            | WorkerState::Calling(_)) => {
                let deadline = Instant::now() + PIPE_CLOSED_GRACE;
                WorkerState::PipeClosed { word: before.into_last_word(), deadline }
            }
            before @ (WorkerState::PipeClosed { .. }
            | WorkerState::Condemned { .. }
            | WorkerState::Stopping { .. }
            | WorkerState::Exited) => before,
        };
    }

    /// The process has ended: everything it left is taken, then it is reaped.
    fn exited(&mut self) {
        let line = self.client.take_rest();
        match self.take_state() {
            WorkerState::Stopping { mut in_flight, .. } => {
                self.drain_last(in_flight.as_deref_mut());
                let reply = in_flight
                    .as_mut()
                    .zip(line)
                    .and_then(|(in_flight, line)| self.last_reply(in_flight, &line));
                let mut in_flight = in_flight.filter(|_| reply.is_none());
                self.untold.extend(reply.map(WorkerEvent::Replied));
                self.client.reap();
                self.stopped(in_flight.as_deref_mut());
            }
            before => {
                let mut word = match (before, &line) {
                    // It may have answered before it ended.
                    (WorkerState::Pinging { .. }, Some(line)) => {
                        self.pinged(line);
                        self.take_state().into_last_word()
                    }
                    (before, _) => before.into_last_word(),
                };
                if let LastWord::Died(_, in_flight) = &mut word {
                    self.drain_last(in_flight.as_deref_mut());
                }
                if let (LastWord::Died(Cause::Itself, Some(in_flight)), Some(line)) =
                    (&mut word, line)
                    && let Some(reply) = self.last_reply(in_flight, &line)
                {
                    self.untold.push(WorkerEvent::Replied(reply));
                    word = LastWord::Died(Cause::Itself, None);
                }
                let status = self.client.reap().unwrap_or(ExitStatus::Unknown);
                self.say(word, status);
            }
        }
    }

    fn say(&mut self, word: LastWord, status: ExitStatus) {
        match word {
            LastWord::StartFailed(what) => {
                let reason = start_failure(&what, status, &self.client.output().stderr);
                self.untold.push(WorkerEvent::StartFailed { reason });
            }
            LastWord::Died(cause, mut in_flight) => {
                self.drain_last(in_flight.as_deref_mut());
                let output = self.last_output();
                let mut failure =
                    dialect::death(&self.target.spec.dialect, status, &cause, &output);
                let memory = self.client.memory();
                let (execs, execs_other) =
                    in_flight.as_ref().map_or((0, 0), |call| call.executed(memory));
                let input = in_flight.and_then(|call| call.input_at_death(memory, &self.target));
                if input.is_none() {
                    failure.message = with_stderr(failure.message, &output.stderr);
                }
                self.untold.push(WorkerEvent::Died(Death { failure, input, execs, execs_other }));
            }
            LastWord::Nothing => {}
        }
    }

    // ---- stops ----

    fn stop(&mut self, how: StopRequestKind) {
        let now = Instant::now();
        self.beside = go::Beside::default();
        if let WorkerState::Stopping { ladder, .. } = &mut self.state {
            if let Some(step) = ladder.hurry(how, now) {
                self.carry_out(step);
            }
            return;
        }
        if self.client.has_ended() {
            // It ended by itself before anything was done to it: that is told first.
            self.exited();
            self.untold.push(WorkerEvent::Stopped { execs: 0 });
            return;
        }
        let before = self.take_state();
        let is_killed = matches!(before, WorkerState::Condemned { .. });
        let how = if is_killed { StopRequestKind::Kill } else { how };
        let in_flight = match before.into_last_word() {
            LastWord::Died(_, in_flight) => in_flight,
            LastWord::StartFailed(_) | LastWord::Nothing => None,
        };
        let (ladder, steps) = StopLadder::begin(how, in_flight.is_some(), now);
        steps.iter().for_each(|&step| self.carry_out(step));
        self.state = WorkerState::Stopping { ladder, in_flight };
    }

    fn carry_out(&mut self, step: StopStep) {
        match step {
            StopStep::CloseInput => {
                self.client.memory().request_stop();
                self.client.close_input();
            }
            StopStep::Interrupt => self.client.interrupt(),
            StopStep::Kill => self.client.signal(GroupSignal::Kill),
            StopStep::Abandon => {
                if let WorkerState::Stopping { mut in_flight, .. } = self.take_state() {
                    self.stopped(in_flight.as_deref_mut());
                }
            }
        }
    }

    fn stopped(&mut self, mut in_flight: Option<&mut InFlight>) {
        self.drain_last(in_flight.as_deref_mut());
        if self.beside.growth.is_some() {
            // Nobody asked for this end.
            return;
        }
        let execs = in_flight.map_or(0, |in_flight| in_flight.executed(self.client.memory()).0);
        self.untold.push(WorkerEvent::Stopped { execs });
    }
}
