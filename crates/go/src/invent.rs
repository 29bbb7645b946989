//! Inputs that Go's mutator does not come to: words of the target, parts of other inputs, numbers
//! as people write them.
//!
//! Owns: mutations of our own, which a coordinator runs by calls with `Warmup`. They supplement
//! [`crate::mutator`], which knows single bytes and blocks of one input. Must not: run anything.
//! The same generator gives the same inputs.

use fuzzd_protocol::value::Value;

use crate::pcg::Pcg;

#[cfg(test)]
mod tests;

/// Mutations of one input at most; most have one or two.
const STACK_MAX: u32 = 4;

/// Copies of a block that is repeated.
const REPEATS_MAX: usize = 32;

/// Numbers at which programs change their minds.
const NUMBERS: [i64; 20] = [
    0,
    1,
    -1,
    2,
    7,
    8,
    9,
    10,
    16,
    100,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
    i64::MIN,
];

/// A source of new inputs.
#[derive(Debug)]
pub struct Inventor<'a> {
    random: Pcg,
    words: &'a [Vec<u8>],
    /// Bytes that a byte string may have.
    bytes_max: usize,
}

/// What is done to a byte string.
#[derive(Debug, Clone, Copy)]
enum Operator {
    InsertWord,
    WriteWord,
    Splice,
    InsertPart,
    Number,
    Copy,
    Repeat,
}

const OPERATORS: [Operator; 8] = [
    Operator::InsertWord,
    Operator::WriteWord,
    Operator::WriteWord,
    Operator::Splice,
    Operator::InsertPart,
    Operator::Number,
    Operator::Copy,
    Operator::Repeat,
];

impl<'a> Inventor<'a> {
    /// A source with the words of a target, for byte strings of at most so many bytes.
    #[must_use]
    pub const fn new(seed: u64, words: &'a [Vec<u8>], bytes_max: usize) -> Self {
        Self { random: Pcg::seeded(seed, 0), words, bytes_max }
    }

    /// A new input from `base`, with parts of `other`, which has the same types.
    pub fn invent(&mut self, base: &[Value], other: &[Value]) -> Vec<Value> {
        let mut values = base.to_vec();
        let mut rounds = 1;
        while rounds < STACK_MAX && self.below(2) == 0 {
            rounds += 1;
        }
        for _ in 0..rounds {
            let index = self.below(values.len());
            let Some(value) = values.get_mut(index) else { return values };
            let part = other.get(index).unwrap_or(value).clone();
            self.change(value, &part);
        }
        values
    }

    /// A number below `end`; 0 if that is 0.
    fn below(&mut self, end: usize) -> usize {
        let draw = u64::from(self.random.next_u32()) << 32 | u64::from(self.random.next_u32());
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(draw % end).unwrap_or(0)
    }

    fn change(&mut self, value: &mut Value, part: &Value) {
        let number = NUMBERS[self.below(NUMBERS.len())];
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "any number will do"
        )]
        match (value, part) {
            (Value::Bytes(bytes), Value::Bytes(part))
            | (Value::String(bytes), Value::String(part)) => {
                let operator = OPERATORS[self.below(OPERATORS.len())];
                self.operate(operator, bytes, part);
                bytes.truncate(self.bytes_max);
            }
            (value, part) if self.below(4) == 0 => value.clone_from(part),
            (Value::Bool(value), _) => *value = !*value,
            (Value::Int8(value), _) => *value = number as i8,
            (Value::Int16(value), _) => *value = number as i16,
            (Value::Int32(value), _) => *value = number as i32,
            (Value::Int64(value) | Value::Int(value), _) => *value = number,
            (Value::Uint8(value), _) => *value = number as u8,
            (Value::Uint16(value), _) => *value = number as u16,
            (Value::Uint32(value), _) => *value = number as u32,
            (Value::Uint64(value) | Value::Uint(value), _) => *value = number as u64,
            (Value::Float32(value), _) => *value = number as f32,
            (Value::Float64(value), _) => *value = number as f64,
            // No parameters of Go.
            (Value::Rune(_) | Value::Int128(_) | Value::Uint128(_), _) => {}
            (Value::Bytes(_) | Value::String(_), _) => {}
        }
    }

    fn operate(&mut self, operator: Operator, bytes: &mut Vec<u8>, part: &[u8]) {
        match operator {
            Operator::InsertWord => {
                let (at, word) = (self.below(bytes.len() + 1), self.word(bytes));
                bytes.splice(at..at, word);
            }
            Operator::WriteWord => {
                let word = self.word(bytes);
                let at = self.below(bytes.len().saturating_sub(word.len()) + 1);
                let end = bytes.len().min(at + word.len());
                bytes.splice(at..end, word);
            }
            Operator::Splice => {
                let (head, tail) = (self.below(bytes.len() + 1), self.below(part.len() + 1));
                bytes.truncate(head);
                bytes.extend_from_slice(&part[tail..]);
            }
            Operator::InsertPart => {
                let block = self.block(part);
                let at = self.below(bytes.len() + 1);
                bytes.splice(at..at, part[block].iter().copied());
            }
            Operator::Number => self.number(bytes),
            Operator::Copy => {
                let block = self.block(bytes);
                let (copy, at) = (bytes[block].to_vec(), self.below(bytes.len() + 1));
                bytes.splice(at..at, copy);
            }
            Operator::Repeat => {
                let block = self.block(bytes);
                let room = self.bytes_max.saturating_sub(bytes.len()) / block.len().max(1);
                let copies = bytes[block.clone()].repeat(self.below(REPEATS_MAX).min(room));
                bytes.splice(block.end..block.end, copies);
            }
        }
    }

    /// A word of the target; without any a number.
    fn word(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self.words.get(self.below(self.words.len())) {
            Some(word) => word.clone(),
            None => self.written(bytes),
        }
    }

    /// A number in decimal, often one near the length of the input.
    fn written(&mut self, bytes: &[u8]) -> Vec<u8> {
        let number = match self.below(4) {
            0 => i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            _ => NUMBERS[self.below(NUMBERS.len())],
        };
        number.to_string().into_bytes()
    }

    /// Puts another number in the place of one.
    fn number(&mut self, bytes: &mut Vec<u8>) {
        let is_start = |&at: &usize| {
            bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit())
        };
        let starts: Vec<usize> = (0..bytes.len()).filter(is_start).collect();
        let Some(&start) = starts.get(self.below(starts.len())) else {
            let (at, number) = (self.below(bytes.len() + 1), self.written(bytes));
            bytes.splice(at..at, number);
            return;
        };
        let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let old = str::from_utf8(&bytes[start..start + digits]).ok();
        let old: Option<i64> = old.and_then(|text| text.parse().ok());
        let new = match (old, self.below(5)) {
            (Some(old), 0) => old.wrapping_add(1).to_string().into_bytes(),
            (Some(old), 1) => old.wrapping_sub(1).to_string().into_bytes(),
            (Some(old), 2) => old.wrapping_mul(2).to_string().into_bytes(),
            _ => self.written(bytes),
        };
        bytes.splice(start..start + digits, new);
    }

    /// A short part mostly, never empty unless there is nothing.
    fn block(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let longest = match self.below(4) {
            0 => bytes.len(),
            _ => bytes.len().min(16),
        };
        let start = self.below(bytes.len());
        let end = start + 1 + self.below(longest);
        start..end.min(bytes.len())
    }
}
