//! The ring of finds, in the memory at fd 5 behind the control block.
//!
//! Owns: its offsets and the codec of a find. Must not move bytes from one side to the other
//! (`fuzzd-shm` does), or judge whether a find is one.
//!
//! ```text
//! 0      64     128                      + RING_BYTES
//! | head | tail | records, each padded to 8 bytes |
//! ```

/// Offset in the ring of `head`, `u64`: bytes ever written. The worker writes it (release).
pub const HEAD: usize = 0;

/// Offset in the ring of `tail`, `u64`: bytes ever read. The coordinator writes it (release).
pub const TAIL: usize = 64;

/// Offset in the ring of its data.
pub const DATA: usize = 128;

/// Bytes of data of the ring that the coordinator makes. A power of two. Some thousand finds of
/// usual size, and so many that a call fills it only if nobody reads.
pub const RING_BYTES: usize = 1 << 20;

/// Alignment of records, of the ring and of its bytes.
pub const RECORD_ALIGN: usize = 8;

/// Bytes of the length before each record.
pub const RECORD_PREFIX: usize = 4;

/// Bytes of a find before its input.
pub const FIND_HEADER: usize = 32;

/// Bit of `parent`: the rest counts the finds of this call; without it, the items of the plan.
pub const PARENT_FOUND: u32 = 0x8000_0000;

/// Bit of `flags`: the find has all of its parent's features that no other input has, and is
/// shorter, so it replaces its parent.
pub const REPLACES: u32 = 1;

use super::{CONTROL_ALIGN, CONTROL_BYTES, LayoutError};

/// What an input was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindParent {
    /// The item of the plan at this position.
    Plan(u32),
    /// The find of this call with this number, from 0.
    Found(u32),
}

impl FindParent {
    /// As it stands on the wire. The upper bit of a number is lost.
    #[must_use]
    pub const fn to_word(self) -> u32 {
        match self {
            Self::Plan(position) => position & !PARENT_FOUND,
            Self::Found(number) => number | PARENT_FOUND,
        }
    }

    /// From its word on the wire. Whether there is such a parent is for the reader to check.
    #[must_use]
    pub const fn from_word(word: u32) -> Self {
        if word & PARENT_FOUND == 0 { Self::Plan(word) } else { Self::Found(word & !PARENT_FOUND) }
    }
}

/// Bytes of a record that are not those of a find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record ends inside its header.
    #[error("a find of {bytes} bytes has no room for its header of {FIND_HEADER} bytes")]
    Truncated {
        /// Bytes there are.
        bytes: usize,
    },
    /// The lengths of input and coverage are not those of the record.
    #[error("a find of {bytes} bytes says it has {input} of input and {coverage} of coverage")]
    Lengths {
        /// Bytes there are.
        bytes: usize,
        /// Bytes of input, as it says.
        input: u32,
        /// Bytes of coverage, as it says.
        coverage: u32,
    },
}

/// One find, as a worker pushes it while its call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindRecord<'a> {
    /// What it was made from.
    pub parent: FindParent,
    /// See [`REPLACES`]. Readers ignore bits they do not know.
    pub flags: u32,
    /// Executions of newly mutated inputs in the call when it was found.
    pub count: u64,
    /// Nanoseconds its execution took.
    pub exec_ns: u64,
    /// The input in memory form.
    pub input: &'a [u8],
    /// Its whole snapshot in sparse form ([`crate::sparse`]).
    pub coverage: &'a [u8],
}

impl<'a> FindRecord<'a> {
    /// Appends the payload of its record.
    ///
    /// # Panics
    /// With 4 GiB of input or coverage, which no ring has room for.
    pub fn encode_into(&self, record: &mut Vec<u8>) {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a ring has no room for it");
        record.extend_from_slice(&self.parent.to_word().to_le_bytes());
        record.extend_from_slice(&self.flags.to_le_bytes());
        record.extend_from_slice(&self.count.to_le_bytes());
        record.extend_from_slice(&self.exec_ns.to_le_bytes());
        record.extend_from_slice(&length(self.input).to_le_bytes());
        record.extend_from_slice(&length(self.coverage).to_le_bytes());
        record.extend_from_slice(self.input);
        record.extend_from_slice(self.coverage);
    }

    /// Reads the payload of a record.
    pub fn decode(record: &'a [u8]) -> Result<Self, RecordError> {
        let truncated = RecordError::Truncated { bytes: record.len() };
        let (header, rest) = record.split_first_chunk::<FIND_HEADER>().ok_or(truncated)?;
        let u32_at = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        let (input, coverage) = (u32_at(24), u32_at(28));
        if u64::from(input) + u64::from(coverage) != rest.len() as u64 {
            return Err(RecordError::Lengths { bytes: record.len(), input, coverage });
        }
        let (input, coverage) = rest.split_at(input as usize);
        Ok(Self {
            parent: FindParent::from_word(u32_at(0)),
            flags: u32_at(4),
            count: u64_at(8),
            exec_ns: u64_at(16),
            input,
            coverage,
        })
    }

    /// See [`REPLACES`].
    #[must_use]
    pub fn replaces_parent(&self) -> bool {
        self.flags & REPLACES != 0
    }
}

/// Bytes that a record with so many bytes of payload takes in the ring.
#[must_use]
pub const fn record_bytes(payload: usize) -> usize {
    (RECORD_PREFIX + payload).next_multiple_of(RECORD_ALIGN)
}

/// Where the ring lies, as a worker sees it, and how many bytes of data it has: what `Ping` said,
/// checked. `control_offset` is that of the same `Ping`.
pub fn checked(
    memory_bytes: usize,
    control_offset: u64,
    offset: u64,
    ring_bytes: u64,
) -> Result<(usize, usize), LayoutError> {
    let refused = LayoutError::Ring { offset, ring_bytes, memory_bytes };
    let start = usize::try_from(offset).map_err(|_| refused)?;
    let bytes = usize::try_from(ring_bytes).map_err(|_| refused)?;
    let end = start.checked_add(DATA).and_then(|data| data.checked_add(bytes)).ok_or(refused)?;
    let is_behind_control =
        control_offset.checked_add(CONTROL_BYTES as u64).is_some_and(|end| end <= offset);
    let is_ring = bytes.is_power_of_two() && bytes >= RECORD_ALIGN;
    if !start.is_multiple_of(CONTROL_ALIGN) || end > memory_bytes || !is_behind_control || !is_ring
    {
        return Err(refused);
    }
    Ok((start, bytes))
}

#[cfg(test)]
mod tests;
