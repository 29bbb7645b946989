//! Numbers that programs tend to mistake.
//!
//! Owns the tables of values, and the choice of a new integer from an old one. Must not know where
//! the number stands.

use crate::rng::Rng;

/// Largest difference of a small step.
const STEP_MAX: usize = 35;

/// Values around which code branches; smaller widths take what fits.
pub(super) const INTERESTING: [i64; 42] = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    9,
    10,
    12,
    13,
    15,
    16,
    20,
    31,
    32,
    59,
    60,
    63,
    64,
    99,
    100,
    127,
    128,
    255,
    256,
    365,
    512,
    999,
    1000,
    1024,
    4096,
    9999,
    32_767,
    32_768,
    65_535,
    65_536,
    1_000_000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
];

/// A table value, as it is or negated.
pub(super) fn interesting(rng: &mut Rng) -> i64 {
    let value = rng.pick(&INTERESTING);
    if rng.chance(1, 4) { value.wrapping_neg() } else { value }
}

/// A small step, up or down, as a wrapping addend.
pub(super) fn step(rng: &mut Rng) -> u128 {
    let step = 1 + rng.below(STEP_MAX) as u128;
    if rng.chance(1, 2) { step } else { step.wrapping_neg() }
}

/// A small step of at most 64 bits, up or down.
#[inline]
pub(super) fn small_step(rng: &mut Rng) -> u64 {
    let step = 1 + rng.below(STEP_MAX) as u64;
    if rng.chance(1, 2) { step } else { step.wrapping_neg() }
}

/// Another integer of `bits` bits than `old`; bits above are of no meaning, in and out.
pub(super) fn integer(old: u128, bits: u32, rng: &mut Rng) -> u128 {
    let mask = u128::MAX >> (u128::BITS - bits);
    let bit = |rng: &mut Rng| 1u128 << rng.below(bits as usize);
    let new = match rng.below(12) {
        0..=3 => old.wrapping_add(step(rng)),
        4 | 5 => old ^ bit(rng),
        6 | 7 => i128::from(interesting(rng)).cast_unsigned(),
        // The ends of the signed and the unsigned range, and their neighbours.
        8 => {
            let end = rng.pick(&[0, mask, 1 << (bits - 1), mask >> 1]);
            end.wrapping_add(rng.pick(&[0, 0, 1, u128::MAX]))
        }
        9 => bit(rng).wrapping_add(rng.pick(&[0, 1, u128::MAX])),
        // All magnitudes are equally likely.
        10 => {
            let random = u128::from(rng.bits()) << 64 | u128::from(rng.bits());
            random & (mask >> rng.below(bits as usize))
        }
        _ => match rng.below(4) {
            0 => old.wrapping_neg(),
            1 => old << 1,
            2 => (old & mask) >> 1,
            _ => old.swap_bytes() >> (u128::BITS - bits),
        },
    };
    if new & mask == old & mask { old.wrapping_add(1) } else { new }
}
