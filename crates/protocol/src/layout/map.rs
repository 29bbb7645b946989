//! The coverage map of one fuzz test, at fd 6: what the coordinator has merged, for workers to
//! read.
//!
//! Owns: its offsets. Must not touch memory.
//!
//! ```text
//! 0        64                       multiple of 4096
//! | header | epochs, one per block | one class byte per counter |
//! ```
//!
//! The coordinator publishes in this order: class bytes, epochs of their blocks, sequence.
//! Bits are never taken away, so a reader that sees some of a publication early is not wrong.

use super::LayoutError;
use crate::MAP_FD;

/// Offset of the magic, `u32`.
pub const MAGIC_AT: usize = 0;

/// The magic: `fzcm` in this order of bytes.
pub const MAGIC: u32 = u32::from_le_bytes(*b"fzcm");

/// Offset of the version of this layout, `u32`.
pub const VERSION_AT: usize = 4;

/// The version of this layout.
pub const VERSION: u32 = 1;

/// Offset of the number of counters, `u64`.
pub const COUNTERS: usize = 8;

/// Offset of the sequence, `u64`: one more after each publication (release).
pub const SEQUENCE: usize = 16;

/// Offset of the epochs, `u32` each: one more after each publication that changed the block.
pub const EPOCHS: usize = 64;

/// Counters of one block.
pub const BLOCK_COUNTERS: usize = 4096;

/// Alignment of the class bytes.
pub const BITS_ALIGN: usize = 4096;

/// How many blocks there are.
#[must_use]
pub const fn blocks(counters: usize) -> usize {
    counters.div_ceil(BLOCK_COUNTERS)
}

/// Offset of the epoch of a block.
#[must_use]
pub const fn epoch_offset(block: usize) -> usize {
    EPOCHS + block * 4
}

/// Offset of the class byte of counter 0; the others follow it.
#[must_use]
pub const fn bits_offset(counters: usize) -> usize {
    epoch_offset(blocks(counters)).next_multiple_of(BITS_ALIGN)
}

/// Bytes of the memory.
#[must_use]
pub const fn map_bytes(counters: usize) -> usize {
    bits_offset(counters) + counters
}

/// Checks a header for a worker with so many counters, in a memory of so many bytes.
pub fn check(header: &[u8; 24], memory_bytes: usize, counters: usize) -> Result<(), LayoutError> {
    let words = (u64::from(VERSION) << 32 | u64::from(MAGIC), counters as u64);
    if super::word_pair(header) != words || memory_bytes < map_bytes(counters) {
        return Err(LayoutError::Foreign { fd: MAP_FD, what: "coverage map" });
    }
    Ok(())
}

/// The first bytes of a fresh map.
#[must_use]
pub fn header(counters: usize) -> [u8; 24] {
    let mut header = [0; 24];
    header[..4].copy_from_slice(&MAGIC.to_le_bytes());
    header[4..8].copy_from_slice(&VERSION.to_le_bytes());
    header[8..16].copy_from_slice(&(counters as u64).to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_follow_each_other_without_overlap() {
        for counters in [0, 1, 4096, 4097, 4096 * 1008, 4096 * 1008 + 1, 1 << 24] {
            assert!(bits_offset(counters) >= EPOCHS + blocks(counters) * 4);
            assert!(bits_offset(counters).is_multiple_of(BITS_ALIGN));
            assert_eq!(map_bytes(counters) - bits_offset(counters), counters);
        }
        assert_eq!((bits_offset(4096 * 1008), bits_offset(4096 * 1008 + 1)), (4096, 8192));
    }

    #[test]
    fn a_map_of_another_size_or_kind_is_refused() {
        assert_eq!(check(&header(10), map_bytes(10), 10), Ok(()));
        assert!(check(&header(10), map_bytes(10), 11).is_err());
        assert!(check(&header(11), map_bytes(10), 11).is_err());
        for at in 0..8 {
            let mut bad = header(10);
            bad[at] ^= 1;
            let error = check(&bad, map_bytes(10), 10).unwrap_err().to_string();
            assert_eq!(error, "the memory at fd 6 is not the coverage map of version 1");
        }
    }
}
