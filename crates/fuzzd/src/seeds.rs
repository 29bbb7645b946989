//! The seeds written in code.
//!
//! Owns: collecting them into memory form. Must not: run them.

use fuzzd_protocol::input;
use fuzzd_protocol::value::{Value, ValueType};

/// Collects the seeds of one fuzz test, value by value.
#[derive(Debug)]
pub struct Seeds {
    types: &'static [ValueType],
    /// Values of the seed that is being written.
    values: Vec<Value>,
    /// Finished seeds in memory form.
    memories: Vec<Vec<u8>>,
}

impl Seeds {
    pub(crate) fn new(types: &'static [ValueType]) -> Self {
        Self { types, values: Vec::new(), memories: Vec::new() }
    }

    pub(crate) fn into_memories(self) -> Vec<Vec<u8>> {
        debug_assert!(self.values.is_empty(), "a seed was not ended");
        self.memories
    }

    /// Ends a seed: as many values were pushed as the fuzz test has arguments.
    #[inline(never)]
    pub fn end_seed(&mut self) {
        debug_assert_eq!(self.values.len(), self.types.len(), "one value for each argument");
        self.memories.push(input::to_memory(self.types, &self.values));
        self.values.clear();
    }

    /// The next value, bytes.
    #[inline(never)]
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.values.push(Value::Bytes(bytes.to_vec()));
    }

    /// The next value, text.
    #[inline(never)]
    pub fn push_string(&mut self, text: &str) {
        self.values.push(Value::String(text.as_bytes().to_vec()));
    }

    /// The next value.
    #[inline(never)]
    pub fn push_usize(&mut self, number: usize) {
        self.values.push(Value::Uint(number as u64));
    }

    /// The next value.
    #[inline(never)]
    pub fn push_isize(&mut self, number: isize) {
        self.values.push(Value::Int(number as i64));
    }
}

macro_rules! push_scalars {
    ($($push:ident: $variant:ident($scalar:ty),)*) => {
        impl Seeds {
            $(
                /// The next value.
                #[inline(never)]
                pub fn $push(&mut self, value: $scalar) {
                    self.values.push(Value::$variant(value));
                }
            )*
        }
    };
}

push_scalars! {
    push_bool: Bool(bool),
    push_char: Rune(char),
    push_u8: Uint8(u8),
    push_i8: Int8(i8),
    push_u16: Uint16(u16),
    push_i16: Int16(i16),
    push_u32: Uint32(u32),
    push_i32: Int32(i32),
    push_u64: Uint64(u64),
    push_i64: Int64(i64),
    push_u128: Uint128(u128),
    push_i128: Int128(i128),
    push_f32: Float32(f32),
    push_f64: Float64(f64),
}
