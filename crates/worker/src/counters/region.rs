//! One region of counters, cut into lines.
//!
//! Owns the cut. Lines inside start at multiples of 64 bytes; where the region does not, its first
//! and its last 64 bytes make a line each that overlaps the next. That does no harm to a pass,
//! which clears what it has looked at; what must count every counter once walks the cut pieces.
//!
//! ```text
//! bytes:  |.....|...............|...............|...............|...|
//! lines:  [ head line    ]
//!               [ inner line   ][ inner line   ][ inner line   ]
//!                                                   [ tail line    ]
//! ```

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use fuzzd_core::coverage::Feature;

use super::{CLASSES, WORD};
use crate::simd::{LINE, Level, Line, LiveLine, Sweep, clear, note, words_of};

/// Lines next to each other.
#[derive(Debug)]
struct Lines {
    lines: &'static [Line],
    /// Index of the first counter.
    first: usize,
    /// Which of them are live.
    marks: Vec<bool>,
}

impl Lines {
    fn new(lines: &'static [Line], first: usize) -> Self {
        Self { lines, first, marks: vec![false; lines.len()] }
    }
}

/// One region.
#[derive(Debug)]
pub(super) struct Region {
    /// All of its counters.
    pub(super) bytes: &'static [AtomicU8],
    /// Index of the first counter.
    pub(super) first: usize,
    /// Bytes before the first inner line.
    head: usize,
    /// Head line, inner lines, tail line. None in a region that is shorter than a line.
    runs: Vec<Lines>,
    /// Inner lines.
    inner: &'static [Line],
}

impl Region {
    /// A region whose first counter has the index `first`.
    pub(super) fn new(bytes: &'static [AtomicU8], first: usize) -> Self {
        let mut region = Self { bytes, first, head: 0, runs: Vec::new(), inner: &[] };
        let (Some(head_line), Some(tail_line)) =
            (bytes.first_chunk::<LINE>(), bytes.last_chunk::<LINE>())
        else {
            return region;
        };
        let beyond = bytes.as_ptr().addr() % LINE;
        region.head = if beyond == 0 { 0 } else { LINE - beyond };
        let (inner, rest) = bytes[region.head..].as_chunks::<LINE>();
        region.inner = inner;
        if region.head > 0 {
            region.runs.push(Lines::new(std::slice::from_ref(head_line), first));
        }
        region.runs.push(Lines::new(inner, first + region.head));
        if !rest.is_empty() {
            let tail = first + bytes.len() - LINE;
            region.runs.push(Lines::new(std::slice::from_ref(tail_line), tail));
        }
        region
    }

    /// Sets all counters to 0.
    pub(super) fn clear(&self, level: Level) {
        for run in &self.runs {
            let mut from = 0;
            while let Some(position) = level.next_hit(run.lines, from) {
                clear(&run.lines[position]);
                from = position + 1;
            }
        }
        self.short().iter().for_each(|cell| cell.store(0, Relaxed));
    }

    /// A pass over all lines. Says whether any of them became live.
    #[inline]
    pub(super) fn pass_all(&mut self, level: Level, seen: &[u8], hot: &mut Vec<Feature>) -> bool {
        let mut has_new = false;
        for run in &mut self.runs {
            let (lines, first) = (run.lines, run.first);
            let mut sweep = Sweep { lines, first, marks: &mut run.marks, has_new_mark: false };
            level.sweep(&mut sweep, seen, hot);
            has_new |= sweep.has_new_mark;
        }
        has_new
    }

    /// Puts the live lines of this region in the place of those it had in `live`, which is sorted.
    #[cold]
    pub(super) fn add_live(&self, live: &mut Vec<LiveLine>) {
        let stop = self.first + self.bytes.len();
        let from = live.partition_point(|line| line.first < self.first);
        let to = live.partition_point(|line| line.first < stop);
        let marked = self.runs.iter().flat_map(|run| {
            let lines = run.lines.iter().zip(&run.marks).enumerate();
            lines.filter(|(_, (_, mark))| **mark).map(|(position, (cells, _))| LiveLine {
                cells,
                first: run.first + position * LINE,
            })
        });
        live.splice(from..to, marked);
    }

    /// Whether a line that is not live has a counter that is not 0.
    pub(super) fn is_hit_outside_live(&self, level: Level) -> bool {
        self.runs.iter().any(|run| {
            let mut from = 0;
            while let Some(position) = level.next_hit(run.lines, from) {
                if !run.marks[position] {
                    return true;
                }
                from = position + 1;
            }
            false
        })
    }

    /// The pass over a region that is shorter than a line; nothing in all others.
    #[inline]
    pub(super) fn pass_short(&self, seen: &[u8], hot: &mut Vec<Feature>) {
        for (position, cell) in self.short().iter().enumerate() {
            let counter = cell.load(Relaxed);
            if counter == 0 {
                continue;
            }
            // Not a swap, which locks the bus: a hit in between is lost, as it is in lines.
            cell.store(0, Relaxed);
            let index = self.first + position;
            let seen = seen.get(index).copied().unwrap_or(u8::MAX);
            let fresh = CLASSES[usize::from(counter)] & !seen;
            if fresh != 0 {
                note(&[fresh], index, hot);
            }
        }
    }

    /// All of a region that is shorter than a line.
    #[inline]
    pub(super) fn short(&self) -> &'static [AtomicU8] {
        if self.runs.is_empty() { self.bytes } else { &[] }
    }

    /// Visits every word that is not 0, each counter once, by ascending index.
    pub(super) fn for_each_hit(&self, level: Level, visit: &mut dyn FnMut(usize, u64)) {
        let inner = self.first + self.head;
        let rest = self.head + self.inner.len() * LINE;
        visit_bytes(&self.bytes[..self.head], self.first, visit);
        let mut from = 0;
        while let Some(position) = level.next_hit(self.inner, from) {
            let words = words_of(&self.inner[position]).into_iter().enumerate();
            for (at, word) in words.filter(|(_, word)| *word != 0) {
                visit(inner + position * LINE + at * WORD, word);
            }
            from = position + 1;
        }
        visit_bytes(&self.bytes[rest..], self.first + rest, visit);
    }
}

fn visit_bytes(cells: &[AtomicU8], first: usize, visit: &mut dyn FnMut(usize, u64)) {
    for (position, chunk) in cells.chunks(WORD).enumerate() {
        let mut bytes = [0; WORD];
        for (byte, cell) in bytes.iter_mut().zip(chunk) {
            *byte = cell.load(Relaxed);
        }
        let word = u64::from_ne_bytes(bytes);
        if word != 0 {
            visit(first + position * WORD, word);
        }
    }
}
