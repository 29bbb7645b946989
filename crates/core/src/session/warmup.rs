//! Warm-up of one test: running what is known once, to gather baseline coverage.
//!
//! Owns the queue of inputs still to run. Must not judge results: `replies` does.

use std::collections::{BTreeSet, VecDeque};

use crate::coverage::Feature;
use crate::ids::{EntryId, Input};
use crate::session::config::{LoadedEntry, Origin, TestConfig};
use crate::signature::Signature;

/// One input to run in warm-up.
#[derive(Debug, Clone)]
pub(super) struct WarmupItem {
    pub(super) input: Input,
    pub(super) source: WarmupSource,
    /// Calls that ended without a verdict because the worker was lost for another reason.
    pub(super) lost: u32,
}

/// Why an input is run in warm-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WarmupSource {
    /// It is an entry.
    Entry(Origin),
    /// It is the input of a known bug.
    Bug(Signature),
}

/// The warm-up of one test.
#[derive(Debug)]
pub(super) struct Warmup {
    queue: VecDeque<WarmupItem>,
    /// Calls in flight.
    pub(super) in_flight: usize,
    /// Inputs to run, from the beginning.
    pub(super) total: usize,
    /// Of these, inputs that somebody gave: not the empty one that there always is.
    pub(super) given: usize,
    /// Inputs that failed.
    pub(super) failing: usize,
}

impl Warmup {
    /// Calls without a verdict after which an input is left out.
    pub(super) const LOST_MAX: u32 = 2;

    /// Splits what was loaded into inputs to run and entries whose coverage is known.
    pub(super) fn new(config: &TestConfig) -> (Self, Vec<(Input, Vec<Feature>)>) {
        let mut queue = VecDeque::new();
        let mut measured = Vec::new();
        let mut taken = BTreeSet::new();
        for bug in config.bugs.iter().filter(|bug| !bug.is_pending) {
            if taken.insert(EntryId::of(&bug.input)) {
                queue.push_back(WarmupItem {
                    input: bug.input.clone(),
                    source: WarmupSource::Bug(bug.signature),
                    lost: 0,
                });
            }
        }
        let is_seed = |entry: &&LoadedEntry| match entry.origin {
            Origin::Seed | Origin::SeedFile(_) | Origin::Found => true,
            Origin::Testdata(_) | Origin::Corpus => false,
        };
        let (seeds, kept): (Vec<_>, Vec<_>) = config.entries.iter().partition(is_seed);
        for LoadedEntry { input, origin, coverage } in kept.into_iter().chain(seeds) {
            if !taken.insert(EntryId::of(input)) {
                continue;
            }
            match coverage {
                Some(coverage) => measured.push((input.clone(), coverage.clone())),
                None => queue.push_back(WarmupItem {
                    input: input.clone(),
                    source: WarmupSource::Entry(origin.clone()),
                    lost: 0,
                }),
            }
        }
        let given = queue.len();
        if measured.is_empty() && !queue.iter().any(|item| item.is_entry()) {
            // Something has to be mutated first: the empty input is valid for every type. Nobody
            // else holds it, so it becomes an entry like any find.
            queue.push_back(WarmupItem {
                input: Input::from(Vec::new()),
                source: WarmupSource::Entry(Origin::Found),
                lost: 0,
            });
        }
        let total = queue.len();
        (Self { queue, in_flight: 0, total, given, failing: 0 }, measured)
    }

    /// Takes the next input; it counts as in flight from now on.
    pub(super) fn take(&mut self) -> Option<WarmupItem> {
        let item = self.queue.pop_front()?;
        self.in_flight += 1;
        Some(item)
    }

    /// Puts back an input whose call brought no verdict, unless it was lost too often. Returns
    /// whether it will be run again.
    pub(super) fn put_back(&mut self, mut item: WarmupItem) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        item.lost += 1;
        let again = item.lost < Self::LOST_MAX;
        if again {
            self.queue.push_back(item);
        }
        again
    }

    /// Counts a verdict.
    pub(super) fn settle(&mut self, failed: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.failing += usize::from(failed);
    }

    /// Whether every input has its verdict.
    pub(super) fn is_complete(&self) -> bool {
        self.queue.is_empty() && self.in_flight == 0
    }

    /// Inputs that have their verdict.
    pub(super) fn done(&self) -> usize {
        self.total.saturating_sub(self.queue.len() + self.in_flight)
    }
}

impl WarmupItem {
    fn is_entry(&self) -> bool {
        match self.source {
            WarmupSource::Entry(_) => true,
            WarmupSource::Bug(_) => false,
        }
    }
}
