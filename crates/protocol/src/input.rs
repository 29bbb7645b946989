//! The forms of one input: values, the bytes in memory, the bytes of a file.
//!
//! Owns: the memory form (raw or packed), the file form (raw or text), and where in the memory form
//! each value lies. Must not: mutate, or know what a fuzz test does with the values.
//!
//! Memory form: exactly one parameter of type `[]byte` or `string` is *raw*, its bytes as they are.
//! Everything else is *packed*: the values in order; scalars little-endian in their width; `[]byte`
//! and `string` as a `u32` length and the bytes. Every byte string decodes: a length beyond the end
//! is cut, missing bytes of a scalar are 0, bytes after the last value are ignored.

use std::ops::Range;

use crate::limits::PACKED_VALUE_BYTES_MAX;
use crate::text::{self, TextError};
use crate::value::{Value, ValueType};

#[cfg(test)]
mod tests;

/// Bytes of the length before a `[]byte` or `string` in packed form.
pub const LENGTH_BYTES: usize = 4;

/// Where one value lies in the memory form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub value_type: ValueType,
    /// Its content only, cut at the end of the memory form.
    pub bytes: Range<usize>,
    /// Offset of the `u32` length before a `[]byte` or `string` in packed form. The length may lie
    /// partly or wholly beyond the end of the memory form: then the content is empty.
    pub prefix: Option<usize>,
}

/// A file that is not an input of this fuzz test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file should be text and is not.
    #[error("not an input in the text form: {0}")]
    Text(#[from] TextError),
    /// The file is text with other values than the fuzz test takes.
    #[error("the fuzz test takes ({expected}), the file has ({found})")]
    WrongTypes {
        /// Type names of the parameters, separated by commas.
        expected: String,
        /// Type names of the values in the file, separated by commas.
        found: String,
    },
}

/// The memory form of `values`, which are of `types` in this order.
///
/// A value longer than [`PACKED_VALUE_BYTES_MAX`] is cut in packed form.
#[must_use]
pub fn to_memory(types: &[ValueType], values: &[Value]) -> Vec<u8> {
    let mut memory = Vec::new();
    for value in values {
        match value {
            Value::Bytes(bytes) | Value::String(bytes) => {
                if is_raw(types) {
                    memory.extend_from_slice(bytes);
                    continue;
                }
                let cut = &bytes[..bytes.len().min(PACKED_VALUE_BYTES_MAX)];
                let length = u32::try_from(cut.len()).unwrap_or(u32::MAX);
                memory.extend_from_slice(&length.to_le_bytes());
                memory.extend_from_slice(cut);
            }
            Value::Bool(value) => memory.push(u8::from(*value)),
            Value::Uint8(value) => memory.push(*value),
            Value::Int8(value) => memory.extend_from_slice(&value.to_le_bytes()),
            Value::Int16(value) => memory.extend_from_slice(&value.to_le_bytes()),
            Value::Uint16(value) => memory.extend_from_slice(&value.to_le_bytes()),
            Value::Int32(value) => memory.extend_from_slice(&value.to_le_bytes()),
            Value::Rune(value) => memory.extend_from_slice(&u32::from(*value).to_le_bytes()),
            Value::Uint32(value) => memory.extend_from_slice(&value.to_le_bytes()),
            Value::Int64(value) | Value::Int(value) => {
                memory.extend_from_slice(&value.to_le_bytes());
            }
            Value::Uint64(value) | Value::Uint(value) => {
                memory.extend_from_slice(&value.to_le_bytes());
            }
            Value::Int128(value) => memory.extend_from_slice(&value.to_le_bytes()),
            Value::Uint128(value) => memory.extend_from_slice(&value.to_le_bytes()),
            Value::Float32(value) => memory.extend_from_slice(&value.to_bits().to_le_bytes()),
            Value::Float64(value) => memory.extend_from_slice(&value.to_bits().to_le_bytes()),
        }
    }
    memory
}

/// The values that `memory` stands for: one per type, whatever the bytes are.
#[must_use]
pub fn to_values(types: &[ValueType], memory: &[u8]) -> Vec<Value> {
    fields(types, memory)
        .into_iter()
        .map(|field| to_value(field.value_type, &memory[field.bytes]))
        .collect()
}

/// The one memory form that has these values and nothing else: no bytes after the last value, no
/// cut lengths, no values cut short.
#[must_use]
pub fn canonical(types: &[ValueType], memory: &[u8]) -> Vec<u8> {
    to_memory(types, &to_values(types, memory))
}

/// Where each value lies in `memory`, one per type.
#[must_use]
pub fn fields(types: &[ValueType], memory: &[u8]) -> Vec<Field> {
    let end = memory.len();
    if is_raw(types) {
        return types
            .iter()
            .map(|&value_type| Field { value_type, bytes: 0..end, prefix: None })
            .collect();
    }
    let mut at = 0;
    let mut fields = Vec::with_capacity(types.len());
    for &value_type in types {
        let (start, length, prefix) = match value_type.width() {
            Some(width) => (at, width, None),
            None => (end.min(at + LENGTH_BYTES), length_at(memory, at), Some(at)),
        };
        let bytes = start..start + length.min(end - start);
        at = bytes.end;
        fields.push(Field { value_type, bytes, prefix });
    }
    fields
}

/// The file form of `memory`: the raw bytes for exactly one `[]byte` that would not be taken for
/// text, the text of the values for everything else.
#[must_use]
pub fn to_file(types: &[ValueType], memory: &[u8]) -> Vec<u8> {
    if types == [ValueType::Bytes] && text::decode(memory).is_err() {
        return memory.to_vec();
    }
    text::encode(&to_values(types, memory))
}

/// The memory form of a file.
pub fn from_file(types: &[ValueType], file: &[u8]) -> Result<Vec<u8>, FileError> {
    let values = match text::decode(file) {
        Ok(values) => values,
        Err(_) if types == [ValueType::Bytes] => return Ok(file.to_vec()),
        Err(error) => return Err(error.into()),
    };
    let wrong = FileError::WrongTypes {
        expected: names(types.iter().copied()),
        found: names(values.iter().map(Value::value_type)),
    };
    if values.len() != types.len() {
        return Err(wrong);
    }
    let values: Option<Vec<Value>> =
        values.into_iter().zip(types).map(|(value, &wanted)| value.into_type(wanted)).collect();
    Ok(to_memory(types, &values.ok_or(wrong)?))
}

fn is_raw(types: &[ValueType]) -> bool {
    matches!(types, [ValueType::Bytes | ValueType::String])
}

fn names(types: impl Iterator<Item = ValueType>) -> String {
    types.map(ValueType::name).collect::<Vec<_>>().join(", ")
}

/// The length at `at`, missing bytes read as 0.
fn length_at(memory: &[u8], at: usize) -> usize {
    let length = u32::from_le_bytes(padded(memory.get(at..).unwrap_or_default()));
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The first `N` bytes, missing ones are 0.
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    let length = bytes.len().min(N);
    all[..length].copy_from_slice(&bytes[..length]);
    all
}

fn to_value(value_type: ValueType, bytes: &[u8]) -> Value {
    match value_type {
        ValueType::Bytes => Value::Bytes(bytes.to_vec()),
        ValueType::String => Value::String(bytes.to_vec()),
        ValueType::Bool => Value::Bool(padded::<1>(bytes)[0] & 1 == 1),
        ValueType::Uint8 => Value::Uint8(padded::<1>(bytes)[0]),
        ValueType::Int8 => Value::Int8(i8::from_le_bytes(padded(bytes))),
        ValueType::Int16 => Value::Int16(i16::from_le_bytes(padded(bytes))),
        ValueType::Uint16 => Value::Uint16(u16::from_le_bytes(padded(bytes))),
        ValueType::Int32 => Value::Int32(i32::from_le_bytes(padded(bytes))),
        ValueType::Rune => {
            let number = u32::from_le_bytes(padded(bytes));
            Value::Rune(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
        }
        ValueType::Uint32 => Value::Uint32(u32::from_le_bytes(padded(bytes))),
        ValueType::Int64 => Value::Int64(i64::from_le_bytes(padded(bytes))),
        ValueType::Uint64 => Value::Uint64(u64::from_le_bytes(padded(bytes))),
        ValueType::Int => Value::Int(i64::from_le_bytes(padded(bytes))),
        ValueType::Uint => Value::Uint(u64::from_le_bytes(padded(bytes))),
        ValueType::Int128 => Value::Int128(i128::from_le_bytes(padded(bytes))),
        ValueType::Uint128 => Value::Uint128(u128::from_le_bytes(padded(bytes))),
        ValueType::Float32 => Value::Float32(f32::from_bits(u32::from_le_bytes(padded(bytes)))),
        ValueType::Float64 => Value::Float64(f64::from_bits(u64::from_le_bytes(padded(bytes)))),
    }
}
