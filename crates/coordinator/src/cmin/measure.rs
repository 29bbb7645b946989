//! Running entries once each, several workers side by side, for their coverage alone.
//!
//! Owns the workers. An entry that fails costs its process and nothing else: nothing is recorded as
//! a bug. Must not know what the coverage is for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::{EntryId, Input};
use fuzzd_core::subset::QUICK;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::error::{ProbeError, RunError};
use crate::limits::{
    INPUT_BYTES_LIMIT, MEASURE_AGAIN_MAX, MEASURE_LOSSES_MAX, MEASURE_TRIES_MAX, MEASURED_QUEUE,
};
use crate::worker::{Ran, RunOne, WorkerSettings, WorkerTarget};

/// What came of one entry.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) id: EntryId,
    pub(super) verdict: Verdict,
}

/// Whether an entry has coverage.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It passed.
    Covers { coverage: Vec<Feature>, exec_time: Duration },
    /// It failed, in whatever way.
    Fails,
    /// It was rejected, or could not be run: nothing can be said of it.
    Unknown,
}

/// The entries that wait.
type Queue = Arc<Mutex<VecDeque<(EntryId, Input)>>>;

/// Workers on their way through a queue of entries. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Measuring {
    runners: JoinSet<Result<(), RunError>>,
    results: mpsc::Receiver<Measured>,
}

impl Measuring {
    pub(super) fn start(
        entries: Vec<(EntryId, Input)>,
        counters: usize,
        workers: usize,
        settings: &WorkerSettings,
        target: &Arc<WorkerTarget>,
    ) -> Self {
        let (sender, results) = mpsc::channel(MEASURED_QUEUE);
        let workers = workers.min(entries.len());
        let queue: Queue = Arc::new(Mutex::new(entries.into()));
        let mut runners = JoinSet::new();
        for _ in 0..workers {
            let worker = RunOne::start(settings.clone(), target.clone());
            let name = target.spec.name.clone();
            let runner =
                Runner { name, counters, worker, queue: queue.clone(), results: sender.clone() };
            runners.spawn(runner.run());
        }
        Self { runners, results }
    }

    /// The next result, in the order in which they come; `None`: that was all. Cancel-safe.
    ///
    /// # Errors
    /// Workers do not start, or get nothing done.
    pub(super) async fn next(&mut self) -> Result<Option<Measured>, RunError> {
        if let Some(measured) = self.results.recv().await {
            return Ok(Some(measured));
        }
        // All of them have ended.
        while let Some(ended) = self.runners.join_next().await {
            ended.map_err(|error| RunError::Internal(error.to_string()))??;
        }
        Ok(None)
    }
}

/// One worker with its share.
struct Runner {
    name: String,
    counters: usize,
    worker: RunOne,
    queue: Queue,
    results: mpsc::Sender<Measured>,
}

impl Runner {
    async fn run(mut self) -> Result<(), RunError> {
        let mut losses = 0;
        let mut outcome = Ok(());
        while let Some((id, input)) = take(&self.queue) {
            let verdict = match self.measure(&input).await {
                Ok(verdict) => {
                    losses = 0;
                    verdict
                }
                Err(reason) => {
                    losses += 1;
                    if losses >= MEASURE_LOSSES_MAX {
                        let name = self.name.clone();
                        outcome = Err(ProbeError::Failed { name, reason }.into());
                        break;
                    }
                    Verdict::Unknown
                }
            };
            if self.results.send(Measured { id, verdict }).await.is_err() {
                break;
            }
        }
        self.worker.close().await;
        outcome
    }

    /// Runs one entry, again where nothing can be said of it; the reason where that goes on.
    async fn measure(&mut self, input: &Input) -> Result<Verdict, String> {
        if input.len() > INPUT_BYTES_LIMIT {
            return Ok(Verdict::Unknown);
        }
        let mut last = String::new();
        for _ in 0..MEASURE_TRIES_MAX {
            match self.worker.run(input.clone()).await {
                Ran::Passed { coverage, exec_time } => {
                    let is_sound = coverage.iter().all(|(at, _)| (*at as usize) < self.counters);
                    if !is_sound {
                        return Ok(Verdict::Unknown);
                    }
                    let exec_time = self.least_time(input, exec_time).await;
                    return Ok(Verdict::Covers { coverage, exec_time });
                }
                Ran::Rejected => return Ok(Verdict::Unknown),
                Ran::Failed(_) => return Ok(Verdict::Fails),
                Ran::Not(reason) => last = reason,
            }
        }
        Err(last)
    }

    /// The shortest time of an input that took so long. It has passed: what comes of more runs, and
    /// whether they do, is no matter.
    async fn least_time(&mut self, input: &Input, first: Duration) -> Duration {
        let mut least = first;
        for _ in 0..MEASURE_AGAIN_MAX {
            if least <= QUICK {
                break;
            }
            match self.worker.run(input.clone()).await {
                Ran::Passed { exec_time, .. } => least = least.min(exec_time),
                Ran::Rejected | Ran::Failed(_) | Ran::Not(_) => break,
            }
        }
        least
    }
}

fn take(queue: &Queue) -> Option<(EntryId, Input)> {
    // Nothing panics while it holds the queue, and a queue has no halfway state.
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
