//! Running given inputs once each: what `fuzzd replay` does.
//!
//! Owns one worker at a time. An input that ends the worker is reported with its cause, and the
//! next input gets a fresh process; so does one after a failure that the worker survived.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::Input;
use fuzzd_protocol::input::from_file;
use tokio::sync::mpsc;

use crate::error::ProbeError;
use crate::limits::{GO_MEMORY_BYTES, INPUT_BYTES_LIMIT, PING_DEADLINE};
use crate::options::TargetSpec;
use crate::probe::probe;
use crate::process::Spawner;
use crate::worker::{Ran, RunOne, WatchLimits, WorkerSettings, WorkerTarget};

/// One input to run.
#[derive(Debug, Clone)]
pub struct ReplayInput {
    /// Where it comes from, for people.
    pub path: PathBuf,
    /// The file form: text, or raw bytes.
    pub bytes: Vec<u8>,
}

/// Limits of a replay.
#[derive(Debug, Clone, Copy)]
pub struct ReplayLimits {
    /// One input.
    pub input_timeout: Duration,
    /// Resident memory of the worker in bytes; 0 is no limit.
    pub rss_limit_bytes: u64,
}

/// What came of one input.
#[derive(Debug, Clone)]
pub struct ReplayResult {
    /// As given.
    pub path: PathBuf,
    /// How it went.
    pub verdict: ReplayVerdict,
}

/// How one input went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayVerdict {
    /// It passed.
    Passed,
    /// The fuzz test rejected it.
    Rejected,
    /// It failed.
    Failed(Failure),
    /// The file is no input of this fuzz test; a sentence on why.
    Unreadable(String),
    /// The worker could not run it; a sentence on why. Says nothing about the input.
    NotRun(String),
}

/// Runs `inputs` in order, one result each on `results`, and waits for its reader. Ends early when
/// nobody reads any more.
///
/// # Errors
/// No worker would start.
pub async fn replay(
    target: &TargetSpec,
    inputs: Vec<ReplayInput>,
    limits: ReplayLimits,
    results: mpsc::Sender<ReplayResult>,
) -> Result<(), ProbeError> {
    let info = probe(target, 1).await?;
    let types = info.types.clone();
    let read = |input: &ReplayInput| match from_file(&types, &input.bytes) {
        Ok(memory) if memory.len() > INPUT_BYTES_LIMIT => {
            Err(format!("it has {} bytes, the limit is {INPUT_BYTES_LIMIT}", memory.len()))
        }
        Ok(memory) => Ok(Input::from(memory)),
        Err(error) => Err(error.to_string()),
    };
    let inputs: Vec<(PathBuf, Result<Input, String>)> =
        inputs.into_iter().map(|input| (input.path.clone(), read(&input))).collect();
    let sizes = inputs.iter().filter_map(|(_, input)| input.as_ref().ok().map(|i| i.len()));
    let capacity = sizes.max().unwrap_or(0).max(1);
    let spawner = Spawner::of_process().map_err(|error| ProbeError::Launch {
        name: target.name.clone(),
        reason: error.to_string(),
    })?;
    let ReplayLimits { input_timeout, rss_limit_bytes } = limits;
    let settings = WorkerSettings {
        spawner,
        limits: WatchLimits { input_timeout, rss_limit_bytes },
        ping_deadline: PING_DEADLINE,
        capacity,
        input_bytes_max: capacity,
        finds_at_end: true,
        go_seed: None,
    };
    let spec = target.clone();
    let target = WorkerTarget {
        spec,
        types: info.types,
        build: None,
        memories: None,
        words: Arc::default(),
        room: GO_MEMORY_BYTES.into(),
    };
    let mut runner = RunOne::start(settings, Arc::new(target));
    for (path, input) in inputs {
        let verdict = match input {
            Err(reason) => ReplayVerdict::Unreadable(reason),
            Ok(input) => verdict(runner.run(input).await),
        };
        if results.send(ReplayResult { path, verdict }).await.is_err() {
            break;
        }
    }
    runner.close().await;
    Ok(())
}

fn verdict(ran: Ran) -> ReplayVerdict {
    match ran {
        Ran::Passed { .. } => ReplayVerdict::Passed,
        Ran::Rejected => ReplayVerdict::Rejected,
        Ran::Failed(failure) => ReplayVerdict::Failed(failure),
        Ran::Not(reason) => ReplayVerdict::NotRun(reason),
    }
}

#[cfg(test)]
mod tests;
