//! Operands that are runs of bytes.
//!
//! Owns finding a run, or the piece of it that lies in the input, as it is or in another case. Must
//! not take a single unchanged byte for a place.

use super::candidates::Change;
use super::{Origin, Search, Side, promise};
use crate::compare::limits::{PLACES_PER_OPERAND_MAX, PROBES_MAX};

/// One side of a comparison of memory, in both executions, and what it should become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) origin: Origin,
    pub(super) base: &'a [u8],
    pub(super) colorized: &'a [u8],
    pub(super) target: &'a [u8],
}

/// A run, or a piece of it, in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Placed {
    /// Where its first byte would lie, and the piece that really is there.
    start: isize,
    from: usize,
    to: usize,
    is_folded: bool,
}

/// Bytes of a run from which places are looked for.
const ANCHORS_MAX: usize = 8;

/// Bytes of a piece that is not the whole run, at least.
const PIECE_BYTES_MIN: usize = 3;

/// Proposes the target where the run lies in the input; says whether all of it does.
pub(super) fn solve(search: &mut Search<'_>, run: &Run<'_>) -> bool {
    let len = run.base.len().min(run.colorized.len());
    if len == 0 || run.base == run.target {
        return false;
    }
    let changed: Vec<usize> = (0..len).filter(|&at| run.base[at] != run.colorized[at]).collect();
    let mut is_whole = false;
    if changed.is_empty() {
        if run.base.len() > 1 {
            for (further, at) in (0_u32..).zip(search.places.find(run.base, run.colorized)) {
                is_whole = true;
                let promise = promise::PINNED - further * promise::FURTHER;
                search.splice(run.origin, promise, at, run.base.len(), run.target);
            }
        }
    } else {
        for (further, placed) in (0_u32..).zip(places(search, run, &changed, len)) {
            is_whole |= placed.to - placed.from == len;
            propose(search, run, placed, len, further);
        }
    }
    if !is_whole && !search.is_alone {
        guess(search, run);
    }
    is_whole
}

/// Places of the run, the longest pieces first.
fn places(search: &Search<'_>, run: &Run<'_>, changed: &[usize], len: usize) -> Vec<Placed> {
    let mut found: Vec<Placed> = Vec::new();
    let step = changed.len().div_ceil(ANCHORS_MAX);
    for &anchor in changed.iter().step_by(step) {
        for (old, new) in cases(run.base[anchor], run.colorized[anchor]) {
            for at in search.places.of_pair(old, new).take(PROBES_MAX) {
                let Some(placed) = extend(search, run, anchor, at, len) else { continue };
                let is_new = found.iter().all(|other| other.start != placed.start);
                let is_enough = placed.to - placed.from >= PIECE_BYTES_MIN.min(len);
                if is_new && is_enough {
                    found.push(placed);
                }
            }
        }
    }
    found.sort_by_key(|placed| (usize::MAX - (placed.to - placed.from), placed.is_folded));
    found.truncate(PLACES_PER_OPERAND_MAX);
    found
}

/// Both bytes as they are and, if both are letters, in the other case.
fn cases(old: u8, new: u8) -> impl Iterator<Item = (u8, u8)> {
    let flip = |byte: u8| byte ^ 0x20;
    let letters = old.is_ascii_alphabetic() && new.is_ascii_alphabetic();
    let others = [(flip(old), flip(new)), (flip(old), new), (old, flip(new))];
    std::iter::once((old, new)).chain(others.into_iter().filter(move |_| letters))
}

/// The largest piece around `anchor`, which lies at `at`.
fn extend(
    search: &Search<'_>,
    run: &Run<'_>,
    anchor: usize,
    at: usize,
    len: usize,
) -> Option<Placed> {
    let start = isize::try_from(at).ok()? - isize::try_from(anchor).ok()?;
    let lies_there = |position: usize| -> bool {
        let Some(at) = start.checked_add_unsigned(position) else { return false };
        let Ok(at) = usize::try_from(at) else { return false };
        let there = (search.places.base.get(at), search.places.colorized.get(at));
        let (Some(old), Some(new)) = there else { return false };
        old.eq_ignore_ascii_case(&run.base[position])
            && new.eq_ignore_ascii_case(&run.colorized[position])
    };
    let from = (0..anchor).rev().take_while(|&position| lies_there(position)).last();
    let from = from.unwrap_or(anchor);
    let to = 1 + (anchor..len).take_while(|&position| lies_there(position)).last()?;
    let first = usize::try_from(start.checked_add_unsigned(from)?).ok()?;
    search.places.span_of(&(first..first + (to - from)))?;
    let is_folded = search.places.base[first..first + (to - from)] != run.base[from..to];
    Some(Placed { start, from, to, is_folded })
}

fn propose(search: &mut Search<'_>, run: &Run<'_>, placed: Placed, len: usize, further: u32) {
    let is_whole = placed.to - placed.from == len;
    let promise = match (is_whole, placed.is_folded) {
        (true, false) => promise::COPIED,
        (true, true) => promise::FOLDED,
        (false, _) => promise::COMPUTED,
    } - further * promise::FURTHER;
    if let Ok(at) = usize::try_from(placed.start) {
        search.splice(run.origin, promise, at, run.base.len(), run.target);
        if run.target.is_ascii() {
            // Text: the right word may be missing before this one.
            let promise = promise::PINNED - further * promise::FURTHER;
            search.splice(run.origin, promise, at, 0, run.target);
        }
    }
    let piece = placed.from..placed.to.min(run.target.len());
    let first = placed.start.checked_add_unsigned(placed.from);
    let first = first.and_then(|first| usize::try_from(first).ok());
    if !is_whole && let (Some(first), Some(with)) = (first, run.target.get(piece)) {
        search.splice(run.origin, promise - 1, first, with.len(), with);
    }
}

/// The run came from elsewhere (it was computed, or the other side did): at the start, at the end,
/// and alone.
fn guess(search: &mut Search<'_>, run: &Run<'_>) {
    if run.target.len() < 2 {
        return;
    }
    let with = Side::new(run.target);
    let spans = search.places.spans.iter().filter(|span| span.grows);
    let ranges: Vec<_> = spans.map(|span| span.range.clone()).take(4).collect();
    for range in ranges {
        let changes = [
            (range.start, run.target.len()),
            (range.start, range.len()),
            (range.start, 0),
            (range.end, 0),
        ];
        for (further, (at, remove)) in (0_u32..).zip(changes) {
            let change = Change::Splice { at, remove, with };
            search.add(run.origin, promise::GUESSED - further, change);
        }
    }
}
