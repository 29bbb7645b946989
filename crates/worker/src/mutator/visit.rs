//! One input of a visit after the other.
//!
//! Owns what is frozen during a visit, and how a seed becomes an input. Nothing here allocates or
//! changes what is frozen. The choice of operators has a generator of its own, so that it is known
//! from the seed, and whether a chain begins with it, which one made an input.

use std::rc::Rc;

use fuzzd_protocol::input::LENGTH_BYTES;

use super::bandit::{EXPONENTS, Shares};
use super::base::{Base, Materials};
use super::context::Context;
use super::limits::{CHAIN_WHEEL_PLACES, WHEEL_PLACES};
use super::operator::{CLASSES, Class, Facts, Operator};
use super::value::{Slot, Value};
use super::wheel::Wheels;
use super::{HEAD_BYTES, fields, text};
use crate::limits::OPERATOR_TRIES_MAX;
use crate::rng::{Bits, Rng, SHARED_BITS};

/// What is frozen during a visit.
#[derive(Debug, Default)]
pub(super) struct Visit {
    base: Rc<Base>,
    materials: Rc<Materials>,
    wheels: Wheels,
    len_max: usize,
    is_raw: bool,
    has_strings: bool,
    /// The start of the base, and zeros if that is shorter.
    head: [u8; HEAD_BYTES],
}

/// Where the next input stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// All that is random about it.
    pub(super) seed: u64,
    /// A chain begins with it.
    pub(super) is_first: bool,
}

impl Visit {
    /// Freezes all this; the wheels turn as the arms of the bandit have earned. Returns how much of
    /// the inputs the arms make.
    pub(super) fn begin(
        &mut self,
        base: Rc<Base>,
        materials: Rc<Materials>,
        len_max: usize,
        classes: &[u32; CLASSES],
        exponents: &[u32; EXPONENTS],
    ) -> Shares {
        self.len_max = len_max.max(base.bytes().len());
        self.is_raw = matches!(base.fields(), [field] if field.varies() && !field.is_prefixed);
        self.has_strings = base.fields().iter().any(|field| field.is_string);
        let head = base.bytes().len().min(HEAD_BYTES);
        self.head = [0; HEAD_BYTES];
        self.head[..head].copy_from_slice(&base.bytes()[..head]);
        let facts = Facts::of(&base, &materials);
        (self.base, self.materials) = (base, materials);
        self.wheels.set(&facts, classes, exponents)
    }

    /// Makes chains of 2^`exponent` inputs from now on.
    #[cfg(test)]
    pub(super) fn set_exponent(&mut self, exponent: u8) {
        self.wheels.set_exponent(exponent);
    }

    /// Applies this operator only from now on.
    #[cfg(test)]
    pub(super) fn set_operator(&mut self, operator: Operator) {
        self.wheels.set_operator(operator);
    }

    /// The base.
    #[inline]
    pub(super) fn base(&self) -> &Base {
        &self.base
    }

    /// Puts the start of the base there, and anything behind a base that is shorter; false: inputs
    /// may not become so long.
    #[inline]
    pub(super) fn restore_head(&self, buffer: &mut [u8]) -> bool {
        let has_room = self.len_max >= HEAD_BYTES;
        match buffer.first_chunk_mut() {
            Some(place) if has_room => {
                *place = self.head;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Whether one value is the whole input.
    #[inline]
    pub(super) fn is_raw(&self) -> bool {
        self.is_raw
    }

    #[inline]
    fn context(&self, field: usize) -> Context<'_> {
        Context { base: &self.base, materials: &self.materials, field }
    }

    /// How many inputs the chain has that begins with `seed`.
    #[inline]
    pub(super) fn chain_len(&self, seed: u64) -> u32 {
        1 << self.wheels.exponent(&mut Bits::new(seed))
    }

    /// Changes the one value of the input, which lies at the start of `buffer` as `slot` says.
    /// Returns the length of the input, and what of the base is to be restored.
    #[inline]
    pub(super) fn mutate_raw(
        &self,
        turn: Turn,
        buffer: &mut [u8],
        slot: &mut Slot,
    ) -> (usize, usize, usize) {
        let (operator, _) = self.choose(turn);
        let mut rng = Rng::new(turn.seed);
        let len_max = self.len_max.min(buffer.len());
        // What lies behind the longest input is not touched.
        let (buffer, room) = (&mut buffer[..len_max], len_max.saturating_sub(slot.len));
        let field = &self.base.fields()[0];
        let mut value = Value::new(buffer, slot, 0, room, field);
        self.apply_one(0, operator, &mut value, &mut rng);
        if self.has_strings {
            repair(&mut value, &mut rng);
        }
        let base_len = self.base.bytes().len();
        let dirty = &slot.dirty;
        let end = if dirty.has_moved { base_len } else { dirty.end.min(base_len) };
        (slot.len, dirty.start.min(end), end)
    }

    /// The operator of an input, and the bits for further choices. The first one of a chain follows
    /// the bits that its seed shares with its neighbours, so that the same operator begins a few
    /// chains; all others follow their own.
    #[inline]
    pub(super) fn choose(&self, turn: Turn) -> (Operator, Bits) {
        const { assert!(CHAIN_WHEEL_PLACES.ilog2() + WHEEL_PLACES.ilog2() == SHARED_BITS) };
        let mut choice = Bits::new(turn.seed);
        self.wheels.exponent(&mut choice);
        let mut place = || choice.take(WHEEL_PLACES.ilog2());
        let (shared, own) = (place(), place());
        (self.wheels.operator(if turn.is_first { shared } else { own }), choice)
    }

    /// Changes a value of variable length by an operator, or by another one if that does not apply.
    #[inline]
    fn apply_one(&self, field: usize, operator: Operator, value: &mut Value<'_>, rng: &mut Rng) {
        if !operator.apply(value, self.context(field), rng) {
            self.apply_another(field, value, rng);
        }
    }

    #[cold]
    fn apply_another(&self, field: usize, value: &mut Value<'_>, rng: &mut Rng) {
        for _ in 1..OPERATOR_TRIES_MAX {
            let operator = self.wheels.operator(rng.below(WHEEL_PLACES));
            if operator.apply(value, self.context(field), rng) {
                return;
            }
        }
    }

    /// As [`mutate_raw`](Self::mutate_raw), for several values or one of fixed width, of `len`
    /// bytes together. `slots` has one for each.
    #[inline(never)]
    pub(super) fn mutate_packed(
        &self,
        turn: Turn,
        buffer: &mut [u8],
        slots: &mut [Slot],
        len: usize,
    ) -> (usize, usize, usize) {
        let (operator, mut choice) = self.choose(turn);
        let mut rng = Rng::new(turn.seed);
        if slots.is_empty() {
            return (len, 0, 0);
        }
        let len_max = self.len_max.min(buffer.len());
        let buffer = &mut buffer[..len_max];
        let mut packed = Packed { base: &self.base, buffer, slots, len, len_max };
        let field = choice.below(packed.slots.len());
        let value_type = self.base.fields()[field].value_type;
        packed.edit(field, |value| {
            if value_type.width().is_some() {
                fields::mutate(value, value_type, self.context(field), &mut rng);
            } else {
                self.apply_one(field, operator, value, &mut rng);
            }
        });
        if self.has_strings {
            let keeps_text = rng.chance(7, 8);
            for field in (0..packed.slots.len()).filter(|_| keeps_text) {
                packed.edit(field, text::repair);
            }
        }
        let (start, end) = packed.changed();
        (packed.len, start, end)
    }

    /// The exponent of the chain that `seed` begins.
    pub(super) fn exponent(&self, seed: u64) -> usize {
        self.wheels.exponent(&mut Bits::new(seed)) as usize
    }

    /// The class of the operator of an input; `None`: a value of fixed width was changed.
    pub(super) fn class(&self, turn: Turn) -> Option<Class> {
        let (operator, mut choice) = self.choose(turn);
        let fields = self.base.fields();
        let varies = self.is_raw || fields.get(choice.below(fields.len()))?.varies();
        varies.then(|| operator.class())
    }
}

/// Strings stay text, seven times of eight: most Rust code cannot see others.
fn repair(value: &mut Value<'_>, rng: &mut Rng) {
    if rng.chance(7, 8) {
        text::repair(value);
    }
}

/// An input of several values, where it lies.
struct Packed<'a> {
    base: &'a Base,
    buffer: &'a mut [u8],
    slots: &'a mut [Slot],
    len: usize,
    len_max: usize,
}

impl Packed<'_> {
    /// Lets one value be edited, and brings everything behind it, and the length before it, into
    /// step.
    fn edit(&mut self, position: usize, change: impl FnOnce(&mut Value<'_>)) {
        let field = &self.base.fields()[position];
        let slot = &mut self.slots[position];
        let (start, old) = (slot.start, slot.len);
        let tail = self.len - start - old;
        let room = self.len_max - self.len;
        let bytes = &mut self.buffer[start..];
        let mut value = Value::new(bytes, slot, tail, room, field);
        change(&mut value);
        let new = value.len();
        if new == old {
            return;
        }
        self.len = self.len - old + new;
        for later in &mut self.slots[position + 1..] {
            later.start = later.start - old + new;
        }
        // Only prefixed values are edited here with others, and the memory is smaller than 4 GiB.
        let length = u32::try_from(new).unwrap_or(u32::MAX).to_le_bytes();
        self.buffer[start - LENGTH_BYTES..start].copy_from_slice(&length);
    }

    /// What of the base is no longer as it was.
    fn changed(&self) -> (usize, usize) {
        let (mut from, mut to) = (self.base.bytes().len(), 0);
        for (slot, field) in self.slots.iter().zip(self.base.fields()) {
            let dirty = slot.dirty;
            if dirty.is_clean() {
                continue;
            }
            if dirty.has_moved {
                from = from.min(field.bytes.start - LENGTH_BYTES);
                to = self.base.bytes().len();
            } else {
                from = from.min(field.bytes.start + dirty.start);
                to = to.max(field.bytes.start + dirty.end);
            }
        }
        let to = to.min(self.base.bytes().len());
        (from.min(to), to)
    }
}
