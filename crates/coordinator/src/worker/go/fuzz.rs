//! A Fuzz call of the core: each entry of the plan is mutated for its share of the call, by us and
//! by Go.
//!
//! Owns the entries' shares of the call, and what is done with what comes of them. Where the call
//! has a time limit they are shares of the time; where executions replace the clock, of the
//! executions. Which arm's turn it is with an entry is told by `arms`.
//!
//! ```text
//!  |-- entry 3 --|---- entry 9 -----|- entry 1 --|    o: ours, calls with Warmup, one an input
//!   GGGGG BBB o    GGGGG BBB GGGGG    BBB o GGGGG     B: Go's on an input of ours, short calls
//!            ▲                                        G: Go's, until the entry's share is over
//!            new coverage: run again, trimmed (`trim`), told; then on with the same entry
//! ```

use std::time::{Duration, Instant};

use fuzzd_core::failure::Failure;
use fuzzd_core::session::{Found, PlanItem, PlanUse};
use fuzzd_go::invent::Inventor;
use fuzzd_go::pcg::Pcg;
use fuzzd_protocol::input::to_values;
use fuzzd_protocol::value::Value;

use crate::worker::go::arms::{Arm, BOTH_EXECS_START};
use crate::worker::go::link::GoLink;
use crate::worker::go::talk::{Ran, Step, Way, features};
use crate::worker::go::trim::Trim;

/// A call of Go's mutator on an entry lasts so long at least, or does so many executions: less is
/// not worth its cost. Entries whose time it takes have their turn in another plan.
const CALL_TIME_MIN: Duration = Duration::from_millis(4);
/// See [`CALL_TIME_MIN`].
const CALL_EXECS_MIN: u64 = 40;

/// An input that failed.
#[derive(Debug)]
pub(super) struct Crash {
    pub(super) values: Vec<Value>,
    pub(super) failure: Failure,
    /// It is newly mutated.
    pub(super) is_new: bool,
}

/// What a call of the core may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) execs_max: u64,
    pub(super) time_max: Option<Duration>,
    /// Bytes of each value that we make; Go's mutator knows no limit but its memory.
    pub(super) len_max: Option<usize>,
    /// When it begins.
    pub(super) now: Instant,
}

/// One entry of the plan.
#[derive(Debug)]
struct Item {
    /// `None`: it was published, and there was no room to keep it.
    values: Option<Vec<Value>>,
    /// Where its share ends: nanoseconds from the beginning, or executions.
    end: u64,
    /// A mutation of ours did not fit into the memory.
    is_for_go: bool,
    used: PlanUse,
}

/// What the step in flight is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The length of the mask is not known: the first snapshot tells it.
    Learn,
    /// New inputs.
    Mutate(Arm),
    Trim,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Fuzzing {
    items: Vec<Item>,
    /// The entry whose turn it is.
    at: usize,
    purpose: Purpose,
    has_learned: bool,
    trim: Option<Trim>,
    /// Who made what is trimmed.
    arm: Arm,
    random: Pcg,
    execs_max: u64,
    /// Of mutations of our own.
    len_max: usize,
    /// Of one call of Go's mutator on a mutation of ours.
    both_execs: u64,
    /// Shares are executions.
    is_paced: bool,
    /// When the step before ended, from the beginning.
    elapsed: Duration,
    last: Instant,
}

impl Fuzzing {
    /// `values` are those of the first entry of the plan.
    pub(super) fn new(
        link: &GoLink,
        values: Vec<Value>,
        plan: &[PlanItem],
        limits: Limits,
        rng_seed: u64,
    ) -> Self {
        let Limits { execs_max, time_max, len_max, now } = limits;
        // Time spent depends on the clock.
        let both_execs = time_max.map_or(BOTH_EXECS_START, |_| link.arms.both_execs());
        let whole = time_max.map_or(execs_max, nanos);
        let sum: u128 = plan.iter().map(|item| u128::from(item.weight)).sum();
        let mut before = 0;
        let mut first = Some(values);
        let items = plan.iter().map(|item| {
            before += u128::from(item.weight);
            let end = u64::try_from(u128::from(whole) * before / sum.max(1)).unwrap_or(u64::MAX);
            let entry = || link.memories.as_ref().and_then(|all| all.entry(item.entry));
            Item {
                values: first.take().or_else(|| Some(to_values(&link.types, &entry()?))),
                end,
                is_for_go: false,
                used: PlanUse::default(),
            }
        });
        Self {
            items: items.collect(),
            at: 0,
            purpose: Purpose::Mutate(Arm::Go),
            has_learned: false,
            trim: None,
            arm: Arm::Go,
            random: Pcg::seeded(rng_seed, 0),
            execs_max,
            len_max: len_max.unwrap_or(usize::MAX).min(link.input_bytes_max),
            both_execs,
            is_paced: time_max.is_none(),
            elapsed: Duration::ZERO,
            last: now,
        }
    }

    /// The next step, after so many executions and so long.
    pub(super) fn next(
        &mut self,
        link: &mut GoLink,
        execs: u64,
        elapsed: Duration,
        found: &mut Vec<Found>,
    ) -> Option<Step> {
        self.elapsed = elapsed;
        if let Some(trim) = &mut self.trim {
            if let Some(values) = trim.next(link, self.is_paced) {
                self.purpose = Purpose::Trim;
                return Some(Step { values, way: Way::AsIs { is_new: false } });
            }
            self.end_trim(link, found);
        }
        if link.mask.is_length_unknown() && !self.has_learned {
            self.has_learned = true;
            self.purpose = Purpose::Learn;
            let values = self.items.first()?.values.clone()?;
            return Some(Step { values, way: Way::AsIs { is_new: false } });
        }
        let left = self.execs_max.checked_sub(execs).filter(|left| *left > 0)?;
        self.purpose = Purpose::Mutate(Arm::Go);
        let spent = if self.is_paced { execs } else { nanos(elapsed) };
        while let Some(item) = self.items.get(self.at) {
            if let Some(values) = &item.values
                && let Some(share) = item.end.checked_sub(spent).filter(|share| *share > 0)
            {
                let arm = if item.is_for_go { Arm::Go } else { link.arms.next() };
                self.purpose = Purpose::Mutate(arm);
                let (execs_max, time_max) = match self.is_paced {
                    true => (share.max(CALL_EXECS_MIN).min(left), None),
                    false => (left, Some(Duration::from_nanos(share).max(CALL_TIME_MIN))),
                };
                let mutated = |execs_max| Way::Mutated { execs_max, time_max };
                let way = match arm {
                    Arm::Own => Way::AsIs { is_new: true },
                    Arm::Both => mutated(execs_max.min(self.both_execs)),
                    Arm::Go => mutated(execs_max),
                };
                let values = match arm {
                    Arm::Own | Arm::Both => {
                        Self::invented(&mut self.random, link, &self.items, values, self.len_max)
                    }
                    Arm::Go => values.clone(),
                };
                return Some(Step { values, way });
            }
            self.at += 1;
        }
        // The time may be over before anything was mutated: a call without executions is none.
        self.at = 0;
        let values = self.items.first().filter(|_| execs == 0)?.values.clone()?;
        Some(Step { values, way: Way::Mutated { execs_max: 1, time_max: None } })
    }

    /// A mutation of our own, with parts of any entry of the plan.
    fn invented(
        random: &mut Pcg,
        link: &GoLink,
        items: &[Item],
        values: &[Value],
        len_max: usize,
    ) -> Vec<Value> {
        let other = usize::try_from(random.next_u32()).unwrap_or(0) % items.len().max(1);
        let other = items.get(other).and_then(|item| item.values.as_deref());
        let seed = u64::from(random.next_u32()) << 32 | u64::from(random.next_u32());
        let mut inventor = Inventor::new(seed, &link.words, len_max);
        inventor.invent(values, other.unwrap_or(values))
    }

    /// The step that was chosen does not fit into the memory.
    pub(super) fn skip(&mut self, link: &mut GoLink, found: &mut Vec<Found>) {
        if self.trim.is_some() {
            return self.end_trim(link, found);
        }
        match (self.purpose, self.items.get_mut(self.at)) {
            (Purpose::Mutate(Arm::Own | Arm::Both), Some(item)) => item.is_for_go = true,
            _ => self.at += 1,
        }
    }

    /// Takes what a step came to.
    pub(super) fn take(
        &mut self,
        link: &mut GoLink,
        ran: Ran,
        now: Instant,
        found: &mut Vec<Found>,
    ) -> Result<Option<Crash>, String> {
        let took = now.saturating_duration_since(self.last);
        self.last = now;
        if let (Purpose::Trim, Some(trim)) = (self.purpose, &mut self.trim) {
            link.trimmed += took;
            let crash = trim.take(link, ran)?;
            if crash.is_some() {
                self.end_trim(link, found);
            }
            return Ok(crash);
        }
        let arm = match self.purpose {
            Purpose::Mutate(arm) => Some(arm),
            Purpose::Learn | Purpose::Trim => None,
        };
        if let Some(arm) = arm {
            link.arms.spend(arm, ran.execs, took, self.is_paced);
            if let Some(item) = self.items.get_mut(self.at) {
                item.used.execs += ran.execs;
                item.used.elapsed += took;
            }
        }
        let is_new = arm.is_some();
        let Ran { values, snapshot, failure, took, .. } = ran;
        if let Some(failure) = failure {
            return Ok(Some(Crash { values, failure, is_new }));
        }
        if let Some(snapshot) = snapshot.filter(|_| is_new) {
            let new = link.mask.new_in(&snapshot);
            if !new.is_empty() {
                let coverage = features(Some(&snapshot))?;
                self.arm = arm.unwrap_or(Arm::Go);
                self.trim = Some(Trim::new(self.at, values, new, coverage, took));
            }
        }
        Ok(None)
    }

    fn end_trim(&mut self, link: &mut GoLink, found: &mut Vec<Found>) {
        let Some(trim) = self.trim.take() else { return };
        if let Some(find) = trim.end(link) {
            link.arms.found(self.arm);
            found.push(find);
        }
    }

    /// What became of each entry of the plan.
    pub(super) fn finish(&mut self, link: &mut GoLink, found: &mut Vec<Found>) -> Vec<PlanUse> {
        self.end_trim(link, found);
        self.items.iter().map(|item| item.used).collect()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
