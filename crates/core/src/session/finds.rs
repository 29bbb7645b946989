//! Finds on their way into the corpus.
//!
//! ```text
//!   told while a call goes on (made smaller by the worker) ───────────────┐
//!   answer of a call ── new? ── made smaller on the worker that found it ─┴▶ entry, commit, shown
//!                        └─ no: dropped
//! ```
//!
//! Owns what becomes an entry and what is dropped: what is not new, and, in a corpus that is large
//! for the edges it covers, what has new classes of known edges alone. What is dropped for the
//! latter is merged all the same, so that nobody brings it again. What workers tell is hostile
//! input.

use std::time::Duration;

use crate::corpus::EntryIndex;
use crate::coverage::{Feature, Gain};
use crate::ids::{EntryId, Input, TestIndex, WorkerId};
use crate::limits::{
    CLASS_ENTRIES_MIN, ENTRIES_PER_EDGE, FOUND_PER_CALL_MAX, MINIMIZE_FIND_AHEAD_EXECS,
    MINIMIZE_FIND_AHEAD_TIME, PENDING_COMMITS_MAX,
};
use crate::session::Session;
use crate::session::assign::micros;
use crate::session::commits::Consequence;
use crate::session::config::Pace;
use crate::session::effect::StopRequestKind;
use crate::session::event::{Found, FoundParent};
use crate::session::finish::Phase;
use crate::session::losses::Loss;
use crate::session::record::Record;
use crate::session::slot::{Descent, Find, SlotState};
use crate::session::test_state::TestState;

/// What a find without new edges counts for the yield of the entry it came from.
const CLASS_FIND: f32 = 0.25;

impl Session {
    /// A worker told a find while its call goes on.
    pub(super) fn on_found(&mut self, worker: WorkerId, found: Found) {
        let slot = &mut self.slots[worker.0];
        if slot.is_distrusted {
            return;
        }
        let has_plans = slot.has_plans;
        let complaint = match slot.fuzz_job() {
            // Told too late, or out of turn: what the call was for is not known any more.
            None => return,
            Some(_) if !has_plans => Some("it told a find, but takes no plans".to_owned()),
            Some((test, job)) => {
                let is_known = match found.parent {
                    FoundParent::Plan(item) => item < job.plan.len(),
                    FoundParent::Found(number) => number < job.told.len(),
                };
                let map = &self.tests[test.0].coverage;
                if !is_known {
                    Some("it told a find of a parent that does not exist".to_owned())
                } else if !map.fits(&found.coverage) {
                    Some(format!("it reported a counter beyond {}", map.counters()))
                } else if job.told.len() >= FOUND_PER_CALL_MAX {
                    Some(format!("it told more than {FOUND_PER_CALL_MAX} finds in one call"))
                } else {
                    None
                }
            }
        };
        if let Some(reason) = complaint {
            return self.distrust(worker, &reason);
        }
        self.watch.count_progress(self.now, 0);
        self.take_found(worker, found);
    }

    /// Ends a worker that told something that cannot be true. What it told before is kept.
    fn distrust(&mut self, worker: WorkerId, reason: &str) {
        let slot = &mut self.slots[worker.0];
        slot.is_distrusted = true;
        let is_stopping = matches!(slot.state, SlotState::Stopping(..));
        if let (Some(test), false) = (slot.test(), is_stopping) {
            self.lose_worker(worker, test, Loss::Protocol, reason);
            self.stop_worker(worker, StopRequestKind::Kill);
        }
    }

    fn take_found(&mut self, worker: WorkerId, found: Found) {
        let Some((test, job)) = self.slots[worker.0].fuzz_job() else { return };
        let parent = match found.parent {
            FoundParent::Plan(item) => {
                Descent { entry: job.plan[item].entry, item, is_entry: false }
            }
            FoundParent::Found(number) => Descent { is_entry: false, ..job.told[number] },
        };
        let exec_time = match self.config.pace {
            Pace::Clock => found.exec_time,
            Pace::Executions => Duration::ZERO,
        };
        let (entry, gain) = self.take(test, parent.entry, found, exec_time);
        let Some((_, job)) = self.slots[worker.0].fuzz_job() else { return };
        job.told.push(entry.map_or(parent, |entry| Descent { entry, is_entry: true, ..parent }));
        job.has_edge |= gain.edges > 0;
        if entry.is_some() {
            job.finds[parent.item] += if gain.edges > 0 { 1.0 } else { CLASS_FIND };
        }
    }

    /// Merges a find and makes it an entry, if it is to be one.
    fn take(
        &mut self,
        test: TestIndex,
        parent: EntryIndex,
        found: Found,
        exec_time: Duration,
    ) -> (Option<EntryIndex>, Gain) {
        let is_disk_behind = self.is_disk_behind();
        let state = &mut self.tests[test.0];
        let Found { input, coverage, replaces_parent, .. } = found;
        let replaces_parent =
            replaces_parent && state.schedule.may_replace(parent, input.len(), &coverage);
        let keep = state.coverage.new_features(&coverage);
        if is_disk_behind || (keep.is_empty() && !replaces_parent) {
            return (None, Gain::default());
        }
        let gain = state.merge(&coverage);
        if !state.has_room_for(gain) || state.corpus.find(EntryId::of(&input)).is_some() {
            return (None, gain);
        }
        let find =
            Find { input, coverage, keep, gain, parent, exec_time, is_seen: true, replaces_parent };
        (self.admit(test, find), gain)
    }

    /// Whether finds are not taken until the disk answers.
    fn is_disk_behind(&self) -> bool {
        match self.config.pace {
            Pace::Clock => self.commits.len() >= PENDING_COMMITS_MAX,
            // Nothing depends on the disk: `assign` waits for it.
            Pace::Executions => false,
        }
    }

    /// A call was answered with a find.
    pub(super) fn found(
        &mut self,
        worker: WorkerId,
        test: TestIndex,
        parent: EntryIndex,
        input: Input,
        coverage: Vec<Feature>,
    ) {
        let ahead = match self.config.pace {
            Pace::Clock => micros(MINIMIZE_FIND_AHEAD_TIME),
            Pace::Executions => MINIMIZE_FIND_AHEAD_EXECS,
        };
        let is_disk_behind = self.is_disk_behind();
        let state = self.test(test);
        let keep = state.coverage.new_features(&coverage);
        if keep.is_empty() || is_disk_behind {
            // Another worker brought it first, or the disk is too far behind to take it.
            return;
        }
        let gain = state.merge(&coverage);
        let is_entry = state.corpus.find(EntryId::of(&input)).is_some();
        if is_entry || !state.has_room_for(gain) {
            // A target that does not always cover the same has its entry already.
            return;
        }
        let may_minimize = state.may_minimize_find(ahead) && input.len() > 1;
        let find = Find {
            input,
            coverage,
            keep,
            gain,
            parent,
            exec_time: Duration::ZERO,
            is_seen: false,
            replaces_parent: false,
        };
        let is_idle = match self.slots[worker.0].state {
            SlotState::Idle(_) => true,
            SlotState::Vacant
            | SlotState::Starting(_)
            | SlotState::Busy(..)
            | SlotState::Stopping(..) => false,
        };
        let minimizes = self.config.minimize && may_minimize && is_idle;
        if minimizes && self.phase == Phase::Running {
            self.minimize_find(worker, test, find);
        } else {
            self.admit(test, find);
        }
    }

    pub(super) fn minimized_find(
        &mut self,
        test: TestIndex,
        find: Find,
        input: Input,
        coverage: Vec<Feature>,
    ) {
        let has = |&(index, bits): &Feature| {
            coverage.iter().any(|&(own, class)| own == index && class & bits == bits)
        };
        let is_smaller = input.len() < find.input.len()
            || (input.len() == find.input.len() && input != find.input);
        if !is_smaller || !find.keep.iter().all(has) {
            self.admit(test, find);
            return;
        }
        let more = self.test(test).merge(&coverage);
        let gain = Gain {
            edges: find.gain.edges + more.edges,
            features: find.gain.features + more.features,
        };
        self.admit(test, Find { input, coverage, gain, ..find });
    }

    /// Makes a find an entry, and asks for it to be kept. Returns the entry if it is a new one.
    pub(super) fn admit(&mut self, test: TestIndex, find: Find) -> Option<EntryIndex> {
        let state = self.test(test);
        let parent = state.corpus.entry(find.parent).id;
        let Find { input, coverage, gain, exec_time, is_seen, replaces_parent, .. } = find;
        let id = EntryId::of(&input);
        // Two finds may have been minimized to one input.
        let entry = state.add_entry(id, input.clone(), &coverage, gain, exec_time, is_seen);
        if replaces_parent && entry.is_some() {
            state.schedule.replace(find.parent);
        }
        let is_added = entry.is_some();
        let record = Record::Entry { test, id, input, parent: Some(parent), coverage };
        self.commit(record, Consequence::EntryKept { test, gain, is_added });
        entry
    }
}

impl TestState {
    /// Whether an entry with this gain is worth its place: new edges always are.
    pub(super) fn has_room_for(&self, gain: Gain) -> bool {
        let limit = self.coverage.total().edges.saturating_mul(ENTRIES_PER_EDGE);
        gain.edges > 0 || (self.corpus.len() as u64) < limit.max(CLASS_ENTRIES_MIN)
    }
}
