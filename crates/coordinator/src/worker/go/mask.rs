//! The coverage that one Go worker is told to take for known.
//!
//! Owns the mask in Go's form, one byte per counter, and how long it is: only a snapshot says.
//! A first mask of another length would end the worker.

use fuzzd_core::coverage::Feature;

/// Counters looked at together.
const BLOCK: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Mask {
    /// As long as it can be at most.
    bits: Vec<u8>,
    /// Bytes of a snapshot; `None` before the first one.
    counters: Option<usize>,
    is_told: bool,
}

impl Mask {
    /// Nothing is known of a worker with so many counters at most.
    pub(super) fn new(counters_max: usize) -> Self {
        Self { bits: vec![0; counters_max], counters: None, is_told: false }
    }

    /// Whether a worker must run something before it can be told the mask.
    pub(super) fn is_length_unknown(&self) -> bool {
        self.counters.is_none() && !self.bits.is_empty()
    }

    /// A snapshot of so many bytes came.
    pub(super) fn learn(&mut self, counters: usize) -> Result<(), String> {
        if counters > self.bits.len() {
            let most = self.bits.len();
            return Err(format!("a snapshot of {counters} counters, where there are {most}"));
        }
        match *self.counters.get_or_insert(counters) {
            known if known == counters => Ok(()),
            known => Err(format!("a snapshot of {counters} counters after one of {known}")),
        }
    }

    /// Takes these for known from now on.
    pub(super) fn add(&mut self, features: &[Feature]) {
        for &(index, class) in features {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            if let Some(byte) = self.bits.get_mut(index) {
                self.is_told &= *byte & class == class;
                *byte |= class;
            }
        }
    }

    /// The worker was replaced.
    pub(super) fn forget(&mut self) {
        self.is_told = false;
    }

    /// The mask for the next call, unless the worker has it.
    pub(super) fn untold(&mut self) -> Option<Vec<u8>> {
        let counters = self.counters.filter(|_| !self.is_told)?;
        self.is_told = true;
        Some(self.bits[..counters].to_vec())
    }

    /// What of a snapshot is not in the mask.
    pub(super) fn new_in(&self, snapshot: &[u8]) -> Vec<Feature> {
        let mut new = Vec::new();
        let firsts = (0u32..).step_by(BLOCK);
        let blocks = snapshot.chunks(BLOCK).zip(self.bits.chunks(BLOCK)).zip(firsts);
        for ((seen, known), first) in blocks {
            // Hardly any block has something new: that one is looked at byte by byte.
            let any = seen.iter().zip(known).fold(0, |any, (seen, known)| any | (seen & !known));
            if any == 0 {
                continue;
            }
            let bytes = seen.iter().zip(known).zip(first..);
            let bytes = bytes.map(|((seen, known), index)| (index, seen & !known));
            new.extend(bytes.filter(|&(_, class)| class != 0));
        }
        new
    }
}

/// Whether a snapshot has all of these.
pub(super) fn has_all(snapshot: &[u8], features: &[Feature]) -> bool {
    features.iter().all(|feature| has(snapshot, feature))
}

/// Whether a snapshot has this.
pub(super) fn has(snapshot: &[u8], &(index, class): &Feature) -> bool {
    let byte = usize::try_from(index).ok().and_then(|index| snapshot.get(index));
    byte.is_some_and(|byte| byte & class == class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_told_when_its_length_is_known_and_whenever_it_grew() {
        let mut mask = Mask::new(8);
        mask.add(&[(1, 2), (7, 1), (9, 1)]);
        assert!(mask.is_length_unknown());
        assert_eq!(mask.untold(), None);
        mask.learn(6).unwrap();
        assert_eq!(mask.untold(), Some(vec![0, 2, 0, 0, 0, 0]));
        assert_eq!(mask.untold(), None);
        mask.add(&[(1, 2)]);
        assert_eq!(mask.untold(), None, "it knows that");
        mask.add(&[(1, 4)]);
        assert_eq!(mask.untold(), Some(vec![0, 6, 0, 0, 0, 0]));
    }

    #[test]
    fn a_snapshot_of_another_length_is_refused() {
        let mut mask = Mask::new(8);
        assert!(mask.learn(9).is_err());
        mask.learn(7).unwrap();
        assert!(mask.learn(8).is_err());
        assert!(!Mask::new(0).is_length_unknown(), "there is nothing to be told");
    }

    #[test]
    fn what_is_new_is_found_wherever_it_is() {
        let mut mask = Mask::new(200);
        let mut snapshot = vec![1; 200];
        mask.add(&(0..200).map(|index| (index, 1)).collect::<Vec<_>>());
        assert_eq!(mask.new_in(&snapshot), []);
        for index in [0, 63, 64, 199] {
            snapshot[index] = 4;
        }
        assert_eq!(mask.new_in(&snapshot), [(0, 4), (63, 4), (64, 4), (199, 4)]);
        assert!(has_all(&snapshot, &[(0, 4), (1, 1)]));
        assert!(!has_all(&snapshot, &[(0, 4), (1, 2)]) && !has(&snapshot, &(200, 1)));
    }
}
