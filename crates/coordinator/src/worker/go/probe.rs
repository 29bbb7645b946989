//! What a Go fuzz test takes and begins with, before a session.
//!
//! Owns the translation of a harvest. Must not start workers.

use std::path::PathBuf;

use fuzzd_go::harvest::{self, Harvest, HarvestError, Request};
use fuzzd_go::limits::HARVEST_TIMEOUT;
use fuzzd_go::{binary, text};
use fuzzd_protocol::input::to_memory;

use crate::blocking::blocking;
use crate::limits::{SEEDS_BYTES_MAX, SEEDS_MAX};
use crate::options::{GoTarget, TargetSpec};
use crate::process::spawn_program;
use crate::worker::probe::Probed;

/// Why a fuzz test could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HarvestFailure {
    /// The binary did not tell.
    #[error(transparent)]
    Harvest(#[from] HarvestError),
    /// A thread of ours broke.
    #[error("the thread that waits for it is gone: {0}")]
    Thread(std::io::Error),
}

/// Asks the binary, off the loop. No input is executed.
pub(crate) async fn harvest(target: &TargetSpec, go: &GoTarget) -> Result<Probed, HarvestFailure> {
    let (program, directory): (PathBuf, PathBuf) = (target.program.clone(), target.cwd.clone());
    let (test, shim) = (go.test.clone(), go.shim.clone());
    let package = go.package.clone();
    let asked = blocking(move || {
        let harvested = harvest::run(Request {
            program: &program,
            test: &test,
            directory: &directory,
            shim: &shim,
            timeout: HARVEST_TIMEOUT,
            spawn: spawn_program,
        })?;
        Ok::<_, HarvestError>((harvested, binary::words(&program, &package)))
    });
    let (harvested, words) = asked.await.map_err(HarvestFailure::Thread)??;
    let Harvest { types, seeds: texts } = harvested;
    let (mut seeds, mut skipped, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (text, index) in texts.iter().zip(0..) {
        match text::decode(text).map(|values| to_memory(&types, &values)) {
            Ok(_) if index >= SEEDS_MAX => break,
            Ok(seed) if bytes + seed.len() <= SEEDS_BYTES_MAX => {
                bytes += seed.len();
                seeds.push(seed);
            }
            Ok(_) => skipped.push((index, "all seeds together are too large".to_owned())),
            Err(error) => skipped.push((index, error.to_string())),
        }
    }
    let (counters, functions) = (go.counters_max, Vec::new());
    Ok(Probed { types, counters, tests: Vec::new(), functions, seeds, skipped, words })
}
