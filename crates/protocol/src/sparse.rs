//! Coverage in sparse form: only the counters that were hit.
//!
//! Owns the byte form of a list of features. Must not: know what a bit of a class byte means, or
//! merge coverage of different inputs.
//!
//! Per feature, by ascending index: the distance to the feature before (for the first one its
//! index) as unsigned LEB128, then the class byte. No class byte is 0 and no number is longer than
//! it must be, so equal lists have equal bytes.

use std::collections::BTreeMap;

use crate::limits::VARINT_BYTES_MAX;

/// Bytes that are not a list of features for this number of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SparseError {
    /// The bytes end inside a feature.
    #[error("sparse coverage ends inside a feature, after {bytes} bytes")]
    Truncated {
        /// Bytes there are.
        bytes: usize,
    },
    /// A number is longer than it must be, or no `u32`.
    #[error("sparse coverage has a bad number at byte {at}")]
    BadNumber {
        /// Where the number starts.
        at: usize,
    },
    /// A feature repeats the index of the one before.
    #[error("sparse coverage names counter {index} twice")]
    NotAscending {
        /// The index.
        index: u32,
    },
    /// An index beyond the last counter.
    #[error("sparse coverage names counter {index}, but there are {counters}")]
    OutOfRange {
        /// The index.
        index: u64,
        /// Number of counters.
        counters: usize,
    },
    /// A class byte of 0.
    #[error("sparse coverage has no class for counter {index}")]
    NoClass {
        /// The index.
        index: u32,
    },
}

/// The sparse form of `features`.
///
/// They may come in any order: the bits of features with one index are united, features without a
/// bit are left out.
#[must_use]
pub fn encode(features: &[(u32, u8)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(features.len() * 2);
    let mut previous = 0;
    let mut put = |index: u32, class: u8| {
        put_number(&mut bytes, index - previous);
        bytes.push(class);
        previous = index;
    };
    let is_canonical =
        features.is_sorted_by(|a, b| a.0 < b.0) && features.iter().all(|feature| feature.1 != 0);
    if is_canonical {
        features.iter().for_each(|&(index, class)| put(index, class));
    } else {
        let mut united = BTreeMap::new();
        for &(index, class) in features.iter().filter(|feature| feature.1 != 0) {
            *united.entry(index).or_insert(0) |= class;
        }
        united.into_iter().for_each(|(index, class)| put(index, class));
    }
    bytes
}

/// The features that `bytes` name, by ascending index, all of them below `counters`.
pub fn decode(bytes: &[u8], counters: usize) -> Result<Vec<(u32, u8)>, SparseError> {
    let mut features: Vec<(u32, u8)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (distance, length) = take_number(bytes, at)?;
        let class = *bytes.get(at + length).ok_or(SparseError::Truncated { bytes: bytes.len() })?;
        let previous = features.last().map(|feature| feature.0);
        let index = match previous {
            Some(index) if distance == 0 => return Err(SparseError::NotAscending { index }),
            Some(index) => u64::from(index) + u64::from(distance),
            None => u64::from(distance),
        };
        let in_range = u32::try_from(index).ok().filter(|_| index < counters as u64);
        let index = in_range.ok_or(SparseError::OutOfRange { index, counters })?;
        if class == 0 {
            return Err(SparseError::NoClass { index });
        }
        features.push((index, class));
        at += length + 1;
    }
    Ok(features)
}

fn put_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// The number at `at` and how many bytes it takes.
fn take_number(bytes: &[u8], at: usize) -> Result<(u32, usize), SparseError> {
    let mut number: u64 = 0;
    for (position, &byte) in bytes[at..].iter().take(VARINT_BYTES_MAX).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            let is_minimal = position == 0 || byte != 0;
            let number = u32::try_from(number).ok().filter(|_| is_minimal);
            return number
                .map(|number| (number, position + 1))
                .ok_or(SparseError::BadNumber { at });
        }
    }
    if bytes.len() - at < VARINT_BYTES_MAX {
        return Err(SparseError::Truncated { bytes: bytes.len() });
    }
    Err(SparseError::BadNumber { at })
}
