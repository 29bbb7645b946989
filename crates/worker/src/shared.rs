//! What the coordinator shares with all workers of a test: the corpus arena and the coverage map,
//! both to be read only, and this worker's own ring for finds.
//!
//! Owns reading them. What they say is the coordinator's word, but they may be older than the call
//! at hand: indices are checked, nothing else.

use fuzzd_protocol::layout::{LayoutError, arena, map};
use fuzzd_shm::{OutOfBounds, ReadOnlyMemory, ShmError};

use crate::counters::Seen;

/// A memory that was offered and cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedError {
    /// There is no such descriptor, or it cannot be mapped.
    #[error(transparent)]
    Memory(#[from] ShmError),
    /// It is too small for its header.
    #[error(transparent)]
    Bounds(#[from] OutOfBounds),
    /// It holds something else.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// The corpus of the fuzz test, as far as it is published.
#[derive(Debug)]
pub(crate) struct Arena {
    memory: ReadOnlyMemory,
}

/// What one record of the arena is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An entry of the corpus.
    Entry,
    /// A token of the user's dictionary.
    Token,
}

impl Arena {
    /// An arena in a memory.
    pub(crate) fn new(memory: ReadOnlyMemory) -> Result<Self, SharedError> {
        let mut header = [0; 24];
        memory.read(0, &mut header)?;
        arena::check(&header, memory.len())?;
        Ok(Self { memory })
    }

    /// Records published so far. Grows only.
    pub(crate) fn len(&self) -> usize {
        let published = self.memory.load_u64(arena::ENTRIES).unwrap_or(0);
        usize::try_from(published).unwrap_or(usize::MAX).min(arena::ARENA_ENTRIES_MAX)
    }

    /// The bytes of a record and what it is; `None` if there is no such record.
    pub(crate) fn get(&self, index: usize) -> Option<(Kind, Vec<u8>)> {
        if index >= self.len() {
            return None;
        }
        let mut record = [0; arena::RECORD_BYTES];
        self.memory.read(arena::record_offset(index), &mut record).ok()?;
        let record = arena::Record::from_bytes(&record);
        let kind = match record.kind {
            arena::KIND_ENTRY => Kind::Entry,
            arena::KIND_TOKEN => Kind::Token,
            _ => return None,
        };
        let mut bytes = vec![0; usize::try_from(record.len).ok()?.min(arena::ARENA_DATA_BYTES)];
        self.memory.read(usize::try_from(record.offset).ok()?, &mut bytes).ok()?;
        Some((kind, bytes))
    }
}

/// The merged coverage of the fuzz test.
#[derive(Debug)]
pub(crate) struct SharedMap {
    memory: ReadOnlyMemory,
    counters: usize,
    sequence: u64,
    epochs: Vec<u32>,
    block: Vec<u8>,
}

impl SharedMap {
    /// A map of this many counters in a memory.
    pub(crate) fn new(memory: ReadOnlyMemory, counters: usize) -> Result<Self, SharedError> {
        let mut header = [0; 24];
        memory.read(0, &mut header)?;
        map::check(&header, memory.len(), counters)?;
        let epochs = vec![0; map::blocks(counters)];
        Ok(Self { memory, counters, sequence: 0, epochs, block: Vec::new() })
    }

    /// Takes over what was merged since the last time.
    pub(crate) fn read_into(&mut self, seen: &mut Seen) {
        // The sequence is read before the blocks: what is published meanwhile comes next time.
        let sequence = self.memory.load_u64(map::SEQUENCE).unwrap_or(self.sequence);
        if sequence == self.sequence {
            return;
        }
        self.sequence = sequence;
        let bits = map::bits_offset(self.counters);
        for block in 0..self.epochs.len() {
            let at = map::epoch_offset(block);
            let Ok(epoch) = self.memory.load_u32(at) else { return };
            if epoch == self.epochs[block] {
                continue;
            }
            self.epochs[block] = epoch;
            let first = block * map::BLOCK_COUNTERS;
            self.block.resize(map::BLOCK_COUNTERS.min(self.counters - first), 0);
            if self.memory.read(bits + first, &mut self.block).is_ok() {
                seen.merge_block(first, &self.block);
            }
        }
    }
}
