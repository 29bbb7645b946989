//! The corpus arena of one fuzz test, at fd 7: inputs and tokens for workers to read.
//!
//! Owns: its offsets and the codec of an index record. Must not touch memory.
//!
//! ```text
//! 0        64                              ARENA_DATA
//! | header | index: ARENA_ENTRIES_MAX records | data |
//! ```
//!
//! It only grows: the coordinator writes an item's data, its index record, and then the number of
//! items. An item below that number never changes.

use super::LayoutError;
use crate::ARENA_FD;

/// Offset of the magic, `u32`.
pub const MAGIC_AT: usize = 0;

/// The magic: `fzca` in this order of bytes.
pub const MAGIC: u32 = u32::from_le_bytes(*b"fzca");

/// Offset of the version of this layout, `u32`.
pub const VERSION_AT: usize = 4;

/// The version of this layout.
pub const VERSION: u32 = 1;

/// Offset of the number of items published, `u64` (release).
pub const ENTRIES: usize = 8;

/// Offset of the bytes of data used, `u64`.
pub const DATA_USED: usize = 16;

/// Offset of the index.
pub const INDEX: usize = 64;

/// Bytes of one index record.
pub const RECORD_BYTES: usize = 16;

/// Items there can be.
pub const ARENA_ENTRIES_MAX: usize = 1 << 20;

/// Offset of the data.
pub const ARENA_DATA: usize = (INDEX + ARENA_ENTRIES_MAX * RECORD_BYTES).next_multiple_of(4096);

/// Bytes of data there can be. Only those that are used take memory.
pub const ARENA_DATA_BYTES: usize = 256 << 20;

/// Bytes of the memory.
pub const ARENA_BYTES: usize = ARENA_DATA + ARENA_DATA_BYTES;

/// Kind of an item: an entry of the corpus, in memory form.
pub const KIND_ENTRY: u32 = 0;

/// Kind of an item: a token of a dictionary that the person gave.
pub const KIND_TOKEN: u32 = 1;

/// Offset of the index record of an item.
#[must_use]
pub const fn record_offset(index: usize) -> usize {
    INDEX + index * RECORD_BYTES
}

/// Where one item lies, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// Offset of its data from the start of the memory.
    pub offset: u64,
    /// Bytes of its data.
    pub len: u32,
    /// [`KIND_ENTRY`] or [`KIND_TOKEN`]. Readers pass over kinds they do not know.
    pub kind: u32,
}

impl Record {
    /// Reads a record.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Self {
        let (offset, rest) = super::word_pair(bytes);
        let [len, kind] = [rest & u64::from(u32::MAX), rest >> 32]
            .map(|half| u32::try_from(half).unwrap_or(u32::MAX));
        Self { offset, len, kind }
    }

    /// Writes a record.
    #[must_use]
    pub fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.len.to_le_bytes());
        bytes[12..].copy_from_slice(&self.kind.to_le_bytes());
        bytes
    }
}

/// Checks a header for a worker, in a memory of so many bytes.
pub fn check(header: &[u8; 24], memory_bytes: usize) -> Result<(), LayoutError> {
    let (first, _) = super::word_pair(header);
    if first != u64::from(VERSION) << 32 | u64::from(MAGIC) || memory_bytes < ARENA_BYTES {
        return Err(LayoutError::Foreign { fd: ARENA_FD, what: "corpus arena" });
    }
    Ok(())
}

/// The first bytes of a fresh arena.
#[must_use]
pub fn header() -> [u8; 24] {
    let mut header = [0; 24];
    header[..4].copy_from_slice(&MAGIC.to_le_bytes());
    header[4..8].copy_from_slice(&VERSION.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_ends_where_the_data_begins() {
        assert!(record_offset(ARENA_ENTRIES_MAX) <= ARENA_DATA);
        assert!(ARENA_DATA.is_multiple_of(4096));
        assert_eq!(ARENA_BYTES, ARENA_DATA + (256 << 20));
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let record = Record { offset: 0x0102_0304_0506_0708, len: 0x1112_1314, kind: u32::MAX };
        assert_eq!(Record::from_bytes(&record.to_bytes()), record);
        assert_eq!(record.to_bytes()[8..12], [0x14, 0x13, 0x12, 0x11]);
    }

    #[test]
    fn an_arena_of_another_size_or_kind_is_refused() {
        assert_eq!(check(&header(), ARENA_BYTES), Ok(()));
        assert!(check(&header(), ARENA_BYTES - 1).is_err());
        for at in 0..8 {
            let mut bad = header();
            bad[at] ^= 1;
            let error = check(&bad, ARENA_BYTES).unwrap_err().to_string();
            assert_eq!(error, "the memory at fd 7 is not the corpus arena of version 1");
        }
    }
}
