//! The one buffer all byte strings of an input are mutated in.
//!
//! Owns: Go's `scratch` slice and what an operator may do with it. Must not: know operators, or
//! draw.
//!
//! The bytes behind the current length matter: another `[]byte` parameter may be a longer view of
//! the same buffer and shows what an operator left there. So nothing is ever cleared or shrunk.
//! Every byte that a view can show was written since the chain of mutations began, hence a fresh
//! buffer per chain gives what the worker's old one gives.

use std::ops::Range;

/// A slice of Go with its capacity, in a buffer that grows only as far as it is used.
#[derive(Debug, Clone)]
pub(crate) struct Scratch {
    buffer: Vec<u8>,
    length: usize,
    /// What Go's slice could grow to: results depend on it, the buffer does not have it.
    capacity: usize,
}

impl Scratch {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { buffer: Vec::new(), length: 0, capacity }
    }

    /// Copies a value to the front and makes its length the current one.
    pub(crate) fn load(&mut self, value: &[u8]) {
        self.set_len(value.len());
        self.buffer[..value.len()].copy_from_slice(value);
    }

    /// Makes the bytes that a `[]byte` parameter shows the current value: they lie there already.
    pub(crate) fn load_view(&mut self, length: usize) {
        self.set_len(length);
    }

    /// The first `length` bytes, as a parameter that is a view of them shows them now.
    pub(crate) fn view(&self, length: usize) -> &[u8] {
        &self.buffer[..length]
    }

    /// The current value.
    pub(crate) fn value(&self) -> &[u8] {
        self.view(self.length)
    }

    pub(crate) fn value_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.length]
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether Go's operators take it that `extra` more bytes fit. They ask for one too many.
    pub(crate) fn has_room(&self, extra: usize) -> bool {
        self.length + extra < self.capacity
    }

    /// Sets the current length. Bytes that become part of the value keep what they held.
    pub(crate) fn set_len(&mut self, length: usize) {
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        self.length = length;
    }

    /// Copies bytes within the value, as Go's `copy` does for overlapping slices.
    pub(crate) fn copy(&mut self, from: Range<usize>, to: usize) {
        self.value_mut().copy_within(from, to);
    }
}
