//! Counters, their classes, and the merged coverage map.
//!
//! Owns: the rule that turns a raw 8-bit counter into a class bit, and the map of all bits seen.
//! Must not: know where counters come from (a worker's own pass, a Go snapshot), or do I/O.
//!
//! One byte stands for one counter; each of its bits for one class of hit counts. A snapshot has at
//! most one bit set per byte, the merged map has every bit that any snapshot had. The classes are
//! those of AFL (Michal Zalewski, "Technical details of afl-fuzz") with the two highest merged
//! differently: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, 128-255. A Go worker sends its own snapshot with
//! one bit per power of two; merging and comparing are the same.

/// One non-zero byte of a snapshot or of a difference: the counter's index and its class bits.
pub type Feature = (u32, u8);

/// The class bit of a raw counter; 0 stays 0.
#[must_use]
pub const fn class_of(counter: u8) -> u8 {
    match counter {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        128..=255 => 128,
    }
}

/// What merging a snapshot added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gain {
    /// Counters that had never been hit before.
    pub edges: u64,
    /// Class bits that had never been seen before, those of new edges included.
    pub features: u64,
}

/// The merged coverage of one fuzz test: grows, never shrinks.
///
/// Every addition is also kept in an append-only journal, so that a worker which knows the map up
/// to a position is told the rest only. The journal has at most 8 entries per counter.
#[derive(Debug, Clone, Default)]
pub struct CoverageMap {
    bits: Vec<u8>,
    journal: Vec<Feature>,
    total: Gain,
}

impl CoverageMap {
    /// An empty map over `counters` counters.
    #[must_use]
    pub fn new(counters: usize) -> Self {
        Self { bits: vec![0; counters], journal: Vec::new(), total: Gain::default() }
    }

    /// Number of counters the map covers.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.bits.len()
    }

    /// Edges and features merged so far.
    #[must_use]
    pub fn total(&self) -> Gain {
        self.total
    }

    /// Whether every index of `snapshot` lies within the map. A worker that names another counter
    /// is broken or lies; nothing it says may be merged.
    #[must_use]
    pub fn fits(&self, snapshot: &[Feature]) -> bool {
        snapshot.iter().all(|&(index, _)| (index as usize) < self.bits.len())
    }

    /// Whether `snapshot` has a bit that the map does not have.
    #[must_use]
    pub fn has_new(&self, snapshot: &[Feature]) -> bool {
        snapshot.iter().any(|&(index, class)| {
            self.bits.get(index as usize).is_some_and(|bits| class & !bits != 0)
        })
    }

    /// The bits of `snapshot` the map does not have. Indices outside the map are left out.
    #[must_use]
    pub fn new_features(&self, snapshot: &[Feature]) -> Vec<Feature> {
        snapshot
            .iter()
            .filter_map(|&(index, class)| {
                let fresh = class & !self.bits.get(index as usize).copied()?;
                (fresh != 0).then_some((index, fresh))
            })
            .collect()
    }

    /// Adds `snapshot` and says what was new. Adding the same snapshot again changes nothing.
    pub fn merge(&mut self, snapshot: &[Feature]) -> Gain {
        let mut gain = Gain::default();
        for (index, fresh) in self.new_features(snapshot) {
            let byte = &mut self.bits[index as usize];
            // The same index may stand twice in a hostile snapshot.
            let fresh = fresh & !*byte;
            if fresh == 0 {
                continue;
            }
            gain.edges += u64::from(*byte == 0);
            gain.features += u64::from(fresh.count_ones());
            *byte |= fresh;
            self.journal.push((index, fresh));
        }
        self.total.edges += gain.edges;
        self.total.features += gain.features;
        gain
    }

    /// Everything merged after journal position `from`, and the position to ask from next time.
    #[must_use]
    pub fn since(&self, from: usize) -> (Vec<Feature>, usize) {
        (self.journal.get(from..).unwrap_or_default().to_vec(), self.journal.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_counter_value_has_exactly_one_class() {
        for counter in 1..=255u8 {
            assert_eq!(class_of(counter).count_ones(), 1, "counter {counter}");
            assert!(class_of(counter) >= class_of(counter - 1), "classes rise with the counter");
        }
        assert_eq!(class_of(0), 0);
    }

    #[test]
    fn a_new_class_on_a_known_edge_is_a_feature_but_not_an_edge() {
        let mut map = CoverageMap::new(4);
        assert_eq!(map.merge(&[(1, 1)]), Gain { edges: 1, features: 1 });
        assert_eq!(map.merge(&[(1, 2), (1, 2)]), Gain { edges: 0, features: 1 });
        assert_eq!(map.total(), Gain { edges: 1, features: 2 });
    }

    #[test]
    fn indices_outside_the_map_are_refused_and_change_nothing() {
        let mut map = CoverageMap::new(2);
        assert!(!map.fits(&[(2, 1)]));
        assert_eq!(map.merge(&[(2, 1), (u32::MAX, 1)]), Gain::default());
    }

    fn snapshot() -> impl Strategy<Value = Vec<Feature>> {
        proptest::collection::vec((0u32..40, any::<u8>()), 0..20)
    }

    proptest! {
        #[test]
        fn merging_is_idempotent_and_independent_of_order(a in snapshot(), b in snapshot()) {
            let (mut first, mut second) = (CoverageMap::new(32), CoverageMap::new(32));
            first.merge(&a);
            first.merge(&b);
            second.merge(&b);
            second.merge(&a);
            prop_assert_eq!(&first.bits, &second.bits);
            prop_assert_eq!(first.total(), second.total());
            prop_assert_eq!(first.merge(&a), Gain::default());
        }

        #[test]
        fn the_journal_rebuilds_the_map(a in snapshot(), b in snapshot()) {
            let (mut map, mut copy) = (CoverageMap::new(32), CoverageMap::new(32));
            map.merge(&a);
            let (early, position) = map.since(0);
            map.merge(&b);
            copy.merge(&early);
            copy.merge(&map.since(position).0);
            prop_assert_eq!(map.bits, copy.bits);
        }
    }
}
