//! The log of the comparisons of one gated execution.
//!
//! Owns the gate and the slots. Everything here that the hooks call runs inside the target, on any
//! of its threads and in its signal handlers: it never waits, allocates, panics or compares memory
//! (that would come back here).
//!
//! ```text
//! shut ── open(len) ──► open: hooks add records ── close() ──► shut ── drain() ──► empty
//! ```
//!
//! A record goes into the slot that a counter gives it. Positions are never used twice: a thread
//! that is still writing when the next execution starts writes under its old position, and what it
//! leaves is not read. (Two threads that far apart in the same slot can mix one record; it is a
//! wrong hint, no more.)

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

use crate::hooks::set_gate;
use crate::limits::{
    COMPARE_BYTES_MAX, COMPARE_RECORDS_MAX, COMPARE_RECORDS_PER_SITE_MAX, COMPARE_SITE_PROBES_MAX,
    COMPARE_SITES,
};

mod record;
#[cfg(test)]
mod tests;

pub(crate) use record::{Bytes64, Kind, Record};

/// Bytes of one word of a slot.
const WORD: usize = size_of::<u64>();

/// Words of one side of a memory comparison.
const SIDE_WORDS: usize = COMPARE_BYTES_MAX / WORD;

/// [`COMPARE_BYTES_MAX`], as it is stored.
const BYTES_MAX: u8 = 64;
const _: () = assert!(BYTES_MAX as usize == COMPARE_BYTES_MAX);

/// Numbers below this are left alone: mutations of single bytes find them.
const SMALL: u64 = 256;

/// Bytes of the input that may have been read before what is left is counted.
const LENGTH_SLACK: u64 = 32;

/// Numbers in this range look like addresses: they differ from run to run.
const ADDRESSES: std::ops::Range<u64> = 1 << 40..1 << 48;

/// One record. All fields are numbers that any thread may write.
struct Slot {
    /// Position + 1 of the record that is complete in here; 0 while one is written.
    stamp: AtomicU64,
    pc: AtomicUsize,
    /// [`Tag`], width or length, and whether the left side is a constant: a byte each.
    shape: AtomicU64,
    /// Numbers, or left and right side.
    words: [AtomicU64; 2 * SIDE_WORDS],
}

impl Slot {
    const fn new() -> Self {
        Self {
            stamp: AtomicU64::new(0),
            pc: AtomicUsize::new(0),
            shape: AtomicU64::new(0),
            words: [const { AtomicU64::new(0) }; 2 * SIDE_WORDS],
        }
    }
}

const INTEGER: u8 = 0;
const SWITCH: u8 = 1;
const MEMORY: u8 = 2;

fn shape(tag: u8, size: u8, is_const: bool) -> u64 {
    u64::from_le_bytes([tag, size, u8::from(is_const), 0, 0, 0, 0, 0])
}

/// Slots and counts of one log. The hooks use one for the whole process.
pub(crate) struct Log {
    /// Position of the next record since the process started.
    next: AtomicU64,
    /// Position of the first record of this execution.
    start: AtomicU64,
    /// Number of this execution; decides which of `sites` count.
    generation: AtomicU64,
    /// Bytes of the input of this execution.
    input_len: AtomicU64,
    /// Small numbers of eight bytes that differ by less from that length are kept as well: they
    /// may be what is left of the input.
    len_slack: AtomicU64,
    slots: [Slot; COMPARE_RECORDS_MAX],
    /// How many records each place in the code has: upper half of its address's hash, 24 bits of
    /// the generation, 8 bits of count. A table of one cell per place, without clearing.
    sites: [AtomicU64; COMPARE_SITES],
}

/// The log of the process.
static LOG: Log = Log::new();

/// Empties the log and opens the gate for one execution of an input of `input_len` bytes.
pub(crate) fn open(input_len: usize) {
    LOG.start(input_len, 0);
    set_gate(true);
}

/// As [`open`], and keeps numbers that may be the length of what is left of the input.
pub(crate) fn open_to_solve(input_len: usize) {
    LOG.start(input_len, LENGTH_SLACK);
    set_gate(true);
}

/// Shuts the gate. Must happen before any other code of the runtime runs.
pub(crate) fn close() {
    set_gate(false);
}

/// Moves the records of the last gated execution to the end of `records`, in the order of the
/// comparisons: [`COMPARE_RECORDS_MAX`] at most.
pub(crate) fn drain(records: &mut Vec<Record>) {
    LOG.drain(records);
}

/// The log that the hooks write.
#[inline]
pub(crate) fn of_process() -> &'static Log {
    &LOG
}

impl Log {
    pub(crate) const fn new() -> Self {
        Self {
            next: AtomicU64::new(0),
            start: AtomicU64::new(0),
            generation: AtomicU64::new(1),
            input_len: AtomicU64::new(0),
            len_slack: AtomicU64::new(0),
            slots: [const { Slot::new() }; COMPARE_RECORDS_MAX],
            sites: [const { AtomicU64::new(0) }; COMPARE_SITES],
        }
    }

    fn start(&self, input_len: usize, len_slack: u64) {
        self.len_slack.store(len_slack, Relaxed);
        self.start.store(self.next.load(Relaxed), Relaxed);
        self.generation.fetch_add(1, Relaxed);
        self.input_len.store(input_len as u64, Relaxed);
    }

    fn drain(&self, records: &mut Vec<Record>) {
        let (start, next) = (self.start.load(Relaxed), self.next.load(Relaxed));
        let stop = next.min(start + COMPARE_RECORDS_MAX as u64);
        records.extend((start..stop).filter_map(|position| self.read(position)));
        self.start.store(next, Relaxed);
    }

    /// Two numbers of `width` bytes.
    #[inline]
    pub(crate) fn integer(&self, pc: usize, width: u8, is_const: bool, left: u64, right: u64) {
        if left == right {
            return;
        }
        // Beside a constant only the whole is taken for what is left of the input.
        let may_vary = !is_const || right == self.input_len.load(Relaxed);
        let may_be_rest = width == 8 && may_vary && (self.is_rest(left) || self.is_rest(right));
        if self.is_small(left, right) && !may_be_rest {
            return;
        }
        // What `memcmp` returned, compared with 0: the sides themselves are in the log.
        if is_const && left == 0 && right > (u64::MAX >> (64 - 8 * u32::from(width))) - SMALL {
            return;
        }
        // A constant of that size is no address, nor is what is compared with it.
        let is_address = |side: u64| ADDRESSES.contains(&side);
        let is_ours = is_const && is_address(left);
        if !is_ours && (is_address(left) || is_address(right)) {
            return;
        }
        let site = site(pc, || (left, if is_const { 0 } else { right }));
        if self.may_keep(site) {
            let shape = shape(INTEGER, width, is_const);
            self.write(pc, shape, &[left, right]);
        }
    }

    /// A number of `width` bytes and the cases next to it, as [`Kind::Switch`] has them.
    #[inline]
    pub(crate) fn switch(&self, pc: usize, width: u8, value: u64, below: u64, above: u64) {
        let has_no_other = below == value && above == value;
        let is_length = value == self.input_len.load(Relaxed);
        let are_small = value < SMALL && below < SMALL && above < SMALL;
        if has_no_other || are_small && !is_length {
            return;
        }
        if ADDRESSES.contains(&value) && !ADDRESSES.contains(&above) {
            return;
        }
        let site = site(pc, || (below, above));
        if self.may_keep(site) {
            self.write(pc, shape(SWITCH, width, false), &[value, below, above]);
        }
    }

    /// Two pieces of memory, each cut to its first 64 bytes by the caller.
    pub(crate) fn memory(&self, pc: usize, left: &[u8], right: &[u8]) {
        let len = left.len().min(right.len()).min(COMPARE_BYTES_MAX);
        if len < 2 {
            return;
        }
        let mut words = [0; 2 * SIDE_WORDS];
        pack(&mut words[..SIDE_WORDS], left, len);
        pack(&mut words[SIDE_WORDS..], right, len);
        let difference =
            (0..SIDE_WORDS).fold(0, |any, at| any | (words[at] ^ words[SIDE_WORDS + at]));
        let site = site(pc, || (words[SIDE_WORDS], 0));
        if difference != 0 && self.may_keep(site) {
            let size = u8::try_from(len).unwrap_or(0);
            self.write(pc, shape(MEMORY, size, false), &words);
        }
    }

    /// Both are small, and none is the length of the input.
    #[inline]
    fn is_small(&self, left: u64, right: u64) -> bool {
        is_small(left, right, self.input_len.load(Relaxed))
    }

    /// Whether the number may say how many bytes of the input are left behind some first ones.
    #[inline]
    fn is_rest(&self, number: u64) -> bool {
        let before = self.input_len.load(Relaxed).checked_sub(number);
        before.is_some_and(|before| before < self.len_slack.load(Relaxed))
    }

    /// Counts a record at this place, unless it has enough of them.
    #[inline]
    fn may_keep(&self, site: u64) -> bool {
        let hash = site.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let generation = (self.generation.load(Relaxed) & 0xff_ffff) << 8;
        let mine = hash & !0xffff_ffff | generation;
        // The bits that choose the cell are others than those in the cell.
        let first = usize::try_from(hash >> 12 & (COMPARE_SITES as u64 - 1)).unwrap_or(0);
        for probe in 0..COMPARE_SITE_PROBES_MAX {
            let cell = &self.sites[(first + probe) % COMPARE_SITES];
            let found = cell.load(Relaxed);
            if found & !0xff == mine {
                let is_full = found & 0xff >= COMPARE_RECORDS_PER_SITE_MAX;
                return !is_full
                    && cell.fetch_add(1, Relaxed) & 0xff < COMPARE_RECORDS_PER_SITE_MAX;
            }
            let is_stale = found & 0xffff_ff00 != generation;
            if is_stale && cell.compare_exchange(found, mine | 1, Relaxed, Relaxed).is_ok() {
                return true;
            }
        }
        false
    }

    #[inline]
    fn write(&self, pc: usize, shape: u64, words: &[u64]) {
        let start = self.start.load(Relaxed);
        let is_full = |position: u64| position.wrapping_sub(start) >= COMPARE_RECORDS_MAX as u64;
        if is_full(self.next.load(Relaxed)) {
            return;
        }
        let position = self.next.fetch_add(1, Relaxed);
        if is_full(position) {
            return;
        }
        let slot = &self.slots[slot_of(position)];
        slot.stamp.store(0, Relaxed);
        slot.pc.store(pc, Relaxed);
        slot.shape.store(shape, Relaxed);
        for (cell, word) in slot.words.iter().zip(words) {
            cell.store(*word, Relaxed);
        }
        slot.stamp.store(position + 1, Release);
    }

    fn read(&self, position: u64) -> Option<Record> {
        let slot = &self.slots[slot_of(position)];
        if slot.stamp.load(Acquire) != position + 1 {
            return None;
        }
        let word = |at: usize| slot.words[at].load(Relaxed);
        let [tag, size, is_const, ..] = slot.shape.load(Relaxed).to_le_bytes();
        let kind = match tag {
            INTEGER => Kind::Integer {
                width: size,
                is_const: is_const != 0,
                left: word(0),
                right: word(1),
            },
            SWITCH => Kind::Switch { width: size, value: word(0), below: word(1), above: word(2) },
            _ => {
                Kind::Memory { left: unpack(slot, 0, size), right: unpack(slot, SIDE_WORDS, size) }
            }
        };
        Some(Record { pc: slot.pc.load(Relaxed), kind })
    }
}

fn slot_of(position: u64) -> usize {
    let slots = COMPARE_RECORDS_MAX as u64;
    usize::try_from(position % slots).unwrap_or(0)
}

/// Both are small, and none is `len`, the length of the input. A length beside 0 says nothing
/// either: code asks everywhere whether something is empty.
#[inline]
fn is_small(left: u64, right: u64, len: u64) -> bool {
    let is_length = |side: u64, other: u64| side == len && other != 0;
    left < SMALL && right < SMALL && !is_length(left, right) && !is_length(right, left)
}

/// Reach of one program in memory: what is farther away belongs to another object.
const PROGRAM_BYTES_MAX: usize = 1 << 30;

/// Stands somewhere in the program, at the same distance from its code in each process.
static ANCHOR: AtomicUsize = AtomicUsize::new(0);

/// What stands for the place of a comparison: where it is in the program, which is the same in each
/// process of it wherever that was loaded; or, where the platform does not tell it, and in other
/// objects, those of its operands that are the likeliest to stay.
#[inline]
fn site(pc: usize, operands: impl FnOnce() -> (u64, u64)) -> u64 {
    let place = pc.wrapping_sub(std::ptr::from_ref(&ANCHOR).addr());
    if pc != 0 && place.wrapping_add(PROGRAM_BYTES_MAX) < 2 * PROGRAM_BYTES_MAX {
        return place as u64;
    }
    let (one, other) = operands();
    one.wrapping_mul(0xe703_7ed1_a0b4_28db) ^ other.rotate_left(32)
}

/// The first `len` of `bytes`, and zeros.
fn pack(words: &mut [u64], bytes: &[u8], len: usize) {
    for (word, chunk) in words.iter_mut().zip(bytes[..len].chunks(WORD)) {
        let mut full = [0; WORD];
        full[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_le_bytes(full);
    }
}

fn unpack(slot: &Slot, first: usize, size: u8) -> Bytes64 {
    let mut bytes = [0; COMPARE_BYTES_MAX];
    for (chunk, word) in bytes.chunks_mut(WORD).zip(&slot.words[first..first + SIDE_WORDS]) {
        chunk.copy_from_slice(&word.load(Relaxed).to_le_bytes());
    }
    Bytes64::new(&bytes[..usize::from(size.min(BYTES_MAX))])
}
