//! What the log has of one comparison.
//!
//! Owns its forms, and what can be told from one alone.

use std::ops::Deref;

use super::is_small;
use crate::limits::COMPARE_BYTES_MAX;

/// Up to 64 bytes of one side of a memory comparison, from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes64 {
    len: u8,
    bytes: [u8; COMPARE_BYTES_MAX],
}

impl Bytes64 {
    /// The first 64 of `bytes`.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut all = [0; COMPARE_BYTES_MAX];
        let count = bytes.len().min(COMPARE_BYTES_MAX);
        all[..count].copy_from_slice(&bytes[..count]);
        Self { len: u8::try_from(count).unwrap_or(0), bytes: all }
    }

    /// What is kept.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self
    }
}

impl Deref for Bytes64 {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// One comparison that came out unequal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Where it happened: the address after the call. 0 where the platform does not tell.
    pub(crate) pc: usize,
    /// What was compared.
    pub(crate) kind: Kind,
}

/// What a comparison compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Two numbers.
    Integer {
        /// Bytes of each: 1, 2, 4 or 8.
        width: u8,
        /// `left` is a constant of the code.
        is_const: bool,
        left: u64,
        right: u64,
    },
    /// A number and the cases of a `match` next to it.
    Switch {
        /// Bytes of the number.
        width: u8,
        value: u64,
        /// The greatest case below `value`; `value` itself if there is none.
        below: u64,
        /// The least case above `value`; `value` itself if there is none.
        above: u64,
    },
    /// Two pieces of memory of the same length, which may be longer than what is kept of it.
    Memory { left: Bytes64, right: Bytes64 },
}

/// Largest tag of an `Option` or a `Result`.
const TAG_MAX: u64 = 1;

impl Kind {
    /// The upper halves of a number and a constant, if those are numbers of their own: a small
    /// `Option` or `Result` is compared as one number, the tag below the value.
    pub(crate) fn payload(self) -> Option<Self> {
        let Self::Integer { width: width @ (4 | 8), is_const: true, left, right } = self else {
            return None;
        };
        let half = 4 * u32::from(width);
        let (tag, left, right) = (left & ((1 << half) - 1), left >> half, right >> half);
        let is_packed = tag <= TAG_MAX && left != 0 && left != right;
        is_packed.then_some(Self::Integer { width: width / 2, is_const: true, left, right })
    }
}

impl Record {
    /// Whether this is only there to be solved, see [`open_to_solve`](super::open_to_solve).
    pub(crate) fn is_only_to_solve(&self, input_len: usize) -> bool {
        match self.kind {
            Kind::Integer { left, right, .. } => is_small(left, right, input_len as u64),
            Kind::Switch { .. } | Kind::Memory { .. } => false,
        }
    }
}
