//! All worker slots of a session, as the event loop holds them.
//!
//! Owns the tasks and the ways to them. Nothing here waits for a worker. A task that panics is
//! replaced, and what the core waits for from it is answered in its place: never silence.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{Epoch, WorkerId};
use fuzzd_core::session::{Call, Death, Event, Outcome, Reply, StopRequestKind, WorkerEvent};
use fuzzd_core::signature::FailureKind;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};

use crate::limits::{COMMAND_QUEUE, EVENTS_PER_WORKER};
use crate::worker::slot::{Command, Slot};
use crate::worker::target::{WorkerSettings, WorkerTarget};
use crate::worker::task::WorkerTask;

/// What the core waits for from a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    Ready(Epoch),
    Idle(Epoch),
    Reply(Epoch),
    Stopped(Epoch),
}

#[derive(Debug)]
struct TaskHandle {
    commands: mpsc::Sender<Command>,
    awaited: Awaited,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    settings: WorkerSettings,
    events: mpsc::Sender<Event>,
    handles: Vec<TaskHandle>,
    tasks: JoinSet<()>,
    owners: HashMap<Id, WorkerId>,
    /// Tasks that ended although they were not to.
    pub(crate) lost_tasks: u32,
}

impl Pool {
    /// Starts `workers` tasks. Their events arrive on the receiver.
    pub(crate) fn start(workers: usize, settings: WorkerSettings) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel((workers * EVENTS_PER_WORKER).max(1));
        let (tasks, owners) = (JoinSet::new(), HashMap::new());
        let mut pool = Self { settings, events, handles: Vec::new(), tasks, owners, lost_tasks: 0 };
        for index in 0..workers {
            let commands = pool.start_task(WorkerId(index));
            pool.handles.push(TaskHandle { commands, awaited: Awaited::Nothing });
        }
        (pool, receiver)
    }

    fn start_task(&mut self, worker: WorkerId) -> mpsc::Sender<Command> {
        let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
        let task = WorkerTask::new(Slot {
            worker,
            settings: self.settings.clone(),
            commands: receiver,
            events: self.events.clone(),
        });
        let id = self.tasks.spawn(task.run()).id();
        self.owners.insert(id, worker);
        commands
    }

    /// Carries out `Effect::Spawn`.
    pub(crate) fn spawn(&mut self, worker: WorkerId, epoch: Epoch, target: Arc<WorkerTarget>) {
        self.handles[worker.0].awaited = Awaited::Ready(epoch);
        self.send(worker, Command::Spawn { epoch, target });
    }

    /// Carries out `Effect::Call`.
    pub(crate) fn call(&mut self, worker: WorkerId, epoch: Epoch, call: Call) {
        self.handles[worker.0].awaited = Awaited::Reply(epoch);
        self.send(worker, Command::Call { epoch, call: Box::new(call) });
    }

    /// Carries out `Effect::StopWorker`.
    pub(crate) fn stop(&mut self, worker: WorkerId, epoch: Epoch, how: StopRequestKind) {
        self.handles[worker.0].awaited = Awaited::Stopped(epoch);
        self.send(worker, Command::Stop { epoch, how });
    }

    /// The queue has room for everything the core may ask of one slot at a time.
    fn send(&mut self, worker: WorkerId, command: Command) {
        if let Err(error) = self.handles[worker.0].commands.try_send(command) {
            // A task that is gone is about to be noticed by `task_lost`.
            tracing::error!(worker = worker.0, %error, "a command did not reach its worker task");
        }
    }

    /// Takes note of an event on its way to the core.
    pub(crate) fn observe(&mut self, event: &Event) {
        let Event::Worker { worker, epoch, event } = event else { return };
        let awaited = &mut self.handles[worker.0].awaited;
        *awaited = match (*awaited, event) {
            (Awaited::Ready(own), WorkerEvent::Ready { .. }) if own == *epoch => Awaited::Idle(own),
            (Awaited::Reply(own), WorkerEvent::Replied(_)) if own == *epoch => Awaited::Idle(own),
            (
                Awaited::Ready(own)
                | Awaited::Idle(own)
                | Awaited::Reply(own)
                | Awaited::Stopped(own),
                WorkerEvent::Stopped { .. }
                | WorkerEvent::Died(_)
                | WorkerEvent::StartFailed { .. },
            ) if own == *epoch => Awaited::Nothing,
            (unchanged, _) => unchanged,
        };
    }

    /// Waits for a task to end that was not to, replaces it, and says what the core has to be told
    /// in its place. Cancel-safe.
    pub(crate) async fn task_lost(&mut self) -> Option<Event> {
        let (id, what) = match self.tasks.join_next_with_id().await {
            None => std::future::pending().await,
            Some(Ok((id, ()))) => (id, "it returned".to_owned()),
            Some(Err(error)) => (error.id(), error.to_string()),
        };
        let worker = self.owners.remove(&id)?;
        tracing::error!(worker = worker.0, what, "a worker task ended; it is replaced");
        self.lost_tasks += 1;
        let commands = self.start_task(worker);
        let handle = &mut self.handles[worker.0];
        let awaited = std::mem::replace(&mut handle.awaited, Awaited::Nothing);
        handle.commands = commands;
        let reason = format!("a task of the coordinator failed: {what}");
        let (epoch, event) = match awaited {
            Awaited::Nothing => return None,
            Awaited::Ready(epoch) => (epoch, WorkerEvent::StartFailed { reason }),
            Awaited::Idle(epoch) => {
                let failure = Failure::new(FailureKind::Protocol, "", &reason, "");
                let death = Death { failure, input: None, execs: 0, execs_other: 0 };
                (epoch, WorkerEvent::Died(death))
            }
            // The core stops a worker that misbehaved; the new task answers that.
            Awaited::Reply(epoch) => {
                handle.awaited = Awaited::Idle(epoch);
                let outcome = Outcome::Misbehaved { reason, input: None };
                let reply = Reply {
                    execs: 0,
                    execs_other: 0,
                    elapsed: Duration::ZERO,
                    ignored: Vec::new(),
                    plan: Vec::new(),
                    unlooked: Vec::new(),
                    outcome,
                };
                (epoch, WorkerEvent::Replied(reply))
            }
            Awaited::Stopped(epoch) => (epoch, WorkerEvent::Stopped { execs: 0 }),
        };
        Some(Event::Worker { worker, epoch, event })
    }

    /// Ends all tasks; a process that still lives is killed. Returns when all have ended, or after
    /// `limit`: what remains then is killed with its task.
    pub(crate) async fn close(mut self, limit: Duration) {
        self.handles.clear();
        drop(self.events);
        let joined = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, joined).await.is_err() {
            tracing::error!("worker tasks did not end in time");
        }
    }
}

#[cfg(test)]
mod tests;
