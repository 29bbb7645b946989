//! Operators that give compares what they look for.
//!
//! Owns writing one side of a pair where the other one stands, and giving values the lengths that
//! code asks for.

use super::bits::{any_byte, read_number, write_number};
use super::context::Context;
use super::decimal::Decimal;
use super::limits::SEARCH_BYTES_MAX;
use super::matches::{Form, find, find_like, forms, number_of, signed_of, with_pattern};
use super::mix::overwrite;
use super::value::Value;
use super::{blocks, words};
use crate::compare::pairs::{Pair, Side};
use crate::rng::Rng;

/// Whether to use the pairs of the base, rather than the recent ones.
fn is_own(context: Context<'_>, rng: &mut Rng) -> bool {
    let (own, recent) = (context.base.pairs(), &context.materials.recent);
    recent.is_empty() || !own.is_empty() && rng.chance(3, 4)
}

/// Writes one side of a pair where the other side stands.
pub(super) fn substitute(value: &mut Value<'_>, context: Context<'_>, rng: &mut Rng) -> bool {
    let is_own = is_own(context, rng);
    let matches = value.matches();
    if is_own && !matches.is_empty() && rng.chance(7, 8) {
        let found = &matches[rng.below(matches.len())];
        let at = value.moved(found.at);
        return at + found.len <= value.len()
            && put(value, at, found.len, found.form, &found.put, rng);
    }
    let table = if is_own { context.base.pairs() } else { &context.materials.recent };
    let Some(pair) = table.pick(rng) else { return false };
    let is_turned = !pair.is_const && rng.chance(1, 2);
    let (side, other) =
        if is_turned { (&pair.left, &pair.right) } else { (&pair.right, &pair.left) };
    // Where those of the base stand is known.
    if !is_own && let Some((at, len, form)) = search(value, pair, side, rng) {
        return put(value, at, len, form, other, rng);
    }
    place_anywhere(value, pair, other, rng)
}

/// Looks for `side` in a few of its forms, in a window of the value.
fn search(
    value: &Value<'_>,
    pair: &Pair,
    side: &Side,
    rng: &mut Rng,
) -> Option<(usize, usize, Form)> {
    let content = value.content();
    let excess = content.len().saturating_sub(SEARCH_BYTES_MAX);
    let from = rng.below(excess + 1);
    let window = &content[from..content.len().min(from + SEARCH_BYTES_MAX)];
    // Half of the time not the first place.
    let behind = rng.below(window.len()) * rng.below(2);
    let forms = forms(pair, value.shape().is_text);
    let (likely, others) = forms.split_at(forms.len().min(2));
    let other = others.get(rng.below(others.len()));
    let has_numbers = !value.shape().numbers.is_empty();
    let likely = likely.iter().filter(|form| has_numbers || **form != Form::Decimal);
    for &form in likely.chain(other) {
        let find = |text: &[u8]| Some((find(window, text, form, behind)?, text.len()));
        if let Some(Some((at, len))) = with_pattern(side, form, find) {
            return Some((from + at, len, form));
        }
    }
    if pair.is_number {
        return None;
    }
    find_like(window, side.bytes()).map(|(at, len)| (from + at, len, Form::Bytes))
}

/// What is added to a number: compares are also passed, or failed, by the next one.
fn neighbour(rng: &mut Rng) -> i64 {
    rng.pick(&[1, -1, 0, 0, 0, 0, 0, 0, 0, 0])
}

/// Writes `side` over the `len` bytes at `at`, a number sometimes one more or less.
fn put(
    value: &mut Value<'_>,
    at: usize,
    len: usize,
    form: Form,
    side: &Side,
    rng: &mut Rng,
) -> bool {
    match form {
        Form::Little(_) | Form::Big(_) => {
            let number = number_of(side).wrapping_add_signed(neighbour(rng));
            write_number(value.edit(at..at + len), number, matches!(form, Form::Big(_)));
            true
        }
        Form::Decimal => {
            let digits = Decimal::new(signed_of(side).wrapping_add(neighbour(rng)));
            value.splice(at..at + len, digits.text())
        }
        Form::Bytes => {
            let bytes = side.bytes();
            let fits = at + bytes.len() <= value.len();
            if bytes.len() == len || fits && rng.chance(1, 2) {
                value.write(at, bytes);
                return true;
            }
            // What stands there may be a part of a longer word.
            let end = if rng.chance(1, 2) { words::word_at(value.content(), at).end } else { 0 };
            value.splice(at..end.max(at + len), bytes)
        }
    }
}

/// Inserts `side` somewhere, or writes it over something.
fn place_anywhere(value: &mut Value<'_>, pair: &Pair, side: &Side, rng: &mut Rng) -> bool {
    let form = rng.pick(forms(pair, value.shape().is_text));
    let place = |bytes: &[u8]| {
        rng.chance(2, 3) && overwrite(value, bytes, rng) || blocks::insert(value, bytes, rng)
    };
    with_pattern(side, form, place).unwrap_or(false)
}

/// Gives the value, or one of its words, a length that code compared a length with.
pub(super) fn resize(value: &mut Value<'_>, context: Context<'_>, rng: &mut Rng) -> bool {
    let own = context.base.pairs().pick_length(rng);
    let recent = context.materials.recent.pick_length(rng);
    let wanted = if rng.chance(3, 4) { own.or(recent) } else { recent.or(own) };
    let Some(wanted) = wanted else { return false };
    let is_word = value.shape().is_text && value.len() > 0 && rng.chance(1, 2);
    let range = match words::any_word(value.content(), rng) {
        Some(word) if is_word => word,
        _ => 0..value.len(),
    };
    let len = range.len();
    if wanted < len {
        value.remove(range.start + wanted..range.end);
        return true;
    }
    let more = wanted - len;
    if more == 0 || more > value.room() {
        return false;
    }
    let byte = any_byte(value, rng);
    if len > 0 && more <= len && rng.chance(1, 2) {
        blocks::duplicate(value, range.start, more, range.end);
    } else {
        value.insert_gap(range.end, more);
        let byte = if is_word && !byte.is_ascii_alphanumeric() { b'a' } else { byte };
        value.edit(range.end..range.end + more).fill(byte);
    }
    true
}

/// A side of a pair in the place of an integer that stands on the other side; else of any.
pub(super) fn integer(old: &[u8], context: Context<'_>, rng: &mut Rng) -> Option<u64> {
    let is_own = is_own(context, rng);
    let table = if is_own { context.base.pairs() } else { &context.materials.recent };
    let numbers = || table.pairs().iter().filter(|pair| pair.is_number);
    let old_number = read_number(old, false);
    let sides = |pair: &Pair| {
        [(pair.right, pair.left), (pair.left, pair.right)].into_iter().find(|(side, _)| {
            let form = Form::Little(old.len().min(8));
            with_pattern(side, form, |text| read_number(text, false)) == Some(old_number)
        })
    };
    let alike = numbers().filter(|pair| sides(pair).is_some()).count();
    let put = if alike > 0 && rng.chance(7, 8) {
        sides(numbers().filter(|pair| sides(pair).is_some()).nth(rng.below(alike))?)?.1
    } else {
        numbers().nth(rng.below(numbers().count()))?.left
    };
    Some(signed_of(&put).cast_unsigned().wrapping_add_signed(neighbour(rng)))
}
