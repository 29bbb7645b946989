//! Inputs as Go itself writes and reads them.
//!
//! Owns: what of the text form differs between Go and us. The form itself is
//! [`fuzzd_protocol::text`]; source here: `encoding.go` of `internal/fuzz` (Go 1.27.3), and
//! `writeToCorpus` in `fuzz.go` for names. Must not: touch files.
//!
//! To Go, `rune` and `int32` are one type. In this crate such a parameter is always a
//! [`Value::Int32`]; in text it is `rune('…')` where the number is a character.

use std::borrow::Cow;
use std::fmt::Write as _;

use fuzzd_protocol::text::{self, TextError};
use fuzzd_protocol::value::{Value, ValueType};
use sha2::{Digest, Sha256};

use crate::limits::{ENCODING_ROOM, QUOTED_BYTES_MAX};

/// Hexadecimal digits of a file name that Go makes.
const NAME_DIGITS: usize = 16;

/// Bytes that are not a text Go would read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoTextError {
    /// Not the text form.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The text form, but with a type of ours.
    #[error("Go has no parameters of type {0}")]
    NotGo(ValueType),
}

/// The values of a text, in the form this crate works with: a `rune` is an `int32`.
pub fn decode(bytes: &[u8]) -> Result<Vec<Value>, GoTextError> {
    text::decode(bytes)?.into_iter().map(normal).collect()
}

fn normal(value: Value) -> Result<Value, GoTextError> {
    match value {
        Value::Int128(_) | Value::Uint128(_) => Err(GoTextError::NotGo(value.value_type())),
        // Characters have 21 bits.
        Value::Rune(character) => Ok(Value::Int32(u32::from(character).cast_signed())),
        value => Ok(value),
    }
}

/// The text of values, byte for byte as Go writes it: also the name of a file depends on it.
///
/// Go does not read what becomes of 128-bit values.
#[must_use]
pub fn encode(values: &[Value]) -> Vec<u8> {
    let as_go = |value| match value {
        &Value::Int32(number) => match char::from_u32(number.cast_unsigned()) {
            Some(character) => Cow::Owned(Value::Rune(character)),
            None => Cow::Borrowed(value),
        },
        value => Cow::Borrowed(value),
    };
    let values: Vec<Cow<'_, Value>> = values.iter().map(as_go).collect();
    text::encode(&values)
}

/// The name under which Go keeps a file with these bytes: the start of their SHA-256.
#[must_use]
pub fn file_name(bytes: &[u8]) -> String {
    let mut name = String::with_capacity(NAME_DIGITS);
    for byte in &Sha256::digest(bytes)[..NAME_DIGITS / 2] {
        write!(name, "{byte:02x}").expect("writing to a string does not fail");
    }
    name
}

/// Bytes of memory for the value that a worker needs so that byte strings of up to `longest` bytes
/// in any of `parameters` parameters can be sent to it and mutated.
///
/// Quoted text can be four times as long as its bytes, and the mutator refuses values longer than
/// their share of the memory. What it makes of them may fill that share, and is then longer than
/// `longest`: measure it before sending it to a worker, whose memory its text may not fit either.
/// The size is part of how inputs are rebuilt: see [`crate::mutator`].
#[must_use]
pub const fn capacity_for(longest: usize, parameters: usize) -> usize {
    let one = longest.saturating_mul(QUOTED_BYTES_MAX).saturating_add(2 * ENCODING_ROOM);
    one.saturating_mul(parameters).saturating_add(text::VERSION_LINE.len() + 1)
}

#[cfg(test)]
mod tests;
