//! A corpus made smaller without losing coverage: what `fuzzd cmin` does.
//!
//! ```text
//!  lock and open the state ─► probe ─► load ─► for each test: measure ─► choose ─► move, or copy
//! ```
//! Owns the order of these steps. What was measured with this build is not run again, and what is
//! measured is kept for later sessions. Entries that fail, and those of which nothing can be said,
//! stay. The choice is [`fuzzd_core::subset`]'s, the moving the store's.

mod measure;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fuzzd_core::coverage::{CoverageMap, Feature, Gain};
use fuzzd_core::ids::{EntryId, TestIndex};
use fuzzd_core::session::StopRequest;
use fuzzd_core::subset::{self, Candidate};
use tokio::sync::mpsc;

use crate::blocking::blocking;
use crate::error::RunError;
use crate::limits::{GO_MEMORY_BYTES, MEASURED_GROUP_MAX, MEMORY_CAPACITY_MIN, PING_DEADLINE};
use crate::options::RunOptions;
use crate::probe::TargetInfo;
use crate::probe_all::{Probes, probe_all};
use crate::process::Spawner;
use crate::run::{internal, store_test};
use crate::store::{LoadNotice, Store, StoreError, StoreTest, StoredEntry, dir_name};
use crate::worker::{WatchLimits, WorkerSettings, WorkerTarget};
use measure::{Measuring, Verdict};

/// What a minimization of corpora tells while it goes on.
#[derive(Debug, Clone)]
pub enum CminNews {
    /// Something about a file that was loaded, or not.
    Loaded(LoadNotice),
    /// Entries are being run, because their coverage is not known for this build.
    Measuring {
        /// The fuzz test.
        test: String,
        /// How many.
        inputs: usize,
    },
    /// A fuzz test whose worker did not come up: its corpus is as it was.
    GivenUp {
        /// The fuzz test.
        test: String,
        /// Why.
        reason: String,
        /// It skips itself: that is no failure.
        is_skipped: bool,
    },
    /// A corpus is done.
    Done(MinimizedCorpus),
}

/// What became of the corpus of one fuzz test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinimizedCorpus {
    /// The fuzz test.
    pub test: String,
    /// Entries and the bytes of their files before.
    pub before: Size,
    /// The same of those that were chosen, or had to stay.
    pub after: Size,
    /// Coverage of the entries that were chosen: that of all.
    pub coverage: Gain,
    /// Entries that were run for their coverage.
    pub measured: usize,
    /// Entries that fail; they stayed.
    pub failing: usize,
    /// Entries that were rejected or could not be run; they stayed.
    pub unknown: usize,
    /// Where the others were moved, or the chosen ones copied; `None`: nothing was written.
    pub to: Option<PathBuf>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Entries.
    pub entries: usize,
    /// Bytes of their files.
    pub bytes: u64,
}

impl Size {
    fn of<'a>(entries: impl IntoIterator<Item = &'a StoredEntry>) -> Self {
        entries.into_iter().fold(Self::default(), |size, entry| Self {
            entries: size.entries + 1,
            bytes: size.bytes.saturating_add(entry.file_bytes),
        })
    }
}

/// Makes the corpora of all targets smaller, one after the other. With `into`, what is chosen is
/// copied there (for several targets into a directory each, as in `corpus/`), and the state keeps
/// all entries. Of `options` budgets and seeds are not used. Waits for whoever reads `news`.
///
/// # Errors
/// See [`RunError`]; a stop request ends it at once. What was told to be done is done.
pub async fn minimize_corpora(
    options: RunOptions,
    into: Option<PathBuf>,
    news: mpsc::Sender<CminNews>,
    mut stops: mpsc::Receiver<StopRequest>,
) -> Result<(), RunError> {
    options.validate()?;
    let work = async {
        let (mut job, probes) = Job::begin(options, into, news).await?;
        for index in 0..probes.infos.len() {
            job.minimize(index, &probes).await?;
        }
        Ok(())
    };
    tokio::select! {
        done = Box::pin(work) => done,
        Some(request) = stops.recv() => Err(RunError::StoppedEarly(request)),
    }
}

/// A minimization that has its state.
struct Job {
    options: RunOptions,
    into: Option<PathBuf>,
    news: mpsc::Sender<CminNews>,
    /// In somebody else's hands only while that works.
    store: Option<Store>,
    spawner: Spawner,
}

/// What is known of the entries of one test.
struct Known {
    entries: Vec<StoredEntry>,
    times: HashMap<EntryId, Duration>,
    measured: usize,
    failing: usize,
    unknown: usize,
}

impl Job {
    async fn begin(
        options: RunOptions,
        into: Option<PathBuf>,
        news: mpsc::Sender<CminNews>,
    ) -> Result<(Self, Probes), RunError> {
        let spawner = Spawner::of_process();
        let spawner = spawner.map_err(|error| RunError::Internal(error.to_string()))?;
        // The lock comes first: next to a session, this is refused at once.
        let state = options.state.clone();
        let mut store = blocking(move || Store::open(&state)).await.map_err(internal)??;
        let probes = probe_all(&options.targets, options.input_bytes_max).await?;
        for (target, info) in options.targets.iter().zip(&probes.infos) {
            if info.counters == 0 && !info.types.is_empty() {
                return Err(RunError::NotInstrumented { name: target.name.clone() });
            }
        }
        let tests = options.targets.iter().zip(&probes.infos).map(store_test);
        // Only the corpus itself counts.
        let tests: Vec<StoreTest> = tests.map(|test| StoreTest { inputs: None, ..test }).collect();
        let seeds = tests.iter().map(|_| Vec::new()).collect();
        let corpus = options.corpus.clone();
        let (store, notices) = blocking(move || {
            let mut notices = Vec::new();
            let loaded = store.load(&tests, seeds, &[], corpus.as_deref(), &mut notices);
            loaded.map(|_configs| (store, notices))
        })
        .await
        .map_err(internal)??;
        let mut job = Self { options, into, news, store: Some(store), spawner };
        for notice in notices {
            job.tell(CminNews::Loaded(notice)).await;
        }
        Ok((job, probes))
    }

    /// Whoever reads may be gone; the work is worth doing all the same.
    async fn tell(&mut self, news: CminNews) {
        drop(self.news.send(news).await);
    }

    /// Works with the store off the loop.
    async fn with_store<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, RunError> {
        let gone = || RunError::Internal("the store was lost".into());
        let mut store = self.store.take().ok_or_else(gone)?;
        let worked = blocking(move || {
            let done = work(&mut store);
            (store, done)
        });
        let (store, done) = worked.await.map_err(internal)?;
        self.store = Some(store);
        Ok(done?)
    }

    async fn minimize(&mut self, index: usize, probes: &Probes) -> Result<(), RunError> {
        let test = TestIndex(index);
        let name = self.options.targets[index].name.clone();
        if let Some(reason) = probes.failed[index].clone() {
            let is_skipped = probes.skipped[index];
            self.tell(CminNews::GivenUp { test: name, reason, is_skipped }).await;
            return Ok(());
        }
        let info = &probes.infos[index];
        let counters = info.counters;
        let entries = self.with_store(move |store| store.corpus(test, counters)).await?;
        let target = self.worker_target(index, probes);
        let known = self.measure(test, entries, info, &target).await?;
        let split = split(&known, counters);
        let before = Size::of(&known.entries);
        let after = Size::of(split.stay.iter().map(|position| &known.entries[*position]));
        let coverage = coverage_of(&known, &split.stay, counters);
        let Known { entries, measured, failing, unknown, .. } = known;
        let to = self.carry_out(test, entries, split).await?;
        let done =
            MinimizedCorpus { test: name, before, after, coverage, measured, failing, unknown, to };
        self.tell(CminNews::Done(done)).await;
        Ok(())
    }

    fn worker_target(&self, index: usize, probes: &Probes) -> Arc<WorkerTarget> {
        let spec = self.options.targets[index].clone();
        let (types, build) = (probes.infos[index].types.clone(), probes.builds[index].clone());
        let (memories, words, room) = (None, Arc::default(), GO_MEMORY_BYTES.into());
        Arc::new(WorkerTarget { spec, types, build, memories, words, room })
    }

    /// Runs the entries whose coverage is not known.
    async fn measure(
        &mut self,
        test: TestIndex,
        entries: Vec<StoredEntry>,
        info: &TargetInfo,
        target: &Arc<WorkerTarget>,
    ) -> Result<Known, RunError> {
        let waiting = entries.iter().filter(|entry| entry.coverage.is_none());
        let waiting: Vec<_> = waiting.map(|entry| (entry.id, entry.input.clone())).collect();
        let mut known =
            Known { entries, times: HashMap::new(), measured: 0, failing: 0, unknown: 0 };
        if waiting.is_empty() {
            return Ok(known);
        }
        let (name, inputs) = (target.spec.name.clone(), waiting.len());
        self.tell(CminNews::Measuring { test: name, inputs }).await;
        let capacity = waiting.iter().map(|(_, input)| input.len()).max().unwrap_or(0);
        let settings = self.settings(capacity.max(MEMORY_CAPACITY_MIN));
        let workers = self.options.workers;
        let mut measuring = Measuring::start(waiting, info.counters, workers, &settings, target);
        let mut group = Vec::new();
        while let Some(result) = measuring.next().await? {
            known.measured += 1;
            match result.verdict {
                Verdict::Covers { coverage, exec_time } => {
                    known.times.insert(result.id, exec_time);
                    group.push((result.id, coverage));
                }
                Verdict::Fails => known.failing += 1,
                Verdict::Unknown => known.unknown += 1,
            }
            if group.len() >= MEASURED_GROUP_MAX {
                self.keep(test, std::mem::take(&mut group)).await?;
            }
        }
        self.keep(test, group).await?;
        let counters = info.counters;
        // As the disk has it: in order, each counter once.
        known.entries = self.with_store(move |store| store.corpus(test, counters)).await?;
        Ok(known)
    }

    async fn keep(
        &mut self,
        test: TestIndex,
        measured: Vec<(EntryId, Vec<Feature>)>,
    ) -> Result<(), RunError> {
        self.with_store(move |store| store.keep_coverage(test, &measured)).await
    }

    fn settings(&self, capacity: usize) -> WorkerSettings {
        WorkerSettings {
            spawner: self.spawner.clone(),
            limits: WatchLimits {
                input_timeout: self.options.input_timeout,
                rss_limit_bytes: self.options.rss_limit_bytes,
            },
            ping_deadline: PING_DEADLINE,
            capacity,
            input_bytes_max: capacity,
            finds_at_end: true,
            go_seed: None,
        }
    }

    /// Copies what stays, or moves what goes. Returns where to.
    async fn carry_out(
        &mut self,
        test: TestIndex,
        entries: Vec<StoredEntry>,
        split: Split,
    ) -> Result<Option<PathBuf>, RunError> {
        let positions = if self.into.is_some() { split.stay } else { split.go };
        if positions.is_empty() {
            return Ok(None);
        }
        let into = self.into.clone().map(|into| match self.options.targets.len() {
            1 => into,
            _ => into.join(dir_name(&self.options.targets[test.0].name)),
        });
        let to = self.with_store(move |store| {
            let some: Vec<&StoredEntry> = positions.iter().map(|at| &entries[*at]).collect();
            match into {
                Some(dir) => store.copy_entries(test, &some, &dir).map(|()| dir),
                None => store.remove_entries(test, &some),
            }
        });
        to.await.map(Some)
    }
}

/// Positions of the entries that stay, and of those that are not needed.
struct Split {
    stay: Vec<usize>,
    go: Vec<usize>,
}

fn split(known: &Known, counters: usize) -> Split {
    let (mut measured, mut candidates) = (Vec::new(), Vec::new());
    for (position, entry) in known.entries.iter().enumerate() {
        if let Some(coverage) = &entry.coverage {
            let time = known.times.get(&entry.id).copied();
            let exec_time = time.filter(|time| !time.is_zero());
            measured.push(position);
            candidates.push(Candidate { len: entry.input.len(), exec_time, coverage });
        }
    }
    let mut is_needed = vec![true; known.entries.len()];
    measured.iter().for_each(|position| is_needed[*position] = false);
    for chosen in subset::choose(&candidates, counters) {
        is_needed[measured[chosen]] = true;
    }
    let (stay, go) = (0..known.entries.len()).partition(|position| is_needed[*position]);
    Split { stay, go }
}

fn coverage_of(known: &Known, positions: &[usize], counters: usize) -> Gain {
    let mut map = CoverageMap::new(counters);
    for coverage in positions.iter().filter_map(|at| known.entries[*at].coverage.as_ref()) {
        map.merge(coverage);
    }
    map.total()
}

#[cfg(test)]
mod tests;
