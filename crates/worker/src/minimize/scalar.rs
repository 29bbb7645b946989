//! Moving one value of fixed width toward zero.
//!
//! Owns the order of candidates per type; pure. A candidate is only offered if it is simpler than
//! the one that holds, so the search ends.

use fuzzd_protocol::value::ValueType;

/// Characters that are plainer than all others, the plainest first.
const PLAIN_RUNES: [char; 4] = ['0', 'a', 'A', ' '];

/// Bytes of the widest scalar.
const SCALAR_BYTES_MAX: usize = 16;

/// Offers simpler values than `content` (little-endian, as wide as the type); `holds` says whether
/// one does.
pub(super) fn lower(value_type: ValueType, content: &[u8], holds: &mut dyn FnMut(&[u8]) -> bool) {
    let width = content.len().min(SCALAR_BYTES_MAX);
    let mut bytes = [0; SCALAR_BYTES_MAX];
    bytes[..width].copy_from_slice(&content[..width]);
    let raw = u128::from_le_bytes(bytes);
    let mut holds = |raw: u128| holds(&raw.to_le_bytes()[..width]);
    match value_type {
        ValueType::Bytes | ValueType::String => {}
        ValueType::Bool
        | ValueType::Uint8
        | ValueType::Uint16
        | ValueType::Uint32
        | ValueType::Uint64
        | ValueType::Uint
        | ValueType::Uint128 => lower_magnitude(raw, &mut holds),
        ValueType::Int8
        | ValueType::Int16
        | ValueType::Int32
        | ValueType::Int64
        | ValueType::Int
        | ValueType::Int128 => lower_signed(raw, width, &mut holds),
        ValueType::Rune => lower_rune(raw, &mut holds),
        ValueType::Float32 => {
            let bits = u32::try_from(raw).unwrap_or(0);
            lower_float(f64::from(f32::from_bits(bits)), &mut |float| {
                #[expect(clippy::cast_possible_truncation, reason = "offered if it fits exactly")]
                let narrow = float as f32;
                let exact = f64::from(narrow).to_bits() == float.to_bits();
                exact && holds(u128::from(narrow.to_bits()))
            });
        }
        ValueType::Float64 => {
            let bits = u64::try_from(raw).unwrap_or(0);
            lower_float(f64::from_bits(bits), &mut |float| holds(u128::from(float.to_bits())));
        }
    }
}

/// Zero, else the smallest number that holds, supposing that all above it do.
fn lower_magnitude(number: u128, holds: &mut dyn FnMut(u128) -> bool) {
    if number == 0 || holds(0) {
        return;
    }
    let (mut fails, mut smallest) = (0, number);
    while smallest - fails > 1 {
        let middle = fails + (smallest - fails) / 2;
        if holds(middle) {
            smallest = middle;
        } else {
            fails = middle;
        }
    }
}

/// A negative number becomes positive if that holds, else its distance from zero is lowered.
fn lower_signed(raw: u128, width: usize, holds: &mut dyn FnMut(u128) -> bool) {
    let unused = u128::BITS - u32::try_from(width * 8).unwrap_or(u128::BITS);
    let number = (raw << unused).cast_signed() >> unused;
    let magnitude = number.unsigned_abs();
    let has_positive = magnitude.leading_zeros() > unused;
    if number >= 0 || has_positive && holds(magnitude) {
        lower_magnitude(magnitude, holds);
    } else {
        lower_magnitude(magnitude, &mut |magnitude| holds(magnitude.wrapping_neg()));
    }
}

fn lower_rune(raw: u128, holds: &mut dyn FnMut(u128) -> bool) {
    let old = u32::try_from(raw).ok().and_then(char::from_u32);
    let rank = PLAIN_RUNES.iter().position(|plain| Some(*plain) == old);
    let plainer = &PLAIN_RUNES[..rank.unwrap_or(PLAIN_RUNES.len())];
    let found = plainer.iter().any(|plain| holds(u128::from(u32::from(*plain))));
    if found || rank.is_some() {
        return;
    }
    let is_character = |raw: u128| u32::try_from(raw).ok().and_then(char::from_u32).is_some();
    lower_magnitude(raw, &mut |raw| is_character(raw) && holds(raw));
}

fn lower_float(float: f64, holds: &mut dyn FnMut(f64) -> bool) {
    let plain: [f64; 3] = [0.0, 1.0, -1.0];
    let rank = plain.iter().position(|plain| plain.to_bits() == float.to_bits());
    if plain[..rank.unwrap_or(plain.len())].iter().any(|plain| holds(*plain)) || rank.is_some() {
        return;
    }
    let mut best = float;
    for simpler in [f64::abs, f64::trunc] {
        let candidate = simpler(best);
        if candidate.to_bits() != best.to_bits() && !candidate.is_nan() && holds(candidate) {
            best = candidate;
        }
    }
    // Whole numbers that every float holds exactly go down like integers.
    if best.is_finite() && best.fract() == 0.0 && best.abs() < 2f64.powi(53) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number below 2^53, without its sign"
        )]
        let magnitude = best.abs() as u64;
        lower_magnitude(u128::from(magnitude), &mut |magnitude| {
            #[expect(clippy::cast_precision_loss, reason = "a whole number below 2^53")]
            let candidate = (magnitude as f64).copysign(best);
            magnitude > 0 && holds(candidate)
        });
    }
}
