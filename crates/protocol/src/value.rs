//! Parameter types of fuzz tests and their values.
//!
//! Owns: the closed list of types, their Go names and widths. Must not: know text or memory forms
//! (see [`crate::text`] and [`crate::input`]).

use std::fmt;

/// Type of one parameter of a fuzz test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueType {
    /// `[]byte`: any bytes. Rust's `&[u8]`, `Vec<u8>` and every `Arbitrary` type.
    Bytes,
    /// `string`: any bytes too; Rust's `&str` and `String`.
    String,
    /// `bool`.
    Bool,
    /// `uint8`, in text also `byte`; Rust's `u8`.
    Uint8,
    /// `int8`.
    Int8,
    /// `int16`.
    Int16,
    /// `uint16`.
    Uint16,
    /// `int32`.
    Int32,
    /// `rune`; Rust's `char`. In Go it is another name of `int32`.
    Rune,
    /// `uint32`.
    Uint32,
    /// `int64`.
    Int64,
    /// `uint64`.
    Uint64,
    /// `int`; Rust's `isize`. 64 bits.
    Int,
    /// `uint`; Rust's `usize`. 64 bits.
    Uint,
    /// `int128`: ours, Go has none.
    Int128,
    /// `uint128`: ours, Go has none.
    Uint128,
    /// `float32`.
    Float32,
    /// `float64`.
    Float64,
}

impl ValueType {
    /// Every type.
    pub const ALL: [Self; 18] = [
        Self::Bytes,
        Self::String,
        Self::Bool,
        Self::Uint8,
        Self::Int8,
        Self::Int16,
        Self::Uint16,
        Self::Int32,
        Self::Rune,
        Self::Uint32,
        Self::Int64,
        Self::Uint64,
        Self::Int,
        Self::Uint,
        Self::Int128,
        Self::Uint128,
        Self::Float32,
        Self::Float64,
    ];

    /// The Go name, as it stands in `Types` of the answer to `Ping`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "[]byte",
            Self::String => "string",
            Self::Bool => "bool",
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Uint16 => "uint16",
            Self::Int32 => "int32",
            Self::Rune => "rune",
            Self::Uint32 => "uint32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Int128 => "int128",
            Self::Uint128 => "uint128",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
        }
    }

    /// The type of that name (`byte` is `uint8`), `None` for any other text.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "byte" {
            return Some(Self::Uint8);
        }
        Self::ALL.into_iter().find(|value_type| value_type.name() == name)
    }

    /// Bytes of a value in packed form; `None` for `[]byte` and `string`, which vary.
    #[must_use]
    pub const fn width(self) -> Option<usize> {
        match self {
            Self::Bytes | Self::String => None,
            Self::Bool | Self::Uint8 | Self::Int8 => Some(1),
            Self::Int16 | Self::Uint16 => Some(2),
            Self::Int32 | Self::Rune | Self::Uint32 | Self::Float32 => Some(4),
            Self::Int64 | Self::Uint64 | Self::Int | Self::Uint | Self::Float64 => Some(8),
            Self::Int128 | Self::Uint128 => Some(16),
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Value of one parameter. Floats are equal when their bits are: `NaN` equals itself here, and `-0`
/// is not `0`.
#[derive(Debug, Clone)]
pub enum Value {
    /// `[]byte`.
    Bytes(Vec<u8>),
    /// `string`; may be invalid UTF-8.
    String(Vec<u8>),
    /// `bool`.
    Bool(bool),
    /// `uint8`.
    Uint8(u8),
    /// `int8`.
    Int8(i8),
    /// `int16`.
    Int16(i16),
    /// `uint16`.
    Uint16(u16),
    /// `int32`.
    Int32(i32),
    /// `rune`.
    Rune(char),
    /// `uint32`.
    Uint32(u32),
    /// `int64`.
    Int64(i64),
    /// `uint64`.
    Uint64(u64),
    /// `int`.
    Int(i64),
    /// `uint`.
    Uint(u64),
    /// `int128`.
    Int128(i128),
    /// `uint128`.
    Uint128(u128),
    /// `float32`.
    Float32(f32),
    /// `float64`.
    Float64(f64),
}

impl Value {
    /// Its type.
    #[must_use]
    pub const fn value_type(&self) -> ValueType {
        match self {
            Self::Bytes(_) => ValueType::Bytes,
            Self::String(_) => ValueType::String,
            Self::Bool(_) => ValueType::Bool,
            Self::Uint8(_) => ValueType::Uint8,
            Self::Int8(_) => ValueType::Int8,
            Self::Int16(_) => ValueType::Int16,
            Self::Uint16(_) => ValueType::Uint16,
            Self::Int32(_) => ValueType::Int32,
            Self::Rune(_) => ValueType::Rune,
            Self::Uint32(_) => ValueType::Uint32,
            Self::Int64(_) => ValueType::Int64,
            Self::Uint64(_) => ValueType::Uint64,
            Self::Int(_) => ValueType::Int,
            Self::Uint(_) => ValueType::Uint,
            Self::Int128(_) => ValueType::Int128,
            Self::Uint128(_) => ValueType::Uint128,
            Self::Float32(_) => ValueType::Float32,
            Self::Float64(_) => ValueType::Float64,
        }
    }

    /// The value as one of type `wanted`, `None` if it is none. Only `rune` and `int32` stand for
    /// each other, where the number is a character.
    #[must_use]
    pub fn into_type(self, wanted: ValueType) -> Option<Self> {
        match (self, wanted) {
            (Self::Rune(character), ValueType::Int32) => {
                Some(Self::Int32(i32::try_from(u32::from(character)).ok()?))
            }
            (Self::Int32(number), ValueType::Rune) => {
                Some(Self::Rune(char::from_u32(u32::try_from(number).ok()?)?))
            }
            (value, wanted) => (value.value_type() == wanted).then_some(value),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(a), Self::Bytes(b)) | (Self::String(a), Self::String(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Uint8(a), Self::Uint8(b)) => a == b,
            (Self::Int8(a), Self::Int8(b)) => a == b,
            (Self::Int16(a), Self::Int16(b)) => a == b,
            (Self::Uint16(a), Self::Uint16(b)) => a == b,
            (Self::Int32(a), Self::Int32(b)) => a == b,
            (Self::Rune(a), Self::Rune(b)) => a == b,
            (Self::Uint32(a), Self::Uint32(b)) => a == b,
            (Self::Int64(a), Self::Int64(b)) | (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Uint64(a), Self::Uint64(b)) | (Self::Uint(a), Self::Uint(b)) => a == b,
            (Self::Int128(a), Self::Int128(b)) => a == b,
            (Self::Uint128(a), Self::Uint128(b)) => a == b,
            (Self::Float32(a), Self::Float32(b)) => a.to_bits() == b.to_bits(),
            (Self::Float64(a), Self::Float64(b)) => a.to_bits() == b.to_bits(),
            (one, other) => {
                debug_assert_ne!(one.value_type(), other.value_type(), "a pair was forgotten");
                false
            }
        }
    }
}

impl Eq for Value {}
