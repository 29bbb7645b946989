//! The task of one worker slot: commands of the event loop in, events out.
//!
//! Owns the slot and, through `life`, the process in it. Answers every command as the decision core
//! defines: a stop is answered by `Stopped` in any case, also when the process is already gone.
//! Must not decide when to start, call or stop. It ends when the loop drops its end of the command
//! channel; a process that still lives is killed then.

use std::sync::Arc;

use fuzzd_core::ids::Epoch;
use fuzzd_core::session::{StopRequestKind, WorkerEvent};

use crate::limits::{ABANDONED_MAX, REAP_DEADLINE};
use crate::process::Child;
use crate::worker::client::WorkerClient;
use crate::worker::life::{Ended, Growth, Life};
use crate::worker::slot::{Command, Slot};
use crate::worker::target::WorkerTarget;

/// See the module.
#[derive(Debug)]
pub(super) struct WorkerTask {
    slot: Slot,
    /// Processes stuck in the kernel.
    abandoned: Vec<Child>,
}

impl WorkerTask {
    pub(super) fn new(slot: Slot) -> Self {
        Self { slot, abandoned: Vec::new() }
    }

    /// Serves the slot until the loop is gone.
    pub(super) async fn run(mut self) {
        while let Some(command) = self.slot.commands.recv().await {
            match command {
                Command::Spawn { epoch, target } => {
                    self.abandoned.retain_mut(|child| child.reap().is_none());
                    let mut growth = self.start(epoch, target.clone(), None).await;
                    while growth.is_some() {
                        growth = self.start(epoch, target.clone(), growth).await;
                    }
                }
                Command::Stop { epoch, .. } => {
                    self.slot.tell(epoch, WorkerEvent::Stopped { execs: 0 }).await;
                }
                // Its process is gone, which was told and answers the call as well.
                Command::Call { epoch, .. } => {
                    tracing::debug!(
                        worker = self.slot.worker.0,
                        ?epoch,
                        "a call for a dead worker"
                    );
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
        let settings = self.slot.settings.clone();
        let launched = {
            let (build, capacity) = (target.build.clone(), target.room(&settings));
            let common = target.memories.clone();
            let spec = target.start_of(&settings, self.slot.worker, epoch);
            let launch = WorkerClient::launch(&settings.spawner, &spec, build, capacity, common);
            tokio::pin!(launch);
            loop {
                tokio::select! {
                    // A stop does not wait for a slow start.
                    biased;
                    command = self.slot.commands.recv(), if stop.is_none() => match command {
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
                let life =
                    Life::begin(&mut self.slot, epoch, target, client, is_loop_gone).after(before);
                let Ended { stuck, growth } = life.run(stop).await;
                if let Some(child) = stuck {
                    self.abandon(child);
                }
                return growth;
            }
            (Some(Err(error)), None) => {
                let reason = error.to_string();
                self.slot.tell(epoch, WorkerEvent::StartFailed { reason }).await;
            }
            // Whatever is started after this has nobody to take it, and is killed.
            (Some(Err(_)) | None, _) => {
                self.slot.tell(epoch, WorkerEvent::Stopped { execs: 0 }).await;
            }
        }
        None
    }

    fn abandon(&mut self, child: Child) {
        tracing::warn!(
            worker = self.slot.worker.0,
            pid = child.pid(),
            "the worker does not end after SIGKILL: it is stuck in the kernel and left behind"
        );
        if self.abandoned.len() >= ABANDONED_MAX {
            self.abandoned.remove(0);
        }
        self.abandoned.push(child);
    }
}

#[cfg(test)]
mod tests;
