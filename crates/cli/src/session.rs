//! The seam to the coordinator: everything the command line asks of it goes through this file.
//!
//! Owns: the runtime, signals, and the translation of options and notices. Must not render.

pub(crate) mod cmin;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fuzzd_coordinator as coordinator;
use fuzzd_coordinator::replay::{ReplayInput, ReplayLimits, ReplayResult};
use fuzzd_coordinator::signals::{SignalSource, StopSignal, forward};
use fuzzd_coordinator::store::{self, BugInputs, StoreError, StoredBug};
use fuzzd_coordinator::{
    Notice, ProbeError, RunError, RunOptions, Started, TargetInfo, TargetSpec,
};
use fuzzd_core::ids::TestIndex;
use fuzzd_core::session::{BugReport, Report, StopRequest, Summary};
use fuzzd_core::signature::{FailureKind, Signature};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::exit::Exit;
use crate::limits::{INPUT_BYTES_DEFAULT, NOTICES_MAX, REPLAY_RESULTS_MAX, SHOWS_MAX, STOPS_MAX};
use crate::planned::Planned;
use crate::show;

/// Threads of the runtime: one for the session, one for what waits beside it.
const RUNTIME_THREADS: usize = 2;

/// Why a session or a replay could not be held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// The coordinator ended without a summary.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Somebody asked for the end before the session began. Nothing was executed.
    #[error("stopped before the first execution")]
    StoppedEarly {
        /// The signal that asked for it at once, if one did.
        at_once: Option<StopSignal>,
    },
    /// A signal asked for the end of a command that is not a session.
    #[error("stopped; no entry is lost, and what was not told to be done may be done in part")]
    CutShort {
        /// The signal.
        signal: Option<StopSignal>,
    },
    /// The state directory cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No worker could be started to replay.
    #[error("failed to replay")]
    Replay(#[source] ProbeError),
    /// No target says what it is.
    #[error(transparent)]
    Probe(ProbeError),
    /// The coordinator broke: a fault of this program.
    #[error("the coordinator broke (please report this)")]
    Broken(#[source] JoinError),
    /// The system does not let us see signals.
    #[error("failed to listen for signals")]
    Signals(#[source] std::io::Error),
    /// The threads that wait for workers could not be started.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
}

impl SessionError {
    /// The exit code of a program that ends with this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            // Asked for by nobody, and nothing the command line could have known.
            Self::Run(RunError::NotInstrumented { .. }) => Exit::Infrastructure,
            Self::Run(error) if error.is_usage() => Exit::Usage,
            Self::StoppedEarly { at_once } => at_once.map_or(Exit::Fine, Exit::Signal),
            Self::CutShort { signal } => signal.map_or(Exit::Infrastructure, Exit::Signal),
            Self::Run(_)
            | Self::Store(_)
            | Self::Replay(_)
            | Self::Probe(_)
            | Self::Broken(_)
            | Self::Signals(_)
            | Self::Runtime(_) => Exit::Infrastructure,
        }
    }
}

/// Options of a session, as they were typed or by default.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) workers: usize,
    pub(crate) time: Option<Duration>,
    pub(crate) execs: Option<u64>,
    pub(crate) fail_fast: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) input_timeout: Duration,
    pub(crate) rss_limit_bytes: u64,
    pub(crate) input_bytes_max: usize,
    pub(crate) seeds: Vec<PathBuf>,
    pub(crate) dictionary: Vec<Vec<u8>>,
    pub(crate) corpus: Option<PathBuf>,
    pub(crate) state: PathBuf,
    pub(crate) minimize: bool,
    pub(crate) blind: bool,
}

/// Something that happened.
#[derive(Debug)]
pub(crate) enum News {
    /// Everything is loaded, every target has said what it takes.
    Started(Started),
    /// The session reports.
    Report(Report),
    /// The session reports a new bug, and its target prints the input so.
    Bug(BugReport, Option<String>),
    /// A sentence about what was loaded.
    Warning(String),
}

/// The end of a session.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) summary: Summary,
    /// The last signal that came, if one did.
    pub(crate) signal: Option<StopSignal>,
}

/// A limit in MB as bytes; 0 is no limit to both.
pub(crate) fn rss_limit_bytes(megabytes: u64) -> u64 {
    megabytes.saturating_mul(1 << 20)
}

/// Holds a session until it ends; `on_news` must not block.
pub(crate) fn run(
    targets: &[Planned],
    settings: Settings,
    on_news: impl FnMut(News),
) -> Result<End, SessionError> {
    let options = options(targets, settings);
    let newsroom = Newsroom { targets, shows: JoinSet::new(), waiting: BTreeMap::new(), on_news };
    runtime()?.block_on(hold(options, newsroom))
}

fn runtime() -> Result<Runtime, SessionError> {
    Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build()
        .map_err(SessionError::Runtime)
}

fn options(targets: &[Planned], settings: Settings) -> RunOptions {
    RunOptions {
        targets: targets.iter().map(spec).collect(),
        workers: settings.workers,
        time: settings.time,
        execs: settings.execs,
        fail_fast: settings.fail_fast,
        seed: settings.seed,
        input_timeout: settings.input_timeout,
        rss_limit_bytes: settings.rss_limit_bytes,
        input_bytes_max: settings.input_bytes_max,
        seeds: settings.seeds,
        dictionary: settings.dictionary,
        corpus: settings.corpus,
        state: settings.state,
        minimize: settings.minimize,
        blind: settings.blind,
    }
}

fn spec(planned: &Planned) -> TargetSpec {
    TargetSpec {
        name: planned.view.name.clone(),
        program: planned.program.clone(),
        args: planned.arguments.clone(),
        env: planned.environment.clone(),
        cwd: planned.directory.clone(),
        testdata: planned.testdata.clone(),
        dialect: planned.dialect.clone(),
    }
}

async fn hold(
    options: RunOptions,
    mut newsroom: Newsroom<'_, impl FnMut(News)>,
) -> Result<End, SessionError> {
    let source = SignalSource::system().map_err(SessionError::Signals)?;
    let (notice_sender, mut notices) = mpsc::channel(NOTICES_MAX);
    let (stops, stop_receiver) = mpsc::channel(STOPS_MAX);
    let (signal_sender, signal) = watch::channel(None);
    let mut signals = JoinSet::new();
    signals.spawn(forward(source, stops, signal_sender));
    let mut session = JoinSet::new();
    session.spawn(coordinator::run(options, notice_sender, stop_receiver));
    let outcome = loop {
        tokio::select! {
            Some(notice) = notices.recv() => newsroom.take(notice),
            Some(shown) = newsroom.shows.join_next() => newsroom.tell_shown(shown),
            Some(outcome) = session.join_next() => break outcome,
        }
    };
    while let Ok(notice) = notices.try_recv() {
        newsroom.take(notice);
    }
    while let Some(shown) = newsroom.shows.join_next().await {
        newsroom.tell_shown(shown);
    }
    let signal = *signal.borrow();
    match outcome.map_err(SessionError::Broken)? {
        Ok(summary) => Ok(End { summary, signal }),
        Err(RunError::StoppedEarly(StopRequest::Graceful)) => {
            Err(SessionError::StoppedEarly { at_once: None })
        }
        Err(RunError::StoppedEarly(StopRequest::Immediate)) => {
            Err(SessionError::StoppedEarly { at_once: signal })
        }
        Err(error) => Err(error.into()),
    }
}

/// Which bug of which fuzz test.
type BugKey = (TestIndex, Signature);

fn key(bug: &BugReport) -> BugKey {
    (bug.test, bug.signature)
}

/// Turns notices into news. A new bug waits until its target has printed the input, for a while.
struct Newsroom<'a, F> {
    targets: &'a [Planned],
    shows: JoinSet<(BugReport, Option<String>)>,
    /// Bugs whose inputs are being printed, each with what is told after it. At most
    /// [`SHOWS_MAX`], and a bug is minimized once.
    waiting: BTreeMap<BugKey, Option<BugReport>>,
    on_news: F,
}

impl<F: FnMut(News)> Newsroom<'_, F> {
    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Started(started) => (self.on_news)(News::Started(started)),
            Notice::SeedSkipped { test, index, reason } => {
                let message = format!("seed {index} of {test} is not used: {reason}");
                (self.on_news)(News::Warning(message));
            }
            Notice::Report(Report::Bug(bug)) => self.take_bug(bug),
            Notice::Report(Report::BugMinimized(bug)) => match self.waiting.get_mut(&key(&bug)) {
                Some(later) => *later = Some(bug),
                None => (self.on_news)(News::Report(Report::BugMinimized(bug))),
            },
            Notice::Report(report) => (self.on_news)(News::Report(report)),
            Notice::Loaded(notice) => (self.on_news)(News::Warning(notice.to_string())),
        }
    }

    fn take_bug(&mut self, bug: BugReport) {
        // An input that ends its process may do so while it is printed, too.
        let is_harmless = matches!(bug.failure.kind, FailureKind::Panic | FailureKind::Error);
        let target = self.targets.get(bug.test.0).filter(|target| target.can_show && is_harmless);
        match (target, bug.path.clone()) {
            (Some(target), Some(path)) if self.shows.len() < SHOWS_MAX => {
                let target = target.clone();
                self.waiting.insert(key(&bug), None);
                self.shows.spawn(async move {
                    let shown = show::readable(&target, &path).await;
                    (bug, shown)
                });
            }
            _ => (self.on_news)(News::Bug(bug, None)),
        }
    }

    fn tell_shown(&mut self, shown: Result<(BugReport, Option<String>), JoinError>) {
        match shown {
            Ok((bug, shown)) => {
                let later = self.waiting.remove(&key(&bug)).flatten();
                (self.on_news)(News::Bug(bug, shown));
                if let Some(minimized) = later {
                    (self.on_news)(News::Report(Report::BugMinimized(minimized)));
                }
            }
            // Nothing in there can panic, and nobody aborts it.
            Err(error) => (self.on_news)(News::Warning(format!("a bug was not shown: {error}"))),
        }
    }
}

/// Names of the fuzz tests that the program announces; none if it does not come up, which whoever
/// runs it will be told.
pub(crate) fn announced_tests(target: &Planned) -> Result<Vec<String>, SessionError> {
    let spec = spec(target);
    let probed = runtime()?.block_on(coordinator::probe(&spec, INPUT_BYTES_DEFAULT));
    Ok(probed.map(|info| info.tests).unwrap_or_default())
}

/// What each of the targets says of itself, in their order.
pub(crate) fn probe(
    targets: &[&Planned],
) -> Result<Vec<Result<TargetInfo, ProbeError>>, SessionError> {
    let specs: Vec<TargetSpec> = targets.iter().map(|target| spec(target)).collect();
    Ok(runtime()?.block_on(coordinator::probe_each(&specs, INPUT_BYTES_DEFAULT)))
}

/// Runs each of the files in a worker; `on_result` gets them in order.
pub(crate) fn replay(
    target: &Planned,
    inputs: Vec<ReplayInput>,
    limits: ReplayLimits,
    mut on_result: impl FnMut(ReplayResult),
) -> Result<(), SessionError> {
    let target = spec(target);
    let outcome = runtime()?.block_on(async {
        let (sender, mut results) = mpsc::channel(REPLAY_RESULTS_MAX);
        let mut work = JoinSet::new();
        work.spawn(
            async move { coordinator::replay::replay(&target, inputs, limits, sender).await },
        );
        // The sender is dropped at the end of the replay, and that ends the results.
        while let Some(result) = results.recv().await {
            on_result(result);
        }
        work.join_next().await
    });
    match outcome {
        Some(Ok(Ok(()))) | None => Ok(()),
        Some(Ok(Err(error))) => Err(SessionError::Replay(error)),
        Some(Err(error)) => Err(SessionError::Broken(error)),
    }
}

/// The bugs of a state directory, also while a session works on it.
pub(crate) fn bugs(state: &Path) -> Result<Vec<StoredBug>, SessionError> {
    Ok(store::list_bugs(state)?)
}

/// The inputs of one bug.
pub(crate) fn bug_inputs(
    state: &Path,
    test: &str,
    signature: Signature,
) -> Result<BugInputs, SessionError> {
    Ok(store::read_bug(state, test, signature)?)
}
