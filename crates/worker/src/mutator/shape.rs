//! What a value looks like.
//!
//! Owns finding, once for each base, where numbers, brackets and length fields stand, so that the
//! operators need not search. Places are hints: whoever uses one looks whether it still holds.

use super::limits::{
    BRACKET_DEPTH_MAX, BRACKETS_MAX, LENGTH_FIELDS_MAX, NUMBERS_MAX, SHAPE_BYTES_MAX,
};

/// A field that says how many bytes something has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LengthField {
    /// Where it begins.
    pub(super) at: usize,
    /// Its bytes: 1, 2 or 4.
    pub(super) width: usize,
    /// Its byte order.
    pub(super) is_big_endian: bool,
    /// Where that begins what it counts: mostly behind the field.
    pub(super) counts_from: usize,
    /// What it says.
    pub(super) len: usize,
}

/// An opening and a closing bracket, or two equal quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bracket {
    /// Where the first one stands.
    pub(super) open: usize,
    /// Where its counterpart stands.
    pub(super) close: usize,
}

/// What one value of variable length looks like.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// Whether nearly all of it is printable.
    pub(super) is_text: bool,
    /// Separators between parts: lines, items, fields.
    pub(super) separators: Vec<u8>,
    /// Where runs of decimal digits begin.
    pub(super) numbers: Vec<usize>,
    /// What belongs together.
    pub(super) brackets: Vec<Bracket>,
    /// Fields that count all bytes up to the end of the value.
    pub(super) lengths: Vec<LengthField>,
    /// Fields that may count bytes before the end.
    pub(super) inner_lengths: Vec<LengthField>,
}

impl Shape {
    /// The shape of `content`.
    pub(super) fn of(content: &[u8], is_string: bool) -> Self {
        let content = &content[..content.len().min(SHAPE_BYTES_MAX)];
        let is_text = is_string || is_text(content);
        let (lengths, inner_lengths) =
            if is_string { Default::default() } else { lengths(content, is_text) };
        Self {
            is_text,
            separators: if is_text { separators(content) } else { Vec::new() },
            numbers: numbers(content, is_text),
            brackets: if is_text { brackets(content) } else { Vec::new() },
            lengths,
            inner_lengths,
        }
    }
}

/// Whether at most one byte of sixteen is neither printable ASCII nor part of valid UTF-8.
fn is_text(content: &[u8]) -> bool {
    if content.is_empty() {
        return false;
    }
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let mut strange = content.iter().filter(|byte| is_control(byte)).count();
    if !content.is_ascii() {
        strange += content.utf8_chunks().map(|chunk| chunk.invalid().len()).sum::<usize>();
    }
    strange * 16 <= content.len()
}

/// Which bytes that may separate parts there are; ends of lines count thrice.
fn separators(content: &[u8]) -> Vec<u8> {
    let is_there = |byte: &u8| content.contains(byte);
    b"\n\n\n,; &|:/\t\0".iter().copied().filter(is_there).collect()
}

/// Starts of digit runs; in bytes that are no text only of runs of two and more.
fn numbers(content: &[u8], is_text: bool) -> Vec<usize> {
    let digit = |at: usize| content.get(at).is_some_and(u8::is_ascii_digit);
    (0..content.len())
        .filter(|&at| digit(at) && (at == 0 || !digit(at - 1)) && (is_text || digit(at + 1)))
        .take(NUMBERS_MAX)
        .collect()
}

/// The byte that closes what `byte` opens.
pub(super) fn closing(byte: u8) -> Option<u8> {
    match byte {
        b'(' => Some(b')'),
        b'[' => Some(b']'),
        b'{' => Some(b'}'),
        b'<' => Some(b'>'),
        _ => None,
    }
}

/// Pairs of brackets that hold as they are nested, and pairs of quotes in one line.
fn brackets(content: &[u8]) -> Vec<Bracket> {
    let mut found = Vec::new();
    let mut open: Vec<(u8, usize)> = Vec::new();
    let mut quote: Option<(u8, usize)> = None;
    for (at, &byte) in content.iter().enumerate() {
        if found.len() == BRACKETS_MAX {
            break;
        }
        if let Some(close) = closing(byte) {
            if open.len() < BRACKET_DEPTH_MAX {
                open.push((close, at));
            }
        } else if let Some(depth) = open.iter().rposition(|(close, _)| *close == byte) {
            found.push(Bracket { open: open[depth].1, close: at });
            open.truncate(depth);
        } else if matches!(byte, b'"' | b'\'' | b'`') {
            match quote {
                Some((kind, start)) if kind == byte => {
                    found.push(Bracket { open: start, close: at });
                    quote = None;
                }
                Some(_) => {}
                None => quote = Some((byte, at)),
            }
        } else if byte == b'\n' {
            quote = None;
        }
    }
    found
}

/// The number in the `width` bytes at `at`.
pub(super) fn read_number(
    content: &[u8],
    at: usize,
    width: usize,
    is_big_endian: bool,
) -> Option<u64> {
    let field = content.get(at..at.checked_add(width)?)?;
    let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    Some(if is_big_endian { field.iter().fold(0, fold) } else { field.iter().rev().fold(0, fold) })
}

/// Fields that count up to the end of the value, and those that may count less.
fn lengths(content: &[u8], is_text: bool) -> (Vec<LengthField>, Vec<LengthField>) {
    const FORMS: [(usize, bool); 5] = [(4, true), (4, false), (2, true), (2, false), (1, true)];
    let end = content.len();
    let (mut whole, mut inner) = (Vec::new(), Vec::new());
    for at in 0..end {
        // A printable byte of a text is what it looks like.
        if is_text && !content[at].is_ascii_control() {
            continue;
        }
        for (width, is_big_endian) in FORMS {
            let Some(number) = read_number(content, at, width, is_big_endian) else { continue };
            let Ok(len) = usize::try_from(number) else { continue };
            let (body, rest) = (at + width, end - at - width);
            let counts_from = match len {
                0 => continue,
                _ if len == rest => body,
                _ if width > 1 && len == rest + width => at,
                _ if width > 1 && len == end => 0,
                _ if len < rest && !is_text => {
                    if inner.len() < LENGTH_FIELDS_MAX {
                        let counts_from = body;
                        inner.push(LengthField { at, width, is_big_endian, counts_from, len });
                    }
                    break;
                }
                _ => continue,
            };
            if whole.len() < LENGTH_FIELDS_MAX {
                whole.push(LengthField { at, width, is_big_endian, counts_from, len });
            }
            break;
        }
    }
    (whole, inner)
}
