//! What inputs are made from.
//!
//! Owns one base (its bytes, where its values lie, what is known about them) and the materials of a
//! visit. Both are frozen while they are in use.

use std::ops::Range;
use std::rc::Rc;

use fuzzd_protocol::input::{self, LENGTH_BYTES};
use fuzzd_protocol::value::ValueType;

use super::limits::EFFECTIVE_PLACES_MAX;
use super::matches::{self, Match};
pub(super) use super::shape::Shape;
use crate::compare::pairs::PairTable;
use crate::dictionary::Tokens;

/// Where the content of one value of the base lies, and what is known about it.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// Its type.
    pub(super) value_type: ValueType,
    /// Whether it is a string, and should stay text.
    pub(super) is_string: bool,
    /// The content within the base.
    pub(super) bytes: Range<usize>,
    /// Whether the content follows its own length.
    pub(super) is_prefixed: bool,
    /// Places with an effect, from the start of the content, in order. Empty: nothing is known.
    pub(super) effective: Vec<u32>,
    /// What its content looks like.
    pub(super) shape: Shape,
    /// Where sides of the pairs of the base stand in it.
    pub(super) matches: Vec<Match>,
}

impl Field {
    /// Whether its length varies.
    #[inline]
    pub(super) fn varies(&self) -> bool {
        self.value_type.width().is_none()
    }
}

/// An input that others are made from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Base {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    pairs: PairTable,
}

impl Base {
    /// A base of `memory_form`, in canonical form.
    pub(crate) fn new(types: &[ValueType], memory_form: Vec<u8>) -> Self {
        let bytes = input::canonical(types, &memory_form);
        let fields = input::fields(types, &bytes)
            .into_iter()
            .map(|field| {
                let is_string = field.value_type == ValueType::String;
                let varies = field.value_type.width().is_none();
                let content = if varies { &bytes[field.bytes.clone()] } else { &[] };
                Field {
                    value_type: field.value_type,
                    is_string,
                    shape: Shape::of(content, is_string),
                    bytes: field.bytes,
                    is_prefixed: field.prefix.is_some(),
                    effective: Vec::new(),
                    matches: Vec::new(),
                }
            })
            .collect();
        Self { bytes, fields, pairs: PairTable::default() }
    }

    /// The input, in canonical memory form.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of each value of variable length.
    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.fields.iter().filter(|field| field.varies()).map(|field| field.bytes.len()).collect()
    }

    /// Takes over what the target compared when it ran this input.
    pub(crate) fn set_pairs(&mut self, pairs: PairTable) {
        for field in self.fields.iter_mut().filter(|field| field.varies()) {
            let content = &self.bytes[field.bytes.clone()];
            field.matches = matches::find_all(content, field.shape.is_text, &pairs);
        }
        self.pairs = pairs;
    }

    /// What the target compared when it ran this input.
    pub(crate) fn pairs(&self) -> &PairTable {
        &self.pairs
    }

    /// Takes over which parts of the input (offsets of the memory form) may be replaced without an
    /// effect. All others are mutated more often.
    pub(crate) fn set_free(&mut self, free: &[Range<usize>]) {
        let mut is_free = vec![false; self.bytes.len()];
        for range in free {
            let end = range.end.min(is_free.len());
            is_free[range.start.min(end)..end].fill(true);
        }
        for field in &mut self.fields {
            let start = field.bytes.start;
            let places = field.bytes.clone().filter(|at| !is_free[*at]).map(|at| at - start);
            let places: Vec<usize> = places.collect();
            field.effective.clear();
            if places.len() == field.bytes.len() {
                continue;
            }
            let every = places.len().div_ceil(EFFECTIVE_PLACES_MAX).max(1);
            let places = places.into_iter().step_by(every);
            field.effective.extend(places.filter_map(|at| u32::try_from(at).ok()));
        }
    }

    /// The same base, of which it is not known where the input has an effect.
    pub(super) fn without_places(&self) -> Self {
        let mut blind = self.clone();
        blind.fields.iter_mut().for_each(|field| field.effective.clear());
        blind
    }

    /// Where the values lie.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The same base with its values of variable length cut, the last one first, until it fits.
    /// Scalars, which cannot be cut, may exceed the limit.
    pub(super) fn cut_to(&self, types: &[ValueType], len_max: usize) -> Self {
        let mut bytes = self.bytes.clone();
        for field in self.fields.iter().rev() {
            let excess = bytes.len().saturating_sub(len_max);
            if excess == 0 {
                break;
            }
            if field.value_type.width().is_some() {
                continue;
            }
            let cut = excess.min(field.bytes.len());
            bytes.drain(field.bytes.end - cut..field.bytes.end);
            if field.is_prefixed {
                let length = u32::try_from(field.bytes.len() - cut).unwrap_or(u32::MAX);
                let at = field.bytes.start - LENGTH_BYTES;
                bytes[at..at + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
            }
        }
        let mut cut = Self::new(types, bytes);
        cut.set_pairs(self.pairs.clone());
        cut
    }
}

/// What is mixed into inputs. Frozen during a visit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Materials {
    /// The dictionary.
    pub(crate) tokens: Rc<Tokens>,
    /// What the target compared lately, whatever the input.
    pub(crate) recent: PairTable,
    /// Other inputs of the same fuzz test, in memory form.
    pub(crate) partners: Vec<Vec<u8>>,
}
