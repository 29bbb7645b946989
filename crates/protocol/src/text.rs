//! The text form of an input: Go's corpus file format `go test fuzz v1`.
//!
//! Owns: reading and writing that text. Reads all that Go reads, writes what Go would write, with
//! two differences: `int128(…)` and `uint128(…)` are ours, and an `int32` is written as a number
//! (Go writes most of them as `rune('…')`, because to Go they are one type).
//! Must not: know which values a fuzz test takes (see [`crate::input`]).
//!
//! ```text
//! go test fuzz v1
//! []byte("raw \xff bytes")
//! int(-23)
//! ```

mod float;
mod lexer;
mod parse;
mod print;

#[cfg(test)]
mod tests;

use std::borrow::Borrow;

use crate::value::{Value, ValueType};

/// The first line of every text.
pub const VERSION_LINE: &str = "go test fuzz v1";

/// Bytes that are not the text of an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The first line is another one.
    #[error("the first line is not `{VERSION_LINE}`")]
    NoVersion,
    /// Nothing follows the first line.
    #[error("no value after the first line")]
    NoValues,
    /// A line is not one value.
    #[error("line {line}: {problem}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: ValueError,
    },
}

/// What is wrong with the text of one value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Bytes that are no UTF-8 must be written as `\xHH`; NUL and byte order marks too.
    #[error("bytes that must be escaped")]
    MustBeEscaped,
    /// A literal without its end, a bad escape, or a bad number.
    #[error("a malformed literal")]
    Literal,
    /// Not of the form `type(literal)`.
    #[error("not of the form type(literal)")]
    Form,
    /// The name before the parenthesis is no type that can be a parameter.
    #[error("unknown type `{0}`")]
    UnknownType(String),
    /// The literal is not one of this type, or out of its range.
    #[error("not a value of type {0}")]
    NotOfType(ValueType),
}

/// The text of `values`, one per line. UTF-8, ends with a newline.
///
/// Without values it is the first line alone, which does not decode.
#[must_use]
pub fn encode<V: Borrow<Value>>(values: &[V]) -> Vec<u8> {
    let mut text = format!("{VERSION_LINE}\n");
    for value in values {
        print::value(&mut text, value.borrow());
        text.push('\n');
    }
    text.into_bytes()
}

/// The values of a text: at least one. The whole of it must parse.
pub fn decode(bytes: &[u8]) -> Result<Vec<Value>, TextError> {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    if first.strip_suffix(b"\r").unwrap_or(first) != VERSION_LINE.as_bytes() {
        return Err(TextError::NoVersion);
    }
    let mut values = Vec::new();
    for (position, line) in lines.enumerate() {
        let problem = |problem| TextError::Line { line: position + 2, problem };
        let line = str::from_utf8(line).map_err(|_| problem(ValueError::MustBeEscaped))?;
        if !line.trim().is_empty() {
            values.push(parse::value(line.trim()).map_err(problem)?);
        }
    }
    if values.is_empty() { Err(TextError::NoValues) } else { Ok(values) }
}
