//! A small part of a corpus that has all of its coverage.
//!
//! Owns the choice of `fuzzd cmin`: greedy weighted set cover over features, and after it nothing
//! that the others make superfluous. Must not know where entries lie or what becomes of those that
//! are left out.
//!
//! Greedy cover is within a factor of ln n of the least cost, n being the features (Chvátal 1979).
//! It is also final: each chosen entry has a feature that no other chosen one has, so that a choice
//! among the chosen, whatever they cost then, is all of them.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::coverage::{CoverageMap, Feature};

/// Bits of one byte of coverage.
const CLASSES: usize = 8;

/// What running an input costs before its first byte, in bytes.
const BASE_BYTES: u64 = 32;

/// Up to here an input is quick, whatever the others are: times of single executions, which another
/// process measures, tell no smaller ones apart.
pub const QUICK: Duration = Duration::from_millis(1);

/// An input counts as at most so many times slower than the typical one: coverage is worth more
/// than moments in which the machine did something else.
const SLOWNESS_MAX: u64 = 1_000;

/// One entry to choose or to leave out.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its length in bytes.
    pub len: usize,
    /// Time of one execution; `None`: not known, taken to be that of the typical candidate.
    pub exec_time: Option<Duration>,
    /// Its whole snapshot, each counter once.
    pub coverage: &'a [Feature],
}

/// Positions of the candidates to keep, ascending: together they have every feature that any of
/// them has, of counters below `counters`. Of entries without coverage the cheapest stays if
/// nothing else does: a corpus never gets empty.
#[must_use]
pub fn choose(candidates: &[Candidate<'_>], counters: usize) -> Vec<usize> {
    let costs = costs(candidates);
    let mut map = CoverageMap::new(counters);
    let mut offers: BinaryHeap<Offer> = (0..candidates.len())
        .map(|position| Offer {
            gain: gain(&map, candidates[position].coverage),
            cost: costs[position],
            position,
        })
        .filter(|offer| offer.gain > 0)
        .collect();
    let mut chosen = Vec::new();
    while let Some(offer) = offers.pop() {
        let coverage = candidates[offer.position].coverage;
        // What others were chosen for can only make it less: the best that still is, is the best.
        let gain = gain(&map, coverage);
        if gain == offer.gain {
            map.merge(coverage);
            chosen.push(offer.position);
        } else if gain > 0 {
            offers.push(Offer { gain, ..offer });
        }
    }
    if chosen.is_empty() {
        return (0..candidates.len()).min_by_key(|position| costs[*position]).into_iter().collect();
    }
    drop_superfluous(candidates, counters, &costs, &mut chosen);
    chosen.sort_unstable();
    chosen
}

/// Leaves out those of which the other chosen ones have every feature, the most costly first.
fn drop_superfluous(
    candidates: &[Candidate<'_>],
    counters: usize,
    costs: &[u64],
    chosen: &mut Vec<usize>,
) {
    let indices = chosen.iter().flat_map(|position| candidates[*position].coverage);
    let last = indices.map(|(index, _)| *index as usize + 1).max().unwrap_or(0);
    let counters = counters.min(last);
    let mut owners = vec![0_u32; counters * CLASSES];
    for position in chosen.iter() {
        each_bit(candidates[*position].coverage, counters, |bit| owners[bit] += 1);
    }
    chosen.sort_unstable_by_key(|position| Reverse((costs[*position], *position)));
    chosen.retain(|position| {
        let coverage = candidates[*position].coverage;
        let mut is_needed = false;
        each_bit(coverage, counters, |bit| is_needed |= owners[bit] < 2);
        if !is_needed {
            each_bit(coverage, counters, |bit| owners[bit] -= 1);
        }
        is_needed
    });
}

/// What each costs: its length, times how much slower than the typical one it is.
fn costs(candidates: &[Candidate<'_>]) -> Vec<u64> {
    let mut times: Vec<Duration> = candidates.iter().filter_map(|one| one.exec_time).collect();
    times.sort_unstable();
    let typical = times.get(times.len() / 2).map_or(QUICK, |time| QUICK.max(*time)).as_nanos();
    let cost = |one: &Candidate<'_>| {
        let nanos = one.exec_time.map_or(typical, |time| time.as_nanos());
        let slowness = u64::try_from(nanos / typical).unwrap_or(u64::MAX).clamp(1, SLOWNESS_MAX);
        BASE_BYTES.saturating_add(one.len as u64).saturating_mul(slowness)
    };
    candidates.iter().map(cost).collect()
}

/// Features of a snapshot that the map does not have.
fn gain(map: &CoverageMap, coverage: &[Feature]) -> u64 {
    let new = map.new_features(coverage);
    new.iter().map(|(_, class)| u64::from(class.count_ones())).sum()
}

fn each_bit(coverage: &[Feature], counters: usize, mut take: impl FnMut(usize)) {
    for &(counter, classes) in coverage.iter().filter(|(index, _)| (*index as usize) < counters) {
        for class in (0..CLASSES).filter(|class| classes >> class & 1 == 1) {
            take(counter as usize * CLASSES + class);
        }
    }
}

/// A candidate with what it brought when it was last looked at.
#[derive(Debug, PartialEq, Eq)]
struct Offer {
    gain: u64,
    cost: u64,
    position: usize,
}

impl Ord for Offer {
    fn cmp(&self, other: &Self) -> Ordering {
        // Gain for cost, without a division.
        let own = u128::from(self.gain) * u128::from(other.cost);
        let others = u128::from(other.gain) * u128::from(self.cost);
        own.cmp(&others)
            .then_with(|| other.cost.cmp(&self.cost))
            .then_with(|| other.position.cmp(&self.position))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(len: usize, coverage: &[Feature]) -> Candidate<'_> {
        Candidate { len, exec_time: None, coverage }
    }

    fn slow(millis: u64, coverage: &[Feature]) -> Candidate<'_> {
        Candidate { len: 10, exec_time: Some(Duration::from_millis(millis)), coverage }
    }

    #[test]
    fn what_others_have_together_is_left_out() {
        let all = [of(1, &[(0, 1)]), of(1, &[(1, 1)]), of(1, &[(0, 1), (1, 1)])];
        assert_eq!(choose(&all, 2), [2]);
        let all = [of(1, &[(0, 1)]), of(1, &[(1, 1)]), of(1_000, &[(0, 1), (1, 1)])];
        assert_eq!(choose(&all, 2), [0, 1], "two short ones are cheaper");
    }

    #[test]
    fn a_class_is_a_feature_of_its_own() {
        assert_eq!(choose(&[of(1, &[(0, 1)]), of(1, &[(0, 2)]), of(1, &[(0, 1)])], 1), [0, 1]);
    }

    #[test]
    fn the_short_and_the_fast_are_preferred() {
        assert_eq!(choose(&[of(100, &[(0, 1)]), of(5, &[(0, 1)])], 1), [1]);
        let all = [slow(500, &[(0, 1)]), slow(1, &[(0, 1)]), slow(1, &[])];
        assert_eq!(choose(&all, 1), [1]);
    }

    #[test]
    fn a_moment_too_long_costs_nothing_and_no_time_is_a_typical_one() {
        let unknown = Candidate { exec_time: None, ..slow(0, &[(0, 1)]) };
        assert_eq!(choose(&[unknown, slow(2, &[(0, 1)]), slow(3, &[(0, 1)])], 1), [0]);
        let micros = |micros| Some(Duration::from_micros(micros));
        let all = [900, 1, 2].map(|time| Candidate { exec_time: micros(time), ..unknown });
        assert_eq!(choose(&all, 1), [0], "all of them are quick");
    }

    #[test]
    fn an_early_choice_that_later_ones_make_superfluous_is_taken_back() {
        // The first brings most for its cost, and the others are needed anyway.
        let first = [(0, 1), (1, 1), (2, 1), (3, 1)];
        let left = [(0, 1), (1, 1), (4, 1)];
        let right = [(2, 1), (3, 1), (5, 1)];
        assert_eq!(choose(&[of(0, &first), of(0, &left), of(0, &right)], 6), [1, 2]);
    }

    #[test]
    fn a_corpus_never_gets_empty() {
        assert_eq!(choose(&[of(9, &[]), of(3, &[])], 4), [1]);
        assert_eq!(choose(&[of(9, &[(7, 1)])], 4), [0], "a counter beyond the map is none");
        assert_eq!(choose(&[], 4), Vec::<usize>::new());
    }

    fn features(corpus: &[(usize, Option<u64>, Vec<Feature>)]) -> Vec<u8> {
        let mut bits = vec![0; 24];
        corpus.iter().flat_map(|one| &one.2).for_each(|(index, class)| {
            bits[*index as usize] |= class;
        });
        bits
    }

    fn candidates(corpus: &[(usize, Option<u64>, Vec<Feature>)]) -> Vec<Candidate<'_>> {
        corpus
            .iter()
            .map(|(len, time, coverage)| Candidate {
                len: *len,
                exec_time: time.map(Duration::from_micros),
                coverage,
            })
            .collect()
    }

    proptest! {
        #[test]
        fn every_feature_is_kept_and_a_second_choice_keeps_everything(
            maps in prop::collection::vec(
                (0..200_usize, prop::option::of(1..5_000_u64),
                 prop::collection::btree_map(0..24_u32, 1..=255_u8, 0..12)),
                1..40,
            ),
            costs in prop::collection::vec(0..10_000_usize, 40),
        ) {
            let corpus: Vec<_> = maps
                .into_iter()
                .map(|(len, time, map)| (len, time, map.into_iter().collect::<Vec<Feature>>()))
                .collect();
            let chosen = choose(&candidates(&corpus), 24);
            prop_assert!(chosen.is_sorted_by(|one, other| one < other));
            let kept: Vec<_> = chosen.iter().map(|position| corpus[*position].clone()).collect();
            prop_assert_eq!(features(&kept), features(&corpus));
            let mut again = kept.clone();
            for (entry, cost) in again.iter_mut().zip(costs) {
                (entry.0, entry.1) = (cost, None);
            }
            prop_assert_eq!(choose(&candidates(&again), 24).len(), kept.len());
        }
    }
}
