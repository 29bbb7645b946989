//! Names of things as types, so that one cannot be passed for another.
//!
//! Owns the newtypes every other module counts and indexes with. Must not hold behaviour.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// The bytes of one input as a worker executes them (its *memory form*). Cheap to clone, never
/// changed.
pub type Input = Arc<[u8]>;

/// Position of a fuzz test in the session, from 0; fixed for the life of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestIndex(pub usize);

/// Position of a worker slot, from 0 to the number of workers less one. A slot outlives its
/// processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub usize);

/// Number of a process within one worker slot, from 1. An event that carries an older epoch comes
/// from a process that is already gone and is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// Ties a [`crate::session::Effect::Commit`] to the event that says it is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitToken(pub u64);

/// Content address of an input: SHA-256 of its memory form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub [u8; 32]);

impl EntryId {
    /// The address of `input`.
    #[must_use]
    pub fn of(input: &[u8]) -> Self {
        Self(Sha256::digest(input).into())
    }

    /// The first 16 hexadecimal digits, as shown to people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(16).collect()
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EntryId({})", self.short())
    }
}
