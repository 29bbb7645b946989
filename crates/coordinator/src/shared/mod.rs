//! The memories that all workers of one fuzz test read: the coverage map and the corpus arena.
//!
//! Owns both, made once per run and test, and what is published in them. The event loop is the
//! only one that publishes; worker tasks pass the descriptors on and ask where an entry lies.
//! Workers can map them for reading only, so what is read back here is our own word.

use std::io;
use std::os::fd::OwnedFd;

use fuzzd_core::coverage::Feature;
use fuzzd_shm::ShmError;

mod arena;
mod map;

pub(crate) use arena::Arena;
pub(crate) use map::CoverageMemory;

/// See the module.
#[derive(Debug)]
pub(crate) struct TestMemories {
    map: CoverageMemory,
    arena: Arena,
}

/// Descriptors of both, for one process.
#[derive(Debug)]
pub(crate) struct SharedFds {
    pub(crate) map: OwnedFd,
    pub(crate) arena: OwnedFd,
}

impl TestMemories {
    /// Memories for a target with so many counters, with the tokens of a dictionary and no entry.
    pub(crate) fn create(counters: usize, dictionary: &[Vec<u8>]) -> Result<Self, ShmError> {
        let (map, arena) = (CoverageMemory::create(counters)?, Arena::create()?);
        dictionary.iter().for_each(|token| arena.publish_token(token));
        Ok(Self { map, arena })
    }

    /// Descriptors to pass to a worker.
    pub(crate) fn fds(&self) -> io::Result<SharedFds> {
        Ok(SharedFds { map: self.map.fd()?, arena: self.arena.fd()? })
    }

    /// Carries out `Effect::PublishCoverage`.
    pub(crate) fn publish_coverage(&self, features: &[Feature]) {
        self.map.publish(features);
    }

    /// Carries out `Effect::PublishEntry`.
    pub(crate) fn publish_entry(&self, index: u32, input: &[u8]) {
        self.arena.publish_entry(index, input);
    }

    /// Where the entry with this position in the corpus lies in the arena; `None`: there was no
    /// room for it, or it was not published.
    pub(crate) fn item_of(&self, entry: u32) -> Option<u32> {
        self.arena.item_of(entry)
    }

    /// A copy of the entry with this position, for a worker that cannot see the arena.
    pub(crate) fn entry(&self, entry: u32) -> Option<Vec<u8>> {
        self.arena.entry(entry)
    }

    /// Bytes of both that a worker can have resident. They are not its own.
    pub(crate) fn resident_max(&self) -> u64 {
        self.map.bytes() + self.arena.bytes_used()
    }
}
