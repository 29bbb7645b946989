//! A run from its options to its summary: everything that comes before and after the event loop.
//!
//! ```text
//!  validate ─► lock and open the state ─► probe each target ─► load ─► event loop ─► close
//! ```
//! A stop request before the loop ends the run at once: nothing was executed, nothing is lost.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use fuzzd_core::session::{Pace, Session, SessionConfig, StopRequest, Summary, TestConfig};
use tokio::sync::mpsc;

use crate::blocking::blocking;
use crate::build_id::Build;
use crate::error::{RunError, why};
use crate::event_loop::{EventLoop, Parts};
use crate::limits::{
    FORK_TIMEOUT_MAX, GO_MEMORY_BYTES, INPUT_BYTES_LIMIT, MEMORY_CAPACITY_MIN, PING_DEADLINE,
    STORE_ANSWER_QUEUE,
};
use crate::notice::{Notice, Outbox, Started, StartedTest};
use crate::options::{Dialect, RunOptions, TargetSpec};
use crate::probe::TargetInfo;
use crate::probe_all::{Probes, probe_all};
use crate::process::Spawner;
use crate::shared::TestMemories;
use crate::store::{FileForm, LoadNotice, Store, StoreTest};
use crate::worker::{WatchLimits, WorkerSettings, WorkerTarget};

/// Runs a session until its budget is used up, somebody stops it, or it cannot go on.
///
/// `notices` is never waited for; [`fuzzd_core::session::Report::Finished`] is the last one and
/// equals the summary returned. Dropping the future kills all workers; what was reported is kept.
///
/// # Errors
/// See [`RunError`]. Bugs of the target are no errors: they are in the summary.
pub async fn run(
    options: RunOptions,
    notices: mpsc::Sender<Notice>,
    mut stops: mpsc::Receiver<StopRequest>,
) -> Result<Summary, RunError> {
    options.validate()?;
    let mut outbox = Outbox::new(notices);
    let prepared = tokio::select! {
        prepared = Box::pin(prepare(&options, &mut outbox)) => prepared?,
        Some(request) = stops.recv() => return Err(RunError::StoppedEarly(request)),
    };
    let Prepared { store, targets, config, spawner, capacity } = prepared;
    let (answer_sender, answers) = mpsc::channel(STORE_ANSWER_QUEUE);
    let store = store.start(answer_sender)?;
    let settings = WorkerSettings {
        spawner,
        limits: WatchLimits {
            input_timeout: options.input_timeout,
            rss_limit_bytes: options.rss_limit_bytes,
        },
        ping_deadline: PING_DEADLINE,
        capacity,
        input_bytes_max: options.input_bytes_max,
        finds_at_end: config.pace == Pace::Executions,
        go_seed: options.seed,
    };
    let workers = options.workers;
    let session = Session::new(config);
    let parts = Parts { session, targets, workers, settings, store, answers, stops, outbox };
    Box::pin(EventLoop::new(parts).run()).await
}

/// Everything the loop starts from.
struct Prepared {
    store: Store,
    targets: Vec<Arc<WorkerTarget>>,
    config: SessionConfig,
    spawner: Spawner,
    /// Bytes of memory form that every worker has room for.
    capacity: usize,
}

async fn prepare(options: &RunOptions, outbox: &mut Outbox) -> Result<Prepared, RunError> {
    let spawner = Spawner::of_process().map_err(|error| RunError::Internal(error.to_string()))?;
    // The lock comes first: a second coordinator is refused at once.
    let state = options.state.clone();
    let store = blocking(move || Store::open(&state)).await.map_err(internal)??;
    let Probes { infos, builds, failed, skipped } =
        probe_all(&options.targets, options.input_bytes_max).await?;
    for ((target, info), failed) in options.targets.iter().zip(&infos).zip(&failed) {
        if info.counters == 0 && !options.blind && failed.is_none() {
            return Err(RunError::NotInstrumented { name: target.name.clone() });
        }
        for (index, reason) in info.skipped_seeds.clone() {
            let test = target.name.clone();
            outbox.push(Notice::SeedSkipped { test, index, reason });
        }
    }
    let (store, mut tests, loaded) = load(store, options, &infos).await?;
    tests.iter_mut().zip(failed).for_each(|(test, reason)| test.given_up = reason);
    tests.iter_mut().zip(skipped).for_each(|(test, skipped)| test.is_skipped = skipped);
    let functions = infos.iter().map(|info| info.functions.clone());
    tests.iter_mut().zip(functions).for_each(|(test, functions)| test.functions = functions);
    loaded.into_iter().for_each(|notice| outbox.push(Notice::Loaded(notice)));
    let seed = options.seed.unwrap_or_else(seed_from_system);
    outbox.push(Notice::Started(started(options, &infos, &tests, seed)));
    let capacity = capacity(options.input_bytes_max, &tests);
    let targets = options.targets.iter().zip(infos).zip(builds);
    let targets =
        targets.map(|((spec, info), build)| worker_target(spec, info, build, &options.dictionary));
    let targets = targets.collect::<Result<_, _>>()?;
    Ok(Prepared { store, targets, config: config(options, tests, seed), spawner, capacity })
}

/// What the workers of a fuzz test have in common. One that did not come up has none.
fn worker_target(
    spec: &TargetSpec,
    info: TargetInfo,
    build: Option<Arc<Build>>,
    dictionary: &[Vec<u8>],
) -> Result<Arc<WorkerTarget>, RunError> {
    let create = |_| TestMemories::create(info.counters, dictionary);
    let memories = build.as_ref().map(create).transpose();
    let memories = memories.map_err(|error| RunError::SharedMemory {
        name: spec.name.clone(),
        reason: format!("{error}{why}", why = why(&error)),
    })?;
    let (spec, types) = (spec.clone(), info.types);
    let words = dictionary.iter().cloned().chain(info.words).collect();
    let (memories, room) = (memories.map(Arc::new), GO_MEMORY_BYTES.into());
    Ok(Arc::new(WorkerTarget { spec, types, build, memories, words, room }))
}

async fn load(
    mut store: Store,
    options: &RunOptions,
    infos: &[TargetInfo],
) -> Result<(Store, Vec<TestConfig>, Vec<LoadNotice>), RunError> {
    let tests: Vec<StoreTest> = options.targets.iter().zip(infos).map(store_test).collect();
    let seeds = infos.iter().map(|info| info.seeds.clone()).collect();
    let (seeds_dirs, corpus) = (options.seeds.clone(), options.corpus.clone());
    blocking(move || {
        let mut notices = Vec::new();
        let configs = store.load(&tests, seeds, &seeds_dirs, corpus.as_deref(), &mut notices)?;
        Ok((store, configs, notices))
    })
    .await
    .map_err(internal)?
}

pub(crate) fn internal(error: std::io::Error) -> RunError {
    RunError::Internal(error.to_string())
}

/// A target as the store has to know it.
pub(crate) fn store_test((target, info): (&TargetSpec, &TargetInfo)) -> StoreTest {
    StoreTest {
        name: target.name.clone(),
        types: info.types.clone(),
        build_id: info.build_id.clone(),
        counters: info.counters,
        testdata: target.testdata.clone(),
        form: match target.dialect {
            Dialect::Native => FileForm::Native,
            Dialect::Go(_) => FileForm::Go,
        },
        inputs: match &target.dialect {
            Dialect::Native => None,
            Dialect::Go(go) => go.cache.clone(),
        },
    }
}

fn config(options: &RunOptions, tests: Vec<TestConfig>, seed: u64) -> SessionConfig {
    let is_repeatable = options.seed.is_some() && options.workers == 1 && options.execs.is_some();
    SessionConfig {
        seed,
        pace: if is_repeatable { Pace::Executions } else { Pace::Clock },
        workers: options.workers,
        execs_max: options.execs,
        time_max: options.time,
        fail_fast: options.fail_fast,
        minimize: options.minimize,
        minimize_timeouts: options.input_timeout <= FORK_TIMEOUT_MAX,
        tests,
    }
}

fn started(options: &RunOptions, infos: &[TargetInfo], tests: &[TestConfig], seed: u64) -> Started {
    let each = options.targets.iter().zip(infos).zip(tests);
    let tests = each.map(|((target, info), test)| StartedTest {
        name: target.name.clone(),
        types: info.types.clone(),
        counters: info.counters,
        build_id: info.build_id.clone(),
        testdata: target.testdata.clone(),
        entries: test.entries.len(),
        bugs_known: test.bugs.len(),
    });
    let (workers, state, tests) = (options.workers, options.state.clone(), tests.collect());
    Started { seed, workers, state, tests }
}

/// Room for the largest input there is: one that was loaded may be larger than a mutation may make,
/// and values of fixed width cannot be made shorter than they are.
fn capacity(input_bytes_max: usize, tests: &[TestConfig]) -> usize {
    let inputs = tests.iter().flat_map(|test| {
        let entries = test.entries.iter().map(|entry| entry.input.len());
        entries.chain(test.bugs.iter().map(|bug| bug.input.len()))
    });
    inputs
        .filter(|&bytes| bytes <= INPUT_BYTES_LIMIT)
        .fold(input_bytes_max.max(MEMORY_CAPACITY_MIN), usize::max)
}

/// The standard library seeds its hash maps from the system.
fn seed_from_system() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests;
