//! What becomes of an input with new coverage.
//!
//! Owns its confirmation by a second execution, its trimming within a budget (to the new edges if
//! it has any, else to all that it covers), and how it is told: through the ring while the call
//! goes on, or by ending the call.

use std::rc::Rc;
use std::time::{Duration, Instant};

use fuzzd_core::coverage::Feature;
use fuzzd_protocol::layout::ring::{FindParent, FindRecord};
use fuzzd_protocol::sparse;

use super::End;
use super::queue::Origin;
use super::run::Run;
use crate::limits::{RECORD_BYTES_MAX, TRIM_EXECS_MAX, TRIM_TIME};
use crate::minimize::{Judgement, shrink};
use crate::mutator::{Base, Reward};
use crate::runner::Ending;

/// How an input was made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Made {
    /// By the mutator, from this seed, in the visit under way.
    BySeed(u64),
    /// By solving comparisons.
    BySolving,
}

/// One execution's whole coverage.
struct Shown {
    features: Vec<Feature>,
    took: Duration,
}

impl Run<'_, '_> {
    /// An input showed something new. It must show it again; then it is trimmed and told.
    #[cold]
    pub(super) fn found(
        &mut self,
        position: usize,
        mut input: Vec<u8>,
        made: Made,
    ) -> Result<(), End> {
        let hot = self.runner.counters.hot().to_vec();
        // Hits outside the live lines, by this input or one before it in the visit.
        let cold =
            if self.runner.counters.cold() { self.runner.counters.snapshot() } else { Vec::new() };
        self.runner.counters.clear();
        let Some(mut shown) = self.show(&input, &[])? else { return Ok(()) };
        let explained = |&(index, _): &Feature| {
            shown.features.binary_search_by_key(&index, |feature| feature.0).is_ok()
        };
        if !cold.iter().all(explained) {
            self.engine.owes_sweep = true;
        }
        let seen = &mut self.runner.seen;
        seen.strike_unrepeated(&hot, &shown.features);
        let keep = seen.lacking(&shown.features);
        if keep.is_empty() {
            return Ok(());
        }
        let is_edge = keep.iter().any(|&(index, _)| !seen.has_edge(index));
        if let Made::BySeed(seed) = made {
            let reward = if is_edge { Reward::NewEdge } else { Reward::NewClass };
            self.engine.mutator.reward(seed, reward);
        }
        // An input that only repeats known code more often than before is one of many that grow:
        // all that it repeats is what the next ones grow from. New code starts small.
        let keep = if is_edge { keep } else { seen.repeatable(&shown.features) };
        if self.engine.ring.is_some() && input.len() > 1 {
            self.trim(&mut input, &mut shown, &keep)?;
        }
        // Told once is enough: the coordinator decides what becomes of it.
        self.runner.seen.merge(&shown.features);
        self.tell(position, input, shown)
    }

    /// Runs an input and gives what it covers; nothing if that lacks any of `keep`, or if the input
    /// is rejected or known to fail.
    fn show(&mut self, input: &[u8], keep: &[Feature]) -> Result<Option<Shown>, End> {
        self.runner.put(input);
        let started = Instant::now();
        let ending = self.runner.run_other(input.len());
        let took = started.elapsed();
        let runner = &mut *self.runner;
        let features = runner.counters.have(keep).then(|| runner.counters.snapshot());
        runner.counters.pass_all(&runner.seen);
        match ending {
            Ending::Passed => Ok(features.map(|features| Shown { features, took })),
            Ending::Rejected => Ok(None),
            Ending::Failed(fault) if self.ignored.count(fault.signature) => Ok(None),
            Ending::Failed(fault) => {
                self.runner.put(input);
                Err(End::Failed(fault))
            }
        }
    }

    /// Makes a find shorter while it covers `keep`.
    fn trim(
        &mut self,
        input: &mut Vec<u8>,
        shown: &mut Shown,
        keep: &[Feature],
    ) -> Result<(), End> {
        let mut left = TRIM_EXECS_MAX.min(self.engine.trim_left);
        let (before, started) = (left, self.clock());
        let (mut best, mut failed) = (None, None);
        let types = self.engine.types.clone();
        let smaller = shrink(&types, input, false, &mut |candidate| {
            let is_late = started.is_some_and(|started| started.elapsed() > TRIM_TIME);
            if left == 0 || is_late || self.runner.must_stop() {
                return Judgement::Stop;
            }
            if candidate == input.as_slice() {
                return Judgement::Holds;
            }
            left -= 1;
            match self.show(candidate, keep) {
                Ok(Some(shown)) => {
                    best = Some(shown);
                    Judgement::Holds
                }
                Ok(None) => Judgement::Fails,
                Err(end) => {
                    failed = Some(end);
                    Judgement::Stop
                }
            }
        });
        self.engine.trim_left -= before - left;
        if let Some(best) = best {
            (*input, *shown) = (smaller, best);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Tells a find, and makes it a member.
    fn tell(&mut self, position: usize, input: Vec<u8>, shown: Shown) -> Result<(), End> {
        let parent = match self.queue.member(position).origin {
            Origin::Plan(position) => FindParent::Plan(position),
            Origin::Found(number) => FindParent::Found(number),
        };
        let coverage = sparse::encode(&shown.features);
        let fits = input.len() + coverage.len() <= RECORD_BYTES_MAX;
        let sent = fits
            && self.engine.ring.as_mut().is_some_and(|ring| {
                let record = FindRecord {
                    parent,
                    flags: 0,
                    count: self.runner.count,
                    exec_ns: u64::try_from(shown.took.as_nanos()).unwrap_or(u64::MAX),
                    input: &input,
                    coverage: &coverage,
                };
                let mut bytes = Vec::new();
                record.encode_into(&mut bytes);
                ring.push(&bytes)
            });
        if !sent {
            self.runner.put(&input);
            return Err(End::Covered(shown.features, shown.took));
        }
        let base = Base::new(&self.engine.types, input);
        self.fresh.push((position, Rc::new(base)));
        Ok(())
    }
}
