//! Where one side of a compare stands in a base.
//!
//! Owns the forms in which an operand may stand in an input, and finding them once for each base,
//! so that the operator need not search. Places are hints, as those of the shape are.

use super::bits::{read_number, write_number};
use super::decimal::Decimal;
use super::limits::{MATCHES_MAX, MATCHES_PER_FORM_MAX, SHAPE_BYTES_MAX};
use crate::compare::pairs::{Pair, PairTable, Side};

/// Bytes of a side, at most, and of a number in digits.
pub(super) const FORM_BYTES_MAX: usize = 64;

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

/// A side as it stands in an input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    bytes: [u8; FORM_BYTES_MAX],
    len: usize,
}

impl Pattern {
    fn of(bytes: &[u8]) -> Self {
        let mut all = [0; FORM_BYTES_MAX];
        let len = bytes.len().min(FORM_BYTES_MAX);
        all[..len].copy_from_slice(&bytes[..len]);
        Self { bytes: all, len }
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The number that a side is.
pub(super) fn number_of(side: &Side) -> u64 {
    read_number(side.bytes(), false)
}

/// The number that a side is if its first bit is a sign.
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

/// `side` in `form`; `None` if it cannot stand there so.
pub(super) fn pattern(side: &Side, form: Form) -> Option<Pattern> {
    match form {
        Form::Bytes => Some(Pattern::of(side.bytes())),
        Form::Decimal => Some(Pattern::of(Decimal::new(signed_of(side)).text())),
        Form::Little(width) | Form::Big(width) => {
            if !fits(side, width) {
                return None;
            }
            let mut bytes = [0; 8];
            write_number(&mut bytes[..width], number_of(side), matches!(form, Form::Big(_)));
            Some(Pattern::of(&bytes[..width]))
        }
    }
}

/// Forms of one pair, the likely ones first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forms {
    all: [Form; FORMS_MAX],
    len: usize,
}

/// Forms of one pair, at most.
const FORMS_MAX: usize = 8;

impl Forms {
    /// The forms in which the sides of `pair` may stand in an input.
    pub(super) fn of(pair: &Pair, is_text: bool) -> Self {
        let mut forms = Self { all: [Form::Bytes; FORMS_MAX], len: 1 };
        if !pair.is_number {
            return forms;
        }
        let width = pair.right.bytes().len().clamp(1, 8);
        forms.all[0] = Form::Little(width);
        if width > 1 {
            forms.push(Form::Big(width));
        }
        if is_text {
            forms.push(Form::Decimal);
        }
        for less in [4, 2] {
            if less < width {
                forms.push(Form::Little(less));
                forms.push(Form::Big(less));
            }
        }
        if width > 1 {
            forms.push(Form::Little(1));
        }
        forms
    }

    fn push(&mut self, form: Form) {
        if let Some(place) = self.all.get_mut(self.len) {
            *place = form;
            self.len += 1;
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Form] {
        &self.all[..self.len]
    }
}

/// The first place at `from` or behind where `pattern` stands.
pub(super) fn find(content: &[u8], pattern: &[u8], form: Form, from: usize) -> Option<usize> {
    let (first, rest) = pattern.split_first()?;
    let last = content.len().checked_sub(pattern.len())?;
    let mut at = from;
    while at <= last {
        at += content[at..=last].iter().position(|byte| byte == first)?;
        let end = at + pattern.len();
        let is_whole = form != Form::Decimal || !cuts_number(content, at, end);
        if content[at + 1..end] == *rest && is_whole {
            return Some(at);
        }
        at += 1;
    }
    None
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
            for &form in Forms::of(pair, is_text).all() {
                if pattern(&put, form).is_some() {
                    find_form(content, &side, put, form, &mut found);
                }
            }
            if pair.is_const {
                break;
            }
        }
    }
    found
}

fn find_form(content: &[u8], side: &Side, put: Side, form: Form, found: &mut Vec<Match>) {
    let Some(pattern) = pattern(side, form) else { return };
    let mut from = 0;
    for _ in 0..MATCHES_PER_FORM_MAX {
        if found.len() == MATCHES_MAX {
            return;
        }
        let Some(at) = find(content, pattern.bytes(), form, from) else { break };
        found.push(Match { at, len: pattern.len, form, put });
        from = at + pattern.len;
    }
    if form == Form::Bytes
        && from == 0
        && found.len() < MATCHES_MAX
        && let Some((at, len)) = find_like(content, side.bytes())
    {
        found.push(Match { at, len, form, put });
    }
}
