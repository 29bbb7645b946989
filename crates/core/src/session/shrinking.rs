//! Making the inputs of bugs smaller: which workers do it, and what comes of it.
//!
//! Owns the share of the workers that it may take. A search begins with one worker. Where it turns
//! out that its candidates are slow, further workers join and take turns with it (see `search`).
//! While there is fuzzing to do, at most half of the workers minimize, all bugs together.

use std::time::Duration;

use crate::ids::{Input, TestIndex, WorkerId};
use crate::limits::{
    MINIMIZE_FAILURE_EXECS, MINIMIZE_FAILURE_TIME, MINIMIZE_FORKED_EXECS, MINIMIZE_FORKED_TIME,
    SEARCH_ALONE_TIME, SEARCH_PART_TIME_MIN, SEARCH_PARTS_MAX, SEARCH_SLICE_TIME,
};
use crate::session::Session;
use crate::session::bugs::{Bug, BugState};
use crate::session::config::Pace;
use crate::session::effect::Work;
use crate::session::finish::Phase;
use crate::session::search::{Judged, Progress, Search, SpentSearch};
use crate::session::slot::{Job, Slot, SlotState};
use crate::signature::Signature;

impl Session {
    /// Gives a worker that waits a part in some search; it may have to wait for the others of a
    /// round. False: there is nothing for it.
    pub(super) fn shrink(&mut self, worker: WorkerId, test: TestIndex) -> bool {
        if let Some(signature) = self.slots[worker.0].search {
            self.take_part(worker, test, signature);
            if self.slots[worker.0].is_shrinking() {
                return true;
            }
        }
        let share = (self.slots.len() / 2).max(1);
        let shrinking = self.slots.iter().filter(|slot| slot.is_shrinking()).count();
        (self.phase != Phase::Running || shrinking < share) && self.join(worker, test)
    }

    /// Begins a search, or else joins one.
    pub(super) fn join(&mut self, worker: WorkerId, test: TestIndex) -> bool {
        if let Some(signature) = self.test(test).ledger.wants_minimizing()
            && self.begin_search(worker, test, signature)
        {
            return true;
        }
        let slot = &self.slots[worker.0];
        let wanted = self.tests[test.0].ledger.bugs.iter().find(|(signature, bug)| {
            let members = self.slots.iter().filter(|slot| slot.is_member(test, **signature));
            let members = members.count();
            bug.is_searched().is_some_and(|search| {
                let can_help = search.is_slow && slot.has_search && members < SEARCH_PARTS_MAX;
                // All that took part in it may be gone.
                (can_help || members == 0) && (slot.has_fork || !search.by_fork)
            })
        });
        let Some(signature) = wanted.map(|(signature, _)| *signature) else { return false };
        self.slots[worker.0].search = Some(signature);
        self.take_part(worker, test, signature);
        self.slots[worker.0].is_shrinking()
    }

    /// False if this worker cannot, and the bug stays as it is.
    fn begin_search(&mut self, worker: WorkerId, test: TestIndex, signature: Signature) -> bool {
        let (has_fork, now) = (self.slots[worker.0].has_fork, self.now);
        let is_clocked = self.config.pace == Pace::Clock;
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return false };
        let by_fork = bug.wants_fork();
        if by_fork && !has_fork {
            bug.state = BugState::Settled;
            return false;
        }
        bug.state = BugState::Unminimized { is_taken: true };
        let (execs, time) = if by_fork {
            (MINIMIZE_FORKED_EXECS, MINIMIZE_FORKED_TIME)
        } else {
            (MINIMIZE_FAILURE_EXECS, MINIMIZE_FAILURE_TIME)
        };
        let until = is_clocked.then(|| now + time);
        bug.search = Some(Box::new(Search::new(bug.input.clone(), by_fork, execs, until)));
        self.slots[worker.0].search = Some(signature);
        self.take_part(worker, test, signature);
        true
    }

    fn search(&mut self, test: TestIndex, signature: Signature) -> Option<&mut Search> {
        let bug = self.test(test).ledger.get_mut(signature)?;
        bug.is_searched()?;
        bug.search.as_deref_mut()
    }

    /// Sends a member its part of the round, if one is left. It leaves a search that is over, or
    /// that does not need it.
    fn take_part(&mut self, worker: WorkerId, test: TestIndex, signature: Signature) {
        let slot = &self.slots[worker.0];
        // Nobody could ever join: no need for an end before the end.
        let is_whole =
            self.slots.len() == 1 || self.config.pace == Pace::Executions || !slot.has_search;
        let members = self.slots.iter().filter(|slot| slot.is_member(test, signature)).count();
        let now = self.now;
        let has_fork = slot.has_fork;
        let Some(search) = self.search(test, signature) else {
            self.slots[worker.0].search = None;
            return;
        };
        if search.by_fork && !has_fork {
            // It joined before it turned out what the candidates do.
            self.slots[worker.0].search = None;
            if members <= 1 {
                self.end_search(test, signature, None);
            }
            return;
        }
        let is_new = search.is_new();
        let is_slow = search.is_slow;
        let by_fork = search.by_fork;
        let until = search.until;
        let members = if is_slow { members } else { 1 };
        let Some((job, input, part)) = search.take(signature, members) else {
            if !is_slow {
                self.slots[worker.0].search = None;
            }
            return;
        };
        let slice = match (part.parts, is_new) {
            _ if is_whole => Duration::MAX,
            (1, true) => SEARCH_ALONE_TIME,
            // So that others may join in between.
            (1, false) if is_slow => SEARCH_SLICE_TIME,
            // Nobody will: to find its place again would cost time for nothing.
            (_, _) => Duration::MAX,
        };
        let left = until.map(|until| until.saturating_sub(now).max(SEARCH_PART_TIME_MIN));
        let work = Work::MinimizeFailure {
            signature,
            by_fork,
            search: (!is_whole).then_some(part),
            execs_max: job.execs_max(),
            time_max: left.map(|left| left.min(slice)),
        };
        self.send(worker, test, Job::MinimizeFailure(job), input, work);
    }

    /// A part of a search was answered.
    pub(super) fn searched(&mut self, test: TestIndex, spent: &SpentSearch, judged: Judged) {
        let (signature, now) = (spent.job.signature, self.now);
        let Some(search) = self.search(test, signature) else { return };
        if search.settle(spent) && search.judged(spent, judged, now) == Progress::Ended {
            self.end_search(test, signature, None);
        }
    }

    /// A whole search was answered, or by a worker that knows no parts.
    pub(super) fn searched_all(&mut self, test: TestIndex, spent: &SpentSearch, input: Input) {
        let signature = spent.job.signature;
        if self.search(test, signature).is_some_and(|search| search.settle(spent)) {
            self.end_search(test, signature, Some(input));
        }
    }

    /// A candidate of a search ended its worker, or the worker says that it failed in another way
    /// than it was to keep. What ends a worker may only end a child from now on; with a worker
    /// that lives on there is no use in going on.
    pub(super) fn search_failed(&mut self, test: TestIndex, spent: &SpentSearch, has_ended: bool) {
        let signature = spent.job.signature;
        let may_fork = self.tests[test.0].has_fork && has_ended;
        let Some(search) = self.search(test, signature) else { return };
        if !search.settle(spent) {
            return;
        }
        if may_fork && !search.by_fork {
            return search.go_on_by_fork();
        }
        self.end_search(test, signature, None);
    }

    /// A call of a search ended without an answer.
    pub(super) fn search_abandoned(&mut self, test: TestIndex, spent: &SpentSearch) {
        let signature = spent.job.signature;
        if self.search(test, signature).is_some_and(|search| search.settle(spent)) {
            self.end_search(test, signature, None);
        }
    }

    /// No more is to be had: the smallest input, if it is smaller, is run in a fresh process.
    fn end_search(&mut self, test: TestIndex, signature: Signature, smallest: Option<Input>) {
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        let Some(search) = bug.search.take() else { return };
        let candidate = smallest.unwrap_or(search.best);
        // As long, it is plainer: a search goes no other way.
        let is_better = candidate.len() <= bug.input.len() && candidate != bug.input;
        bug.state = if is_better {
            BugState::Rechecking { candidate, is_taken: false }
        } else {
            BugState::Settled
        };
    }

    /// Whether a search has just begun, and may turn out to be one to share with this worker.
    pub(super) fn may_be_asked(&self, worker: WorkerId, test: TestIndex) -> bool {
        let slot = &self.slots[worker.0];
        let mut searches = self.tests[test.0].ledger.bugs.values().filter_map(Bug::is_searched);
        slot.has_search && searches.any(|s| s.is_young() && (slot.has_fork || !s.by_fork))
    }

    /// Whether a search of this test has use for one more process than serve it.
    pub(super) fn wants_helper(&self, test: TestIndex, servants: u64) -> bool {
        let state = &self.tests[test.0];
        let can_share = |bug: &Bug| {
            bug.is_searched().is_some_and(|search| {
                search.is_slow && state.has_search && (state.has_fork || !search.by_fork)
            })
        };
        let waiting = state.ledger.unminimized() as u64;
        let has_room = servants < SEARCH_PARTS_MAX as u64;
        servants < waiting.min(SEARCH_PARTS_MAX as u64)
            || has_room && state.ledger.bugs.values().any(can_share)
    }
}

impl Slot {
    /// Whether it takes part in this search.
    fn is_member(&self, test: TestIndex, signature: Signature) -> bool {
        self.search == Some(signature) && self.is_serving(test)
    }

    /// Whether it minimizes a bug, or waits for others that do it with it.
    fn is_shrinking(&self) -> bool {
        match &self.state {
            SlotState::Busy(_, Job::MinimizeFailure(_)) => true,
            SlotState::Idle(_) => self.search.is_some(),
            SlotState::Busy(..)
            | SlotState::Vacant
            | SlotState::Starting(_)
            | SlotState::Stopping(..) => false,
        }
    }
}
