//! Records of bytes from one side to the other, while a call goes on.
//!
//! Owns: moving records through a part of a region, and the checks of what the other side wrote.
//! Must not know what a record means. One writer, one reader; neither ever waits.
//!
//! ```text
//! 0      64     128                          + data_bytes
//! | head | tail | u32 length, bytes, padding to 8 | … |
//! ```
//!
//! Positions count bytes from 0 and never wrap; a position's place is its remainder by the bytes of
//! data. The writer writes a record and then `head` (release); the reader reads `head` (acquire),
//! copies the record, and then writes `tail`.

use std::sync::atomic::{Ordering::Acquire, Ordering::Release};

use crate::error::OutOfBounds;
use crate::region::Region;

/// Offset of `head`.
pub const HEAD: usize = 0;

/// Offset of `tail`.
pub const TAIL: usize = 64;

/// Offset of the data.
pub const DATA: usize = 128;

/// Alignment of records.
const ALIGN: u64 = 8;

/// Bytes of a record's length.
const PREFIX: u64 = 4;

/// What the other side wrote cannot be. Nothing after it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// `head` is not a position that a writer can be at.
    #[error("the head of the ring is {head} while its tail is {tail}")]
    Head {
        /// The head found.
        head: u64,
        /// The reader's own position.
        tail: u64,
    },
    /// A record goes beyond what was written, or is longer than allowed.
    #[error("a record of {bytes} bytes in the ring, of {written} written, the limit is {max}")]
    Record {
        /// Bytes of the record, as it says.
        bytes: u32,
        /// Bytes written behind the reader's position.
        written: u64,
        /// Bytes a record may have.
        max: usize,
    },
    /// The ring does not lie within the region.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
}

/// A ring within a region.
#[derive(Debug, Clone, Copy)]
struct Ring<'a> {
    region: &'a Region,
    offset: usize,
    data_bytes: u64,
}

impl<'a> Ring<'a> {
    fn new(region: &'a Region, offset: usize, data_bytes: usize) -> Result<Self, OutOfBounds> {
        let refused = OutOfBounds { offset, bytes: data_bytes, len: region.len() };
        let end = offset.checked_add(DATA).and_then(|start| start.checked_add(data_bytes));
        let is_within = end.is_some_and(|end| end <= region.len());
        let is_ring = data_bytes.is_power_of_two() && data_bytes as u64 >= ALIGN;
        if !is_within || !is_ring || !offset.is_multiple_of(size_of::<u64>()) {
            return Err(refused);
        }
        Ok(Self { region, offset, data_bytes: data_bytes as u64 })
    }

    fn position(&self, word: usize) -> Result<u64, OutOfBounds> {
        Ok(u64::from_le(self.region.word(self.offset + word)?.load(Acquire)))
    }

    fn set_position(&self, word: usize, position: u64) -> Result<(), OutOfBounds> {
        self.region.word(self.offset + word)?.store(position.to_le(), Release);
        Ok(())
    }

    /// The two pieces of `bytes` at `position`: where each lies, and how long the first is.
    fn pieces(&self, position: u64, bytes: usize) -> (usize, usize) {
        let place = position % self.data_bytes;
        let first = (self.data_bytes - place).min(bytes as u64);
        let as_usize = |number| usize::try_from(number).expect("less than the bytes of a region");
        (self.offset + DATA + as_usize(place), as_usize(first))
    }

    fn write(&self, position: u64, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let (at, first) = self.pieces(position, bytes.len());
        self.region.write(at, &bytes[..first])?;
        self.region.write(self.offset + DATA, &bytes[first..])
    }

    fn read(&self, position: u64, into: &mut [u8]) -> Result<(), OutOfBounds> {
        let (at, first) = self.pieces(position, into.len());
        let (first, second) = into.split_at_mut(first);
        self.region.read(at, first)?;
        self.region.read(self.offset + DATA, second)
    }
}

fn record_bytes(payload: u64) -> u64 {
    (PREFIX + payload).next_multiple_of(ALIGN)
}

/// The side that pushes.
#[derive(Debug, Clone, Copy)]
pub struct RingWriter<'a> {
    ring: Ring<'a>,
}

impl<'a> RingWriter<'a> {
    /// The ring at `offset` of `region` with `data_bytes` of data, a power of two.
    ///
    /// # Errors
    /// When it does not lie within the region.
    pub fn new(region: &'a Region, offset: usize, data_bytes: usize) -> Result<Self, OutOfBounds> {
        Ok(Self { ring: Ring::new(region, offset, data_bytes)? })
    }

    /// Pushes a record. `false`: there is no room for it now, and never if it is as large as the
    /// ring.
    #[must_use]
    pub fn push(&self, record: &[u8]) -> bool {
        self.try_push(record).expect("the ring was checked to lie within its region")
    }

    fn try_push(&self, record: &[u8]) -> Result<bool, OutOfBounds> {
        let head = self.ring.position(HEAD)?;
        let used = head.wrapping_sub(self.ring.position(TAIL)?);
        let Ok(length) = u32::try_from(record.len()) else { return Ok(false) };
        let bytes = record_bytes(u64::from(length));
        // A target that wrote over the positions must not make a record cross another's.
        let is_sane = used <= self.ring.data_bytes && head.is_multiple_of(ALIGN);
        if !is_sane || bytes > self.ring.data_bytes - used {
            return Ok(false);
        }
        self.ring.write(head, &length.to_le_bytes())?;
        self.ring.write(head.wrapping_add(PREFIX), record)?;
        self.ring.set_position(HEAD, head.wrapping_add(bytes))?;
        Ok(true)
    }
}

/// The side that pops. Its own position is kept here and never read back from the memory.
#[derive(Debug, Clone, Copy)]
pub struct RingReader<'a> {
    ring: Ring<'a>,
    tail: u64,
}

impl<'a> RingReader<'a> {
    /// The ring at `offset` of `region` with `data_bytes` of data, a power of two; at its start.
    ///
    /// # Errors
    /// When it does not lie within the region.
    pub fn new(region: &'a Region, offset: usize, data_bytes: usize) -> Result<Self, OutOfBounds> {
        Ok(Self { ring: Ring::new(region, offset, data_bytes)?, tail: 0 })
    }

    /// The same reader at a [`position`](Self::position) where another one stopped.
    #[must_use]
    pub fn at(self, position: u64) -> Self {
        Self { tail: position, ..self }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.tail
    }

    /// Empties the ring and starts it again at 0: before a call, when nobody writes.
    pub fn reset(&mut self) {
        self.tail = 0;
        for word in [HEAD, TAIL] {
            let set = self.ring.set_position(word, 0);
            set.expect("the ring was checked to lie within its region");
        }
    }

    /// The next record, of at most `max_bytes`; `None`: there is none.
    ///
    /// # Errors
    /// When the other side wrote what cannot be. Records popped before stand.
    pub fn pop(&mut self, max_bytes: usize) -> Result<Option<Vec<u8>>, RingError> {
        let head = self.ring.position(HEAD)?;
        let written = head.wrapping_sub(self.tail);
        if written == 0 {
            return Ok(None);
        }
        if written > self.ring.data_bytes || !written.is_multiple_of(ALIGN) {
            return Err(RingError::Head { head, tail: self.tail });
        }
        let mut length = [0; 4];
        self.ring.read(self.tail, &mut length)?;
        let bytes = u32::from_le_bytes(length);
        let record = record_bytes(u64::from(bytes));
        let payload = usize::try_from(bytes).ok().filter(|&payload| payload <= max_bytes);
        let Some(payload) = payload.filter(|_| record <= written) else {
            return Err(RingError::Record { bytes, written, max: max_bytes });
        };
        let mut popped = vec![0; payload];
        self.ring.read(self.tail.wrapping_add(PREFIX), &mut popped)?;
        self.tail = self.tail.wrapping_add(record);
        self.ring.set_position(TAIL, self.tail)?;
        Ok(Some(popped))
    }
}

#[cfg(test)]
mod tests;
