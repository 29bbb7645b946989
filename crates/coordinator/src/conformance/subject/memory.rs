//! The memory of a process under examination: what is put into it before a call, and what is found
//! in it at any time. Must not believe a number that it reads.

use fuzzd_protocol::layout::ring::{self, RING_BYTES};
use fuzzd_protocol::layout::{self, HEADER_BYTES, Header};
use fuzzd_shm::RingReader;

use super::Subject;
use crate::conformance::{Checked, failed};

// Both sides of the fence write the offsets down; they are the same.
const _: () = assert!(ring::DATA == fuzzd_shm::ring::DATA);

/// The numbers are offsets in a region that was made for them.
const WITHIN: &str = "the memory has the parts it was made with";

impl Subject {
    /// Bytes the value may have, as the worker was told.
    pub(in crate::conformance) fn capacity(&self) -> usize {
        self.control.map_or(self.memory.region().len() - HEADER_BYTES, |at| at - HEADER_BYTES)
    }

    /// Puts a value in place and clears what a call counts by.
    pub(in crate::conformance) fn put(&mut self, value: &[u8]) {
        self.noted.borrow_mut().call_begins();
        self.put_len(value, value.len() as u64);
    }

    /// The same with any length.
    pub(in crate::conformance) fn put_len(&mut self, value: &[u8], len: u64) {
        let region = self.memory.region();
        let value = &value[..value.len().min(self.capacity())];
        region.write(HEADER_BYTES, value).expect(WITHIN);
        region.store_u64(layout::VALUE_LEN, len).expect(WITHIN);
        region.store_u64(layout::COUNT, 0).expect(WITHIN);
        region.write(layout::RAW_IN_MEM, &[0]).expect(WITHIN);
        if let Some(control) = self.control {
            region.store_u64(control + layout::OTHER_COUNT, 0).expect(WITHIN);
            region.store_u32(control + layout::STOP, 0).expect(WITHIN);
        }
        if let Some(mut ring) = self.ring() {
            ring.reset();
        }
    }

    pub(in crate::conformance) fn set_count(&self, count: u64) {
        self.memory.region().store_u64(layout::COUNT, count).expect(WITHIN);
    }

    pub(in crate::conformance) fn request_stop(&self) {
        if let Some(control) = self.control {
            let region = self.memory.region();
            region.store_u32(control + layout::STOP, layout::STOP_REQUESTED).expect(WITHIN);
        }
    }

    pub(in crate::conformance) fn header(&self) -> Header {
        let mut header = [0; HEADER_BYTES];
        self.memory.region().read(0, &mut header).expect(WITHIN);
        Header::from_bytes(&header)
    }

    /// `phase`, if there is a control block.
    pub(in crate::conformance) fn phase(&self) -> Option<u32> {
        let load = |control| self.memory.region().load_u32(control + layout::PHASE).expect(WITHIN);
        self.control.map(load)
    }

    /// `otherCount`, if there is a control block.
    pub(in crate::conformance) fn other_count(&self) -> Option<u64> {
        let at = |control| control + layout::OTHER_COUNT;
        self.control.map(|control| self.memory.region().load_u64(at(control)).expect(WITHIN))
    }

    /// A copy of the value in memory.
    pub(in crate::conformance) fn value(&self) -> Checked<Vec<u8>> {
        let length = self.header().value_len;
        let len = usize::try_from(length).ok().filter(|&len| len <= self.capacity());
        let Some(len) = len else {
            let capacity = self.capacity();
            return failed(format!("valueLen is {length}, there is room for {capacity}"));
        };
        let mut value = vec![0; len];
        self.memory.region().read(HEADER_BYTES, &mut value).expect(WITHIN);
        Ok(value)
    }

    /// The finds in the ring, oldest first.
    pub(in crate::conformance) fn finds(&self) -> Checked<Vec<Vec<u8>>> {
        let (mut position, mut finds) = (0, Vec::new());
        while let Some(ring) = self.ring() {
            let mut ring = ring.at(position);
            match ring.pop(RING_BYTES) {
                Ok(Some(find)) => finds.push(find),
                Ok(None) => break,
                Err(error) => return failed(format!("the ring is none: {error}")),
            }
            position = ring.position();
        }
        Ok(finds)
    }

    fn ring(&self) -> Option<RingReader<'_>> {
        let offset = self.has_ring.then(|| layout::ring_offset(self.room))?;
        let reader = RingReader::new(self.memory.region(), offset, RING_BYTES);
        Some(reader.expect(WITHIN))
    }
}
