//! Operators on the words of a text.
//!
//! Owns what a word is (letters and digits, blanks, or punctuation, as long as it goes on) and the
//! operators that keep words whole. A word is looked for around a random place.

use std::ops::Range;

use super::context::Context;
use super::limits::{PIECE_BYTES_MAX, WORD_BYTES_MAX};
use super::mix::donor;
use super::value::Value;
use crate::rng::Rng;

/// What a byte is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Blank,
    /// Each bracket and quote is a word of its own.
    Single,
    Punctuation,
}

const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Word; 256];
    let mut at = 0u8;
    while at < 0x80 {
        kinds[at as usize] = match at {
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b'\'' | b',' | b';' => Kind::Single,
            b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Kind::Word,
            b' ' | b'\t' | b'\r' | b'\n' => Kind::Blank,
            _ => Kind::Punctuation,
        };
        at += 1;
    }
    kinds
};

fn kind(byte: u8) -> Kind {
    KINDS[usize::from(byte)]
}

/// The word around `at`, which must be within `content`.
pub(super) fn word_at(content: &[u8], at: usize) -> Range<usize> {
    let wanted = kind(content[at]);
    if wanted == Kind::Single {
        return at..at + 1;
    }
    let is_other = |byte: &u8| kind(*byte) != wanted;
    let from = at.saturating_sub(WORD_BYTES_MAX / 2);
    let start = content[from..at].iter().rposition(is_other).map_or(from, |other| from + other + 1);
    let to = content.len().min(start + WORD_BYTES_MAX).max(at + 1);
    let end = content[at..to].iter().position(is_other).map_or(to, |other| at + other);
    start..end
}

/// A random word; blanks only if the second try finds nothing else.
pub(super) fn any_word(content: &[u8], rng: &mut Rng) -> Option<Range<usize>> {
    if content.is_empty() {
        return None;
    }
    let word = word_at(content, rng.below(content.len()));
    if kind(content[word.start]) == Kind::Blank {
        return Some(word_at(content, rng.below(content.len())));
    }
    Some(word)
}

/// A word that is moved through the stack.
struct Piece {
    bytes: [u8; PIECE_BYTES_MAX],
    len: usize,
}

impl Piece {
    fn of(content: &[u8]) -> Self {
        let mut bytes = [0; PIECE_BYTES_MAX];
        let len = content.len().min(PIECE_BYTES_MAX);
        bytes[..len].copy_from_slice(&content[..len]);
        Self { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Changes, moves, repeats or removes a word.
pub(super) fn change(value: &mut Value<'_>, context: Context<'_>, rng: &mut Rng) -> bool {
    let Some(word) = any_word(value.content(), rng) else { return false };
    match rng.below(16) {
        0..=2 => {
            value.remove(word);
            true
        }
        3 | 4 => repeat(value, &word, rng),
        5 | 6 => swap(value, &word, rng),
        7 | 8 => {
            let Some(other) = any_word(value.content(), rng) else { return false };
            let piece = Piece::of(&value.content()[other]);
            value.content()[word.clone()] != *piece.bytes() && value.splice(word, piece.bytes())
        }
        9 | 10 => {
            let Some(other) = any_word(value.content(), rng) else { return false };
            let piece = Piece::of(&value.content()[other]);
            value.splice(word.end..word.end, piece.bytes())
        }
        11..=13 => from_donor(value, &word, context, rng),
        _ => {
            let Some(token) = context.materials.tokens.pick(rng) else { return false };
            put(value, &word, token, rng)
        }
    }
}

/// Puts a word of another input there, in place of one or behind it.
fn from_donor(
    value: &mut Value<'_>,
    word: &Range<usize>,
    context: Context<'_>,
    rng: &mut Rng,
) -> bool {
    let Some(donor) = donor(context, rng) else { return false };
    let Some(other) = any_word(donor, rng) else { return false };
    put(value, word, &donor[other], rng)
}

/// What stands between words, the most common first.
const SEPARATORS: &[u8; 8] = b"  \n,:=.;";

/// Puts a piece in place of a word, or behind it; then half of the time with a separator between,
/// since words that run together are another word.
fn put(value: &mut Value<'_>, word: &Range<usize>, piece: &[u8], rng: &mut Rng) -> bool {
    if rng.chance(2, 3) {
        return value.splice(word.clone(), piece);
    }
    let behind = word.end..word.end;
    let is_put = value.splice(behind.clone(), piece);
    if is_put && rng.chance(1, 2) {
        value.splice(behind, &[rng.pick(SEPARATORS)]);
    }
    is_put
}

/// Repeats a word with what follows it: `a, b` becomes `a, a, b`.
fn repeat(value: &mut Value<'_>, word: &Range<usize>, rng: &mut Rng) -> bool {
    let mut end = word.end;
    if end < value.len() && rng.chance(1, 2) {
        end = word_at(value.content(), end).end;
    }
    let piece = Piece::of(&value.content()[word.start..end]);
    let times = 1 << (rng.bits() | 1 << 4).trailing_zeros();
    let mut is_changed = false;
    for _ in 0..times {
        is_changed |= value.splice(end..end, piece.bytes());
    }
    is_changed
}

/// Swaps two words.
fn swap(value: &mut Value<'_>, word: &Range<usize>, rng: &mut Rng) -> bool {
    let Some(other) = any_word(value.content(), rng) else { return false };
    let (first, second) =
        if word.start < other.start { (word.clone(), other) } else { (other, word.clone()) };
    if first.end > second.start || value.content()[first.clone()] == value.content()[second.clone()]
    {
        return false;
    }
    // Both together have one length all the time: turn the whole, then the three parts, around.
    let (left, right) = (first.len(), second.len());
    let both = value.edit(first.start..second.end);
    let end = both.len();
    both.reverse();
    both[..right].reverse();
    both[right..end - left].reverse();
    both[end - left..].reverse();
    true
}
