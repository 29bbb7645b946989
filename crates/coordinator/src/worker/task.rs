//! The task of one worker slot: commands of the event loop in, events out.
//!
//! Owns the slot and, through `life`, the process in it. Answers every command as the decision core
//! defines: a stop is answered by `Stopped` in any case, also when the process is already gone.
//! Must not decide when to start, call or stop. It ends when the loop drops its end of the command
//! channel; a process that still lives is killed then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fuzzd_core::ids::{Epoch, WorkerId};
use fuzzd_core::session::{Call, Event, StopRequestKind, WorkerEvent};
use fuzzd_go::pcg::Pcg;
use fuzzd_protocol::value::ValueType;
use tokio::sync::mpsc;

use crate::build_id::Build;
use crate::limits::{ABANDONED_MAX, REAP_DEADLINE};
use crate::options::{Dialect, TargetSpec};
use crate::process::{Child, Spawner};
use crate::shared::TestMemories;
use crate::worker::client::WorkerClient;
use crate::worker::life::{Ended, Growth, Life};
use crate::worker::watch::WatchLimits;

/// Go's own settings, separated by commas.
const GODEBUG: &str = "GODEBUG";

/// A fuzz test as the tasks know it.
#[derive(Debug)]
pub(crate) struct WorkerTarget {
    /// How to start it.
    pub(crate) spec: TargetSpec,
    /// The types of its parameters, as probed.
    pub(crate) types: Vec<ValueType>,
    /// The executable that was probed; `None`: whichever is there.
    pub(crate) build: Option<Arc<Build>>,
    /// What its workers share; `None`: they are given no plans.
    pub(crate) memories: Option<Arc<TestMemories>>,
    /// Words to put into inputs of a Go worker.
    pub(crate) words: Arc<[Vec<u8>]>,
    /// Bytes of memory for the input of a Go worker; grows when an input needs more.
    pub(crate) room: AtomicUsize,
}

impl WorkerTarget {
    /// How to start the process with this number. With a seed, the generator of each Go process
    /// gets one of its own: processes with the same would all make the same inputs.
    fn start_of(&self, settings: &WorkerSettings, worker: WorkerId, epoch: Epoch) -> TargetSpec {
        let mut spec = self.spec.clone();
        if let (Dialect::Go(_), Some(seed)) = (&spec.dialect, settings.go_seed) {
            let number = (worker.0 as u64) << 32 | epoch.0;
            let (seed, _) = Pcg::seeded(seed, number).save();
            let mut debug = std::env::var_os(GODEBUG).unwrap_or_default();
            debug.push(if debug.is_empty() { "" } else { "," });
            // It is read as a signed number.
            debug.push(format!("fuzzseed={}", seed >> 1));
            spec.env.push((GODEBUG.into(), debug));
        }
        spec
    }

    /// Bytes of memory for the input that the next process is given.
    fn room(&self, settings: &WorkerSettings) -> usize {
        match self.spec.dialect {
            Dialect::Native => settings.capacity,
            Dialect::Go(_) => self.room.load(Ordering::Relaxed),
        }
    }
}

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

/// What all processes of a session have in common.
#[derive(Debug, Clone)]
pub(crate) struct WorkerSettings {
    pub(crate) spawner: Spawner,
    pub(crate) limits: WatchLimits,
    /// From the start of a process to its answer to `Ping`.
    pub(crate) ping_deadline: Duration,
    /// Largest input a call can be given, in bytes of memory form.
    pub(crate) capacity: usize,
    /// Largest input a mutation may make.
    pub(crate) input_bytes_max: usize,
    /// Finds are told at the end of their call only, so that nothing depends on the clock.
    pub(crate) finds_at_end: bool,
    /// What the generators of Go workers are seeded with; `None`: with the time.
    pub(crate) go_seed: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct WorkerTask {
    pub(crate) worker: WorkerId,
    pub(crate) settings: WorkerSettings,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) events: mpsc::Sender<Event>,
    /// Processes stuck in the kernel.
    abandoned: Vec<Child>,
}

impl WorkerTask {
    pub(crate) fn new(
        worker: WorkerId,
        settings: WorkerSettings,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self { worker, settings, commands, events, abandoned: Vec::new() }
    }

    /// Serves the slot until the loop is gone.
    pub(crate) async fn run(mut self) {
        while let Some(command) = self.commands.recv().await {
            match command {
                Command::Spawn { epoch, target } => {
                    self.abandoned.retain_mut(|child| child.reap().is_none());
                    let mut growth = self.start(epoch, target.clone(), None).await;
                    while growth.is_some() {
                        growth = self.start(epoch, target.clone(), growth).await;
                    }
                }
                Command::Stop { epoch, .. } => {
                    self.tell(epoch, WorkerEvent::Stopped { execs: 0 }).await;
                }
                // Its process is gone, which was told and answers the call as well.
                Command::Call { epoch, .. } => {
                    tracing::debug!(worker = self.worker.0, ?epoch, "a call for a dead worker");
                }
            }
        }
    }

    /// Starts a process and lives with it to its end. Returns what another is to go on with.
    async fn start(
        &mut self,
        epoch: Epoch,
        target: Arc<WorkerTarget>,
        before: Option<Growth>,
    ) -> Option<Growth> {
        let (mut stop, mut is_loop_gone) = (None, false);
        let settings = self.settings.clone();
        let launched = {
            let (build, capacity) = (target.build.clone(), target.room(&settings));
            let common = target.memories.clone();
            let spec = target.start_of(&settings, self.worker, epoch);
            let launch = WorkerClient::launch(&settings.spawner, &spec, build, capacity, common);
            tokio::pin!(launch);
            loop {
                tokio::select! {
                    // A stop does not wait for a slow start.
                    biased;
                    command = self.commands.recv(), if stop.is_none() => match command {
                        Some(Command::Stop { how, .. }) => stop = Some(how),
                        None => (stop, is_loop_gone) = (Some(StopRequestKind::Kill), true),
                        Some(Command::Spawn { .. } | Command::Call { .. }) => {}
                    },
                    launched = &mut launch => break Some(launched),
                    () = tokio::time::sleep(REAP_DEADLINE), if stop.is_some() => break None,
                }
            }
        };
        match (launched, stop) {
            (Some(Ok(client)), stop) => {
                let life = Life::begin(self, epoch, target, client, is_loop_gone).after(before);
                let Ended { stuck, growth } = life.run(stop).await;
                if let Some(child) = stuck {
                    self.abandon(child);
                }
                return growth;
            }
            (Some(Err(error)), None) => {
                let reason = error.to_string();
                self.tell(epoch, WorkerEvent::StartFailed { reason }).await;
            }
            // Whatever is started after this has nobody to take it, and is killed.
            (Some(Err(_)) | None, _) => {
                self.tell(epoch, WorkerEvent::Stopped { execs: 0 }).await;
            }
        }
        None
    }

    fn abandon(&mut self, child: Child) {
        tracing::warn!(
            worker = self.worker.0,
            pid = child.pid(),
            "the worker does not end after SIGKILL: it is stuck in the kernel and left behind"
        );
        if self.abandoned.len() >= ABANDONED_MAX {
            self.abandoned.remove(0);
        }
        self.abandoned.push(child);
    }

    /// Waits while the loop's queue is full; a loop that is gone needs no events.
    pub(super) async fn tell(&self, epoch: Epoch, event: WorkerEvent) {
        let event = Event::Worker { worker: self.worker, epoch, event };
        drop(self.events.send(event).await);
    }
}

#[cfg(test)]
mod tests;
