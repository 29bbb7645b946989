//! A find on its way to the core: run again, and made smaller.
//!
//! Owns what of its coverage counts: only what comes again. Coverage that does not is taken for
//! known in this process, so that it is not found again and again. Bounded by executions and time:
//! Go's own coordinator stands still here for up to a minute.

use std::time::Duration;

use fuzzd_core::coverage::Feature;
use fuzzd_core::session::{Found, FoundParent};
use fuzzd_go::reduce::{Effort, Reducer};
use fuzzd_protocol::input::to_memory;
use fuzzd_protocol::value::Value;

use crate::limits::GO_TRIM_EXECS_MAX;
use crate::worker::go::fuzz::Crash;
use crate::worker::go::link::GoLink;
use crate::worker::go::mask::{has, has_all};
use crate::worker::go::talk::{Ran, features};

/// See the module.
#[derive(Debug)]
pub(super) struct Trim {
    /// The item of the plan it came from.
    item: usize,
    reducer: Reducer,
    /// What it is kept for.
    keep: Vec<Feature>,
    /// All coverage of the smallest input.
    coverage: Vec<Feature>,
    exec_time: Duration,
    runs: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is to be run as it is.
    Unconfirmed,
    Confirmed,
    /// It is no find.
    Dropped,
}

impl Trim {
    pub(super) fn new(
        item: usize,
        values: Vec<Value>,
        keep: Vec<Feature>,
        coverage: Vec<Feature>,
        exec_time: Duration,
    ) -> Self {
        let (reducer, state) = (Reducer::new(values, Effort::Quick), State::Unconfirmed);
        Self { item, reducer, keep, coverage, exec_time, runs: 0, state }
    }

    /// The values to run next; `None`: that is all. Without a clock only executions count.
    pub(super) fn next(&mut self, link: &GoLink, is_paced: bool) -> Option<Vec<Value>> {
        match self.state {
            State::Unconfirmed => Some(self.reducer.best().to_vec()),
            State::Confirmed => {
                let has_time = is_paced || link.may_trim();
                if self.runs >= GO_TRIM_EXECS_MAX || !has_time {
                    return None;
                }
                self.reducer.propose().map(<[Value]>::to_vec)
            }
            State::Dropped => None,
        }
    }

    /// Takes what came of it; a failure where there was none before is a crash.
    pub(super) fn take(&mut self, link: &mut GoLink, ran: Ran) -> Result<Option<Crash>, String> {
        self.runs += 1;
        let Ran { values, snapshot, failure, took, .. } = ran;
        let snapshot = snapshot.unwrap_or_default();
        match self.state {
            State::Unconfirmed => {
                let (again, once): (Vec<_>, Vec<_>) =
                    self.keep.iter().partition(|feature| has(&snapshot, feature));
                link.mask.add(&once);
                self.state = if again.is_empty() { State::Dropped } else { State::Confirmed };
                self.keep = again;
                (self.coverage, self.exec_time) = (features(Some(&snapshot))?, took);
            }
            State::Confirmed => {
                let held = failure.is_none() && has_all(&snapshot, &self.keep);
                if held {
                    (self.coverage, self.exec_time) = (features(Some(&snapshot))?, took);
                }
                self.reducer.judge(held);
            }
            State::Dropped => {}
        }
        Ok(failure.map(|failure| Crash { values, failure, is_new: false }))
    }

    /// What is to be told, if it is a find. Its coverage is known from now on.
    pub(super) fn end(self, link: &mut GoLink) -> Option<Found> {
        link.mask.add(&self.keep);
        let input = to_memory(&link.types, self.reducer.best());
        if self.state == State::Dropped || input.len() > link.input_bytes_max {
            return None;
        }
        link.mask.add(&self.coverage);
        Some(Found {
            input: input.into(),
            coverage: self.coverage,
            parent: FoundParent::Plan(self.item),
            exec_time: self.exec_time,
            replaces_parent: false,
        })
    }
}
