//! The mask of what this worker need not report.
//!
//! Owns one byte of class bits per counter. Grows only: by what the coordinator says is merged, by
//! the worker's own finds, and by counters that turned out to be unstable.

use fuzzd_core::coverage::Feature;

use crate::limits::UNSTABLE_STRIKES_MAX;

/// All class bits of one counter.
const ALL_CLASSES: u8 = 0xff;

/// What was seen, and how often each counter failed to repeat.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    bits: Vec<u8>,
    strikes: Vec<u8>,
}

impl Seen {
    /// Nothing seen, of this many counters.
    pub(crate) fn new(counters: usize) -> Self {
        Self { bits: vec![0; counters], strikes: vec![0; counters] }
    }

    /// One byte of class bits per counter.
    #[inline]
    pub(crate) fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// Adds features. Indices beyond the last counter are left out.
    pub(crate) fn merge(&mut self, features: &[Feature]) {
        for &(index, bits) in features {
            if let Some(byte) = self.bits.get_mut(index as usize) {
                *byte |= bits;
            }
        }
    }

    /// Takes over a whole mask of one byte per counter; says whether it has the right size.
    pub(crate) fn replace(&mut self, mask: &[u8]) -> bool {
        let fits = mask.len() == self.bits.len();
        if fits {
            self.bits.copy_from_slice(mask);
            for (byte, strikes) in self.bits.iter_mut().zip(&self.strikes) {
                if *strikes >= UNSTABLE_STRIKES_MAX {
                    *byte = ALL_CLASSES;
                }
            }
        }
        fits
    }

    /// What of `features` was not seen.
    pub(crate) fn lacking(&self, features: &[Feature]) -> Vec<Feature> {
        let fresh = features.iter().filter_map(|&(index, bits)| {
            let fresh = bits & !self.bits.get(index as usize).copied()?;
            (fresh != 0).then_some((index, fresh))
        });
        fresh.collect()
    }

    /// Those of `features` whose counters did not fail to repeat too often.
    pub(crate) fn repeatable(&self, features: &[Feature]) -> Vec<Feature> {
        let is_stable = |&&(index, _): &&Feature| {
            let strikes = self.strikes.get(index as usize);
            strikes.is_some_and(|strikes| *strikes < UNSTABLE_STRIKES_MAX)
        };
        features.iter().filter(is_stable).copied().collect()
    }

    /// Number of counters that were ever hit.
    pub(crate) fn edges(&self) -> usize {
        self.bits.iter().filter(|bits| **bits != 0).count()
    }

    /// Whether a counter was ever hit.
    pub(crate) fn has_edge(&self, index: u32) -> bool {
        self.bits.get(index as usize).is_some_and(|seen| *seen != 0)
    }

    /// Adds the bits of a run of counters that begins at `first`.
    pub(crate) fn merge_block(&mut self, first: usize, block: &[u8]) {
        let own = self.bits.get_mut(first..).unwrap_or_default();
        for (byte, bits) in own.iter_mut().zip(block) {
            *byte |= bits;
        }
    }

    /// Notes every feature of `first` that the second execution of the same input, `second`
    /// (ascending), does not show. A counter that fails too often is not looked at any more.
    pub(crate) fn strike_unrepeated(&mut self, first: &[Feature], second: &[Feature]) {
        for &(index, bits) in first {
            let repeated = second
                .binary_search_by_key(&index, |feature| feature.0)
                .is_ok_and(|position| second[position].1 & bits == bits);
            let at = index as usize;
            if repeated || at >= self.bits.len() {
                continue;
            }
            self.strikes[at] = self.strikes[at].saturating_add(1);
            if self.strikes[at] >= UNSTABLE_STRIKES_MAX {
                self.bits[at] = ALL_CLASSES;
            }
        }
    }
}
