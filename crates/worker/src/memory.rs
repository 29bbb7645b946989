//! The worker's view of the shared memory: header, value and control block.
//!
//! Owns who writes which word while a call runs. The coordinator owns the memory between calls; the
//! worker owns it from reading a call to writing the reply, except for `stop`, which the
//! coordinator may set at any time. All of `count`, `otherCount` and `phase` may be read by the
//! coordinator at any time, also after the worker died: they are written before what they announce.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::Release};

use fuzzd_protocol::layout::{self, HEADER_BYTES, LayoutError};
use fuzzd_shm::{ExclusiveArea, OutOfBounds, Region};

/// A memory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    /// The parts do not fit.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The same, seen from below.
    #[error(transparent)]
    Bounds(#[from] OutOfBounds),
}

/// The length of the value in memory is not one: the coordinator did not write a value.
#[derive(Debug, thiserror::Error)]
#[error("the value in memory has {value_len} bytes, there is room for {capacity}")]
pub(crate) struct ValueLenError {
    value_len: i64,
    capacity: usize,
}

/// Stands in for the control block when the coordinator named none.
#[derive(Debug, Default)]
pub(crate) struct NoControl {
    stop: AtomicU32,
    phase: AtomicU32,
    other_count: AtomicU64,
}

/// Views of all parts of one memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WorkerMemory<'a> {
    region: &'a Region,
    capacity: usize,
    count: &'a AtomicU64,
    value_len: &'a AtomicU64,
    rand_state: &'a AtomicU64,
    stop: &'a AtomicU32,
    phase: &'a AtomicU32,
    other_count: &'a AtomicU64,
}

impl<'a> WorkerMemory<'a> {
    /// The parts of `region`, with the control block at `control_offset` if there is one.
    pub(crate) fn new(
        region: &'a Region,
        control_offset: Option<u64>,
        no_control: &'a NoControl,
    ) -> Result<Self, MemoryError> {
        let capacity = layout::capacity(region.len(), control_offset)?;
        let mut memory = Self {
            region,
            capacity,
            count: region.atomic_u64(layout::COUNT)?,
            value_len: region.atomic_u64(layout::VALUE_LEN)?,
            rand_state: region.atomic_u64(layout::RAND_STATE)?,
            stop: &no_control.stop,
            phase: &no_control.phase,
            other_count: &no_control.other_count,
        };
        if control_offset.is_some() {
            let control = HEADER_BYTES + capacity;
            memory.stop = region.atomic_u32(control + layout::STOP)?;
            memory.phase = region.atomic_u32(control + layout::PHASE)?;
            memory.other_count = region.atomic_u64(control + layout::OTHER_COUNT)?;
        }
        Ok(memory)
    }

    /// Bytes a value may have.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes of the value, as the coordinator left it.
    pub(crate) fn value_len(&self) -> Result<usize, ValueLenError> {
        let value_len = u64::from_le(self.value_len.load(Relaxed)).cast_signed();
        let wrong = ValueLenError { value_len, capacity: self.capacity };
        usize::try_from(value_len).ok().filter(|len| *len <= self.capacity).ok_or(wrong)
    }

    /// Says how long the value is that was edited in place.
    #[inline]
    pub(crate) fn set_value_len(&self, len: usize) {
        self.value_len.store((len as u64).to_le(), Relaxed);
    }

    /// The place of the value, all of it, to be edited. To be given back before it is asked for
    /// again.
    pub(crate) fn take_area(&self) -> ExclusiveArea<'a> {
        self.region
            .exclusive(HEADER_BYTES, self.capacity)
            .expect("the capacity was computed from this region, and nobody has the area now")
    }

    /// Executions of newly mutated inputs in this call.
    pub(crate) fn count(&self) -> u64 {
        u64::from_le(self.count.load(Relaxed))
    }

    /// See [`count`](Self::count).
    #[inline]
    pub(crate) fn set_count(&self, count: u64) {
        self.count.store(count.to_le(), Relaxed);
    }

    /// All other executions in this call.
    pub(crate) fn set_other_count(&self, count: u64) {
        self.other_count.store(count.to_le(), Relaxed);
    }

    /// The random state of the iteration that follows, for people who look at a dead worker.
    #[inline]
    pub(crate) fn set_rand_state(&self, state: u64) {
        self.rand_state.store(state.to_le(), Relaxed);
    }

    /// Whether the fuzz test is running the value in memory. Whatever was written before this is
    /// there for whoever sees it.
    #[inline]
    pub(crate) fn set_running(&self, running: bool) {
        let phase = if running { layout::PHASE_RUNNING } else { layout::PHASE_IDLE };
        self.phase.store(phase.to_le(), Release);
    }

    /// Whether the coordinator wants the call to end.
    #[inline]
    pub(crate) fn stop_requested(&self) -> bool {
        self.stop.load(Relaxed) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_lies_where_the_protocol_says() {
        let capacity = 100;
        let region = Region::heap(layout::memory_bytes(capacity));
        let control = layout::control_offset(capacity);
        let none = NoControl::default();
        let memory = WorkerMemory::new(&region, Some(control as u64), &none).unwrap();
        memory.take_area()[..3].copy_from_slice(b"abc");
        memory.set_value_len(3);
        memory.set_count(5);
        memory.set_other_count(6);
        memory.set_rand_state(7);
        memory.set_running(true);
        let mut header = [0; HEADER_BYTES];
        region.read(0, &mut header).unwrap();
        let header = layout::Header::from_bytes(&header);
        assert_eq!((header.count, header.value_len, header.rand_state), (5, 3, 7));
        assert_eq!(region.load_u32(control + layout::PHASE), Ok(layout::PHASE_RUNNING));
        assert_eq!(region.load_u64(control + layout::OTHER_COUNT), Ok(6));
        assert!(!memory.stop_requested());
        region.store_u32(control + layout::STOP, layout::STOP_REQUESTED).unwrap();
        assert!(memory.stop_requested());
        assert_eq!(memory.value_len().unwrap(), 3);
    }

    #[test]
    fn a_memory_without_control_block_is_all_value() {
        let region = Region::heap(HEADER_BYTES + 10);
        let none = NoControl::default();
        let memory = WorkerMemory::new(&region, None, &none).unwrap();
        assert_eq!(memory.capacity(), 10);
        memory.set_running(true);
        assert_eq!(memory.take_area().len(), 10);
    }

    #[test]
    fn a_value_that_cannot_be_is_refused() {
        let region = Region::heap(HEADER_BYTES + 10);
        let none = NoControl::default();
        let memory = WorkerMemory::new(&region, None, &none).unwrap();
        for len in [11, u64::MAX, i64::MAX as u64] {
            region.store_u64(layout::VALUE_LEN, len).unwrap();
            assert!(memory.value_len().is_err(), "{len}");
        }
    }

    #[test]
    fn a_memory_that_is_too_small_is_refused() {
        let none = NoControl::default();
        assert!(WorkerMemory::new(&Region::heap(39), None, &none).is_err());
        assert!(WorkerMemory::new(&Region::heap(4200), Some(128), &none).is_err());
    }
}
