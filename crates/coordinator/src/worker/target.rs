//! What a worker is started from.
//!
//! Owns how the process of a fuzz test is started, and with how much memory. Must not start it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fuzzd_core::ids::{Epoch, WorkerId};
use fuzzd_go::pcg::Pcg;
use fuzzd_protocol::value::ValueType;

use crate::build_id::Build;
use crate::options::{Dialect, TargetSpec};
use crate::process::Spawner;
use crate::shared::TestMemories;
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
    pub(super) fn start_of(
        &self,
        settings: &WorkerSettings,
        worker: WorkerId,
        epoch: Epoch,
    ) -> TargetSpec {
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
    pub(super) fn room(&self, settings: &WorkerSettings) -> usize {
        match self.spec.dialect {
            Dialect::Native => settings.capacity,
            Dialect::Go(_) => self.room.load(Ordering::Relaxed),
        }
    }
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
