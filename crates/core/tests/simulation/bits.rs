//! A set of coverage bits, as plain as can be: what the oracle compares the core's map with.

use fuzzd_core::coverage::Feature;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u8>);

impl Bits {
    pub(crate) fn new(counters: usize) -> Self {
        Self(vec![0; counters])
    }

    pub(crate) fn of(counters: usize, snapshot: &[Feature]) -> Self {
        let mut bits = Self::new(counters);
        bits.add(snapshot);
        bits
    }

    pub(crate) fn fits(&self, snapshot: &[Feature]) -> bool {
        snapshot.iter().all(|(index, _)| (*index as usize) < self.0.len())
    }

    pub(crate) fn add(&mut self, snapshot: &[Feature]) {
        for (index, class) in snapshot {
            if let Some(byte) = self.0.get_mut(*index as usize) {
                *byte |= class;
            }
        }
    }

    pub(crate) fn has_all(&self, snapshot: &[Feature]) -> bool {
        let has = |(index, class): &Feature| {
            self.0.get(*index as usize).is_some_and(|byte| byte & class == *class)
        };
        snapshot.iter().all(has)
    }

    pub(crate) fn has_any(&self, snapshot: &[Feature]) -> bool {
        let has = |(index, class): &Feature| {
            self.0.get(*index as usize).is_some_and(|byte| byte & class != 0)
        };
        snapshot.iter().any(has)
    }

    pub(crate) fn union(&mut self, other: &Self) {
        for (byte, more) in self.0.iter_mut().zip(&other.0) {
            *byte |= more;
        }
    }

    pub(crate) fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(byte, less)| byte & !less).collect())
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(byte, more)| byte & !more == 0)
    }

    pub(crate) fn edges(&self) -> u64 {
        self.0.iter().filter(|byte| **byte != 0).count() as u64
    }

    pub(crate) fn features(&self) -> u64 {
        self.0.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }
}
