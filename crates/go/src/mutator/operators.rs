//! The 18 operators on byte strings: which there are, and how one is chosen.
//!
//! Owns: Go's list and the operators that change single bytes. Operators on chunks are in
//! [`super::chunks`], those on numbers in [`super::words`]. Source: `mutators_byteslice.go` and
//! `byteSliceMutators` in `mutator.go` of `internal/fuzz` (Go 1.27.3). Every draw counts, also
//! those of an operator that then does not apply, and so does the order of draws.

use super::MutateError;
use super::draws::{byte, place, two_places};
use super::scratch::Scratch;
use super::{chunks, words};
use crate::limits::OPERATOR_TRIES_MAX;
use crate::pcg::Random;

/// One operator, under the name Go gives it after `byteSlice`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    RemoveBytes,
    InsertRandomBytes,
    DuplicateBytes,
    OverwriteBytes,
    BitFlip,
    XorByte,
    SwapByte,
    ArithmeticUint8,
    ArithmeticUint16,
    ArithmeticUint32,
    ArithmeticUint64,
    OverwriteInterestingUint8,
    OverwriteInterestingUint16,
    OverwriteInterestingUint32,
    InsertConstantBytes,
    OverwriteConstantBytes,
    ShuffleBytes,
    SwapBytes,
}

impl Operator {
    /// Every operator in the order in which Go draws them.
    pub(crate) const ALL: [Self; 18] = [
        Self::RemoveBytes,
        Self::InsertRandomBytes,
        Self::DuplicateBytes,
        Self::OverwriteBytes,
        Self::BitFlip,
        Self::XorByte,
        Self::SwapByte,
        Self::ArithmeticUint8,
        Self::ArithmeticUint16,
        Self::ArithmeticUint32,
        Self::ArithmeticUint64,
        Self::OverwriteInterestingUint8,
        Self::OverwriteInterestingUint16,
        Self::OverwriteInterestingUint32,
        Self::InsertConstantBytes,
        Self::OverwriteConstantBytes,
        Self::ShuffleBytes,
        Self::SwapBytes,
    ];

    /// Changes the value, or returns `None` and has changed none of its bytes.
    pub(crate) fn apply(self, value: &mut Scratch, random: &mut impl Random) -> Option<()> {
        match self {
            Self::RemoveBytes => chunks::remove(value, random),
            Self::InsertRandomBytes => chunks::insert_random(value, random),
            Self::DuplicateBytes => chunks::duplicate(value, random),
            Self::OverwriteBytes => chunks::overwrite(value, random),
            Self::BitFlip => bit_flip(value, random),
            Self::XorByte => xor_byte(value, random),
            Self::SwapByte => swap_byte(value, random),
            Self::ArithmeticUint8 => words::arithmetic_byte(value, random),
            Self::ArithmeticUint16 => words::arithmetic::<2>(value, random),
            Self::ArithmeticUint32 => words::arithmetic::<4>(value, random),
            Self::ArithmeticUint64 => words::arithmetic::<8>(value, random),
            Self::OverwriteInterestingUint8 => words::interesting_byte(value, random),
            Self::OverwriteInterestingUint16 => words::interesting_16(value, random),
            Self::OverwriteInterestingUint32 => words::interesting_32(value, random),
            Self::InsertConstantBytes => chunks::insert_constant(value, random),
            Self::OverwriteConstantBytes => chunks::overwrite_constant(value, random),
            Self::ShuffleBytes => chunks::shuffle(value, random),
            Self::SwapBytes => chunks::swap(value, random),
        }
    }
}

/// Draws operators until one applies. `mutateBytes` in `mutator.go`, which has no bound.
pub(crate) fn mutate(value: &mut Scratch, random: &mut impl Random) -> Result<(), MutateError> {
    for _ in 0..OPERATOR_TRIES_MAX {
        let operator = Operator::ALL[place(random, Operator::ALL.len())];
        if operator.apply(value, random).is_some() {
            return Ok(());
        }
    }
    Err(MutateError::NothingApplies { bytes: value.len() })
}

fn bit_flip(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    if value.is_empty() {
        return None;
    }
    let at = place(random, value.len());
    value.value_mut()[at] ^= 1 << random.below(8);
    Some(())
}

fn xor_byte(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    if value.is_empty() {
        return None;
    }
    let at = place(random, value.len());
    value.value_mut()[at] ^= 1 + byte(random, 255);
    Some(())
}

fn swap_byte(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    if value.len() <= 1 {
        return None;
    }
    let (source, target) = two_places(value, random);
    value.value_mut().swap(source, target);
    Some(())
}
