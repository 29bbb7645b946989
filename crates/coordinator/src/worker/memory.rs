//! The coordinator's view of one worker's shared memory.
//!
//! Owns the memory and what is written to it before a call. Must not trust anything it reads: the
//! worker may write to all of it at any time, so numbers are checked and bytes are copied out.

use std::io;
use std::os::fd::OwnedFd;

use fuzzd_protocol::layout;
use fuzzd_protocol::layout::ring;
use fuzzd_shm::{OutOfBounds, RingError, RingReader, SharedMemory, ShmError};

// Both sides of the fence write the offsets down; they are the same.
const _: () = assert!(
    ring::HEAD == fuzzd_shm::ring::HEAD
        && ring::TAIL == fuzzd_shm::ring::TAIL
        && ring::DATA == fuzzd_shm::ring::DATA
);

/// Why the memory could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    /// An input is larger than the memory was made for.
    #[error("an input of {bytes} bytes does not fit into a memory for {capacity}")]
    TooLarge {
        /// Bytes of the input.
        bytes: usize,
        /// Bytes the memory can hold.
        capacity: usize,
    },
    /// The worker, or the target within it, wrote a length that cannot be.
    #[error("the length of the input in memory was overwritten with {0}")]
    BadLength(i64),
    /// Our own arithmetic is wrong.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
}

/// Executions of the call in flight, as the memory says. Hostile numbers: clamp them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Of newly mutated inputs.
    pub(super) new: u64,
    /// All others.
    pub(super) other: u64,
}

impl Counts {
    /// Whether any execution was begun.
    pub(super) fn is_any(self) -> bool {
        self.new > 0 || self.other > 0
    }
}

/// One worker's memory.
#[derive(Debug)]
pub(super) struct WorkerMemory {
    memory: SharedMemory,
    capacity: usize,
    /// Where the control block lies; a Go worker has none.
    control: Option<usize>,
    /// Where the ring of finds lies, if there is one.
    ring: Option<usize>,
}

impl WorkerMemory {
    /// A memory for inputs of at most `capacity` bytes.
    pub(super) fn create(capacity: usize) -> Result<Self, ShmError> {
        let memory = SharedMemory::create(layout::memory_bytes(capacity))?;
        let control = Some(layout::control_offset(capacity));
        Ok(Self { memory, capacity, control, ring: None })
    }

    /// One for a Go worker: header and value, and not a byte more. Go takes all that there is for
    /// the value, and what its mutator does depends on how much that is.
    pub(super) fn create_plain(capacity: usize) -> Result<Self, ShmError> {
        let memory = SharedMemory::create(layout::HEADER_BYTES + capacity)?;
        Ok(Self { memory, capacity, control: None, ring: None })
    }

    /// The same, with a ring of finds.
    pub(super) fn create_with_ring(capacity: usize) -> Result<Self, ShmError> {
        let memory = SharedMemory::create(layout::memory_bytes_with_ring(capacity))?;
        let (control, ring) = (layout::control_offset(capacity), layout::ring_offset(capacity));
        Ok(Self { memory, capacity, control: Some(control), ring: Some(ring) })
    }

    /// Bytes an input can have.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where the ring lies, as `Ping` names it; `None`: there is none.
    pub(super) fn ring_offset(&self) -> Option<u64> {
        self.ring.map(|offset| offset as u64)
    }

    fn ring(&self) -> Option<RingReader<'_>> {
        let reader = RingReader::new(self.memory.region(), self.ring?, ring::RING_BYTES);
        Some(reader.expect("the ring is part of the memory"))
    }

    /// The next record in the ring behind `position`, which moves on.
    pub(super) fn pop_find(&self, position: &mut u64) -> Result<Option<Vec<u8>>, RingError> {
        let Some(reader) = self.ring() else { return Ok(None) };
        let mut reader = reader.at(*position);
        let popped = reader.pop(ring::RING_BYTES);
        *position = reader.position();
        popped
    }

    /// A descriptor to pass to the worker.
    pub(super) fn fd_for_worker(&self) -> io::Result<OwnedFd> {
        self.memory.fd().try_clone_to_owned()
    }

    /// Where the control block lies, as `Ping` names it.
    pub(super) fn control_offset(&self) -> Option<u64> {
        self.control.map(|offset| offset as u64)
    }

    /// Puts `input` in place and clears everything that a call reports by.
    pub(super) fn begin_call(&self, input: &[u8]) -> Result<(), MemoryError> {
        if input.len() > self.capacity {
            return Err(MemoryError::TooLarge { bytes: input.len(), capacity: self.capacity });
        }
        let region = self.memory.region();
        region.write(layout::HEADER_BYTES, input)?;
        region.store_u64(layout::VALUE_LEN, input.len() as u64)?;
        region.store_u64(layout::COUNT, 0)?;
        region.write(layout::RAW_IN_MEM, &[0])?;
        if let Some(control) = self.control {
            region.store_u64(control + layout::OTHER_COUNT, 0)?;
            region.store_u32(control + layout::STOP, 0)?;
        }
        if let Some(mut ring) = self.ring() {
            ring.reset();
        }
        Ok(())
    }

    /// The same for a Go worker: its whole header is 0 but for the length of the text.
    pub(super) fn begin_go_call(&self, text: &[u8]) -> Result<(), MemoryError> {
        if text.len() > self.capacity {
            return Err(MemoryError::TooLarge { bytes: text.len(), capacity: self.capacity });
        }
        let value_len = i64::try_from(text.len()).map_err(|_| MemoryError::BadLength(i64::MAX))?;
        let header = layout::Header { value_len, ..layout::Header::default() };
        self.memory.region().write(0, &header.to_bytes())?;
        self.memory.region().write(layout::HEADER_BYTES, text)?;
        Ok(())
    }

    /// A copy of the header, and of the value unless its length cannot be.
    pub(super) fn picture(&self) -> (layout::Header, Vec<u8>) {
        let mut header = [0; layout::HEADER_BYTES];
        let read = self.memory.region().read(0, &mut header);
        read.expect("the header is part of the memory");
        (layout::Header::from_bytes(&header), self.input().unwrap_or_default())
    }

    /// Asks the worker to end the call before its next execution, if there is a way to.
    pub(super) fn request_stop(&self) {
        let Some(control) = self.control else { return };
        let stop = control + layout::STOP;
        let stored = self.memory.region().store_u32(stop, layout::STOP_REQUESTED);
        stored.expect("the control block is part of the memory");
    }

    /// Executions of the call in flight so far.
    pub(super) fn counts(&self) -> Counts {
        let region = self.memory.region();
        let read = |offset| region.load_u64(offset).expect("both words are part of the memory");
        Counts {
            // Signed on the wire; a negative count is a lie and reads as none.
            new: u64::try_from(read(layout::COUNT).cast_signed()).unwrap_or(0),
            other: self.control.map_or(0, |control| read(control + layout::OTHER_COUNT)),
        }
    }

    /// Whether the fuzz test was running at that moment, as far as the worker says. A Go worker is
    /// hardly ever between two executions.
    pub(super) fn is_running(&self) -> bool {
        let Some(control) = self.control else { return self.counts().is_any() };
        let phase = self.memory.region().load_u32(control + layout::PHASE);
        phase.expect("the control block is part of the memory") == layout::PHASE_RUNNING
    }

    /// A copy of the input in memory.
    pub(super) fn input(&self) -> Result<Vec<u8>, MemoryError> {
        let region = self.memory.region();
        let length = region.load_u64(layout::VALUE_LEN)?.cast_signed();
        let bytes = usize::try_from(length).ok().filter(|&bytes| bytes <= self.capacity);
        let mut input = vec![0; bytes.ok_or(MemoryError::BadLength(length))?];
        region.read(layout::HEADER_BYTES, &mut input)?;
        Ok(input)
    }

    #[cfg(test)]
    pub(super) fn region(&self) -> &fuzzd_shm::Region {
        self.memory.region()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_comes_back_byte_exact_and_a_call_starts_from_zero() {
        let memory = WorkerMemory::create(64).unwrap();
        memory.region().store_u64(layout::COUNT, 7).unwrap();
        memory.request_stop();
        memory.begin_call(b"\x00\xffinput").unwrap();
        assert_eq!(memory.input().unwrap(), b"\x00\xffinput");
        assert_eq!(memory.counts(), Counts::default());
        let stop = memory.region().load_u32(layout::control_offset(64) + layout::STOP);
        assert_eq!(stop, Ok(0));
        assert!(!memory.is_running());
    }

    #[test]
    fn a_call_starts_with_an_empty_ring_and_pops_what_is_pushed() {
        let memory = WorkerMemory::create_with_ring(64).unwrap();
        let ring = usize::try_from(memory.ring_offset().unwrap()).unwrap();
        let writer = fuzzd_shm::RingWriter::new(memory.region(), ring, ring::RING_BYTES).unwrap();
        assert!(writer.push(b"of the call before"));
        memory.begin_call(b"").unwrap();
        let mut position = 0;
        assert_eq!(memory.pop_find(&mut position), Ok(None));
        assert!(writer.push(b"find"));
        assert_eq!(memory.pop_find(&mut position), Ok(Some(b"find".to_vec())));
        assert_eq!(memory.pop_find(&mut position), Ok(None));
        assert_eq!(WorkerMemory::create(64).unwrap().pop_find(&mut position), Ok(None));
    }

    #[test]
    fn hostile_numbers_are_errors_or_zero() {
        let memory = WorkerMemory::create(64).unwrap();
        for length in [65, u64::MAX, i64::MAX.cast_unsigned(), 1 << 32] {
            memory.region().store_u64(layout::VALUE_LEN, length).unwrap();
            assert!(matches!(memory.input(), Err(MemoryError::BadLength(_))));
        }
        memory.region().store_u64(layout::COUNT, u64::MAX).unwrap();
        assert_eq!(memory.counts().new, 0);
    }

    #[test]
    fn a_go_worker_gets_a_header_of_zeros_and_as_much_memory_as_was_said() {
        let memory = WorkerMemory::create_plain(64).unwrap();
        assert_eq!(memory.region().len(), layout::HEADER_BYTES + 64);
        memory.region().write(0, &[0xff; layout::HEADER_BYTES]).unwrap();
        memory.begin_go_call(b"text").unwrap();
        let header = layout::Header { value_len: 4, ..layout::Header::default() };
        assert_eq!(memory.picture(), (header, b"text".to_vec()));
        assert!(!memory.is_running());
        assert!(memory.begin_go_call(&[0; 65]).is_err());
        memory.region().store_u64(layout::COUNT, 3).unwrap();
        assert_eq!(memory.counts(), Counts { new: 3, other: 0 });
        assert!(memory.is_running());
    }

    #[test]
    fn an_input_that_does_not_fit_is_refused() {
        let memory = WorkerMemory::create(4).unwrap();
        assert!(matches!(memory.begin_call(b"12345"), Err(MemoryError::TooLarge { .. })));
        memory.begin_call(b"1234").unwrap();
    }
}
