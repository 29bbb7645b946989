//! Making new inputs from one.
//!
//! Owns the choice of operators and their stacking. The input is mutated where it lies, in the
//! shared memory, so that it is there whatever happens to the process when it runs. The result is
//! always in the one canonical memory form, and a function of base, limits and random state only.

mod buffer;
mod bytes;
mod decimal;
mod number;
mod scalar;
mod text;

#[cfg(test)]
mod tests;

use fuzzd_protocol::input::{self, LENGTH_BYTES};
use fuzzd_protocol::value::ValueType;
use fuzzd_shm::ByteArea;

use crate::limits::{OPERATOR_TRIES_MAX, STACK_MAX};
use crate::rng::Rng;
use buffer::{InputBuffer, Slot, ValueView};

/// A mutator for one base at a time.
#[derive(Debug)]
pub(crate) struct Mutator {
    types: Vec<ValueType>,
    base: Vec<u8>,
    base_slots: Vec<Slot>,
    slots: Vec<Slot>,
    len_max: usize,
    has_text: bool,
}

impl Mutator {
    /// A mutator for fuzz tests with these parameters.
    pub(crate) fn new(types: &[ValueType]) -> Self {
        Self {
            types: types.to_vec(),
            base: Vec::new(),
            base_slots: Vec::new(),
            slots: Vec::new(),
            len_max: 0,
            has_text: types.contains(&ValueType::String),
        }
    }

    /// Takes the input that the next ones are made from, and how long they may become. A base that
    /// is longer is cut; only scalars, which cannot be, may exceed the limit.
    pub(crate) fn set_base(&mut self, memory: &[u8], len_max: usize) {
        self.base = fit(&self.types, input::canonical(&self.types, memory), len_max);
        self.len_max = len_max.max(self.base.len());
        self.base_slots = input::fields(&self.types, &self.base)
            .into_iter()
            .map(|field| Slot {
                value_type: field.value_type,
                start: field.bytes.start,
                len: field.bytes.len(),
                prefixed: field.prefix.is_some(),
                dirty: (0, 0),
            })
            .collect();
        self.slots.clone_from(&self.base_slots);
    }

    /// Bytes of the base, which every area must have room for.
    pub(crate) fn base_len(&self) -> usize {
        self.base.len()
    }

    /// Puts a mutated base at the start of `area` and gives its length. Allocates nothing.
    #[inline]
    pub(crate) fn mutate(&mut self, seed: u64, mut area: ByteArea<'_>) -> usize {
        let mut rng = Rng::new(seed);
        area.write(0, &self.base);
        self.slots.copy_from_slice(&self.base_slots);
        let mut buffer = InputBuffer::new(area, &mut self.slots, self.base.len(), self.len_max);
        if buffer.values() == 0 {
            return buffer.len();
        }
        // Skewed to few: half of all inputs get one operator, one of sixteen up to the maximum.
        let halvings = (rng.bits() | 1 << STACK_MAX.ilog2()).trailing_zeros();
        for _ in 0..=rng.below(1 << halvings) {
            apply_one(&mut buffer, &mut rng);
        }
        // Strings stay text, seven times of eight: most Rust code cannot see others.
        if self.has_text && rng.chance(7, 8) {
            for position in 0..buffer.values() {
                text::repair(&mut buffer.value(position));
            }
        }
        buffer.len()
    }
}

/// Changes one value by one operator, if any of a few tries applies.
fn apply_one(buffer: &mut InputBuffer<'_>, rng: &mut Rng) {
    for _ in 0..OPERATOR_TRIES_MAX {
        let position = if buffer.values() == 1 { 0 } else { rng.below(buffer.values()) };
        let mut value = buffer.value(position);
        let applied = match value.value_type() {
            ValueType::Bytes | ValueType::String => bytes::mutate(&mut value, rng),
            _ => {
                scalar::mutate(&mut value, rng);
                true
            }
        };
        if applied {
            return;
        }
    }
}

/// `memory` with its values of variable length cut, the last one first, until it fits.
fn fit(types: &[ValueType], mut memory: Vec<u8>, len_max: usize) -> Vec<u8> {
    for field in input::fields(types, &memory).into_iter().rev() {
        let excess = memory.len().saturating_sub(len_max);
        if excess == 0 {
            break;
        }
        if field.value_type.width().is_some() {
            continue;
        }
        let cut = excess.min(field.bytes.len());
        memory.drain(field.bytes.end - cut..field.bytes.end);
        if let Some(at) = field.prefix {
            let length = u32::try_from(field.bytes.len() - cut).unwrap_or(u32::MAX);
            memory[at..at + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        }
    }
    memory
}
