//! The layout of the memories at fds 5, 6 and 7.
//!
//! Owns: offsets, widths and codecs; here those of fd 5, in [`ring`] of the finds within it, in
//! [`map`] and [`arena`] of the other two. Everything is little-endian. Must not: touch memory, or
//! decide who may write when (`proto-spec/shared-memory.md` does).
//!
//! ```text
//! 0        40                      control_offset          + 4096
//! | header | value (capacity bytes) | padding | control block | ring (extension) |
//! ```

pub mod arena;
pub mod map;
pub mod ring;

/// Bytes of the header; the value follows it.
pub const HEADER_BYTES: usize = 40;

/// Offset of `count`, `i64`: executions of newly mutated inputs in this call. The coordinator
/// writes 0 before a call, the worker adds 1 before each execution.
pub const COUNT: usize = 0;

/// Offset of `valueLen`, `i64`: bytes of the value. Both sides write it.
pub const VALUE_LEN: usize = 8;

/// Offset of `randState`, `u64`: the worker's random state. Of a native worker: the seed of the
/// iteration being executed.
pub const RAND_STATE: usize = 16;

/// Offset of `randInc`, `u64`: Go's second half of the random state. Native workers write 0.
pub const RAND_INC: usize = 24;

/// Offset of `rawInMem`, one byte, 0 or 1: the value is the raw content of one parameter instead
/// of the text of all (Go dialect, during `Minimize`). Native workers write 0.
pub const RAW_IN_MEM: usize = 32;

/// Bytes of the control block.
pub const CONTROL_BYTES: usize = 4096;

/// Alignment of the control block, so that it shares no cache line with the value.
pub const CONTROL_ALIGN: usize = 64;

/// Offset in the control block of `stop`, `u32`. The coordinator writes [`STOP_REQUESTED`] to end
/// the call before its next execution, and 0 before each call.
pub const STOP: usize = 0;

/// Offset in the control block of `phase`, `u32`: [`PHASE_IDLE`] or [`PHASE_RUNNING`], written by
/// the worker.
pub const PHASE: usize = 4;

/// Offset in the control block of `otherCount`, `u64`: executions of this call that are not of
/// newly mutated inputs. The coordinator writes 0 before a call, the worker adds 1 before each.
pub const OTHER_COUNT: usize = 8;

/// Value of `stop`: end the call before the next execution.
pub const STOP_REQUESTED: u32 = 1;

/// Value of `phase`: the fuzz test is not running.
pub const PHASE_IDLE: u32 = 0;

/// Value of `phase`: the fuzz test is running the value in memory.
pub const PHASE_RUNNING: u32 = 1;

/// Offset of the control block in a memory whose value has `capacity` bytes.
#[must_use]
pub const fn control_offset(capacity: usize) -> usize {
    (HEADER_BYTES + capacity).next_multiple_of(CONTROL_ALIGN)
}

/// Bytes of a memory whose value has `capacity` bytes and that has a control block.
#[must_use]
pub const fn memory_bytes(capacity: usize) -> usize {
    control_offset(capacity) + CONTROL_BYTES
}

/// Offset of the ring in a memory whose value has `capacity` bytes.
#[must_use]
pub const fn ring_offset(capacity: usize) -> usize {
    control_offset(capacity) + CONTROL_BYTES
}

/// Bytes of a memory whose value has `capacity` bytes and that has a control block and a ring.
#[must_use]
pub const fn memory_bytes_with_ring(capacity: usize) -> usize {
    ring_offset(capacity) + ring::DATA + ring::RING_BYTES
}

/// A memory that does not have the parts it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// There is no room for the header.
    #[error("a memory of {memory_bytes} bytes has no room for the header of 40 bytes")]
    NoHeader {
        /// Bytes of the memory.
        memory_bytes: usize,
    },
    /// The control block lies on the header, beyond the end, or is not aligned.
    #[error("a control block at {offset} does not fit a memory of {memory_bytes} bytes")]
    Control {
        /// Where it was said to be.
        offset: u64,
        /// Bytes of the memory.
        memory_bytes: usize,
    },
    /// The ring lies on the control block, beyond the end, is not aligned, or its bytes are no
    /// power of two.
    #[error("a ring of {ring_bytes} bytes at {offset} does not fit a memory of {memory_bytes}")]
    Ring {
        /// Where it was said to be.
        offset: u64,
        /// Bytes of data it was said to have.
        ring_bytes: u64,
        /// Bytes of the memory.
        memory_bytes: usize,
    },
    /// A memory at fd 6 or 7 is not what it should be.
    #[error("the memory at fd {fd} is not the {what} of version 1")]
    Foreign {
        /// The descriptor.
        fd: i32,
        /// `coverage map` or `corpus arena`.
        what: &'static str,
    },
}

/// Bytes the value may have, as a worker sees it: from the header to the control block that `Ping`
/// named, or to the end of the memory if it named none.
pub fn capacity(memory_bytes: usize, control_offset: Option<u64>) -> Result<usize, LayoutError> {
    let without_control =
        memory_bytes.checked_sub(HEADER_BYTES).ok_or(LayoutError::NoHeader { memory_bytes })?;
    let Some(offset) = control_offset else { return Ok(without_control) };
    let refused = LayoutError::Control { offset, memory_bytes };
    let start = usize::try_from(offset).map_err(|_| refused)?;
    let end = start.checked_add(CONTROL_BYTES).ok_or(refused)?;
    if !start.is_multiple_of(CONTROL_ALIGN) || end > memory_bytes {
        return Err(refused);
    }
    start.checked_sub(HEADER_BYTES).ok_or(refused)
}

/// The two words at the start of at least 16 bytes.
fn word_pair(bytes: &[u8]) -> (u64, u64) {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 8).unwrap_or_default();
        bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    (word(0), word(8))
}

/// The header, copied out of the memory. Its numbers are the other side's words: check them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Header {
    /// See [`COUNT`].
    pub count: i64,
    /// See [`VALUE_LEN`].
    pub value_len: i64,
    /// See [`RAND_STATE`].
    pub rand_state: u64,
    /// See [`RAND_INC`].
    pub rand_inc: u64,
    /// See [`RAW_IN_MEM`]. Any byte but 0 reads as true.
    pub raw_in_mem: bool,
}

impl Header {
    /// Reads a header.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Self {
        let word = |offset: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[offset..offset + 8]);
            word
        };
        Self {
            count: i64::from_le_bytes(word(COUNT)),
            value_len: i64::from_le_bytes(word(VALUE_LEN)),
            rand_state: u64::from_le_bytes(word(RAND_STATE)),
            rand_inc: u64::from_le_bytes(word(RAND_INC)),
            raw_in_mem: bytes[RAW_IN_MEM] != 0,
        }
    }

    /// Writes a header; the padding is 0.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[COUNT..COUNT + 8].copy_from_slice(&self.count.to_le_bytes());
        bytes[VALUE_LEN..VALUE_LEN + 8].copy_from_slice(&self.value_len.to_le_bytes());
        bytes[RAND_STATE..RAND_STATE + 8].copy_from_slice(&self.rand_state.to_le_bytes());
        bytes[RAND_INC..RAND_INC + 8].copy_from_slice(&self.rand_inc.to_le_bytes());
        bytes[RAW_IN_MEM] = u8::from(self.raw_in_mem);
        bytes
    }
}
