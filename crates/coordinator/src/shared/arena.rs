//! The corpus arena as its only writer sees it.
//!
//! Entries lie in it in the order they were published. One that does not fit is left out, and those
//! after it may still fit: which item an entry became is kept here.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{PoisonError, RwLock};

use fuzzd_protocol::layout::arena::{self, Record};
use fuzzd_shm::{OutOfBounds, SharedMemory, ShmError};

/// See the module.
#[derive(Debug)]
pub(crate) struct Arena {
    memory: SharedMemory,
    /// Item of each entry by its position in the corpus.
    items: RwLock<Vec<Option<u32>>>,
    /// Bytes of data there is room for.
    data_bytes: u64,
}

impl Arena {
    pub(crate) fn create() -> Result<Self, ShmError> {
        Self::with_room(arena::ARENA_DATA_BYTES as u64)
    }

    /// With less room than the memory has.
    fn with_room(data_bytes: u64) -> Result<Self, ShmError> {
        let memory = SharedMemory::create_reserved(arena::ARENA_BYTES)?;
        let written = memory.region().write(0, &arena::header());
        written.expect("the header is part of the arena");
        Ok(Self { memory, items: RwLock::default(), data_bytes })
    }

    pub(crate) fn fd(&self) -> io::Result<OwnedFd> {
        self.memory.fd().try_clone_to_owned()
    }

    /// See [`TestMemories::publish_entry`](super::TestMemories::publish_entry).
    pub(crate) fn publish_entry(&self, index: u32, input: &[u8]) {
        let item = self.push(arena::KIND_ENTRY, input).expect("an item with room has its place");
        let mut items = self.items.write().unwrap_or_else(PoisonError::into_inner);
        if items.len() != index as usize {
            tracing::error!(index, expected = items.len(), "an entry was published out of turn");
            return;
        }
        if item.is_none() {
            tracing::debug!(index, bytes = input.len(), "there is no room in the arena");
        }
        items.push(item);
    }

    /// Adds a token of a dictionary. One without room is left out.
    pub(super) fn publish_token(&self, token: &[u8]) {
        let item = self.push(arena::KIND_TOKEN, token).expect("an item with room has its place");
        if item.is_none() {
            tracing::debug!(bytes = token.len(), "there is no room in the arena for a token");
        }
    }

    pub(crate) fn item_of(&self, entry: u32) -> Option<u32> {
        let items = self.items.read().unwrap_or_else(PoisonError::into_inner);
        items.get(entry as usize).copied().flatten()
    }

    /// A copy of the entry with this position in the corpus.
    pub(crate) fn entry(&self, entry: u32) -> Option<Vec<u8>> {
        self.read(self.item_of(entry)?)
    }

    /// A copy of any item, token or entry.
    fn read(&self, item: u32) -> Option<Vec<u8>> {
        let region = self.memory.region();
        let mut record = [0; arena::RECORD_BYTES];
        region.read(arena::record_offset(usize::try_from(item).ok()?), &mut record).ok()?;
        let Record { offset, len, .. } = Record::from_bytes(&record);
        let mut data = vec![0; usize::try_from(len).ok()?];
        region.read(usize::try_from(offset).ok()?, &mut data).ok()?;
        Some(data)
    }

    /// Bytes that were written to, whole pages at each end.
    pub(crate) fn bytes_used(&self) -> u64 {
        let region = self.memory.region();
        let read = |offset| region.load_u64(offset).unwrap_or(0);
        let index = read(arena::ENTRIES) * arena::RECORD_BYTES as u64;
        index + read(arena::DATA_USED) + 4 * rustix::param::page_size() as u64
    }

    /// Appends an item, if there is room for it.
    fn push(&self, kind: u32, data: &[u8]) -> Result<Option<u32>, OutOfBounds> {
        let region = self.memory.region();
        let (item, used) = (region.load_u64(arena::ENTRIES)?, region.load_u64(arena::DATA_USED)?);
        let Ok(len) = u32::try_from(data.len()) else { return Ok(None) };
        let index = usize::try_from(item).ok().filter(|&index| index < arena::ARENA_ENTRIES_MAX);
        let Some(index) = index.filter(|_| u64::from(len) <= self.data_bytes - used) else {
            return Ok(None);
        };
        let offset = arena::ARENA_DATA as u64 + used;
        let at = usize::try_from(offset).expect("the arena is in memory");
        region.write(at, data)?;
        region.write(arena::record_offset(index), &Record { offset, len, kind }.to_bytes())?;
        region.store_u64(arena::DATA_USED, used + u64::from(len))?;
        region.publish_u64(arena::ENTRIES, item + 1)?;
        Ok(u32::try_from(index).ok())
    }
}

#[cfg(test)]
mod tests {
    use fuzzd_shm::ReadOnlyMemory;

    use super::*;

    /// An item as a worker reads it.
    fn read(memory: &ReadOnlyMemory, item: u32) -> (u32, Vec<u8>) {
        assert!(u64::from(item) < memory.load_u64(arena::ENTRIES).unwrap());
        let mut record = [0; arena::RECORD_BYTES];
        memory.read(arena::record_offset(item as usize), &mut record).unwrap();
        let Record { offset, len, kind } = Record::from_bytes(&record);
        let mut data = vec![0; len as usize];
        memory.read(usize::try_from(offset).unwrap(), &mut data).unwrap();
        (kind, data)
    }

    #[test]
    fn entries_are_read_back_by_their_items() {
        let arena = Arena::create().unwrap();
        let memory = ReadOnlyMemory::adopt(arena.fd().unwrap()).unwrap();
        let mut header = [0; 24];
        memory.read(0, &mut header).unwrap();
        assert_eq!(arena::check(&header, memory.len()), Ok(()));
        for (index, input) in [&b"one"[..], b"", b"three"].into_iter().enumerate() {
            let index = u32::try_from(index).unwrap();
            arena.publish_entry(index, input);
            assert_eq!(read(&memory, arena.item_of(index).unwrap()), (0, input.to_vec()));
        }
        assert_eq!(arena.item_of(3), None);
        assert_eq!(memory.load_u64(arena::DATA_USED), Ok(8));
    }

    #[test]
    fn an_entry_without_room_is_left_out_and_shorter_ones_go_on() {
        let arena = Arena::with_room(10).unwrap();
        let memory = ReadOnlyMemory::adopt(arena.fd().unwrap()).unwrap();
        arena.publish_entry(0, b"123456");
        arena.publish_entry(1, b"12345");
        arena.publish_entry(2, b"1234");
        arena.publish_entry(3, b"1");
        assert_eq!([0, 1, 2, 3].map(|entry| arena.item_of(entry)), [Some(0), None, Some(1), None]);
        assert_eq!(read(&memory, 1), (0, b"1234".to_vec()));
        assert_eq!(memory.load_u64(arena::ENTRIES), Ok(2));
    }

    #[test]
    fn tokens_lie_before_the_entries_and_are_none_of_them() {
        let arena = Arena::create().unwrap();
        let memory = ReadOnlyMemory::adopt(arena.fd().unwrap()).unwrap();
        arena.publish_token(b"magic");
        arena.publish_entry(0, b"entry");
        assert_eq!(read(&memory, 0), (1, b"magic".to_vec()));
        assert_eq!(read(&memory, arena.item_of(0).unwrap()), (0, b"entry".to_vec()));
        assert_eq!(arena.item_of(0), Some(1));
    }

    #[test]
    fn an_index_without_room_publishes_nothing_more() {
        let arena = Arena::create().unwrap();
        let full = arena::ARENA_ENTRIES_MAX as u64;
        arena.memory.region().store_u64(arena::ENTRIES, full - 1).unwrap();
        arena.publish_entry(0, b"last");
        arena.publish_entry(1, b"none");
        assert_eq!((arena.item_of(0), arena.item_of(1)), (u32::try_from(full - 1).ok(), None));
        assert_eq!(arena.memory.region().load_u64(arena::ENTRIES), Ok(full));
    }

    #[test]
    fn only_what_is_used_counts_as_resident() {
        let arena = Arena::create().unwrap();
        let before = arena.bytes_used();
        arena.publish_entry(0, &[7; 100_000]);
        assert_eq!(arena.bytes_used() - before, 100_016);
        assert!(before < 1 << 20, "{before}");
    }
}
