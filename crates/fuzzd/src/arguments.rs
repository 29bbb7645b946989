//! From an input in memory form to the arguments of the fuzz test.
//!
//! Owns: the functions that generated code calls, one per argument type. Must not: be generic where
//! it can be avoided, because generic code is compiled, and instrumented, in the user's crate.

use fuzzd_protocol::input;
use fuzzd_protocol::value::{Value, ValueType};
use fuzzd_worker::Verdict;

use arbitrary::{Arbitrary, Unstructured};

/// The arguments of one run, taken in order.
#[derive(Debug)]
pub struct Arguments {
    values: std::vec::IntoIter<Value>,
}

impl Arguments {
    /// Decodes `memory`; every byte string decodes.
    #[inline(never)]
    #[must_use]
    pub fn new(types: &[ValueType], memory: &[u8]) -> Self {
        Self { values: input::to_values(types, memory).into_iter() }
    }

    fn next(&mut self) -> Value {
        self.values.next().expect("one value is decoded per argument")
    }

    /// The next argument, a byte string.
    #[inline(never)]
    pub fn take_bytes(&mut self) -> Vec<u8> {
        match self.next() {
            Value::Bytes(bytes) => bytes,
            other => mismatch(&other),
        }
    }

    /// The next argument, text. Invalid UTF-8 becomes U+FFFD, always in the same way.
    #[inline(never)]
    pub fn take_string(&mut self) -> String {
        match self.next() {
            Value::String(bytes) => String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            other => mismatch(&other),
        }
    }

    /// The next argument. A number that this machine's `usize` cannot hold becomes its largest.
    #[inline(never)]
    pub fn take_usize(&mut self) -> usize {
        match self.next() {
            Value::Uint(number) => usize::try_from(number).unwrap_or(usize::MAX),
            other => mismatch(&other),
        }
    }

    /// The next argument. A number that this machine's `isize` cannot hold becomes its largest or
    /// smallest.
    #[inline(never)]
    pub fn take_isize(&mut self) -> isize {
        match self.next() {
            Value::Int(number) => {
                let nearest = if number < 0 { isize::MIN } else { isize::MAX };
                isize::try_from(number).unwrap_or(nearest)
            }
            other => mismatch(&other),
        }
    }
}

macro_rules! take_scalars {
    ($($take:ident: $variant:ident($scalar:ty),)*) => {
        impl Arguments {
            $(
                /// The next argument.
                #[inline(never)]
                pub fn $take(&mut self) -> $scalar {
                    match self.next() {
                        Value::$variant(value) => value,
                        other => mismatch(&other),
                    }
                }
            )*
        }
    };
}

take_scalars! {
    take_bool: Bool(bool),
    take_char: Rune(char),
    take_u8: Uint8(u8),
    take_i8: Int8(i8),
    take_u16: Uint16(u16),
    take_i16: Int16(i16),
    take_u32: Uint32(u32),
    take_i32: Int32(i32),
    take_u64: Uint64(u64),
    take_i64: Int64(i64),
    take_u128: Uint128(u128),
    take_i128: Int128(i128),
    take_f32: Float32(f32),
    take_f64: Float64(f64),
}

fn mismatch(value: &Value) -> ! {
    unreachable!("types and arguments come from one list, but a value is {}", value.value_type())
}

/// Runs a fuzz test that takes one `&str`. Invalid UTF-8 becomes U+FFFD.
#[inline(never)]
pub fn with_text(memory: &[u8], run: fn(&str) -> Verdict) -> Verdict {
    match std::str::from_utf8(memory) {
        Ok(text) => run(text),
        Err(_) => run(&String::from_utf8_lossy(memory)),
    }
}

/// Builds a value from all of `bytes`; `None` when the type finds none in them.
#[must_use]
pub fn arbitrary<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(bytes)).ok()
}
