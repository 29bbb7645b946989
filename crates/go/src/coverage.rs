//! Coverage snapshots of Go workers.
//!
//! Owns: reading snapshots a worker sent, and writing masks for it. Source: `coverage.go` of
//! `internal/fuzz` (Go 1.27.3). Must not: keep or merge coverage (the decision core does).
//!
//! A snapshot has one byte per counter, in the order the linker gave them; a byte has at most one
//! bit, for the largest power of two that is not above the count (`pow2Table`). These are not the
//! classes of native workers, but bits of a byte merge and compare the same.

/// What is wrong with a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Another number of counters than the first snapshot of this binary had.
    #[error("a snapshot of {found} counters, where this binary has {expected}")]
    Length {
        /// Counters of the binary.
        expected: usize,
        /// Bytes of the snapshot.
        found: usize,
    },
    /// A count that was not rounded.
    #[error("the snapshot has {byte:#04x} for counter {counter}: not one bit")]
    NotOneBit {
        /// Its index.
        counter: usize,
        /// The byte.
        byte: u8,
    },
    /// More counters than an index can name.
    #[error("a snapshot of {0} counters")]
    TooLong(usize),
}

/// Counters looked at together.
const BLOCK: usize = 64;

/// The counters that were hit and the bit of each, by index. `counters` is the number the binary
/// has, `None` before its first snapshot.
pub fn features(snapshot: &[u8], counters: Option<usize>) -> Result<Vec<(u32, u8)>, SnapshotError> {
    if let Some(expected) = counters.filter(|&counters| counters != snapshot.len()) {
        return Err(SnapshotError::Length { expected, found: snapshot.len() });
    }
    let mut features = Vec::new();
    for (block, start) in snapshot.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
        // Most blocks have nothing in them.
        if block.iter().fold(0, |any, byte| any | byte) == 0 {
            continue;
        }
        for (&byte, counter) in block.iter().zip(start..).filter(|(byte, _)| **byte != 0) {
            if !byte.is_power_of_two() {
                return Err(SnapshotError::NotOneBit { counter, byte });
            }
            let index = u32::try_from(counter);
            let index = index.map_err(|_| SnapshotError::TooLong(snapshot.len()))?;
            features.push((index, byte));
        }
    }
    Ok(features)
}

/// A mask or a set of bits to keep, as Go wants it: one byte per counter. Indices beyond `counters`
/// are left out.
#[must_use]
pub fn dense(features: &[(u32, u8)], counters: usize) -> Vec<u8> {
    let mut mask = vec![0; counters];
    for &(index, bits) in features {
        if let Some(byte) = usize::try_from(index).ok().and_then(|index| mask.get_mut(index)) {
            *byte |= bits;
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_and_mask_say_the_same() {
        let snapshot = [0, 1, 0, 128, 16];
        let features = features(&snapshot, Some(5)).unwrap();
        assert_eq!(features, [(1, 1), (3, 128), (4, 16)]);
        assert_eq!(dense(&features, 5), snapshot);
        assert_eq!(dense(&features, 2), [0, 1]);
    }

    #[test]
    fn a_snapshot_that_go_cannot_have_sent_is_refused() {
        assert_eq!(
            features(&[0, 0], Some(3)),
            Err(SnapshotError::Length { expected: 3, found: 2 })
        );
        assert_eq!(features(&[0, 3], None), Err(SnapshotError::NotOneBit { counter: 1, byte: 3 }));
    }
}
