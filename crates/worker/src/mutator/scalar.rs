//! Mutation of values of fixed width, by their type.
//!
//! Owns how a bool, an integer, a rune or a float becomes another one. Results are in canonical
//! form: a bool is 0 or 1, a rune is a character.

use fuzzd_protocol::value::ValueType;

use super::number;
use super::value::Value;
use crate::rng::Rng;

/// Bytes of the widest scalar.
const SCALAR_BYTES_MAX: usize = 16;

/// Characters that parsers and text code treat in a way of their own.
const RUNES: [char; 28] = [
    '\0',
    '\t',
    '\n',
    '\r',
    ' ',
    '"',
    '\'',
    '\\',
    '/',
    '-',
    '.',
    '0',
    '9',
    'A',
    'Z',
    'a',
    'z',
    '\u{7f}',
    '\u{85}',
    'é',
    'ß',
    'İ',
    '\u{301}',
    '\u{200d}',
    '\u{feff}',
    '\u{fffd}',
    '😀',
    '\u{10ffff}',
];

/// Floats that arithmetic treats in a way of its own. Each is exact or rounded in both widths.
const FLOATS: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    0.1,
    2.0,
    10.0,
    100.0,
    255.0,
    65_536.0,
    16_777_217.0,
    9_007_199_254_740_993.0,
    1e10,
    1e38,
    1e308,
    f64::MIN_POSITIVE,
    5e-324,
    f64::EPSILON,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Changes a value that is neither bytes nor a string.
pub(super) fn mutate(value: &mut Value<'_>, value_type: ValueType, rng: &mut Rng) {
    let mut bytes = [0; SCALAR_BYTES_MAX];
    let len = value.len().min(SCALAR_BYTES_MAX);
    bytes[..len].copy_from_slice(&value.content()[..len]);
    let old = u128::from_le_bytes(bytes);
    let new = match value_type {
        ValueType::Bool => (old ^ 1) & 1,
        ValueType::Rune => u128::from(u32::from(rune(old, rng))),
        ValueType::Float32 => u128::from(float32(old, rng)),
        ValueType::Float64 => u128::from(float64(old, rng)),
        ValueType::Bytes
        | ValueType::String
        | ValueType::Uint8
        | ValueType::Int8
        | ValueType::Int16
        | ValueType::Uint16
        | ValueType::Int32
        | ValueType::Uint32
        | ValueType::Int64
        | ValueType::Uint64
        | ValueType::Int
        | ValueType::Uint
        | ValueType::Int128
        | ValueType::Uint128 => {
            let bits = u32::try_from(len * 8).unwrap_or(u128::BITS).max(1);
            number::integer(old, bits, rng)
        }
    };
    value.write(0, &new.to_le_bytes()[..len]);
}

/// A random character: mostly printable ASCII, then those with a meaning of their own, then any.
pub(super) fn any_rune(rng: &mut Rng) -> char {
    match rng.below(8) {
        0..=3 => char::from(b' ' + u8::try_from(rng.below(95)).unwrap_or(0)),
        4 | 5 => rng.pick(&RUNES),
        6 => u32::try_from(rng.below(0x800)).ok().and_then(char::from_u32).unwrap_or(' '),
        _ => {
            let number = u32::try_from(rng.below(0x11_0000)).unwrap_or(0);
            char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    }
}

fn rune(old: u128, rng: &mut Rng) -> char {
    let old = u32::try_from(old & 0xffff_ffff).unwrap_or(0);
    let near = match rng.below(4) {
        0 => u32::try_from(u128::from(old).wrapping_add(number::step(rng)) & 0xffff_ffff).ok(),
        1 => Some(old ^ (1 << rng.below(21))),
        _ => None,
    };
    near.and_then(char::from_u32).unwrap_or_else(|| any_rune(rng))
}

fn float32(old: u128, rng: &mut Rng) -> u32 {
    let bits = u32::try_from(old & 0xffff_ffff).unwrap_or(0);
    match rng.below(4) {
        0 => u32::try_from(number::integer(old, 32, rng) & 0xffff_ffff).unwrap_or(0),
        _ => {
            #[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
            let new = float(f64::from(f32::from_bits(bits)), rng) as f32;
            new.to_bits()
        }
    }
}

fn float64(old: u128, rng: &mut Rng) -> u64 {
    let bits = u64::try_from(old & u128::from(u64::MAX)).unwrap_or(0);
    match rng.below(4) {
        0 => u64::try_from(number::integer(old, 64, rng) & u128::from(u64::MAX)).unwrap_or(0),
        _ => float(f64::from_bits(bits), rng).to_bits(),
    }
}

fn float(old: f64, rng: &mut Rng) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "an interesting integer is as good rounded")]
    let integer = number::interesting(rng) as f64;
    match rng.below(8) {
        0 => old + integer,
        1 => old - integer,
        2 => old * integer,
        3 => old / integer,
        4 => -old,
        5 => integer,
        _ => rng.pick(&FLOATS),
    }
}
