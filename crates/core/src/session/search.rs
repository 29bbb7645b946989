//! One search for a smaller input of a bug: how far it came, and what is done next.
//!
//! Owns the numbers. Candidates are numbered as `proto-spec/protocol.md` says; which is which the
//! workers know. A search goes on in rounds: one worker walks on alone, or several take turns.
//!
//! ```text
//! round with 3 parts from 40, 2 candidates each:   part 0: 40 43 · part 1: 41 44 · part 2: 42 45
//!   44 held          ▶ next from 45, one candidate each: most candidates behind 44 are others now
//!   none held        ▶ next from 46, twice as many each
//! ```
//!
//! So several workers come to what one would, only earlier. Must not talk to workers: `shrinking`
//! does. What a worker tells is hostile: the worst that it does is a search that ends early.

use std::sync::Arc;
use std::time::Duration;

use crate::ids::Input;
use crate::limits::{
    MINIMIZE_FORKED_EXECS, SEARCH_EXEC_TIME_SHARED, SEARCH_HELD_MAX, SEARCH_WINDOW_MAX,
};
use crate::session::effect::SearchPart;
use crate::signature::Signature;

/// A call in flight that does a part of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SearchJob {
    pub(super) signature: Signature,
    round: u64,
    part: usize,
    execs_max: u64,
}

/// The same when the call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpentSearch {
    pub(super) job: SearchJob,
    /// Executions of it that count.
    pub(super) execs: u64,
    /// What it took to judge candidates.
    pub(super) took: Duration,
    /// All else: the way to the worker and back, and the walk to the candidates.
    pub(super) walked: Duration,
}

impl SearchJob {
    /// The call ended and claims so many executions.
    pub(super) fn spent(self, claimed: u64, took: Duration, walked: Duration) -> SpentSearch {
        SpentSearch { job: self, execs: claimed.min(self.execs_max), took, walked }
    }

    pub(super) fn execs_max(&self) -> u64 {
        self.execs_max
    }
}

/// What a worker says of its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    /// The smallest that held.
    pub(super) input: Input,
    pub(super) held: Vec<u64>,
    pub(super) until: u64,
    pub(super) is_done: bool,
}

/// A part of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Waiting,
    Taken,
    Done(Judged),
}

/// Whether a search goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    GoesOn,
    Ended,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Candidate 0.
    start: Input,
    /// The last that held.
    pub(super) best: Input,
    from: u64,
    held: Arc<[u64]>,
    /// Candidates run in forked processes.
    pub(super) by_fork: bool,
    execs_left: u64,
    /// When it has to be over. `None`: executions replace the clock.
    pub(super) until: Option<Duration>,
    /// Candidates of one part of the next round.
    window: u64,
    round: u64,
    /// Empty between two rounds.
    parts: Vec<Part>,
    /// Time of all calls together, as in [`SpentSearch`].
    took: Duration,
    walked: Duration,
    /// Its candidates take so long that sharing them pays; and finding one's place again, which
    /// takes longer the larger the input is, was not most of the work so far.
    pub(super) is_slow: bool,
}

impl Search {
    pub(super) fn new(start: Input, by_fork: bool, execs: u64, until: Option<Duration>) -> Self {
        Self {
            best: start.clone(),
            start,
            from: 0,
            held: Arc::from([]),
            by_fork,
            execs_left: execs,
            until,
            window: 1,
            round: 0,
            parts: Vec::new(),
            took: Duration::ZERO,
            walked: Duration::ZERO,
            is_slow: false,
        }
    }

    /// Whether nobody was called for it so far.
    pub(super) fn is_new(&self) -> bool {
        self.round == 0
    }

    /// Whether nothing is known of its candidates.
    pub(super) fn is_young(&self) -> bool {
        self.from == 0
    }

    /// A part for a worker, and the input of its call. A new round is divided among `members`
    /// workers. `None`: all parts of this round are taken.
    pub(super) fn take(
        &mut self,
        signature: Signature,
        members: usize,
    ) -> Option<(SearchJob, Input, SearchPart)> {
        if self.parts.is_empty() {
            let most = usize::try_from(self.execs_left).unwrap_or(usize::MAX);
            // Only one worker can judge the start.
            let parts = if self.from == 0 { 1 } else { members.min(most).max(1) };
            self.parts = vec![Part::Waiting; parts];
            self.round += 1;
        }
        let part = self.parts.iter().position(|part| *part == Part::Waiting)?;
        let waiting = self.parts.iter().filter(|part| **part == Part::Waiting).count() as u64;
        let window = if self.parts.len() == 1 { u64::MAX } else { self.window };
        let execs_max = window.min(self.execs_left / waiting).max(1);
        self.execs_left = self.execs_left.saturating_sub(execs_max);
        self.parts[part] = Part::Taken;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let call = SearchPart {
            from: self.from,
            held: Arc::clone(&self.held),
            part: number(part),
            parts: number(self.parts.len()),
        };
        let job = SearchJob { signature, round: self.round, part, execs_max };
        Some((job, self.start.clone(), call))
    }

    /// A call for it ended. Whether it was one of this round: others are too late.
    pub(super) fn settle(&mut self, spent: &SpentSearch) -> bool {
        self.execs_left = self.execs_left.saturating_add(spent.job.execs_max - spent.execs);
        spent.job.round == self.round && self.parts.get(spent.job.part) == Some(&Part::Taken)
    }

    /// A settled part of this round was answered.
    pub(super) fn judged(
        &mut self,
        spent: &SpentSearch,
        judged: Judged,
        now: Duration,
    ) -> Progress {
        let is_ascending = judged.held.windows(2).all(|pair| pair[0] < pair[1]);
        let is_inside = judged.held.iter().all(|held| (self.from..judged.until).contains(held));
        if !is_ascending || !is_inside || judged.until < self.from {
            return Progress::Ended;
        }
        let each = spent.took.checked_div(u32::try_from(spent.execs).unwrap_or(u32::MAX));
        self.took = self.took.saturating_add(spent.took);
        self.walked = self.walked.saturating_add(spent.walked);
        self.is_slow =
            self.walked <= self.took && each.is_some_and(|each| each >= SEARCH_EXEC_TIME_SHARED);
        self.parts[spent.job.part] = Part::Done(judged);
        if self.parts.iter().any(|part| !matches!(part, Part::Done(_))) {
            return Progress::GoesOn;
        }
        let is_over = self.end_round() || self.execs_left == 0;
        let is_late = self.until.is_some_and(|until| now >= until);
        if is_over || is_late { Progress::Ended } else { Progress::GoesOn }
    }

    /// Puts together what the parts came to. Whether there is nothing more to try.
    fn end_round(&mut self) -> bool {
        let parts = std::mem::take(&mut self.parts).into_iter().filter_map(|part| match part {
            Part::Done(judged) => Some(judged),
            Part::Waiting | Part::Taken => None,
        });
        let parts: Vec<Judged> = parts.collect();
        let before = self.from;
        let is_alone = parts.len() == 1;
        let first =
            parts.iter().filter(|part| !part.held.is_empty()).min_by_key(|part| part.held[0]);
        let Some(first) = first else {
            // What the slowest did not come to is next.
            self.from = parts.iter().map(|part| part.until).min().unwrap_or(before);
            self.window = (self.window * 2).min(SEARCH_WINDOW_MAX);
            return parts.iter().all(|part| part.is_done) || self.from == before;
        };
        let held = if is_alone { &first.held[..] } else { &first.held[..1] };
        self.held = self.held.iter().chain(held).copied().collect();
        self.from = if is_alone { first.until } else { first.held[0].saturating_add(1) };
        self.best = first.input.clone();
        self.window = 1;
        if self.held.len() >= SEARCH_HELD_MAX {
            (self.start, self.held, self.from) = (self.best.clone(), Arc::from([0]), 1);
            return false;
        }
        is_alone && first.is_done
    }

    /// Goes on in forked processes: a candidate ended its worker. Calls in flight are too late.
    pub(super) fn go_on_by_fork(&mut self) {
        self.by_fork = true;
        self.execs_left = self.execs_left.min(MINIMIZE_FORKED_EXECS);
        self.parts.clear();
    }
}

#[cfg(test)]
mod tests;
