//! Tokens from what instrumented code names.
//!
//! Owns putting constants together again that the compiler took apart, and telling texts that an
//! input may hold from messages. Must not keep more than [`HARVEST_MAX`] tokens on the way.
//!
//! A constant array compared as one number of odd width (`[u8; 13]`: no callback shows it) is in
//! the code as several immediates in a row. A text is the address of its first byte, with its
//! length in another instruction near by or beside it in a table; the next text follows at once.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Finding, Named, findings};
use super::elf::{Image, u64_at};
use super::limits::{
    HARVEST_MAX, JOIN_BYTES_MAX, LENGTH_BYTES_MAX, TABLE_BYTES_MAX, TOKEN_BYTES_MAX,
    TOKEN_BYTES_MIN, TOKEN_PLACES_MAX,
};
use crate::counters::Functions;

#[cfg(test)]
mod tests;

/// How good a token is; the best are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A text whose length is certain: the next one starts where it ends.
    Text,
    /// A constant of several pieces, or an element of a table.
    Joined,
    /// A text with a likely length.
    LikelyText,
    /// A float or a vector.
    Constant,
    /// A piece with printable bytes.
    Piece,
    /// Any other number of eight bytes.
    Number,
}

/// The tokens, each with its rank and the places in the code that name it.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    tokens: BTreeMap<Vec<u8>, (Rank, Vec<usize>)>,
    /// Addresses that code names, with the place and lengths near by, nearest first.
    addresses: Vec<(u64, usize, Vec<usize>)>,
    constants: Vec<(u64, usize, usize)>,
    /// Room for the findings of one function.
    found: Vec<Finding>,
}

impl Harvest {
    /// Adds what function `number` names, and takes its bytes off those that may be looked at.
    pub(super) fn add_code(
        &mut self,
        functions: &Functions,
        number: usize,
        bytes_left: &mut usize,
    ) {
        let Some(function) = functions.get(number) else { return };
        let code = functions.code(number);
        let code = &code[..code.len().min(*bytes_left)];
        *bytes_left -= code.len();
        let mut found = std::mem::take(&mut self.found);
        findings(code, function.entry as u64, &mut found);
        self.add_function(function.entry, &found);
        self.found = found;
    }

    /// The tokens, the best first, each with its places.
    pub(super) fn into_tokens(self) -> impl Iterator<Item = (Vec<u8>, Vec<usize>)> {
        let mut all: Vec<_> = self.tokens.into_iter().collect();
        all.sort_by_key(|(_, (rank, _))| *rank);
        all.into_iter().map(|(token, (_, places))| (token, places))
    }

    fn add(&mut self, token: &[u8], rank: Rank, place: usize) {
        if !(TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&token.len()) || is_message(token) {
            return;
        }
        if let Some((known, places)) = self.tokens.get_mut(token) {
            *known = rank.min(*known);
            if places.len() < TOKEN_PLACES_MAX && !places.contains(&place) {
                places.push(place);
            }
        } else if self.tokens.len() < HARVEST_MAX {
            self.tokens.insert(token.to_vec(), (rank, vec![place]));
        }
    }

    fn add_function(&mut self, entry: usize, found: &[Finding]) {
        let mut text = Pieces::default();
        let mut numbers = Pieces::default();
        for (position, finding) in found.iter().enumerate() {
            let place = entry + finding.at;
            match finding.named {
                Named::Immediate { value, len } => {
                    let bytes = &value.to_le_bytes()[..len];
                    self.add_text_piece(&mut text, bytes, finding.at, place);
                    if len == 8 {
                        self.add_number(&mut numbers, bytes, finding.at, place);
                        if is_upper_half(found, position) {
                            self.add_upper_half(value, place);
                        }
                    }
                }
                Named::Length(_) | Named::Carry => {}
                Named::Address(address) if self.addresses.len() < HARVEST_MAX => {
                    let lengths = lengths_near(found, position);
                    self.addresses.push((address, place, lengths));
                }
                Named::Constant { address, len } if self.constants.len() < HARVEST_MAX => {
                    self.constants.push((address, len, place));
                }
                Named::Address(_) | Named::Constant { .. } => {}
            }
        }
    }

    /// Joins printable pieces that follow each other.
    fn add_text_piece(&mut self, pieces: &mut Pieces, bytes: &[u8], at: usize, place: usize) {
        let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let piece = &bytes[..end];
        if piece.is_empty() || !is_text(piece) {
            return;
        }
        for joined in pieces.join(piece, bytes.len(), at) {
            self.add(&joined, Rank::Joined, place);
        }
        if piece.len() > 2 {
            self.add(piece, Rank::Piece, place);
        }
    }

    /// Joins numbers of eight bytes that follow each other: 128 bits, or 9 to 16 bytes of any kind.
    fn add_number(&mut self, pieces: &mut Pieces, bytes: &[u8], at: usize, place: usize) {
        let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        for joined in pieces.join(&bytes[..end], bytes.len(), at) {
            self.add(&joined, Rank::Joined, place);
            let mut big = joined;
            big.reverse();
            self.add(&big, Rank::Number, place);
        }
        let is_mask = |byte: u8| bytes.iter().filter(|&&other| other == byte).count() > 3;
        if !is_mask(0) && !is_mask(0xff) && !is_text(bytes) {
            self.add(bytes, Rank::Number, place);
        }
    }

    /// A number that is the upper half of one of 128 bits whose lower half is 0 or small: as it is,
    /// and what it was before the compiler made an addition of a subtraction.
    fn add_upper_half(&mut self, value: u64, place: usize) {
        for half in [value, value.wrapping_neg()] {
            let mut number = (u128::from(half) << 64).to_le_bytes();
            self.add(&number, Rank::Constant, place);
            number.reverse();
            self.add(&number, Rank::Constant, place);
        }
    }

    /// Adds the texts and constants in the data that the code named.
    pub(super) fn add_data(&mut self, image: &Image) {
        let pointers = image.pointers();
        let addresses = std::mem::take(&mut self.addresses);
        let mut starts: BTreeSet<u64> = addresses.iter().map(|(address, ..)| *address).collect();
        let named = starts.clone();
        starts.extend(pointers.iter().map(|pointer| pointer.1));
        let next = |address: u64, starts: &BTreeSet<u64>| {
            starts.range(address + 1..).next().map(|next| next - address)
        };
        for (address, place, lengths) in addresses {
            if address == u64::MAX {
                continue;
            }
            self.add_text(image, address, &lengths, next(address, &starts), place);
            let table_end = next(address, &named).unwrap_or(u64::MAX).min(TABLE_BYTES_MAX as u64);
            let first = pointers.partition_point(|pointer| pointer.0 < address);
            for &(at, target) in &pointers[first..] {
                if at - address >= table_end {
                    break;
                }
                self.add_element(image, at, target, place);
            }
        }
        for (address, len, place) in std::mem::take(&mut self.constants) {
            if let Some(bytes) = image.get(address, len) {
                self.add_constant(bytes, place);
            }
        }
    }

    /// A text at `address`. `next` bytes later lies something else that is named.
    fn add_text(
        &mut self,
        image: &Image,
        address: u64,
        lengths: &[usize],
        next: Option<u64>,
        place: usize,
    ) {
        let Some(data) = image.from(address) else { return };
        let text = data.iter().take(TOKEN_BYTES_MAX).take_while(|byte| is_text(&[**byte])).count();
        let next = next.and_then(|next| usize::try_from(next).ok()).unwrap_or(usize::MAX);
        let fits = |len: &&usize| **len <= text && **len <= next;
        if let Some(&len) = lengths.iter().find(|&&len| len == next && len <= text) {
            self.add(&data[..len], Rank::Text, place);
        } else {
            for &len in lengths.iter().filter(fits).take(2) {
                self.add(&data[..len], Rank::LikelyText, place);
            }
            if next <= text {
                self.add(&data[..next], Rank::LikelyText, place);
            }
        }
    }

    /// An element of a table of texts: a pointer, and the length behind it.
    fn add_element(&mut self, image: &Image, at: u64, target: u64, place: usize) {
        let len = image.get(at.wrapping_add(8), 8).and_then(|len| u64_at(len, 0));
        let len = len.and_then(|len| usize::try_from(len).ok());
        let Some(len) = len.filter(|len| *len <= TOKEN_BYTES_MAX) else { return };
        if let Some(text) = image.get(target, len).filter(|text| is_text(text)) {
            self.add(text, Rank::Joined, place);
        }
    }

    /// A constant of vectors or floats: as bytes in both orders, and floats as text.
    fn add_constant(&mut self, bytes: &[u8], place: usize) {
        let is_flat = bytes.iter().all(|byte| *byte == bytes[0]);
        if is_flat {
            return;
        }
        self.add(bytes, Rank::Constant, place);
        let mut big = bytes.to_vec();
        big.reverse();
        let value = match (<[u8; 8]>::try_from(bytes), <[u8; 4]>::try_from(bytes)) {
            (Ok(bytes), _) => f64::from_le_bytes(bytes),
            (_, Ok(bytes)) => f64::from(f32::from_le_bytes(bytes)),
            _ => return,
        };
        self.add(&big, Rank::Constant, place);
        let text = value.to_string();
        if value.is_finite() && text.len() < 24 {
            self.add(text.as_bytes(), Rank::Constant, place);
        }
    }
}

/// Pieces of one constant, as far as they were put together.
#[derive(Debug, Default)]
struct Pieces {
    joined: Vec<u8>,
    /// Bytes of the last piece, and where it was.
    last: usize,
    at: usize,
}

impl Pieces {
    /// The constants that `piece` makes with those before it. `len`: bytes of the instruction's
    /// number; a piece with fewer ends the constant.
    fn join(&mut self, piece: &[u8], len: usize, at: usize) -> Vec<Vec<u8>> {
        let is_near = !self.joined.is_empty() && at - self.at < JOIN_BYTES_MAX;
        let mut all = Vec::new();
        let mut whole = piece.to_vec();
        if is_near && self.joined.len() + piece.len() <= TOKEN_BYTES_MAX {
            // The last piece may overlap what is before it, so that it has the usual width.
            let most = piece.len().min(self.last).saturating_sub(1);
            let overlap = (1..=most).rev().find(|&most| self.joined.ends_with(&piece[..most]));
            if let Some(overlap) = overlap {
                all.push([&self.joined, &piece[overlap..]].concat());
            }
            whole = [&self.joined, piece].concat();
            if piece.len() == len && len > 1 {
                all.push([piece, &self.joined].concat());
            }
            all.push(whole.clone());
        }
        let is_end = piece.len() < len || (len == 1 && whole.len() == 1);
        self.joined = if is_end { Vec::new() } else { whole };
        (self.last, self.at) = (len, at);
        all
    }
}

/// Whether a carry is taken over soon behind the number at `position`.
fn is_upper_half(found: &[Finding], position: usize) -> bool {
    let at = found[position].at;
    let mut near = found[position..].iter().take_while(|finding| finding.at - at < JOIN_BYTES_MAX);
    near.any(|finding| finding.named == Named::Carry)
}

/// Lengths near the address at `position`: those behind it first, then by distance.
fn lengths_near(found: &[Finding], position: usize) -> Vec<usize> {
    let at = found[position].at;
    let length = |finding: &&Finding| match finding.named {
        Named::Length(len) => Some(len),
        Named::Immediate { .. } | Named::Address(_) | Named::Constant { .. } | Named::Carry => None,
    };
    let behind = found[position..].iter();
    let behind = behind.take_while(|finding| finding.at - at <= LENGTH_BYTES_MAX);
    let before = found[..position].iter().rev();
    let before = before.take_while(|finding| at - finding.at <= LENGTH_BYTES_MAX);
    let mut lengths = Vec::new();
    for len in behind.chain(before).filter_map(|finding| length(&finding)) {
        if !lengths.contains(&len) {
            lengths.push(len);
        }
    }
    lengths
}

/// Printable ASCII and the usual white space.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
}

/// Messages for people and names of source files, which nobody parses.
fn is_message(token: &[u8]) -> bool {
    let spaces = token.iter().filter(|byte| **byte == b' ').count();
    token.ends_with(b".rs")
        || token.starts_with(b"/rustc/")
        || (spaces > 2 && token.len() > 20)
        || token.windows(7).any(|part| part == b"called ")
}
