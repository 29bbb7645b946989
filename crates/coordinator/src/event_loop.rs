//! The event loop: the only place where everything that can happen comes together.
//!
//! ```text
//!  stops ──┐
//!  tick ───┤                                   ┌─► worker tasks  (try_send)
//!  store ──┼─► Event ─► Session::handle ─► Effect ─► store       (try_commit, or backlog)
//!  workers ┘                                   └─► notices      (try_send, or outbox)
//! ```
//! Owns the session by value. Never waits for a worker, the disk or the screen: effects are carried
//! out by sends that do not wait. Decides nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use fuzzd_core::ids::CommitToken;
use fuzzd_core::session::{Effect, Event, Record, Report, Session, StopRequest, Summary};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::clock::SessionClock;
use crate::error::RunError;
use crate::limits::{
    COMMIT_BACKLOG_MAX, JOIN_DEADLINE, LOOP_TICK, NOTICE_FLUSH_DEADLINE, STORE_CLOSE_DEADLINE,
    TASK_PANICS_MAX,
};
use crate::notice::{Notice, Outbox};
use crate::store::StoreHandle;
use crate::worker::{Pool, WorkerSettings, WorkerTarget};

/// What a loop is made of.
pub(crate) struct Parts {
    pub(crate) session: Session,
    pub(crate) targets: Vec<Arc<WorkerTarget>>,
    pub(crate) workers: usize,
    pub(crate) settings: WorkerSettings,
    pub(crate) store: StoreHandle,
    /// What the store answers.
    pub(crate) answers: mpsc::Receiver<Event>,
    pub(crate) stops: mpsc::Receiver<StopRequest>,
    pub(crate) outbox: Outbox,
}

/// See the module.
pub(crate) struct EventLoop {
    session: Session,
    clock: SessionClock,
    targets: Vec<Arc<WorkerTarget>>,
    pool: Pool,
    events: mpsc::Receiver<Event>,
    store: StoreHandle,
    answers: mpsc::Receiver<Event>,
    /// Commits the store had no room for, in order.
    commits: VecDeque<(CommitToken, Record)>,
    stops: mpsc::Receiver<StopRequest>,
    outbox: Outbox,
    summary: Option<Summary>,
    is_finished: bool,
}

impl EventLoop {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { session, targets, workers, settings, store, answers, stops, outbox } = parts;
        let (pool, events) = Pool::start(workers, settings);
        Self {
            session,
            clock: SessionClock::start(Instant::now()),
            targets,
            pool,
            events,
            store,
            answers,
            commits: VecDeque::new(),
            stops,
            outbox,
            summary: None,
            is_finished: false,
        }
    }

    /// Runs the session to its end. Every worker is gone and everything is written when it returns.
    pub(crate) async fn run(mut self) -> Result<Summary, RunError> {
        let mut tick = tokio::time::interval(LOOP_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut failure, mut ticked_at) = (None, Instant::now());
        while !self.is_finished {
            let event = tokio::select! {
                // The rare and urgent come first; none of them can keep the others from their turn.
                biased;
                Some(request) = self.stops.recv() => Event::Stop(request),
                _ = tick.tick() => Event::Tick,
                Some(event) = self.answers.recv() => event,
                lost = self.pool.task_lost() => match lost {
                    Some(event) => event,
                    None => continue,
                },
                Some(event) = self.events.recv() => event,
            };
            let is_tick = matches!(event, Event::Tick);
            self.handle(event);
            let now = Instant::now();
            if is_tick {
                ticked_at = now;
            } else if now >= ticked_at + LOOP_TICK && !self.is_finished {
                // What woke us up brings the tick along: one wakeup less.
                self.handle(Event::Tick);
                ticked_at = now;
                tick.reset();
            }
            if self.pool.lost_tasks > TASK_PANICS_MAX {
                failure = Some(RunError::Internal("worker tasks fail again and again".into()));
                break;
            }
        }
        self.close(failure).await
    }

    fn handle(&mut self, event: Event) {
        self.pool.observe(&event);
        let now = self.clock.at(Instant::now());
        for effect in self.session.handle(now, event) {
            self.carry_out(effect);
        }
        self.commit_backlog();
        self.outbox.flush();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { worker, epoch, test } => {
                self.pool.spawn(worker, epoch, self.targets[test.0].clone());
            }
            Effect::PublishCoverage { test, features } => {
                if let Some(memories) = &self.targets[test.0].memories {
                    memories.publish_coverage(&features);
                }
            }
            Effect::PublishEntry { test, index, input } => {
                if let Some(memories) = &self.targets[test.0].memories {
                    memories.publish_entry(index, &input);
                }
            }
            Effect::Call { worker, epoch, call } => self.pool.call(worker, epoch, call),
            Effect::StopWorker { worker, epoch, how } => self.pool.stop(worker, epoch, how),
            // In order behind what waits already.
            Effect::Commit { token, record } => self.commits.push_back((token, record)),
            Effect::Report(Report::Finished(summary)) => self.summary = Some(summary),
            Effect::Report(report) => self.outbox.push(Notice::Report(report)),
            Effect::Finish => self.is_finished = true,
        }
    }

    /// Hands commits to the store as far as it has room.
    fn commit_backlog(&mut self) {
        while let Some((token, record)) = self.commits.pop_front() {
            if let Err(record) = self.store.try_commit(token, record) {
                self.commits.push_front((token, record));
                break;
            }
        }
        if !self.commits.is_empty() && !self.store.is_running() {
            self.fail_commits(0, "the thread that writes is gone (a fault of fuzzd)");
        }
        self.fail_commits(COMMIT_BACKLOG_MAX, "the disk is too slow: too much waits to be written");
    }

    /// Refuses the newest commits, all but `kept`. The core keeps the records and tries again
    /// later, so this ends.
    fn fail_commits(&mut self, kept: usize, reason: &str) {
        while self.commits.len() > kept
            && let Some((token, _)) = self.commits.pop_back()
        {
            let failed = Event::StoreFailed { token, reason: reason.to_owned() };
            let now = self.clock.at(Instant::now());
            for effect in self.session.handle(now, failed) {
                self.carry_out(effect);
            }
        }
    }

    async fn close(self, failure: Option<RunError>) -> Result<Summary, RunError> {
        let Self { pool, events, store, answers, mut outbox, summary, .. } = self;
        // Tasks that still want to tell something must not wait for a loop that is gone.
        drop((events, answers));
        pool.close(JOIN_DEADLINE).await;
        if tokio::time::timeout(STORE_CLOSE_DEADLINE, store.close()).await.is_err() {
            tracing::error!("the store did not close in time; what was reported is on disk");
        }
        let result = match (failure, summary) {
            (Some(failure), _) => Err(failure),
            (None, Some(summary)) => {
                outbox.push(Notice::Report(Report::Finished(summary.clone())));
                Ok(summary)
            }
            (None, None) => Err(RunError::Internal("the session ended without a summary".into())),
        };
        outbox.close(NOTICE_FLUSH_DEADLINE).await;
        result
    }
}
