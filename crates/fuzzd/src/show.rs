//! The readable form of an input, and the way to whoever reads it.
//!
//! Owns: how arguments are printed, and the choice of `Debug` where a type has it. Must not: print
//! more of an input than its limit, whatever `Debug` does.

use std::fmt::{Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use fuzzd_protocol::input;
use fuzzd_protocol::text;
use fuzzd_protocol::value::{Value, ValueType};

use crate::limits::SHOWN_BYTES_MAX;
use crate::parameter::{Parameter, Shown};

/// The process ends and has no other way to tell.
#[expect(clippy::print_stderr, reason = "a child process talks to its parent on stderr")]
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests;

/// Up to this many bytes a `Debug` form is printed on one line.
const ONE_LINE_BYTES_MAX: usize = 80;

/// Wraps a value so that a method call picks [`ShowWithDebug`] where it applies, and
/// [`ShowWithoutDebug`] where it does not.
#[derive(Debug)]
pub struct Show<'a, T>(pub &'a T);

/// The choice for types with `Debug`.
pub trait ShowWithDebug {
    /// The `Debug` form.
    fn show(&self) -> Shown;
}

impl<T: Debug> ShowWithDebug for Show<'_, T> {
    fn show(&self) -> Shown {
        Shown::Text(debug_text(self.0))
    }
}

/// The choice for all other types: one reference further away, so it is tried second.
pub trait ShowWithoutDebug {
    /// Always [`Shown::NoDebug`].
    fn show(&self) -> Shown;
}

impl<T> ShowWithoutDebug for &Show<'_, T> {
    fn show(&self) -> Shown {
        Shown::NoDebug
    }
}

#[inline(never)]
fn debug_text(value: &dyn Debug) -> String {
    let mut line = Bounded::default();
    // A failed write only says that the bound was reached.
    let whole = write!(line, "{value:?}").is_ok();
    if whole && line.text.len() <= ONE_LINE_BYTES_MAX {
        return line.text;
    }
    let mut lines = Bounded::default();
    if write!(lines, "{value:#?}").is_err() {
        lines.text.push('…');
    }
    lines.text
}

/// Text that refuses to grow beyond [`SHOWN_BYTES_MAX`], which also ends an endless `Debug`.
#[derive(Default)]
struct Bounded {
    text: String,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        let room = SHOWN_BYTES_MAX.saturating_sub(self.text.len());
        self.text.push_str(&part[..part.floor_char_boundary(room)]);
        if part.len() > room { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// The arguments that `memory` stands for, a line or more for each.
pub(crate) fn input_text(types: &[ValueType], parameters: &[Parameter], memory: &[u8]) -> String {
    let values = input::to_values(types, memory);
    let lines: Vec<String> = values
        .iter()
        .zip(parameters)
        .map(|(value, parameter)| {
            format!("{}: {} = {}", parameter.name, parameter.ty, argument_text(value, parameter))
        })
        .collect();
    lines.join("\n")
}

fn argument_text(value: &Value, parameter: &Parameter) -> String {
    match (value, parameter.debug) {
        (Value::Bytes(bytes), Some(debug)) => built_text(bytes, debug),
        (value, _) => value_text(value),
    }
}

fn built_text(bytes: &[u8], debug: fn(&[u8]) -> Shown) -> String {
    match catch_unwind(AssertUnwindSafe(|| debug(bytes))) {
        Ok(Shown::Text(text)) => text,
        Ok(Shown::NoDebug) => format!("a value built from {}", go_text(bytes)),
        Ok(Shown::Rejected) => format!("no value (rejected), from {}", go_text(bytes)),
        Err(_) => format!("a value that panics when built or printed, from {}", go_text(bytes)),
    }
}

/// The value as a line of the text form, within the limit.
fn go_text(bytes: &[u8]) -> String {
    let kept = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
    let file = text::encode(&[Value::Bytes(kept.to_vec())]);
    let file = String::from_utf8_lossy(&file);
    let line = file.lines().nth(1).unwrap_or_default();
    format!("{line}{}", size_text(bytes, kept))
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Bytes(bytes) => {
            let kept = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
            format!("b\"{}\"{}", kept.escape_ascii(), size_text(bytes, kept))
        }
        Value::String(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let kept = &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)];
            let repaired = match std::str::from_utf8(bytes) {
                Ok(_) => "",
                Err(_) => ", invalid UTF-8 replaced",
            };
            let cut = if kept.len() < text.len() { "…" } else { "" };
            format!("{kept:?}{cut} ({}{repaired})", counted(bytes.len()))
        }
        Value::Bool(value) => value.to_string(),
        Value::Rune(value) => format!("{value:?}"),
        Value::Uint8(value) => value.to_string(),
        Value::Int8(value) => value.to_string(),
        Value::Uint16(value) => value.to_string(),
        Value::Int16(value) => value.to_string(),
        Value::Uint32(value) => value.to_string(),
        Value::Int32(value) => value.to_string(),
        Value::Uint64(value) | Value::Uint(value) => value.to_string(),
        Value::Int64(value) | Value::Int(value) => value.to_string(),
        Value::Uint128(value) => value.to_string(),
        Value::Int128(value) => value.to_string(),
        Value::Float32(value) => float_text(f64::from(*value), &format!("{value:?}"), || {
            format!("f32::from_bits({:#010x})", value.to_bits())
        }),
        Value::Float64(value) => float_text(*value, &format!("{value:?}"), || {
            format!("f64::from_bits({:#018x})", value.to_bits())
        }),
    }
}

/// There are many NaN: which one it is shows only in its bits.
fn float_text(value: f64, text: &str, bits: impl Fn() -> String) -> String {
    if value.is_nan() { format!("{text} = {}", bits()) } else { text.to_owned() }
}

fn size_text(bytes: &[u8], kept: &[u8]) -> String {
    let cut = if kept.len() < bytes.len() { "…" } else { "" };
    format!("{cut} ({})", counted(bytes.len()))
}

fn counted(bytes: usize) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}
