//! What the command line is told while a session runs, and the way there.
//!
//! Must not render anything, and never waits for whoever reads: see [`Outbox`].

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use fuzzd_core::session::Report;
use fuzzd_protocol::value::ValueType;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::limits::NOTICE_BACKLOG_MAX;
use crate::store::LoadNotice;

/// One thing to tell.
#[derive(Debug, Clone)]
pub enum Notice {
    /// The session begins; the first notice but for what loading had to say.
    Started(Started),
    /// Something about a file that was loaded, or not.
    Loaded(LoadNotice),
    /// A seed declared in code could not be had from the worker.
    SeedSkipped {
        /// The fuzz test.
        test: String,
        /// Number of the seed, from 0.
        index: u64,
        /// Why.
        reason: String,
    },
    /// The session's own words. [`Report::Finished`] is the last notice.
    Report(Report),
}

/// What a session begins with.
#[derive(Debug, Clone)]
pub struct Started {
    /// Seed of all random decisions, given or taken from the system.
    pub seed: u64,
    /// Worker slots.
    pub workers: usize,
    /// The state directory.
    pub state: PathBuf,
    /// The fuzz tests, in the order of their index.
    pub tests: Vec<StartedTest>,
}

/// One fuzz test of a session.
#[derive(Debug, Clone)]
pub struct StartedTest {
    /// Its name.
    pub name: String,
    /// Types of its parameters; none if it did not come up and is given up.
    pub types: Vec<ValueType>,
    /// Number of coverage counters; 0: fuzzed blind, or given up.
    pub counters: usize,
    /// SHA-256 of the executable; empty if it is given up.
    pub build_id: String,
    /// Its directory of committed inputs.
    pub testdata: PathBuf,
    /// Entries loaded.
    pub entries: usize,
    /// Bugs known before.
    pub bugs_known: usize,
}

/// Sends notices without ever waiting. What does not fit waits here; a status that does not fit is
/// dropped, a bug or the summary never.
#[derive(Debug)]
pub(crate) struct Outbox {
    sender: mpsc::Sender<Notice>,
    backlog: VecDeque<Notice>,
}

impl Outbox {
    pub(crate) fn new(sender: mpsc::Sender<Notice>) -> Self {
        Self { sender, backlog: VecDeque::new() }
    }

    /// Sends or keeps a notice.
    pub(crate) fn push(&mut self, notice: Notice) {
        self.flush();
        let notice = if self.backlog.is_empty() {
            match self.sender.try_send(notice) {
                Err(TrySendError::Full(notice)) => notice,
                // Nobody listens any more.
                Ok(()) | Err(TrySendError::Closed(_)) => return,
            }
        } else {
            notice
        };
        let is_kept = match weight(&notice) {
            Weight::Status => false,
            Weight::Plain => self.backlog.len() < NOTICE_BACKLOG_MAX,
            // Their number is bounded by the core.
            Weight::Never => true,
        };
        if is_kept {
            self.backlog.push_back(notice);
        }
    }

    /// Sends what waits, as far as there is room.
    pub(crate) fn flush(&mut self) {
        while let Some(notice) = self.backlog.pop_front() {
            match self.sender.try_send(notice) {
                Ok(()) => {}
                Err(TrySendError::Full(notice)) => return self.backlog.push_front(notice),
                Err(TrySendError::Closed(_)) => return self.backlog.clear(),
            }
        }
    }

    /// At the very end: gives the reader a moment to take what waits.
    pub(crate) async fn close(mut self, limit: Duration) {
        let send_all = async {
            for notice in std::mem::take(&mut self.backlog) {
                if self.sender.send(notice).await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(limit, send_all).await.is_err() {
            tracing::warn!("the last notices were not taken");
        }
    }
}

enum Weight {
    Status,
    Plain,
    Never,
}

fn weight(notice: &Notice) -> Weight {
    match notice {
        Notice::Report(Report::Status(_)) => Weight::Status,
        Notice::Report(
            Report::Bug(_)
            | Report::BugMinimized(_)
            | Report::KnownBug(_)
            | Report::Unconfirmed(_)
            | Report::NoLongerFails(_)
            | Report::TestGivenUp { .. }
            | Report::Finished(_),
        )
        | Notice::Started(_) => Weight::Never,
        Notice::Report(
            Report::WarmupStarted { .. }
            | Report::WarmupFinished { .. }
            | Report::WorkerLost { .. }
            | Report::Stalled { .. }
            | Report::StoreFailing { .. }
            | Report::StoreRecovered,
        )
        | Notice::Loaded(_)
        | Notice::SeedSkipped { .. } => Weight::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stalled(reason: usize) -> Notice {
        Notice::Report(Report::Stalled { reason: reason.to_string() })
    }

    fn given_up(test: usize) -> Notice {
        let test = fuzzd_core::ids::TestIndex(test);
        Notice::Report(Report::TestGivenUp { test, reason: String::new() })
    }

    #[tokio::test]
    async fn a_reader_that_sleeps_stops_nobody_and_loses_nothing_that_matters() {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut outbox = Outbox::new(sender);
        for index in 0..NOTICE_BACKLOG_MAX * 2 {
            outbox.push(stalled(index));
        }
        outbox.push(given_up(7));
        assert_eq!(outbox.backlog.len(), NOTICE_BACKLOG_MAX + 1);
        let reader = async {
            let mut last = None;
            while let Some(notice) = receiver.recv().await {
                last = Some(notice);
            }
            last
        };
        let (last, ()) = tokio::join!(reader, outbox.close(Duration::from_secs(60)));
        assert!(matches!(last, Some(Notice::Report(Report::TestGivenUp { .. }))));
    }

    #[tokio::test]
    async fn order_is_kept_and_a_reader_that_is_gone_is_no_error() {
        let (sender, mut receiver) = mpsc::channel(2);
        let mut outbox = Outbox::new(sender);
        (0..4).for_each(|index| outbox.push(stalled(index)));
        for expected in 0..4 {
            let Some(Notice::Report(Report::Stalled { reason })) = receiver.recv().await else {
                panic!("notice {expected} is missing");
            };
            assert_eq!(reason, expected.to_string());
            outbox.flush();
        }
        drop(receiver);
        outbox.push(given_up(0));
        assert!(outbox.backlog.is_empty());
    }
}
