//! The coverage map as its only writer sees it.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;

use fuzzd_core::coverage::Feature;
use fuzzd_protocol::layout::map;
use fuzzd_shm::{OutOfBounds, SharedMemory, ShmError};

/// See the module.
#[derive(Debug)]
pub(crate) struct CoverageMemory {
    memory: SharedMemory,
    counters: usize,
}

impl CoverageMemory {
    pub(crate) fn create(counters: usize) -> Result<Self, ShmError> {
        let memory = SharedMemory::create_reserved(map::map_bytes(counters))?;
        let written = memory.region().write(0, &map::header(counters));
        written.expect("the header is part of the map");
        Ok(Self { memory, counters })
    }

    pub(crate) fn fd(&self) -> io::Result<OwnedFd> {
        self.memory.fd().try_clone_to_owned()
    }

    /// All of it: a worker reads the whole map sooner or later.
    pub(crate) fn bytes(&self) -> u64 {
        self.memory.region().len() as u64
    }

    /// Adds bits. Those of counters that do not exist are left out; the core has refused them.
    pub(crate) fn publish(&self, features: &[Feature]) {
        self.try_publish(features).expect("every counter is part of the map");
    }

    fn try_publish(&self, features: &[Feature]) -> Result<(), OutOfBounds> {
        let (region, bits) = (self.memory.region(), map::bits_offset(self.counters));
        let mut blocks = BTreeSet::new();
        for &(index, class) in features {
            let index = index as usize;
            if index >= self.counters {
                continue;
            }
            let mut byte = [0];
            region.read(bits + index, &mut byte)?;
            if byte[0] & class != class {
                region.write(bits + index, &[byte[0] | class])?;
                blocks.insert(index / map::BLOCK_COUNTERS);
            }
        }
        if blocks.is_empty() {
            return Ok(());
        }
        for block in blocks {
            let epoch = map::epoch_offset(block);
            region.publish_u32(epoch, region.load_u32(epoch)?.wrapping_add(1))?;
        }
        region.publish_u64(map::SEQUENCE, region.load_u64(map::SEQUENCE)?.wrapping_add(1))
    }
}

#[cfg(test)]
mod tests {
    use fuzzd_shm::ReadOnlyMemory;

    use super::*;

    fn reader(memory: &CoverageMemory) -> ReadOnlyMemory {
        ReadOnlyMemory::adopt(memory.fd().unwrap()).unwrap()
    }

    #[test]
    fn a_fresh_map_has_its_header_and_no_bit() {
        let memory = CoverageMemory::create(5000).unwrap();
        let map = reader(&memory);
        let mut header = [0; 24];
        map.read(0, &mut header).unwrap();
        assert_eq!(map::check(&header, map.len(), 5000), Ok(()));
        assert_eq!(map.load_u64(map::SEQUENCE), Ok(0));
        let mut bits = vec![1; 5000];
        map.read(map::bits_offset(5000), &mut bits).unwrap();
        assert!(bits.iter().all(|&byte| byte == 0));
    }

    #[test]
    fn a_publication_moves_the_epochs_of_its_blocks_and_the_sequence() {
        let memory = CoverageMemory::create(5000).unwrap();
        let map = reader(&memory);
        let state = || {
            let epochs = [0, 1].map(|block| map.load_u32(map::epoch_offset(block)).unwrap());
            (epochs, map.load_u64(map::SEQUENCE).unwrap())
        };
        memory.publish(&[(3, 1), (3, 4), (7, 128)]);
        assert_eq!(state(), ([1, 0], 1));
        memory.publish(&[(3, 2), (4999, 8)]);
        assert_eq!(state(), ([2, 1], 2));
        memory.publish(&[(3, 7), (4999, 8)]);
        assert_eq!(state(), ([2, 1], 2), "nothing changed");
        let mut bits = vec![0; 5000];
        map.read(map::bits_offset(5000), &mut bits).unwrap();
        assert_eq!((bits[3], bits[7], bits[4999]), (7, 128, 8));
        assert_eq!(bits.iter().filter(|&&byte| byte != 0).count(), 3);
    }

    #[test]
    fn counters_beyond_the_map_change_nothing() {
        let memory = CoverageMemory::create(16).unwrap();
        memory.publish(&[(16, 1), (u32::MAX, 1)]);
        assert_eq!(reader(&memory).load_u64(map::SEQUENCE), Ok(0));
        CoverageMemory::create(0).unwrap().publish(&[(0, 1)]);
    }
}
