//! The writer thread: the only one that touches the state while a session runs.
//!
//! ```text
//!            try_commit                 one transaction              answers
//!  session ─────────────▶ queue ─▶ Collecting ─▶ Committing ─▶ Answering ─▶ session
//!            (full: no)            (≤ 50 ms,          ▲              │
//!                                   ≤ 256 records,    └── Files ◀────┘ (when the queue is empty
//!                                   a crash at once)                    or a group ends)
//! ```
//!
//! Owns the group commit. Must not wait for the session: answers that nobody takes are dropped once
//! the session closes the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use fuzzd_core::ids::CommitToken;
use fuzzd_core::session::{Event, Record};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::Store;
use super::error::StoreError;
use super::group::{Queued, is_urgent};
use super::limits::{
    ANSWER_WAIT, CLOSE_FILES_TIME, FILES_PER_TURN, GROUP_RECORDS_MAX, GROUP_WAIT_MAX,
    QUEUE_RECORDS_MAX,
};

/// The way to a running store. Dropping it ends the thread after what is queued is written;
/// [`close`](Self::close) also waits for that.
#[derive(Debug)]
pub struct StoreHandle {
    records: Option<SyncSender<Queued>>,
    thread: Option<JoinHandle<()>>,
    done: Option<oneshot::Receiver<()>>,
    is_closing: Arc<AtomicBool>,
}

impl Store {
    /// Starts the writer thread. Every record that [`StoreHandle::try_commit`] takes gets its
    /// answer, [`Event::Stored`] or [`Event::StoreFailed`], on `answers`, in order.
    ///
    /// # Errors
    /// The system would not start a thread.
    pub fn start(self, answers: mpsc::Sender<Event>) -> Result<StoreHandle, StoreError> {
        let (sender, records) = sync_channel(QUEUE_RECORDS_MAX);
        let (done_sender, done) = oneshot::channel();
        let is_closing = Arc::new(AtomicBool::new(false));
        let path = self.layout.state.clone();
        let writer = Writer { store: self, records, answers, is_closing: is_closing.clone() };
        let thread = thread::Builder::new()
            .name("fuzzd-store".into())
            .spawn(move || {
                writer.run();
                // Nobody may be waiting.
                let _told = done_sender.send(());
            })
            .map_err(|source| StoreError::Io { path, source })?;
        let (records, thread, done) = (Some(sender), Some(thread), Some(done));
        Ok(StoreHandle { records, thread, done, is_closing })
    }
}

impl StoreHandle {
    /// Queues a record. Never waits.
    ///
    /// # Errors
    /// Gives the record back if the queue is full or the thread is gone.
    pub fn try_commit(&self, token: CommitToken, record: Record) -> Result<(), Record> {
        let Some(records) = &self.records else { return Err(record) };
        records.try_send((token, record)).map_err(|refused| match refused {
            std::sync::mpsc::TrySendError::Full((_, record))
            | std::sync::mpsc::TrySendError::Disconnected((_, record)) => record,
        })
    }

    /// Whether the writer thread lives. It ends by itself only if it panicked: then no answer that
    /// is missing comes any more.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Writes everything that is queued, closes the database, frees the lock and ends the thread.
    /// Answers for which there is no room are dropped from now on.
    pub async fn close(mut self) {
        self.hang_up();
        if let Some(done) = self.done.take() {
            // An error says the same: the thread is gone.
            let _told = done.await;
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store thread panicked");
        }
    }

    fn hang_up(&mut self) {
        self.is_closing.store(true, Ordering::Release);
        self.records = None;
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for StoreHandle {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// What the thread does next.
enum Next {
    Record(Queued),
    Files,
    Closed,
}

#[derive(Debug)]
struct Writer {
    store: Store,
    records: Receiver<Queued>,
    answers: mpsc::Sender<Event>,
    is_closing: Arc<AtomicBool>,
}

impl Writer {
    fn run(mut self) {
        loop {
            match self.next() {
                Next::Record(first) => {
                    let group = self.collect(first);
                    for answer in self.store.commit(&group) {
                        self.answer(answer);
                    }
                    self.store.write_pending_files(FILES_PER_TURN);
                }
                Next::Files => self.store.write_pending_files(FILES_PER_TURN),
                Next::Closed => break,
            }
        }
        let end = Instant::now() + CLOSE_FILES_TIME;
        while Instant::now() < end && self.store.has_files_due() {
            self.store.write_pending_files(FILES_PER_TURN);
        }
    }

    /// Records first; files when there are none; else wait.
    fn next(&self) -> Next {
        let now = Instant::now();
        match self.store.pending.due(now) {
            None => self.records.recv().map_or(Next::Closed, Next::Record),
            Some(at) if at > now => match self.records.recv_timeout(at - now) {
                Ok(record) => Next::Record(record),
                Err(RecvTimeoutError::Timeout) => Next::Files,
                Err(RecvTimeoutError::Disconnected) => Next::Closed,
            },
            Some(_) => match self.records.try_recv() {
                Ok(record) => Next::Record(record),
                Err(TryRecvError::Empty) => Next::Files,
                Err(TryRecvError::Disconnected) => Next::Closed,
            },
        }
    }

    /// Gathers the group that `first` begins.
    fn collect(&self, first: Queued) -> Vec<Queued> {
        let end = Instant::now() + GROUP_WAIT_MAX;
        let mut is_complete = is_urgent(&first.1);
        let mut group = vec![first];
        while !is_complete && group.len() < GROUP_RECORDS_MAX {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(next) = self.records.recv_timeout(left) else { break };
            is_complete = is_urgent(&next.1);
            group.push(next);
        }
        group
    }

    /// Hands an answer over, waiting for room until the store is closed.
    fn answer(&self, mut answer: Event) {
        loop {
            match self.answers.try_send(answer) {
                Ok(()) | Err(TrySendError::Closed(_)) => return,
                Err(TrySendError::Full(_)) if self.is_closing.load(Ordering::Acquire) => return,
                Err(TrySendError::Full(back)) => answer = back,
            }
            thread::park_timeout(ANSWER_WAIT);
        }
    }
}
