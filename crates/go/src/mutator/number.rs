//! Mutation of numbers.
//!
//! Owns: `mutateInt`, `mutateUInt` and `mutateFloat` of `mutator.go` (Go 1.27.3). Which operation
//! is drawn and refused counts: the draw is gone.

use crate::pcg::Random;

/// The largest step up or down.
const STEP_MAX: u32 = 100;

/// The largest factor and divisor.
const FACTOR_MAX: u32 = 10;

/// Bit that makes a 64-bit NaN a quiet one.
const QUIET_64: u64 = 1 << 51;

/// Bit that makes a 32-bit NaN a quiet one.
const QUIET_32: u32 = 1 << 22;

/// A step up or down within `-max..=max`. A value of `-max - 1` can only go up.
pub(super) fn signed(value: i64, max: i64, random: &mut impl Random) -> i64 {
    loop {
        let is_up = random.below(2) == 0;
        let (room, is_bounded) = if is_up {
            (max.checked_sub(value), value > 0)
        } else {
            (max.checked_add(value), value < 0)
        };
        // `None` is beyond 64 bits, hence more than any step; for the side away from zero only.
        if room.is_some_and(|room| room <= 0) {
            continue;
        }
        let step = step(random, room.filter(|_| is_bounded).and_then(|room| room.try_into().ok()));
        return if is_up { value + i64::from(step) } else { value - i64::from(step) };
    }
}

/// A step up or down within `0..=max`.
pub(super) fn unsigned(value: u64, max: u64, random: &mut impl Random) -> u64 {
    loop {
        let is_up = random.below(2) == 0;
        let room = if is_up { max.saturating_sub(value) } else { value };
        if room == 0 {
            continue;
        }
        let step = u64::from(step(random, Some(room).filter(|_| !is_up || value > 0)));
        return if is_up { value + step } else { value - step };
    }
}

/// From 1 to [`STEP_MAX`], or to `room` where that is less.
fn step(random: &mut impl Random, room: Option<u64>) -> u32 {
    let room = room.and_then(|room| u32::try_from(room).ok()).unwrap_or(STEP_MAX);
    1 + random.below(room.min(STEP_MAX))
}

/// A `float64`. A NaN stays the NaN it is but becomes quiet, as the processor makes it.
pub(super) fn float64(value: f64, random: &mut impl Random) -> f64 {
    let mutated = float(value, f64::MAX, random);
    if value.is_nan() { f64::from_bits(value.to_bits() | QUIET_64) } else { mutated }
}

/// A `float32`, which Go computes as a `float64` and rounds.
#[expect(clippy::cast_possible_truncation, reason = "rounded to the nearest, as Go does")]
pub(super) fn float32(value: f32, random: &mut impl Random) -> f32 {
    let mutated = float(f64::from(value), f64::from(f32::MAX), random) as f32;
    if value.is_nan() { f32::from_bits(value.to_bits() | QUIET_32) } else { mutated }
}

/// Comparisons with a NaN are false, here as in Go: every operation is done with it.
fn float(value: f64, max: f64, random: &mut impl Random) -> f64 {
    loop {
        match random.below(4) {
            0 if value >= max => {}
            0 => {
                let room = if value > 0.0 { max - value } else { f64::INFINITY };
                return value + one_to(random, room, STEP_MAX);
            }
            1 if value <= -max => {}
            1 => {
                let room = if value < 0.0 { max + value } else { f64::INFINITY };
                return value - one_to(random, room, STEP_MAX);
            }
            2 if value == 0.0 || value.abs() >= max => {}
            2 => return value * one_to(random, max / value.abs(), FACTOR_MAX),
            _ if value == 0.0 => {}
            _ => return value / one_to(random, f64::INFINITY, FACTOR_MAX),
        }
    }
}

/// From 1 to `most`, or to the whole part of `room` where that is less; 0 gives 1.
#[expect(clippy::cast_possible_truncation, reason = "the whole part is meant; it is below `most`")]
#[expect(clippy::cast_sign_loss, reason = "room is not negative")]
fn one_to(random: &mut impl Random, room: f64, most: u32) -> f64 {
    let end = if room < f64::from(most) { room as u32 } else { most };
    f64::from(1 + random.below(end))
}
