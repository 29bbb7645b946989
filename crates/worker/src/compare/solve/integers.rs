//! Operands that are integers and lie in the input as bytes.
//!
//! Owns the encodings (width, byte order, extension) and the simple computations between input and
//! operand that both executions agree on. Must not spend more than the search's tests.

use super::{Origin, Search, promise};
use crate::compare::limits::{PLACES_PER_OPERAND_MAX, SMALL_OFFSET_MAX};

/// One side of a comparison of integers, in both executions, and what it should become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operand {
    pub(super) origin: Origin,
    /// Bytes of the comparison, 1 to 8.
    pub(super) width: u8,
    pub(super) base: u64,
    pub(super) colorized: u64,
    pub(super) target: u64,
    /// Whether values around the target may matter.
    pub(super) has_neighbours: bool,
}

impl Operand {
    /// All bits of the comparison.
    pub(super) fn mask(&self) -> u64 {
        mask_of(usize::from(self.width))
    }

    /// Whether the operand depends on bytes that may change.
    pub(super) fn is_free(&self) -> bool {
        self.base != self.colorized
    }

    /// The target, then its neighbours, each with what its promise loses.
    pub(super) fn targets(&self) -> impl Iterator<Item = (u64, u32)> + use<> {
        let (target, mask) = (self.target, self.mask());
        let count = if self.has_neighbours { 3 } else { 1 };
        let all = [
            (target, 0),
            (target.wrapping_add(1) & mask, promise::NEIGHBOUR),
            (target.wrapping_sub(1) & mask, promise::NEIGHBOUR + 1),
        ];
        all.into_iter().take(count)
    }
}

/// All bits of `len` bytes.
fn mask_of(len: usize) -> u64 {
    if len >= 8 { u64::MAX } else { (1 << (8 * len)) - 1 }
}

/// The widths in which an operand of `width` bytes may lie in the input, the likely ones first.
fn widths(width: usize) -> impl Iterator<Item = usize> {
    let usual = [8, 4, 2, 1, 3, 6, 5, 7].into_iter().filter(move |&len| len < width);
    std::iter::once(width.clamp(1, 8)).chain(usual)
}

/// The low `len` bytes of `value`, an operand of `width` bytes, if the others are only its zero or
/// sign extension.
fn encode(value: u64, width: usize, len: usize, is_big: bool) -> Option<([u8; 8], usize)> {
    let high = mask_of(width) & !mask_of(len);
    let is_negative = value >> (8 * len - 1) & 1 == 1;
    let fits = value & high == 0 || (is_negative && value & high == high);
    fits.then(|| (bytes_of(value, len, is_big), len))
}

/// `len` bytes of a value, at the start of the array.
fn bytes_of(value: u64, len: usize, is_big: bool) -> [u8; 8] {
    let mut bytes = value.to_le_bytes();
    if is_big {
        bytes[..len].reverse();
    }
    bytes
}

/// Proposes the target where the operand lies in the input as it is; says whether it does.
pub(super) fn copied(search: &mut Search<'_>, operand: &Operand) -> bool {
    let width = usize::from(operand.width.clamp(1, 8));
    let base_promise = if operand.is_free() {
        promise::COPIED
    } else if operand.base > 0xff && operand.base.wrapping_neg() & operand.mask() > 0xff {
        promise::PINNED
    } else {
        return false;
    };
    for len in widths(width) {
        let mut is_found = false;
        for is_big in [false, true] {
            if is_big && len == 1 {
                continue;
            }
            let (Some(old), Some(new)) = (
                encode(operand.base, width, len, is_big),
                encode(operand.colorized, width, len, is_big),
            ) else {
                continue;
            };
            let places = search.places.find(&old.0[..len], &new.0[..len]);
            is_found |= !places.is_empty();
            for (further, at) in (0_u32..).zip(places) {
                for (target, loss) in operand.targets() {
                    let Some(with) = encode(target, width, len, is_big) else { continue };
                    let promise = base_promise - loss - further * promise::FURTHER;
                    search.splice(operand.origin, promise, at, len, &with.0[..len]);
                }
            }
        }
        if is_found {
            return true;
        }
    }
    false
}

/// Where an operand lies in the input as it is: place, width, and whether the high byte is first.
pub(super) fn places_of(search: &Search<'_>, operand: &Operand) -> Vec<(usize, usize, bool)> {
    let width = usize::from(operand.width.clamp(1, 8));
    for len in widths(width) {
        let mut found = Vec::new();
        for is_big in [false, true].into_iter().take(len.min(2)) {
            let old = encode(operand.base, width, len, is_big);
            let new = encode(operand.colorized, width, len, is_big);
            if let (Some(old), Some(new)) = (old, new) {
                let places = search.places.find(&old.0[..len], &new.0[..len]);
                found.extend(places.into_iter().map(|at| (at, len, is_big)));
            }
        }
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// How an operand was computed from `len` bytes of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// operand = input + constant
    Plus(u64),
    /// operand = constant - input
    From(u64),
    /// operand = input xor constant
    Xor(u64),
    /// operand = input with the bit that makes letters lower case
    Fold,
    /// operand = input << bits
    Left(u32),
    /// operand = input >> bits
    Right(u32),
}

/// The bit between upper and lower case in every byte.
const CASE_BITS: u64 = 0x2020_2020_2020_2020;

impl Relation {
    /// The relations that hold in both executions between input values and operands. More than one
    /// may: the negative of an odd number is its complement but for the last bit.
    fn all(
        inputs: [u64; 2],
        operands: [u64; 2],
        mask: u64,
        changed_bytes: usize,
    ) -> [Option<Self>; 3] {
        let [input, input_then] = inputs;
        let [value, value_then] = operands;
        let both = |apply: &dyn Fn(u64) -> u64| {
            apply(input) & mask == value && apply(input_then) & mask == value_then
        };
        let plus = value.wrapping_sub(input) & mask;
        let is_small = plus <= SMALL_OFFSET_MAX || plus.wrapping_neg() & mask <= SMALL_OFFSET_MAX;
        if both(&|x| x.wrapping_add(plus)) && (is_small || changed_bytes > 1) {
            return [Some(Self::Plus(plus)), None, None];
        }
        if both(&|x| x | CASE_BITS) {
            return [Some(Self::Fold), None, None];
        }
        if changed_bytes < 2 {
            return [None; 3];
        }
        let (xor, from) = (value ^ input, value.wrapping_add(input) & mask);
        let from = both(&|x| from.wrapping_sub(x)).then_some(Self::From(from));
        let xor = both(&|x| x ^ xor).then_some(Self::Xor(xor));
        if value == 0 || input == 0 {
            return [from, xor, None];
        }
        // Bits get lost at one end only: the other one tells how far they moved.
        let left = value.trailing_zeros().saturating_sub(input.trailing_zeros());
        let right = value.leading_zeros().saturating_sub(input.leading_zeros());
        let shift = if (1..32).contains(&left) && both(&|x| x << left) {
            Some(Self::Left(left))
        } else if (1..32).contains(&right) && both(&|x| x >> right) {
            Some(Self::Right(right))
        } else {
            None
        };
        [from, xor, shift]
    }

    /// The input value that makes the operand `target`. `input` is what it was.
    fn input_for(self, target: u64, input: u64, mask: u64) -> u64 {
        match self {
            Self::Plus(constant) => target.wrapping_sub(constant) & mask,
            Self::From(constant) => constant.wrapping_sub(target) & mask,
            Self::Xor(constant) => (target ^ constant) & mask,
            Self::Fold => target,
            Self::Left(bits) => target >> bits,
            Self::Right(bits) => target.wrapping_shl(bits) | (input & ((1 << bits) - 1)),
        }
    }
}

/// Proposes input values for an operand that was computed from them.
pub(super) fn computed(search: &mut Search<'_>, operand: &Operand) {
    if !operand.is_free() {
        return;
    }
    let width = usize::from(operand.width.clamp(1, 8));
    let mut found = 0_u32;
    for len in [width, 8, 4, 2, 1] {
        if len > width || (len == width && found > 0) {
            continue;
        }
        let mut next = 0;
        for &changed in &search.places.changed {
            for at in next.max((changed + 1).saturating_sub(len))..=changed {
                next = at + 1;
                if search.relation_tests_left == 0 || found as usize >= PLACES_PER_OPERAND_MAX {
                    return;
                }
                search.relation_tests_left -= 1;
                for (value, relation, is_big) in relations_at(search, operand, at, len) {
                    propose(search, operand, (at, len, is_big), (value, relation), found);
                    found += 1;
                }
            }
        }
    }
}

/// What relates `len` bytes at `at` to the operand, in either byte order, with the bytes' value.
fn relations_at(
    search: &Search<'_>,
    operand: &Operand,
    at: usize,
    len: usize,
) -> impl Iterator<Item = (u64, Relation, bool)> + use<> {
    let mut all = [const { [None; 3] }; 2];
    let (old, new) =
        (search.places.base.get(at..at + len), search.places.colorized.get(at..at + len));
    if let (Some(old), Some(new)) = (old, new) {
        let changed_bytes = old.iter().zip(new).filter(|(old, new)| old != new).count();
        for is_big in [false, true] {
            if is_big && len == 1 {
                continue;
            }
            let inputs = [old, new].map(|bytes| {
                let place = |sum, &byte| sum << 8 | u64::from(byte);
                if is_big { bytes.iter().fold(0, place) } else { bytes.iter().rev().fold(0, place) }
            });
            let operands = [operand.base, operand.colorized];
            all[usize::from(is_big)] =
                Relation::all(inputs, operands, operand.mask(), changed_bytes)
                    .map(|relation| relation.map(|relation| (inputs[0], relation, is_big)));
        }
    }
    all.into_iter().flatten().flatten()
}

fn propose(
    search: &mut Search<'_>,
    operand: &Operand,
    (at, len, is_big): (usize, usize, bool),
    (input, relation): (u64, Relation),
    found: u32,
) {
    if search.places.span_of(&(at..at + len)).is_none() {
        return;
    }
    for (target, loss) in operand.targets() {
        let value = relation.input_for(target, input, operand.mask());
        if value > mask_of(len) {
            continue;
        }
        let promise = promise::COMPUTED - loss - found * promise::FURTHER;
        search.splice(operand.origin, promise, at, len, &bytes_of(value, len, is_big)[..len]);
    }
}
