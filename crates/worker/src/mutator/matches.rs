//! Where one side of a compare stands in a base.
//!
//! Owns the forms in which an operand may stand in an input, and finding them once for each base,
//! so that the operator need not search. Places are hints, as those of the shape are.

use super::decimal::Decimal;
use super::limits::{MATCHES_MAX, MATCHES_PER_FORM_MAX, SHAPE_BYTES_MAX};
use crate::compare::pairs::{Pair, PairTable, Side};

/// Bytes of a piece of a side that is worth looking for, at least.
const PIECE_BYTES_MIN: usize = 3;

/// How an operand stands in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The low bytes of a number.
    Little(usize),
    /// The same, high ones first.
    Big(usize),
    /// A number in decimal digits.
    Decimal,
    /// Bytes as they are.
    Bytes,
}

/// A place where one side of a pair stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Where it begins in the content of the value.
    pub(super) at: usize,
    /// Its bytes.
    pub(super) len: usize,
    /// How it stands there.
    pub(super) form: Form,
    /// What to write there.
    pub(super) put: Side,
}

/// The number that a side is.
#[inline]
pub(super) fn number_of(side: &Side) -> u64 {
    side.number()
}

/// The number that a side is if its first bit is a sign.
#[inline]
pub(super) fn signed_of(side: &Side) -> i64 {
    let bits = 8 * side.bytes().len().clamp(1, 8);
    (number_of(side) << (64 - bits)).cast_signed() >> (64 - bits)
}

/// Whether `width` bytes can say what the side says, with or without a sign.
fn fits(side: &Side, width: usize) -> bool {
    let unused = 64 - 8 * width;
    let (number, signed) = (number_of(side), signed_of(side));
    number << unused >> unused == number || signed << unused >> unused == signed
}

/// What `look` makes of `side` in `form`; `None` if it cannot stand there so. The bytes are handed
/// on, not returned: as a value they would be copied, with stalls, for each of many candidates.
#[inline]
pub(super) fn with_pattern<R>(side: &Side, form: Form, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
    match form {
        Form::Bytes => Some(look(side.bytes())),
        Form::Decimal => Some(look(Decimal::new(signed_of(side)).text())),
        Form::Little(width) | Form::Big(width) => {
            if !fits(side, width) {
                return None;
            }
            let number = number_of(side);
            let is_big_endian = matches!(form, Form::Big(_));
            let number =
                if is_big_endian { number.swap_bytes() >> (64 - 8 * width) } else { number };
            number.to_le_bytes().get(..width).map(look)
        }
    }
}

/// Forms of numbers of 8, 4, 2 and 1 bytes in texts, the likely ones first; those of numbers that
/// stand in other inputs are the same without the third one.
const IN_TEXT: [&[Form]; 4] = {
    use Form::{Big, Decimal, Little};
    [
        &[Little(8), Big(8), Decimal, Little(4), Big(4), Little(2), Big(2), Little(1)],
        &[Little(4), Big(4), Decimal, Little(2), Big(2), Little(1)],
        &[Little(2), Big(2), Decimal, Little(1)],
        &[Little(1), Decimal],
    ]
};
/// See [`IN_TEXT`].
const IN_BYTES: [&[Form]; 4] = {
    use Form::{Big, Little};
    [
        &[Little(8), Big(8), Little(4), Big(4), Little(2), Big(2), Little(1)],
        &[Little(4), Big(4), Little(2), Big(2), Little(1)],
        &[Little(2), Big(2), Little(1)],
        &[Little(1)],
    ]
};

/// The forms in which the sides of `pair` may stand in an input, the likely ones first.
#[inline]
pub(super) fn forms(pair: &Pair, is_text: bool) -> &'static [Form] {
    if !pair.is_number {
        return &[Form::Bytes];
    }
    let class = match pair.right.bytes().len() {
        0 | 1 => 3,
        2 | 3 => 2,
        4..=7 => 1,
        _ => 0,
    };
    if is_text { IN_TEXT[class] } else { IN_BYTES[class] }
}

/// The first place at `from` or behind where `pattern` stands.
pub(super) fn find(content: &[u8], pattern: &[u8], form: Form, from: usize) -> Option<usize> {
    let (first, rest) = pattern.split_first()?;
    let last = content.len().checked_sub(pattern.len())?;
    let mut at = from;
    while at <= last {
        at += first_of(&content[at..=last], *first)?;
        let end = at + pattern.len();
        let is_whole = form != Form::Decimal || !cuts_number(content, at, end);
        if (rest.is_empty() || content[at + 1..end] == *rest) && is_whole {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Bytes that are compared at once.
const SOUGHT_AT_ONCE: usize = 16;

/// The first place of a byte.
#[inline]
fn first_of(content: &[u8], wanted: u8) -> Option<usize> {
    let (chunks, _) = content.as_chunks::<SOUGHT_AT_ONCE>();
    // Without an early end, so that one chunk is a few vector instructions.
    let has = |chunk: &[u8; SOUGHT_AT_ONCE]| {
        chunk.iter().fold(0, |found, byte| found | u8::from(*byte == wanted)) != 0
    };
    let mut at = chunks.iter().take_while(|chunk| !has(chunk)).count() * SOUGHT_AT_ONCE;
    let everywhere = EVERY_BYTE * u64::from(wanted);
    while let Some(word) = content[at..].first_chunk() {
        let found = zero_byte(u64::from_le_bytes(*word) ^ everywhere);
        if found < WORD_BYTES {
            return Some(at + found);
        }
        at += WORD_BYTES;
    }
    let found = zero_byte(short_word(&content[at..]) ^ everywhere);
    (at + found < content.len()).then_some(at + found)
}

/// Bytes of a word.
const WORD_BYTES: usize = size_of::<u64>();

/// The lowest bit of each byte of a word.
const EVERY_BYTE: u64 = u64::MAX / 0xff;

/// The first byte of a word, from the low end, that is 0; or how many there are.
#[inline]
fn zero_byte(word: u64) -> usize {
    // A borrow reaches only bytes behind the first one that is 0.
    let zeros = word.wrapping_sub(EVERY_BYTE) & !word & EVERY_BYTE << 7;
    (zeros.trailing_zeros() / u8::BITS) as usize
}

/// Fewer bytes than a word has, and zeros: without a loop, as their number is hard to predict.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(*last));
        return u64::from(u32::from_le_bytes(*first)) | last << (8 * (len - 4));
    }
    let byte = |at: usize| bytes.get(at).map_or(0, |byte| u64::from(*byte) << (8 * at));
    byte(0) | byte(1) | byte(2)
}

/// Whether digits go on before or behind.
fn cuts_number(content: &[u8], at: usize, end: usize) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    (at > 0 && is_digit(content.get(at - 1))) || is_digit(content.get(end))
}

/// Where `side` stands in other letters, or else where most of its first bytes stand: the place
/// and how many bytes.
pub(super) fn find_like(content: &[u8], side: &[u8]) -> Option<(usize, usize)> {
    let first = *side.first()?;
    let mut best = None;
    let mut most = PIECE_BYTES_MIN - 1;
    for (at, _) in content.iter().enumerate().filter(|(_, byte)| byte.eq_ignore_ascii_case(&first))
    {
        let alike = content[at..].iter().zip(side);
        let alike = alike.take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count();
        if alike > most {
            (most, best) = (alike, Some((at, alike)));
        }
    }
    best
}

/// Every place, within bounds, where a side of a pair stands in `content`.
pub(super) fn find_all(content: &[u8], is_text: bool, table: &PairTable) -> Vec<Match> {
    let content = &content[..content.len().min(SHAPE_BYTES_MAX)];
    let mut found = Vec::new();
    for pair in table.pairs() {
        for (side, put) in [(pair.right, pair.left), (pair.left, pair.right)] {
            for &form in forms(pair, is_text) {
                if with_pattern(&put, form, |_| ()).is_some() {
                    let find = |text: &[u8]| find_form(content, text, put, form, &mut found);
                    let from = with_pattern(&side, form, find);
                    if form == Form::Bytes && from == Some(0) && found.len() < MATCHES_MAX {
                        let alike = find_like(content, side.bytes());
                        found.extend(alike.map(|(at, len)| Match { at, len, form, put }));
                    }
                }
            }
            if pair.is_const {
                break;
            }
        }
    }
    found
}

/// Returns where the search ended: 0 if there was nothing.
fn find_form(
    content: &[u8],
    pattern: &[u8],
    put: Side,
    form: Form,
    found: &mut Vec<Match>,
) -> usize {
    let mut from = 0;
    for _ in 0..MATCHES_PER_FORM_MAX {
        if found.len() == MATCHES_MAX {
            break;
        }
        let Some(at) = find(content, pattern, form, from) else { break };
        let len = pattern.len();
        found.push(Match { at, len, form, put });
        from = at + len;
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_wherever_it_stands_and_where_it_stands_first() {
        for len in 0..50 {
            for wanted in [0, b'x', 0x80, u8::MAX] {
                let mut content = vec![b'-'; len];
                assert_eq!(first_of(&content, wanted), None, "{len} bytes");
                for at in (0..len).rev() {
                    content[at] = wanted;
                    assert_eq!(first_of(&content, wanted), Some(at), "{len} bytes");
                }
            }
        }
    }

    #[test]
    fn the_first_byte_that_is_0_is_told_whatever_follows() {
        // A borrow goes from a byte that is 0 into a 1 behind it.
        assert_eq!(zero_byte(0x0101_0101_0101_0100), 0);
        assert_eq!(zero_byte(0x0101_0101_0001_0101), 3);
        assert_eq!(zero_byte(0x00ff_ffff_ffff_ffff), 7);
        assert_eq!(zero_byte(0x8001_8001_8001_8001), WORD_BYTES, "there is none");
    }
}
