//! From a value to its text.
//!
//! Owns: Go's quoting (`%q`) and Go's shortest floats (`%v`). Must not: decide on lines.

use std::fmt::{LowerExp, Write as _};
use std::str::FromStr;

use super::float::{GO_NAN_32, GO_NAN_64};
use crate::value::{Value, ValueType};

/// Appends the text of `value`, without a line end.
pub(super) fn value(text: &mut String, value: &Value) {
    let name = value.value_type().name();
    let number = match value {
        Value::Bytes(bytes) | Value::String(bytes) => {
            text.push_str(name);
            text.push_str("(\"");
            quoted(text, bytes);
            text.push_str("\")");
            return;
        }
        Value::Uint8(byte) => return character(text, "byte", char::from(*byte)),
        Value::Rune(rune) => return character(text, name, *rune),
        Value::Float32(float) if float.is_nan() && float.to_bits() != GO_NAN_32 => {
            return push(text, format_args!("math.Float32frombits({:#x})", float.to_bits()));
        }
        Value::Float64(float) if float.is_nan() && float.to_bits() != GO_NAN_64 => {
            return push(text, format_args!("math.Float64frombits({:#x})", float.to_bits()));
        }
        Value::Float32(float) => shortest(*float, float.is_nan(), float.is_infinite()),
        Value::Float64(float) => shortest(*float, float.is_nan(), float.is_infinite()),
        Value::Bool(value) => value.to_string(),
        Value::Int8(number) => number.to_string(),
        Value::Int16(number) => number.to_string(),
        Value::Uint16(number) => number.to_string(),
        Value::Int32(number) => number.to_string(),
        Value::Uint32(number) => number.to_string(),
        Value::Int64(number) | Value::Int(number) => number.to_string(),
        Value::Uint64(number) | Value::Uint(number) => number.to_string(),
        Value::Int128(number) => number.to_string(),
        Value::Uint128(number) => number.to_string(),
    };
    debug_assert_ne!(value.value_type(), ValueType::Bytes, "byte strings are quoted");
    push(text, format_args!("{name}({number})"));
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string does not fail");
}

fn character(text: &mut String, name: &str, character: char) {
    push(text, format_args!("{name}('"));
    escaped(text, character, '\'');
    text.push_str("')");
}

/// The inside of a double-quoted literal.
fn quoted(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        // Most characters stand for themselves: they are taken over in one piece.
        while let Some(end) = rest.find(|character| !is_plain(character)) {
            text.push_str(&rest[..end]);
            let mut characters = rest[end..].chars();
            if let Some(character) = characters.next() {
                escaped(text, character, '"');
            }
            rest = characters.as_str();
        }
        text.push_str(rest);
        for byte in chunk.invalid() {
            hexadecimal(text, *byte);
        }
    }
}

/// Whether it is ASCII and stands for itself between double quotes.
const fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~') && !matches!(character, '"' | '\\')
}

/// `\x7f`.
fn hexadecimal(text: &mut String, byte: u8) {
    let digit = |half| char::from_digit(u32::from(half), 16).expect("half a byte is a digit");
    text.extend(['\\', 'x', digit(byte >> 4), digit(byte & 15)]);
}

fn escaped(text: &mut String, character: char, quote: char) {
    match character {
        '\u{7}' => text.push_str("\\a"),
        '\u{8}' => text.push_str("\\b"),
        '\u{c}' => text.push_str("\\f"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\u{b}' => text.push_str("\\v"),
        '\\' => text.push_str("\\\\"),
        _ if character == quote => text.extend(['\\', quote]),
        _ if is_printable(character) => text.push(character),
        '\0'..='\u{7f}' => {
            hexadecimal(text, u8::try_from(character).expect("an ASCII character is a byte"));
        }
        '\u{80}'..='\u{ffff}' => push(text, format_args!("\\u{:04x}", u32::from(character))),
        _ => push(text, format_args!("\\U{:08x}", u32::from(character))),
    }
}

/// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
///
/// The standard library escapes exactly the others in the debug form of a string, and besides them
/// a combining mark at its start: so the character is looked at in second place.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return character == ' ' || character.is_ascii_graphic();
    }
    let mut buffer = [b'a'; 5];
    let length = character.encode_utf8(&mut buffer[1..]).len();
    let pair = str::from_utf8(&buffer[..=length]).expect("two characters were just encoded");
    pair.escape_debug().nth(1) == Some(character)
}

/// Go's `%v`: the fewest digits that read back as the same number, with an exponent where the
/// number would otherwise be long.
fn shortest<F>(float: F, is_nan: bool, is_infinite: bool) -> String
where
    F: Copy + FromStr + LowerExp + PartialEq,
{
    if is_nan {
        return "NaN".to_owned();
    }
    let scientific = shortest_scientific(float);
    let (sign, magnitude) = match scientific.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", scientific.as_str()),
    };
    if is_infinite {
        return if sign.is_empty() { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let (mantissa, exponent) = magnitude.split_once('e').expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a small decimal exponent");
    let digits = mantissa.replace('.', "");
    if !(EXPONENT_MIN..EXPONENT_END).contains(&exponent) {
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{exponent_sign}{:02}", exponent.unsigned_abs());
    }
    let places = usize::try_from(exponent.unsigned_abs()).expect("a few places");
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(places - 1));
    }
    if digits.len() <= places + 1 {
        return format!("{sign}{digits:0<width$}", width = places + 1);
    }
    let (whole, fraction) = digits.split_at(places + 1);
    format!("{sign}{whole}.{fraction}")
}

/// Mantissa and exponent. Where two shortest decimals are equally near, Go takes the even one and
/// the standard library's shortest form the larger; its exact form of that length takes the even.
fn shortest_scientific<F>(float: F) -> String
where
    F: Copy + FromStr + LowerExp + PartialEq,
{
    let shortest = format!("{float:e}");
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let even = format!("{float:.*e}", digits.saturating_sub(1));
    if even.parse().is_ok_and(|read: F| read == float) { even } else { shortest }
}

/// The smallest exponent that is not written.
const EXPONENT_MIN: i32 = -4;

/// The smallest exponent above those that is written again: `100000` and `1e+06`.
const EXPONENT_END: i32 = 6;
