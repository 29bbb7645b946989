//! How rare the features of each entry are.
//!
//! Owns, for each feature, how many entries have it, and for each entry its rarest features. Must
//! not know weights.

use std::ops::Range;

use crate::coverage::Feature;
use crate::schedule::sparse::Sparse;

/// Features of one entry that its rarity is made of: the rarest when it came.
pub(super) const RARE_FEATURES_MAX: usize = 64;

/// Counters whose features can be numbered with 32 bits. No target comes near.
const COUNTERS_MAX: u32 = 1 << 29;

/// The account of all entries, which are numbered from 0 in the order in which they are added.
#[derive(Debug, Clone, Default)]
pub(super) struct Rarity {
    owners: Sparse<u32>,
    rare: Vec<u32>,
    ends: Vec<usize>,
    room: Vec<(u32, u32)>,
}

impl Rarity {
    /// Adds the next entry.
    pub(super) fn add(&mut self, coverage: &[Feature]) {
        self.room.clear();
        for feature in numbers(coverage) {
            let owners = self.owners.get_mut(feature as usize);
            *owners += 1;
            self.room.push((*owners, feature));
        }
        if self.room.len() > RARE_FEATURES_MAX {
            self.room.select_nth_unstable(RARE_FEATURES_MAX);
            self.room.truncate(RARE_FEATURES_MAX);
        }
        self.rare.extend(self.room.iter().map(|(_, feature)| *feature));
        self.ends.push(self.rare.len());
    }

    /// The rarity of an entry as of now: features of which it is the only owner count 256 each.
    pub(super) fn of(&self, entry: usize) -> f64 {
        let owners = self.rare[self.span(entry)].iter().map(|f| self.owners.get(*f as usize));
        owners.map(|owners| 256.0 / f64::from(owners.max(1))).sum()
    }

    /// The counters of an entry's rarest features.
    pub(super) fn counters_of(&self, entry: usize) -> impl Iterator<Item = u32> + '_ {
        self.rare[self.span(entry)].iter().map(|feature| feature / 8)
    }

    /// Whether `coverage` has all the rarest features of an entry.
    pub(super) fn is_within(&self, entry: usize, coverage: &[Feature]) -> bool {
        let rare = &self.rare[self.span(entry)];
        let has = rare.iter().filter(|feature| {
            let (counter, class) = (*feature / 8, 1u8 << (*feature % 8));
            coverage.iter().any(|&(own, bits)| own == counter && bits & class != 0)
        });
        has.count() == rare.len()
    }

    fn span(&self, entry: usize) -> Range<usize> {
        let start = entry.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[entry]
    }
}

/// Every class bit as a number of its own.
fn numbers(coverage: &[Feature]) -> impl Iterator<Item = u32> + '_ {
    coverage.iter().filter(|(counter, _)| *counter < COUNTERS_MAX).flat_map(|&(counter, class)| {
        (0..8).filter(move |bit| class & (1 << bit) != 0).map(move |bit| counter * 8 + bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_few_entries_have_is_rare() {
        let mut rarity = Rarity::default();
        rarity.add(&[(0, 1), (1, 1)]);
        rarity.add(&[(0, 1), (2, 3)]);
        assert!((rarity.of(0) - (128.0 + 256.0)).abs() < 1e-9);
        assert!((rarity.of(1) - (128.0 + 512.0)).abs() < 1e-9);
        rarity.add(&[(1, 1)]);
        assert!((rarity.of(0) - 256.0).abs() < 1e-9, "a second owner makes it less rare");
    }

    #[test]
    fn of_many_features_the_rarest_are_kept() {
        let mut rarity = Rarity::default();
        let common: Vec<Feature> = (0..100).map(|counter| (counter, 1)).collect();
        rarity.add(&common);
        let mut all = common.clone();
        all.extend((100..164).map(|counter| (counter, 1)));
        rarity.add(&all);
        assert!((rarity.of(1) - 64.0 * 256.0).abs() < 1e-9);
        assert!(rarity.is_within(1, &all[100..]));
        assert!(!rarity.is_within(1, &all[..163]));
    }
}
