//! Which record of one execution is which of the other.
//!
//! Owns the pairing: the same place in the code, the same ordinal there. Must not pair records of
//! different kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

use crate::compare::limits::{SOLVE_RECORDS_MAX, SOLVE_RECORDS_PER_PC_MAX};
use crate::compare::log::{Kind, Record};

/// Positions in both logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paired {
    pub(super) order: usize,
    pub(super) other: usize,
}

/// The pairs, in the order of the base's log. Equal ones are there once.
pub(super) fn pairs(base: &[Record], colorized: &[Record]) -> Vec<Paired> {
    let mut others: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (position, record) in colorized.iter().enumerate().take(SOLVE_RECORDS_MAX) {
        let of_pc = others.entry(record.pc).or_default();
        if of_pc.len() < 2 * SOLVE_RECORDS_PER_PC_MAX {
            of_pc.push(position);
        }
    }
    let mut known: BTreeMap<usize, Vec<Paired>> = BTreeMap::new();
    let mut ordinals: BTreeMap<usize, usize> = BTreeMap::new();
    let mut paired = Vec::new();
    for (order, record) in base.iter().enumerate().take(SOLVE_RECORDS_MAX) {
        let ordinal = ordinals.entry(record.pc).or_default();
        *ordinal += 1;
        let known = known.entry(record.pc).or_default();
        if known.len() == SOLVE_RECORDS_PER_PC_MAX {
            continue;
        }
        let Some(other) = others
            .get(&record.pc)
            .and_then(|others| partner(record, *ordinal - 1, others, colorized))
        else {
            continue;
        };
        let is_known = |pair: &Paired| {
            base[pair.order].kind == record.kind
                && colorized[pair.other].kind == colorized[other].kind
        };
        if !known.iter().any(is_known) {
            let pair = Paired { order, other };
            known.push(pair);
            paired.push(pair);
        }
    }
    paired
}

/// Positions in the colorized log of comparisons at places that the base's log does not have: both
/// sides were equal in the base, or too small to be kept.
pub(super) fn without_partner(base: &[Record], colorized: &[Record]) -> Vec<usize> {
    let places: BTreeSet<usize> = base.iter().map(|record| record.pc).collect();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut alone = Vec::new();
    for (position, record) in colorized.iter().enumerate().take(SOLVE_RECORDS_MAX) {
        let count = counts.entry(record.pc).or_default();
        *count += 1;
        if !places.contains(&record.pc) && *count <= SOLVE_RECORDS_PER_PC_MAX {
            alone.push(position);
        }
    }
    alone
}

/// The record at the same ordinal. Equal comparisons are not in the logs, so that ordinals may be
/// shifted: then the first with the same constant.
fn partner(
    record: &Record,
    ordinal: usize,
    others: &[usize],
    colorized: &[Record],
) -> Option<usize> {
    let direct = others.get(ordinal).copied();
    if direct.is_some_and(|other| shares_a_side(&record.kind, &colorized[other].kind)) {
        return direct;
    }
    let shifted = others.iter().copied();
    let mut shifted = shifted.filter(|&other| shares_a_side(&record.kind, &colorized[other].kind));
    shifted
        .next()
        .or(direct)
        .or(others.last().copied())
        .filter(|&other| discriminant(&record.kind) == discriminant(&colorized[other].kind))
}

/// Whether one side is the same in both.
fn shares_a_side(one: &Kind, other: &Kind) -> bool {
    match (one, other) {
        (
            Kind::Integer { left, right, .. },
            Kind::Integer { left: other_left, right: other_right, .. },
        ) => left == other_left || right == other_right,
        (Kind::Memory { left, right }, Kind::Memory { left: other_left, right: other_right }) => {
            left == other_left || right == other_right
        }
        (Kind::Switch { below, above, .. }, Kind::Switch { below: low, above: high, .. }) => {
            below == low || above == high
        }
        (Kind::Integer { .. } | Kind::Memory { .. } | Kind::Switch { .. }, _) => false,
    }
}
