//! What a target is: asked of one worker before a session begins.

use std::path::PathBuf;
use std::sync::Arc;

use fuzzd_go::harvest::HarvestError;
use fuzzd_protocol::value::ValueType;

use crate::blocking::blocking;
use crate::build_id::Build;
use crate::error::ProbeError;
use crate::limits::PROBE_INPUT_BYTES;
use crate::options::{Dialect, TargetSpec};
use crate::process::Spawner;
use crate::worker::{HarvestFailure, Probed, WorkerProbeError, harvest, probe_worker};

/// What a target says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetInfo {
    /// Types of the fuzz test's parameters.
    pub types: Vec<ValueType>,
    /// Number of coverage counters; 0: not instrumented.
    pub counters: usize,
    /// Names of the program's fuzz tests; empty: it has no names.
    pub tests: Vec<String>,
    /// The counters that begin a function, ascending; empty: not known.
    pub functions: Vec<u32>,
    /// SHA-256 of the executable, in hexadecimal.
    pub build_id: String,
    /// Seeds declared in code, in memory form.
    pub seeds: Vec<Vec<u8>>,
    /// Seeds that could not be had: their number from 0, and why.
    pub skipped_seeds: Vec<(u64, String)>,
    /// Words of the code under test, where the coordinator itself puts them into inputs.
    pub words: Vec<Vec<u8>>,
}

impl TargetInfo {
    /// Of a target that said nothing.
    pub(crate) fn unknown() -> Self {
        Self {
            types: Vec::new(),
            counters: 0,
            tests: Vec::new(),
            functions: Vec::new(),
            build_id: String::new(),
            seeds: Vec::new(),
            skipped_seeds: Vec::new(),
            words: Vec::new(),
        }
    }
}

/// Starts one worker of `target`, asks it, and ends it. No input is executed. Seeds larger than
/// `input_bytes_max` and [`PROBE_INPUT_BYTES`] are skipped.
///
/// # Errors
/// The worker would not start, is no worker, or broke the protocol; with the tail of its stderr.
pub async fn probe(target: &TargetSpec, input_bytes_max: usize) -> Result<TargetInfo, ProbeError> {
    let build = build_of(target.program.clone()).await?;
    probe_build(target, build, input_bytes_max).await
}

/// The same, for an executable whose build id is known.
pub(crate) async fn probe_build(
    target: &TargetSpec,
    build: Arc<Build>,
    input_bytes_max: usize,
) -> Result<TargetInfo, ProbeError> {
    let name = || target.name.clone();
    let launch_error = |reason: String| ProbeError::Launch { name: name(), reason };
    let spawner = Spawner::of_process().map_err(|error| launch_error(error.to_string()))?;
    let capacity = input_bytes_max.max(PROBE_INPUT_BYTES);
    let build_id = build.id.clone();
    if let Dialect::Go(go) = &target.dialect {
        let harvested = harvest(target, go).await;
        let failed = |error: HarvestFailure| match error {
            HarvestFailure::Harvest(HarvestError::Skipped { .. }) => {
                ProbeError::Skipped { name: name() }
            }
            other => ProbeError::Failed { name: name(), reason: other.to_string() },
        };
        return harvested.map(|probed| info(probed, build_id)).map_err(failed);
    }
    let probed =
        probe_worker(&spawner, target, build, capacity).await.map_err(|error| match error {
            WorkerProbeError::Launch(error) => launch_error(error.to_string()),
            WorkerProbeError::Ping(source) => ProbeError::Ping { name: name(), source },
            WorkerProbeError::Failed(reason) => ProbeError::Failed { name: name(), reason },
        })?;
    Ok(info(probed, build_id))
}

fn info(probed: Probed, build_id: String) -> TargetInfo {
    let Probed { types, counters, tests, functions, seeds, skipped: skipped_seeds, words } = probed;
    TargetInfo { types, counters, tests, functions, build_id, seeds, skipped_seeds, words }
}

/// The executable as it is now, read off the loop.
pub(crate) async fn build_of(program: PathBuf) -> Result<Arc<Build>, ProbeError> {
    let path = program.clone();
    let read = blocking(move || Build::of(&program)).await;
    let read = read.unwrap_or_else(Err);
    read.map(Arc::new).map_err(|source| ProbeError::BuildId { path, source })
}
