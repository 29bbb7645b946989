//! Copies to and from memory that somebody else may write to at the same time.
//!
//! Owns how bytes are copied: atomic words where they are aligned, bytes at the ends. Must not know
//! whose memory it is, nor how much there is.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// Bytes of one word of a copy.
pub(crate) const WORD: usize = size_of::<u64>();

/// Copies out by relaxed atomic loads: a plain copy may be replaced by the compiler by repeated
/// reads of the source, which another process may have changed between them.
///
/// # Safety
/// `into.len()` bytes from `from` on are valid for atomic loads.
#[inline]
pub(crate) unsafe fn load_bytes(from: *mut u8, into: &mut [u8]) {
    let head = from.align_offset(WORD).min(into.len());
    let (first, rest) = into.split_at_mut(head);
    // SAFETY: every address is `from` plus less than `into.len()`, and words are read
    // at multiples of their size only.
    unsafe {
        for (index, byte) in first.iter_mut().enumerate() {
            *byte = AtomicU8::from_ptr(from.add(index)).load(Relaxed);
        }
        let from = from.add(head);
        let (words, last) = rest.as_chunks_mut::<WORD>();
        for (index, word) in words.iter_mut().enumerate() {
            let at = from.add(index * WORD).cast::<u64>();
            *word = AtomicU64::from_ptr(at).load(Relaxed).to_ne_bytes();
        }
        let from = from.add(words.len() * WORD);
        for (index, byte) in last.iter_mut().enumerate() {
            *byte = AtomicU8::from_ptr(from.add(index)).load(Relaxed);
        }
    }
}

/// Copies in by relaxed atomic stores.
///
/// # Safety
/// `bytes.len()` bytes from `to` on are valid for atomic stores.
#[inline]
pub(crate) unsafe fn store_bytes(to: *mut u8, bytes: &[u8]) {
    let head = to.align_offset(WORD).min(bytes.len());
    let (first, rest) = bytes.split_at(head);
    // SAFETY: every address is `to` plus less than `bytes.len()`, and words are
    // written at multiples of their size only.
    unsafe {
        for (index, byte) in first.iter().enumerate() {
            AtomicU8::from_ptr(to.add(index)).store(*byte, Relaxed);
        }
        let to = to.add(head);
        let (words, last) = rest.as_chunks::<WORD>();
        for (index, word) in words.iter().enumerate() {
            let at = to.add(index * WORD).cast::<u64>();
            AtomicU64::from_ptr(at).store(u64::from_ne_bytes(*word), Relaxed);
        }
        let to = to.add(words.len() * WORD);
        for (index, byte) in last.iter().enumerate() {
            AtomicU8::from_ptr(to.add(index)).store(*byte, Relaxed);
        }
    }
}
