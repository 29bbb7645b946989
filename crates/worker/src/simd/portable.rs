//! The operations on lines in words of 64 bits.
//!
//! Owns nothing; the reference for all other versions.

use fuzzd_core::coverage::Feature;

use super::{LINE, Line, LiveLine, Sweep, classes_of, clear, note, words_of};

/// Bytes of a word.
const WORD: usize = size_of::<u64>();

#[inline(never)]
pub(super) fn pass(lines: &[LiveLine], seen: &[u8], hot: &mut Vec<Feature>) {
    for line in lines {
        take(line.cells, line.first, seen, hot);
    }
}

pub(super) fn sweep(sweep: &mut Sweep<'_>, seen: &[u8], hot: &mut Vec<Feature>) {
    for (position, (cells, mark)) in sweep.lines.iter().zip(&mut *sweep.marks).enumerate() {
        if take(cells, sweep.first + position * LINE, seen, hot) && !*mark {
            *mark = true;
            sweep.has_new_mark = true;
        }
    }
}

pub(super) fn next_hit(lines: &[Line], from: usize) -> Option<usize> {
    let rest = lines.get(from..)?;
    rest.iter().position(|line| any_of(&words_of(line)) != 0).map(|position| from + position)
}

fn any_of(words: &[u64]) -> u64 {
    words.iter().fold(0, |any, word| any | word)
}

/// Clears one line and notes what is new; says whether it was hit.
#[inline]
fn take(cells: &Line, first: usize, seen: &[u8], hot: &mut Vec<Feature>) -> bool {
    let words = words_of(cells);
    if any_of(&words) == 0 {
        return false;
    }
    clear(cells);
    let (seen, _) = seen[first..first + LINE].as_chunks::<WORD>();
    for (position, (word, seen)) in words.iter().zip(seen).enumerate() {
        if *word == 0 {
            continue;
        }
        let fresh = classes_of(*word) & !u64::from_ne_bytes(*seen);
        if fresh != 0 {
            note(&fresh.to_ne_bytes(), first + position * WORD, hot);
        }
    }
    true
}
