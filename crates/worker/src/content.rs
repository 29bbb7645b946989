//! Contents of inputs, told apart by a hash.
//!
//! Owns the hash. Two contents with one hash are taken for the same: that costs a candidate or a
//! look, no more.

use std::hash::{DefaultHasher, Hasher as _};

/// A hash of some bytes, the same in each process.
pub(crate) fn hash(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    hasher.finish()
}
