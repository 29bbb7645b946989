//! What is done beside a Go worker: searches in other processes, and its replacement by one with a
//! larger memory.
//!
//! Owns both. Native workers fork, and have all the room they will need: none of this happens to
//! them.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Instant;

use fuzzd_core::death::OutputTail;
use fuzzd_core::session::{Call, Reply, StopRequestKind, Work, WorkerEvent};

use crate::limits::{CONDEMNED_REAP_DEADLINE, GO_DUMP_GRACE, GO_MEMORY_BYTES_MAX};
use crate::options::Dialect;
use crate::process::GroupSignal;
use crate::worker::dialect::Link;
use crate::worker::go::search;
use crate::worker::life::Life;
use crate::worker::state::{LastWord, StopLadder, WorkerState};

type Search = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// See the module.
#[derive(Default)]
pub(super) struct Beside {
    search: Option<Search>,
    /// This process is ended to make room for a larger one.
    pub(super) growth: Option<Growth>,
    /// What the process before this one was asked.
    pub(super) first_call: Option<Box<Call>>,
}

/// What the next process is to begin with.
pub(in super::super) struct Growth {
    call: Box<Call>,
    link: Link,
}

impl Beside {
    /// Waits for the end of the search; for ever without one. Cancel-safe.
    pub(super) async fn searched(&mut self) -> Reply {
        match &mut self.search {
            Some(search) => {
                let reply = search.await;
                self.search = None;
                reply
            }
            None => std::future::pending().await,
        }
    }
}

impl Life<'_> {
    pub(super) fn is_go(&self) -> bool {
        matches!(self.target.spec.dialect, Dialect::Go(_))
    }

    /// A call whose candidates would end this process is not for this process.
    pub(super) fn begins_search(&mut self, call: &Call) -> bool {
        let Work::MinimizeFailure { signature, by_fork: true, execs_max, time_max, .. } = call.work
        else {
            return false;
        };
        if !self.is_go() {
            return false;
        }
        let (settings, target) = (self.slot.settings.clone(), self.target.clone());
        let limits = (execs_max, time_max);
        let search = search(settings, target, call.input.clone(), signature, limits);
        self.beside.search = Some(Box::pin(search));
        self.state = WorkerState::Searching;
        true
    }

    pub(super) fn searched(&mut self, reply: Reply) {
        if matches!(self.state, WorkerState::Searching) {
            self.state = WorkerState::Idle;
            self.untold.push(WorkerEvent::Replied(reply));
        }
    }

    /// Makes room for an input: the process is replaced by one with a larger memory, which then
    /// gets the call. The core does not notice.
    pub(super) fn grow(&mut self, room: usize, call: Box<Call>) {
        if room > GO_MEMORY_BYTES_MAX {
            let reason = format!("an input that needs {room} bytes of memory cannot be sent to it");
            return self.misbehaved(reason);
        }
        let room = room.saturating_mul(2).min(GO_MEMORY_BYTES_MAX);
        self.target.room.fetch_max(room, Ordering::Relaxed);
        let (ladder, steps) = StopLadder::begin(StopRequestKind::Ladder, false, Instant::now());
        let unknown = Link::new(&self.target, &self.slot.settings);
        let link = std::mem::replace(&mut self.link, unknown);
        self.beside.growth = Some(Growth { call, link });
        self.state = WorkerState::Stopping { ladder, in_flight: None };
        steps.iter().for_each(|&step| self.carry_out(step));
    }

    /// Goes on with what the process before this one was to do.
    pub(in super::super) fn after(mut self, growth: Option<Growth>) -> Self {
        if let Some(Growth { call, mut link }) = growth {
            link.restarted();
            (self.link, self.beside.first_call) = (link, Some(call));
        }
        self
    }

    /// Ends a process that hangs, which may say where.
    pub(super) fn condemn_with_dump(&mut self, word: LastWord) {
        self.client.signal(GroupSignal::Quit);
        let kill_at = Instant::now() + GO_DUMP_GRACE;
        let deadline = kill_at + CONDEMNED_REAP_DEADLINE;
        self.state = WorkerState::Condemned { word, deadline, kill_at: Some(kill_at) };
    }

    /// What the target wrote before it ended.
    pub(super) fn last_output(&self) -> OutputTail {
        if self.is_go() { self.client.whole_output() } else { self.client.output() }
    }
}
