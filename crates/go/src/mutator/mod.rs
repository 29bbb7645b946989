//! Go's mutator, bit for bit: from the same values, generator and memory size the same result.
//!
//! Owns: which parameter a mutation changes and how each type is changed. Source: `mutator.go` of
//! `internal/fuzz` (Go 1.27.3). Must not: decide how often to mutate ([`crate::rebuild`] does).
//!
//! What has to be got right, besides the draws themselves:
//!
//! - every parameter may use an equal share of the memory minus [`ENCODING_ROOM`], which is also
//!   the capacity of the buffer: *results depend on the size of the memory*;
//! - all `[]byte` parameters that were mutated are views of one buffer, of which each shows the
//!   first bytes; mutating one changes the others. A mutated `string` is a copy;
//! - `rune` is `int32` and `byte` is `uint8`; `bool` is flipped in half of its mutations.

mod chunks;
mod draws;
mod number;
mod operators;
mod scratch;
mod words;

#[cfg(test)]
mod tests;

use fuzzd_protocol::value::{Value, ValueType};

use self::scratch::Scratch;
use crate::limits::{CAPACITY_MAX, ENCODING_ROOM};
use crate::pcg::Random;

/// Why Go's mutator could not have made a mutation. A worker panics or hangs in these cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MutateError {
    /// There is nothing to mutate.
    #[error("an input without values")]
    NoValues,
    /// Go has no such type.
    #[error("Go has no parameters of type {0}")]
    NotGo(ValueType),
    /// Positions in such a memory are no 32-bit numbers.
    #[error("a memory of {0} bytes is too large for Go's mutator")]
    Capacity(usize),
    /// The value is longer than its share of the memory.
    #[error("a value of {bytes} bytes, where each may have {max} in this memory")]
    TooLong {
        /// Bytes of the value.
        bytes: usize,
        /// Bytes each value may have.
        max: usize,
    },
    /// No operator changes an empty value in so small a memory.
    #[error("no operator applies to a value of {bytes} bytes in this memory")]
    NothingApplies {
        /// Bytes of the value.
        bytes: usize,
    },
}

/// A parameter while its input is being mutated.
#[derive(Debug, Clone)]
enum Slot {
    /// The parameter has a value of its own.
    Own(Value),
    /// The first so many bytes of the scratch buffer, whatever they are by now.
    View(usize),
}

/// An input that is being mutated: the values that were sent, and what a chain of mutations made
/// of them. Begin a new one for every chain.
#[derive(Debug, Clone)]
pub struct Candidate {
    slots: Vec<Slot>,
    scratch: Scratch,
    /// Bytes each value may have; `None` where the share of the memory is less than nothing.
    share: Option<usize>,
}

impl Candidate {
    /// The values as they were sent, for a worker whose memory has `capacity` bytes for the value.
    pub fn new(values: Vec<Value>, capacity: usize) -> Result<Self, MutateError> {
        if values.is_empty() {
            return Err(MutateError::NoValues);
        }
        if capacity > CAPACITY_MAX {
            return Err(MutateError::Capacity(capacity));
        }
        let share = (capacity / values.len()).checked_sub(ENCODING_ROOM);
        Ok(Self {
            slots: values.into_iter().map(Slot::Own).collect(),
            scratch: Scratch::new(share.unwrap_or(0)),
            share,
        })
    }

    /// One mutation of one parameter, which is drawn. After an error the candidate is of no use.
    pub fn mutate(&mut self, random: &mut impl Random) -> Result<(), MutateError> {
        let index = draws::place(random, self.slots.len());
        let share = self.share;
        let slot = &mut self.slots[index];
        match slot {
            Slot::View(length) => {
                fits(*length, share)?;
                self.scratch.load_view(*length);
                operators::mutate(&mut self.scratch, random)?;
                *slot = Slot::View(self.scratch.len());
            }
            Slot::Own(Value::Bytes(bytes)) => {
                fits(bytes.len(), share)?;
                self.scratch.load(bytes);
                operators::mutate(&mut self.scratch, random)?;
                *slot = Slot::View(self.scratch.len());
            }
            Slot::Own(Value::String(bytes)) => {
                fits(bytes.len(), share)?;
                self.scratch.load(bytes);
                operators::mutate(&mut self.scratch, random)?;
                *bytes = self.scratch.value().to_vec();
            }
            Slot::Own(value) => scalar(value, random)?,
        }
        Ok(())
    }

    /// The values as the fuzz function gets them now.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        let values = self.slots.iter().map(|slot| match slot {
            Slot::Own(value) => value.clone(),
            Slot::View(length) => Value::Bytes(self.scratch.view(*length).to_vec()),
        });
        values.collect()
    }
}

/// Go panics for a value that is longer than its share.
fn fits(bytes: usize, share: Option<usize>) -> Result<(), MutateError> {
    match share {
        Some(max) if bytes <= max => Ok(()),
        Some(_) | None => Err(MutateError::TooLong { bytes, max: share.unwrap_or(0) }),
    }
}

/// Mutates a parameter that is no byte string. The results are within the type's range.
fn scalar(value: &mut Value, random: &mut impl Random) -> Result<(), MutateError> {
    /// The mutated number in its own width.
    macro_rules! step {
        ($how:ident, $number:expr, $narrow:ty, $wide:ty) => {{
            let wide = number::$how(<$wide>::from(*$number), <$wide>::from(<$narrow>::MAX), random);
            *$number = <$narrow>::try_from(wide).expect("a step stays within the range");
        }};
    }
    match value {
        Value::Int(number) | Value::Int64(number) => step!(signed, number, i64, i64),
        Value::Int8(number) => step!(signed, number, i8, i64),
        Value::Int16(number) => step!(signed, number, i16, i64),
        Value::Int32(number) => step!(signed, number, i32, i64),
        Value::Uint(number) | Value::Uint64(number) => step!(unsigned, number, u64, u64),
        Value::Uint8(number) => step!(unsigned, number, u8, u64),
        Value::Uint16(number) => step!(unsigned, number, u16, u64),
        Value::Uint32(number) => step!(unsigned, number, u32, u64),
        Value::Float32(number) => *number = number::float32(*number, random),
        Value::Float64(number) => *number = number::float64(*number, random),
        Value::Bool(value) => *value ^= random.below(2) == 1,
        Value::Rune(character) => {
            // Only values that did not come from `crate::text` have this form.
            let mut number = i32::try_from(u32::from(*character)).expect("characters have 21 bits");
            step!(signed, &mut number, i32, i64);
            *value = Value::Int32(number);
        }
        Value::Bytes(_) | Value::String(_) | Value::Int128(_) | Value::Uint128(_) => {
            return Err(MutateError::NotGo(value.value_type()));
        }
    }
    Ok(())
}
