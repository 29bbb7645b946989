//! What one Fuzz call works on: the entries of its plan, and the finds it made itself.
//!
//! Owns the choice of the next one and what each cost and brought. Must not run anything.

use std::rc::Rc;

use fuzzd_protocol::message::PlanStat;

use crate::limits::{FIND_WEIGHT, QUEUE_FINDS_MAX};
use crate::mutator::Base;
use crate::rng::Rng;

/// Where a member of the queue comes from, as the ring names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A position in the plan, or the value in memory (position 0 of no plan).
    Plan(u32),
    /// The n-th find of this call.
    Found(u32),
}

/// One entry to mutate.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) origin: Origin,
    /// Position in the plan of the entry that it goes back to.
    root: usize,
    weight: u64,
    /// Made ready at the first visit.
    pub(super) base: Option<Rc<Base>>,
    /// Nobody looked at it yet.
    pub(super) is_new: bool,
}

/// The members, and the statistics of the plan.
#[derive(Debug, Default)]
pub(super) struct Queue {
    members: Vec<Member>,
    total_weight: u64,
    plan_weight: u64,
    stats: Vec<PlanStat>,
    found: u32,
    /// Numbers of finds that did not become members.
    left_out: Vec<u32>,
}

impl Queue {
    /// Adds the next entry of the plan.
    pub(super) fn add_planned(&mut self, weight: u32, is_new: bool, base: Option<Rc<Base>>) {
        let root = self.stats.len();
        let position = u32::try_from(root).unwrap_or(u32::MAX);
        let weight = u64::from(weight.max(1));
        self.members.push(Member { origin: Origin::Plan(position), root, weight, base, is_new });
        self.total_weight += weight;
        self.plan_weight += weight;
        self.stats.push(PlanStat::default());
    }

    /// Adds a find that was made from the member at `parent`, and was told of. It counts three
    /// times as much as an entry of the plan: what is new is gone into first. Where there are too
    /// many, it is only counted.
    pub(super) fn add_find(&mut self, parent: usize, base: Rc<Base>) {
        let (number, root) = (self.found, self.members[parent].root);
        let origin = Origin::Found(number);
        self.found = self.found.saturating_add(1);
        self.stats[root].finds += 1;
        if self.members.len() >= self.stats.len() + QUEUE_FINDS_MAX {
            self.left_out.push(number);
            return;
        }
        let weight = (self.plan_weight / self.stats.len() as u64).max(1) * FIND_WEIGHT;
        self.members.push(Member { origin, root, weight, base: Some(base), is_new: true });
        self.total_weight += weight;
    }

    /// The position of the member to visit next.
    pub(super) fn pick(&self, rng: &mut Rng) -> usize {
        let mut left = rng.below(usize::try_from(self.total_weight).unwrap_or(usize::MAX)) as u64;
        let last = self.members.len().saturating_sub(1);
        self.members
            .iter()
            .position(|member| {
                let is_here = left < member.weight;
                left = left.saturating_sub(member.weight);
                is_here
            })
            .unwrap_or(last)
    }

    /// The member at a position that [`pick`](Self::pick) gave.
    pub(super) fn member(&self, position: usize) -> &Member {
        &self.members[position]
    }

    /// Keeps what was made of a member; it is new no longer.
    pub(super) fn set_base(&mut self, position: usize, base: Rc<Base>) {
        let member = &mut self.members[position];
        member.base = Some(base);
        member.is_new = false;
    }

    /// The numbers of the finds that nobody looked at.
    pub(super) fn unlooked(&self) -> Vec<u32> {
        let new = self.members.iter().filter(|member| member.is_new);
        let numbers = new.filter_map(|member| match member.origin {
            Origin::Found(number) => Some(number),
            Origin::Plan(_) => None,
        });
        numbers.chain(self.left_out.iter().copied()).collect()
    }

    /// Books what a visit cost.
    pub(super) fn charge(&mut self, position: usize, execs: u64, nanos: u64) {
        let stat = &mut self.stats[self.members[position].root];
        stat.execs += execs;
        stat.nanos += nanos;
    }

    /// Number of members.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// What became of each entry of the plan.
    pub(super) fn into_stats(self) -> Vec<PlanStat> {
        self.stats
    }
}
