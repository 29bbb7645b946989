//! Making an input smaller: which candidates to run, and what follows from what came of them.
//!
//! Owns: the search. Whoever runs a candidate says whether it *held*: whether it still has what
//! the input was kept for. Go's own search removes every range of bytes, a square of them; this
//! one removes blocks that get half as long in every round, so its candidates are a small multiple
//! of the bytes. Must not: run anything, or bound the search (the caller does).
//!
//! ```text
//! remove    |--------|   |----|----|   |--|--|--|--|   |-|-|-|-|-|-|-|-|    from the end
//! plain     the same blocks, written over with '0'
//! number    0, then half way to 0, a quarter, …
//! ```

use fuzzd_protocol::value::Value;

#[cfg(test)]
mod tests;

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Some dozens of candidates: blocks of a sixteenth at least, nothing else.
    Quick,
    /// Until no candidate is left: single bytes, plainer bytes, smaller numbers, and again.
    Full,
}

/// Blocks into which a quick search divides a value at most.
const QUICK_BLOCKS: usize = 16;

/// Bytes that read well, the plainest first.
const PLAIN: [u8; 3] = *b"0A ";

/// What is being done to one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// The block of `size` bytes before `end` is removed.
    Remove { size: usize, end: usize },
    /// The block of `size` bytes before `end` becomes `PLAIN[byte]`.
    Plain { size: usize, end: usize, byte: usize },
    /// The number goes `step` towards 0.
    Number { step: u128 },
}

/// A search under way.
#[derive(Debug, Clone)]
pub struct Reducer {
    best: Vec<Value>,
    effort: Effort,
    parameter: usize,
    pass: Option<Pass>,
    candidate: Option<Vec<Value>>,
    has_changed: bool,
}

impl Reducer {
    /// A search that starts from an input that holds.
    #[must_use]
    pub fn new(values: Vec<Value>, effort: Effort) -> Self {
        let mut search = Self {
            best: values,
            effort,
            parameter: 0,
            pass: None,
            candidate: None,
            has_changed: false,
        };
        search.pass = search.first_pass();
        search
    }

    /// The smallest input that held.
    #[must_use]
    pub fn best(&self) -> &[Value] {
        &self.best
    }

    /// The next input to run; `None`: there is nothing more to try. Until [`judge`](Self::judge)
    /// is told of it, it stays the same.
    pub fn propose(&mut self) -> Option<&[Value]> {
        while self.candidate.is_none() {
            match self.pass {
                Some(pass) => match self.candidate(pass) {
                    Some(value) => {
                        let mut values = self.best.clone();
                        values[self.parameter] = value;
                        self.candidate = Some(values);
                    }
                    None => self.advance(pass, false),
                },
                None => {
                    if !self.go_to_next_parameter() {
                        return None;
                    }
                }
            }
        }
        self.candidate.as_deref()
    }

    /// Says what came of the candidate.
    pub fn judge(&mut self, held: bool) {
        let (Some(candidate), Some(pass)) = (self.candidate.take(), self.pass) else { return };
        if held {
            self.best = candidate;
            self.has_changed = true;
        }
        self.advance(pass, held);
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self.best.get(self.parameter)? {
            Value::Bytes(bytes) | Value::String(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn first_pass(&self) -> Option<Pass> {
        let value = self.best.get(self.parameter)?;
        match (self.bytes(), self.effort) {
            (Some([]), _) => None,
            (Some(bytes), _) => Some(Pass::Remove { size: bytes.len(), end: bytes.len() }),
            (None, Effort::Full) => Some(Pass::Number { step: distance(value) }),
            (None, Effort::Quick) => None,
        }
    }

    /// False: all is done.
    fn go_to_next_parameter(&mut self) -> bool {
        self.parameter += 1;
        if self.parameter >= self.best.len() {
            if self.effort == Effort::Quick || !self.has_changed {
                return false;
            }
            (self.parameter, self.has_changed) = (0, false);
        }
        self.pass = self.first_pass();
        true
    }

    /// What the pass makes of the parameter; `None`: nothing that is smaller or plainer.
    fn candidate(&self, pass: Pass) -> Option<Value> {
        let old = &self.best[self.parameter];
        match pass {
            Pass::Remove { size, end } => {
                let bytes = self.bytes()?;
                let mut smaller = bytes[..end.saturating_sub(size)].to_vec();
                smaller.extend_from_slice(&bytes[end..]);
                (smaller.len() < bytes.len()).then(|| like(old, smaller))
            }
            Pass::Plain { size, end, byte } => {
                let bytes = self.bytes()?;
                let block = end.saturating_sub(size)..end;
                let is_plain = |have: &u8| PLAIN[..=byte].contains(have);
                if bytes[block.clone()].iter().all(is_plain) {
                    return None;
                }
                let mut plainer = bytes.to_vec();
                plainer[block].fill(PLAIN[byte]);
                Some(like(old, plainer))
            }
            Pass::Number { step: 0 } => None,
            Pass::Number { step } => nearer(old, step),
        }
    }

    fn advance(&mut self, pass: Pass, held: bool) {
        let length = self.bytes().map_or(0, <[u8]>::len);
        let least = match self.effort {
            Effort::Quick => (length / QUICK_BLOCKS).max(1),
            Effort::Full => 1,
        };
        self.pass = match pass {
            Pass::Remove { size, end } => {
                let end = end.saturating_sub(size);
                let next = (size / 2).min(length);
                if length == 0 {
                    None
                } else if end > 0 {
                    Some(Pass::Remove { size, end })
                } else if next >= least {
                    Some(Pass::Remove { size: next, end: length })
                } else if self.effort == Effort::Full {
                    Some(Pass::Plain { size: length, end: length, byte: 0 })
                } else {
                    None
                }
            }
            Pass::Plain { size: 1, end, byte } if !held && byte + 1 < PLAIN.len() => {
                Some(Pass::Plain { size: 1, end, byte: byte + 1 })
            }
            Pass::Plain { size, end, .. } => match (end.saturating_sub(size), size / 2) {
                (0, 0) => None,
                (0, half) => Some(Pass::Plain { size: half, end: length, byte: 0 }),
                (end, _) => Some(Pass::Plain { size, end, byte: 0 }),
            },
            Pass::Number { step } => {
                let left = distance(&self.best[self.parameter]);
                let step = if held { step.min(left) } else { step / 2 };
                (step > 0).then_some(Pass::Number { step })
            }
        };
    }
}

/// A value of the same type with these bytes.
fn like(old: &Value, bytes: Vec<u8>) -> Value {
    match old {
        Value::String(_) => Value::String(bytes),
        _ => Value::Bytes(bytes),
    }
}

/// How far a number is from 0; of a float its whole part counts, or 1 if there is only the rest.
fn distance(value: &Value) -> u128 {
    match value {
        Value::Bytes(_) | Value::String(_) => 0,
        Value::Bool(value) => u128::from(*value),
        Value::Float32(value) => float_distance(f64::from(*value)),
        Value::Float64(value) => float_distance(*value),
        Value::Uint128(value) => *value,
        other => signed(other).unwrap_or(0).unsigned_abs(),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn float_distance(value: f64) -> u128 {
    if value == 0.0 { 0 } else { (value.abs() as u128).max(1) }
}

fn signed(value: &Value) -> Option<i128> {
    Some(match value {
        Value::Int8(value) => i128::from(*value),
        Value::Int16(value) => i128::from(*value),
        Value::Int32(value) => i128::from(*value),
        Value::Rune(value) => i128::from(u32::from(*value)),
        Value::Int64(value) | Value::Int(value) => i128::from(*value),
        Value::Int128(value) => *value,
        Value::Uint8(value) => i128::from(*value),
        Value::Uint16(value) => i128::from(*value),
        Value::Uint32(value) => i128::from(*value),
        Value::Uint64(value) | Value::Uint(value) => i128::from(*value),
        Value::Bytes(_)
        | Value::String(_)
        | Value::Bool(_)
        | Value::Uint128(_)
        | Value::Float32(_)
        | Value::Float64(_) => return None,
    })
}

/// The number `step` nearer to 0.
fn nearer(value: &Value, step: u128) -> Option<Value> {
    let goal = |from: i128| {
        let size = from.unsigned_abs().checked_sub(step)?;
        let size = i128::try_from(size).ok()?;
        Some(if from < 0 { -size } else { size })
    };
    Some(match value {
        Value::Bytes(_) | Value::String(_) => return None,
        Value::Bool(_) => Value::Bool(false),
        Value::Float32(old) => {
            let new = float_nearer(f64::from(*old), step);
            #[expect(clippy::cast_possible_truncation, reason = "it was one before")]
            let new = new as f32;
            (new.to_bits() != old.to_bits()).then_some(Value::Float32(new))?
        }
        Value::Float64(old) => {
            let new = float_nearer(*old, step);
            (new.to_bits() != old.to_bits()).then_some(Value::Float64(new))?
        }
        Value::Uint128(value) => Value::Uint128(value.checked_sub(step)?),
        Value::Int8(old) => Value::Int8(goal(i128::from(*old))?.try_into().ok()?),
        Value::Int16(old) => Value::Int16(goal(i128::from(*old))?.try_into().ok()?),
        Value::Int32(old) => Value::Int32(goal(i128::from(*old))?.try_into().ok()?),
        Value::Rune(old) => {
            let number = goal(i128::from(u32::from(*old)))?;
            Value::Rune(char::from_u32(number.try_into().ok()?)?)
        }
        Value::Int64(old) => Value::Int64(goal(i128::from(*old))?.try_into().ok()?),
        Value::Int(old) => Value::Int(goal(i128::from(*old))?.try_into().ok()?),
        Value::Int128(old) => Value::Int128(goal(*old)?),
        Value::Uint8(old) => Value::Uint8(goal(i128::from(*old))?.try_into().ok()?),
        Value::Uint16(old) => Value::Uint16(goal(i128::from(*old))?.try_into().ok()?),
        Value::Uint32(old) => Value::Uint32(goal(i128::from(*old))?.try_into().ok()?),
        Value::Uint64(old) => Value::Uint64(goal(i128::from(*old))?.try_into().ok()?),
        Value::Uint(old) => Value::Uint(goal(i128::from(*old))?.try_into().ok()?),
    })
}

/// Whole numbers on the way to 0.
#[expect(clippy::cast_precision_loss, reason = "a nearby number is as good")]
fn float_nearer(value: f64, step: u128) -> f64 {
    let left = (value.abs().trunc() - step as f64).max(0.0);
    if left.is_finite() { left.copysign(value) } else { 0.0 }
}
