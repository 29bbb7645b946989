//! One worker slot without a session: runs single inputs, each answer awaited.
//!
//! Owns the slot's task and a process in it, which is replaced after every failure.

use std::sync::Arc;
use std::time::Duration;

use fuzzd_core::coverage::Feature;
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{Epoch, Input, WorkerId};
use fuzzd_core::session::{Call, Event, Outcome, Reply, StopRequestKind, Work, WorkerEvent};
use tokio::sync::mpsc;

use crate::limits::JOIN_DEADLINE;
use crate::worker::pool::Pool;
use crate::worker::target::{WorkerSettings, WorkerTarget};

/// What came of one input.
#[derive(Debug)]
pub(crate) enum Ran {
    Passed {
        /// Its whole snapshot.
        coverage: Vec<Feature>,
        /// As long as the worker spent in the call.
        exec_time: Duration,
    },
    Rejected,
    Failed(Failure),
    /// It was not run, or nothing can be said of it; why.
    Not(String),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct RunOne {
    pool: Pool,
    events: mpsc::Receiver<Event>,
    target: Arc<WorkerTarget>,
    epoch: Epoch,
    /// A process waits for a call.
    is_ready: bool,
}

const SLOT: WorkerId = WorkerId(0);

impl RunOne {
    pub(crate) fn start(settings: WorkerSettings, target: Arc<WorkerTarget>) -> Self {
        let (pool, events) = Pool::start(1, settings);
        Self { pool, events, target, epoch: Epoch(0), is_ready: false }
    }

    /// Runs one input.
    pub(crate) async fn run(&mut self, input: Input) -> Ran {
        if !self.is_ready {
            self.epoch = Epoch(self.epoch.0 + 1);
            self.pool.spawn(SLOT, self.epoch, self.target.clone());
            match self.next().await {
                WorkerEvent::Ready { .. } => self.is_ready = true,
                WorkerEvent::StartFailed { reason } => return Ran::Not(reason),
                other @ (WorkerEvent::Found(_)
                | WorkerEvent::Replied(_)
                | WorkerEvent::Died(_)
                | WorkerEvent::Stopped { .. }) => return Ran::Not(format!("{other:?}")),
            }
        }
        let (coverage, ignore) = (Vec::new(), Arc::default());
        let call = Call { input, work: Work::Execute, coverage, ignore };
        self.pool.call(SLOT, self.epoch, call);
        match self.next().await {
            WorkerEvent::Replied(reply) => self.replied(reply).await,
            WorkerEvent::Died(death) => {
                self.is_ready = false;
                match death.input {
                    Some(_) => Ran::Failed(death.failure),
                    None => Ran::Not(death.failure.message),
                }
            }
            WorkerEvent::StartFailed { reason } => Ran::Not(reason),
            other @ (WorkerEvent::Ready { .. }
            | WorkerEvent::Found(_)
            | WorkerEvent::Stopped { .. }) => Ran::Not(format!("{other:?}")),
        }
    }

    async fn replied(&mut self, reply: Reply) -> Ran {
        let ran = match reply.outcome {
            Outcome::Passed { coverage } => {
                return Ran::Passed { coverage, exec_time: reply.elapsed };
            }
            Outcome::Rejected => return Ran::Rejected,
            Outcome::Failed { failure, .. } => Ran::Failed(failure),
            Outcome::Misbehaved { reason, .. } => Ran::Not(reason),
            Outcome::Nothing
            | Outcome::Find { .. }
            | Outcome::Minimized { .. }
            | Outcome::Searched { .. } => {
                Ran::Not("the worker answered another call than it was sent".into())
            }
        };
        self.stop(StopRequestKind::Kill).await;
        ran
    }

    async fn stop(&mut self, how: StopRequestKind) {
        self.is_ready = false;
        self.pool.stop(SLOT, self.epoch, how);
        while !matches!(self.next().await, WorkerEvent::Stopped { .. }) {}
    }

    async fn next(&mut self) -> WorkerEvent {
        loop {
            let event = tokio::select! {
                Some(event) = self.events.recv() => event,
                lost = self.pool.task_lost() => match lost {
                    Some(event) => event,
                    None => continue,
                },
            };
            self.pool.observe(&event);
            if let Event::Worker { epoch, event, .. } = event
                && epoch == self.epoch
            {
                return event;
            }
        }
    }

    /// Ends the process, if there is one, and the task.
    pub(crate) async fn close(mut self) {
        if self.is_ready {
            self.stop(StopRequestKind::Ladder).await;
        }
        drop(self.events);
        self.pool.close(JOIN_DEADLINE).await;
    }
}
