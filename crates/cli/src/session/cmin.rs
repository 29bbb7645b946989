//! The same seam for corpora that are made smaller.

use std::path::PathBuf;
use std::time::Duration;

use fuzzd_coordinator::signals::{SignalSource, forward};
use fuzzd_coordinator::{self as coordinator, CminNews, RunError, RunOptions};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::{SessionError, runtime, spec};
use crate::limits::{CMIN_NEWS_MAX, INPUT_BYTES_DEFAULT, STOPS_MAX};
use crate::planned::Planned;

/// What is asked of a minimization.
#[derive(Debug)]
pub(crate) struct CminSettings {
    pub(crate) workers: usize,
    pub(crate) input_timeout: Duration,
    pub(crate) rss_limit_bytes: u64,
    pub(crate) corpus: Option<PathBuf>,
    pub(crate) state: PathBuf,
    /// Where the chosen entries are copied; `None`: the others leave the corpus.
    pub(crate) into: Option<PathBuf>,
}

/// Makes the corpora of the targets smaller; `on_news` is waited for.
pub(crate) fn minimize_corpora(
    targets: &[Planned],
    settings: CminSettings,
    on_news: impl FnMut(CminNews),
) -> Result<(), SessionError> {
    let into = settings.into.clone();
    let options = RunOptions {
        targets: targets.iter().map(spec).collect(),
        workers: settings.workers,
        time: None,
        execs: None,
        fail_fast: false,
        seed: None,
        input_timeout: settings.input_timeout,
        rss_limit_bytes: settings.rss_limit_bytes,
        input_bytes_max: INPUT_BYTES_DEFAULT,
        seeds: Vec::new(),
        dictionary: Vec::new(),
        corpus: settings.corpus,
        state: settings.state,
        minimize: false,
        blind: false,
    };
    runtime()?.block_on(hold(options, into, on_news))
}

async fn hold(
    options: RunOptions,
    into: Option<PathBuf>,
    mut on_news: impl FnMut(CminNews),
) -> Result<(), SessionError> {
    let source = SignalSource::system().map_err(SessionError::Signals)?;
    let (sender, mut news) = mpsc::channel(CMIN_NEWS_MAX);
    let (stops, stop_receiver) = mpsc::channel(STOPS_MAX);
    let (signal_sender, signal) = watch::channel(None);
    let mut work = JoinSet::new();
    work.spawn(forward(source, stops, signal_sender));
    let mut minimizing = JoinSet::new();
    minimizing.spawn(coordinator::minimize_corpora(options, into, sender, stop_receiver));
    // The sender is dropped at the end, and that ends the news.
    while let Some(one) = news.recv().await {
        on_news(one);
    }
    match minimizing.join_next().await {
        None | Some(Ok(Ok(()))) => Ok(()),
        // Whoever asked for the end before all was done wants to see that it was not.
        Some(Ok(Err(RunError::StoppedEarly(_)))) => {
            Err(SessionError::CutShort { signal: *signal.borrow() })
        }
        Some(Ok(Err(error))) => Err(error.into()),
        Some(Err(error)) => Err(SessionError::Broken(error)),
    }
}
