//! The operators on `[]byte` and `string`, and what they start with.
//!
//! Owns their list, their classes and their start weights. An operator says whether it applied; one
//! that did not has changed nothing.

use super::base::{Base, Materials};
use super::context::Context;
use super::value::Value;
use super::{bits, blocks, compare, decimal, length_field, lines, mix, nest, words};
use crate::compare::pairs::Pair;
use crate::rng::Rng;

/// What is done to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    FlipBit,
    RandomByte,
    Interesting,
    Arithmetic,
    DeleteBlock,
    DeleteTail,
    DuplicateBlock,
    RepeatBlock,
    CopyBlock,
    SwapBlocks,
    Shuffle,
    InsertRun,
    OverwriteRun,
    InsertRandom,
    Digit,
    ChangeNumber,
    InsertNumber,
    OverwriteByToken,
    InsertToken,
    Substitute,
    Resize,
    CrossOver,
    CrossIn,
    Word,
    Nest,
    Line,
    LengthField,
}

/// Operators that tend to work, or not, on the same inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    Bytes,
    Numbers,
    Delete,
    Copy,
    Insert,
    Decimal,
    Dictionary,
    Compare,
    Crossover,
    Structure,
}

/// How many classes there are.
pub(super) const CLASSES: usize = 10;

/// What a visit has, which decides what applies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    /// No value of variable length has a byte.
    pub(super) is_empty: bool,
    /// A value of variable length has several bytes.
    pub(super) has_several: bool,
    /// There is text.
    pub(super) is_text: bool,
    /// There is text of several parts.
    pub(super) has_parts: bool,
    /// There are decimal digits.
    pub(super) has_numbers: bool,
    /// There are brackets.
    pub(super) has_brackets: bool,
    /// There are length fields: some, or surely.
    pub(super) has_lengths: bool,
    /// See [`has_lengths`](Self::has_lengths).
    pub(super) has_sure_lengths: bool,
    /// The dictionary has tokens.
    pub(super) has_tokens: bool,
    /// Compares are known.
    pub(super) has_pairs: bool,
    /// Compares of several bytes are known.
    pub(super) has_wide_pairs: bool,
    /// Lengths are known that code asks for.
    pub(super) has_length_targets: bool,
    /// There are other inputs.
    pub(super) has_partners: bool,
}

impl Facts {
    /// What is there.
    pub(super) fn of(base: &Base, materials: &Materials) -> Self {
        let tables = [base.pairs(), &materials.recent];
        let mut facts = Self {
            is_empty: true,
            has_tokens: !materials.tokens.is_empty(),
            has_pairs: tables.iter().any(|table| !table.is_empty()),
            has_wide_pairs: tables.iter().any(|table| table.pairs().iter().any(Pair::is_wide)),
            has_length_targets: tables.iter().any(|table| !table.lengths().is_empty()),
            has_partners: !materials.partners.is_empty(),
            ..Self::default()
        };
        for field in base.fields().iter().filter(|field| field.value_type.width().is_none()) {
            let shape = &field.shape;
            facts.is_empty &= field.bytes.is_empty();
            facts.has_several |= field.bytes.len() > 1;
            facts.is_text |= shape.is_text;
            facts.has_parts |= !shape.separators.is_empty();
            facts.has_numbers |= !shape.numbers.is_empty();
            facts.has_brackets |= !shape.brackets.is_empty();
            facts.has_sure_lengths |= !shape.lengths.is_empty();
            facts.has_lengths |= !shape.inner_lengths.is_empty();
        }
        facts
    }
}

impl Operator {
    /// Every operator.
    pub(super) const ALL: [Self; 27] = [
        Self::FlipBit,
        Self::RandomByte,
        Self::Interesting,
        Self::Arithmetic,
        Self::DeleteBlock,
        Self::DeleteTail,
        Self::DuplicateBlock,
        Self::RepeatBlock,
        Self::CopyBlock,
        Self::SwapBlocks,
        Self::Shuffle,
        Self::InsertRun,
        Self::OverwriteRun,
        Self::InsertRandom,
        Self::Digit,
        Self::ChangeNumber,
        Self::InsertNumber,
        Self::OverwriteByToken,
        Self::InsertToken,
        Self::Substitute,
        Self::Resize,
        Self::CrossOver,
        Self::CrossIn,
        Self::Word,
        Self::Nest,
        Self::Line,
        Self::LengthField,
    ];

    /// Its class.
    pub(super) fn class(self) -> Class {
        match self {
            Self::FlipBit | Self::RandomByte => Class::Bytes,
            Self::Interesting | Self::Arithmetic => Class::Numbers,
            Self::DeleteBlock | Self::DeleteTail => Class::Delete,
            Self::DuplicateBlock
            | Self::RepeatBlock
            | Self::CopyBlock
            | Self::SwapBlocks
            | Self::Shuffle => Class::Copy,
            Self::InsertRun | Self::OverwriteRun | Self::InsertRandom => Class::Insert,
            Self::Digit | Self::ChangeNumber | Self::InsertNumber => Class::Decimal,
            Self::OverwriteByToken | Self::InsertToken => Class::Dictionary,
            Self::Substitute | Self::Resize => Class::Compare,
            Self::CrossOver | Self::CrossIn => Class::Crossover,
            Self::Word | Self::Nest | Self::Line | Self::LengthField => Class::Structure,
        }
    }

    /// The start weight; 0 where it cannot apply, or does to a lone byte what others do as well.
    pub(super) fn weight(self, facts: &Facts) -> u32 {
        let has = |fact: bool, weight: u32| if fact { weight } else { 0 };
        let filled = |weight: u32| has(!facts.is_empty, weight);
        let text = |weight: u32| has(facts.is_text, weight);
        let several = |weight: u32| has(facts.has_several, weight);
        match self {
            Self::FlipBit | Self::RandomByte | Self::DuplicateBlock => filled(6),
            Self::CopyBlock => several(6),
            Self::Interesting | Self::Arithmetic => filled(if facts.is_text { 4 } else { 9 }),
            Self::DeleteBlock => filled(7),
            Self::DeleteTail | Self::RepeatBlock | Self::OverwriteRun => filled(1),
            Self::Shuffle => several(1),
            Self::SwapBlocks => several(2),
            Self::InsertRun => 2,
            Self::InsertRandom => 4,
            Self::InsertNumber => 1,
            Self::Digit => has(facts.has_numbers, 2),
            Self::ChangeNumber => has(facts.has_numbers, 6),
            Self::OverwriteByToken => has(facts.has_tokens, filled(4)),
            Self::InsertToken => has(facts.has_tokens, 4),
            // The right byte of 256 is also found without it.
            Self::Substitute => has(facts.has_wide_pairs, 8).max(has(facts.has_pairs, 3)),
            Self::Resize => has(facts.has_length_targets, 2),
            Self::CrossOver => has(facts.has_partners, filled(4)),
            Self::CrossIn => has(facts.has_partners, 4),
            Self::Word => several(text(8)),
            Self::Nest => text(if facts.has_brackets { 8 } else { 2 }),
            Self::Line => several(has(facts.has_parts, 5)),
            Self::LengthField => has(facts.has_sure_lengths, 6).max(has(facts.has_lengths, 3)),
        }
    }

    /// Applies it.
    #[inline]
    pub(super) fn apply(self, value: &mut Value<'_>, context: Context<'_>, rng: &mut Rng) -> bool {
        match self {
            Self::FlipBit => bits::flip_bit(value, rng),
            Self::RandomByte => bits::random_byte(value, rng),
            Self::Interesting => bits::interesting(value, rng),
            Self::Arithmetic => bits::arithmetic(value, rng),
            Self::DeleteBlock => blocks::delete_block(value, rng),
            Self::DeleteTail => blocks::delete_tail(value, rng),
            Self::DuplicateBlock => blocks::duplicate_block(value, rng),
            Self::RepeatBlock => blocks::repeat_block(value, rng),
            Self::CopyBlock => blocks::copy_block(value, rng),
            Self::SwapBlocks => blocks::swap_blocks(value, rng),
            Self::Shuffle => blocks::shuffle(value, rng),
            Self::InsertRun => blocks::insert_run(value, rng),
            Self::OverwriteRun => blocks::overwrite_run(value, rng),
            Self::InsertRandom => blocks::insert_random(value, rng),
            Self::Digit => decimal::change_digit(value, rng),
            Self::ChangeNumber => decimal::change_number(value, rng),
            Self::InsertNumber => decimal::insert_number(value, rng),
            Self::OverwriteByToken => mix::overwrite_by_token(value, context, rng),
            Self::InsertToken => mix::insert_token(value, context, rng),
            Self::Substitute => compare::substitute(value, context, rng),
            Self::Resize => compare::resize(value, context, rng),
            Self::CrossOver => mix::cross_over(value, context, rng),
            Self::CrossIn => mix::cross_in(value, context, rng),
            Self::Word => words::change(value, context, rng),
            Self::Nest => nest::change(value, rng),
            Self::Line => lines::change(value, context, rng),
            Self::LengthField => length_field::change(value, rng),
        }
    }
}
