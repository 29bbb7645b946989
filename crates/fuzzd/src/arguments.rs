//! From an input in memory form to the arguments of the fuzz test.
//!
//! Owns: the functions that generated code calls, one per argument type, each of which reads its
//! value where it lies: nothing is allocated but what the fuzz test wants to own, and text with
//! invalid UTF-8. Must not: be generic where it can be avoided, because generic code is compiled,
//! and instrumented, in the user's crate; or decode differently from `fuzzd_protocol::input`,
//! whose memory form this is.

use std::borrow::Cow;
use std::ops::Deref;

use fuzzd_protocol::input::LENGTH_BYTES;
use fuzzd_protocol::value::ValueType;
use fuzzd_worker::Verdict;

use arbitrary::{Arbitrary, Unstructured};

#[cfg(test)]
mod tests;

/// The arguments of one run, taken in order.
#[derive(Debug)]
pub struct Arguments<'a> {
    /// What is not taken yet.
    rest: &'a [u8],
    /// Whether the one argument is all of the input, without a length in front.
    is_raw: bool,
}

/// An argument that is text: the bytes of the input themselves where they are valid UTF-8.
#[derive(Debug)]
pub struct Text<'a>(Cow<'a, str>);

// Not that of `Cow`, which is generic.
impl Deref for Text<'_> {
    type Target = str;

    #[inline(never)]
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> Arguments<'a> {
    /// Arguments of `types` from `memory`; every byte string decodes.
    #[inline(never)]
    #[must_use]
    pub fn new(types: &[ValueType], memory: &'a [u8]) -> Self {
        let is_raw = matches!(types, [ValueType::Bytes | ValueType::String]);
        Self { rest: memory, is_raw }
    }

    /// Up to `length` bytes: fewer at the end of the input.
    fn cut(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A scalar's bytes, or a length; missing ones are 0.
    fn padded<const N: usize>(&mut self) -> [u8; N] {
        let taken = self.cut(N);
        let mut all = [0; N];
        all[..taken.len()].copy_from_slice(taken);
        all
    }

    /// The next argument, a byte string, where it lies.
    #[inline(never)]
    pub fn take_slice(&mut self) -> &'a [u8] {
        if self.is_raw {
            return self.cut(usize::MAX);
        }
        let length = u32::from_le_bytes(self.padded::<LENGTH_BYTES>());
        self.cut(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The next argument, a byte string of its own.
    #[inline(never)]
    pub fn take_bytes(&mut self) -> Vec<u8> {
        self.take_slice().to_vec()
    }

    /// The next argument, text. Invalid UTF-8 becomes U+FFFD, always in the same way.
    #[inline(never)]
    pub fn take_text(&mut self) -> Text<'a> {
        Text(String::from_utf8_lossy(self.take_slice()))
    }

    /// The next argument, text of its own. Invalid UTF-8 becomes U+FFFD, always in the same way.
    #[inline(never)]
    pub fn take_string(&mut self) -> String {
        String::from_utf8_lossy(self.take_slice()).into_owned()
    }

    /// The next argument: the lowest bit of its byte.
    #[inline(never)]
    pub fn take_bool(&mut self) -> bool {
        self.padded::<1>()[0] & 1 == 1
    }

    /// The next argument. What is not a character becomes U+FFFD.
    #[inline(never)]
    pub fn take_char(&mut self) -> char {
        let number = u32::from_le_bytes(self.padded());
        char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// The next argument. A number that this machine's `usize` cannot hold becomes its largest.
    #[inline(never)]
    pub fn take_usize(&mut self) -> usize {
        usize::try_from(u64::from_le_bytes(self.padded())).unwrap_or(usize::MAX)
    }

    /// The next argument. A number that this machine's `isize` cannot hold becomes its largest or
    /// smallest.
    #[inline(never)]
    pub fn take_isize(&mut self) -> isize {
        let number = i64::from_le_bytes(self.padded());
        let nearest = if number < 0 { isize::MIN } else { isize::MAX };
        isize::try_from(number).unwrap_or(nearest)
    }
}

macro_rules! take_numbers {
    ($($take:ident: $number:ty,)*) => {
        impl Arguments<'_> {
            $(
                /// The next argument.
                #[inline(never)]
                pub fn $take(&mut self) -> $number {
                    <$number>::from_le_bytes(self.padded())
                }
            )*
        }
    };
}

take_numbers! {
    take_u8: u8,
    take_i8: i8,
    take_u16: u16,
    take_i16: i16,
    take_u32: u32,
    take_i32: i32,
    take_u64: u64,
    take_i64: i64,
    take_u128: u128,
    take_i128: i128,
    take_f32: f32,
    take_f64: f64,
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
