//! Values of fixed width among others.
//!
//! Owns what such a value takes from compares and from values of its type elsewhere. All else is
//! decided by its type.

use fuzzd_protocol::value::ValueType;

use super::bits::read_number;
use super::context::Context;
use super::value::Value;
use super::{compare, mix, scalar};
use crate::rng::Rng;

/// Changes a value that is neither bytes nor a string.
pub(super) fn mutate(
    value: &mut Value<'_>,
    value_type: ValueType,
    context: Context<'_>,
    rng: &mut Rng,
) {
    let is_done = match rng.below(16) {
        0..=3 => from_compare(value, value_type, context, rng),
        4 => from_donor(value, value_type, context, rng),
        _ => false,
    };
    if !is_done {
        scalar::mutate(value, value_type, rng);
    }
}

/// Puts the other side of a compare there.
fn from_compare(
    value: &mut Value<'_>,
    value_type: ValueType,
    context: Context<'_>,
    rng: &mut Rng,
) -> bool {
    let is_integer =
        !matches!(value_type, ValueType::Bool | ValueType::Float32 | ValueType::Float64);
    if !is_integer {
        return false;
    }
    let Some(number) = compare::integer(value.content(), context, rng) else { return false };
    if value_type == ValueType::Rune && !u32::try_from(number).is_ok_and(is_rune) {
        return false;
    }
    // Wider values get the sign.
    let wide = i128::from(number.cast_signed()).to_le_bytes();
    let len = value.len();
    if value.content() == &wide[..len] {
        return false;
    }
    value.write(0, &wide[..len]);
    true
}

/// Puts a value of the same type there. Other inputs may not be in canonical form.
fn from_donor(
    value: &mut Value<'_>,
    value_type: ValueType,
    context: Context<'_>,
    rng: &mut Rng,
) -> bool {
    let Some(donor) = mix::donor(context, rng) else { return false };
    let is_valid = match value_type {
        ValueType::Bool => matches!(donor, [0 | 1]),
        ValueType::Rune => u32::try_from(read_number(donor, false)).is_ok_and(is_rune),
        _ => true,
    };
    let is_usable = is_valid && donor.len() == value.len() && donor != value.content();
    if is_usable {
        value.write(0, donor);
    }
    is_usable
}

fn is_rune(number: u32) -> bool {
    char::from_u32(number).is_some()
}
