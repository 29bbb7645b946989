//! What an operator sees beside the value it changes.
//!
//! Owns nothing: the base and the materials are the visit's.

use super::base::{Base, Materials};

/// What operators mix in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// The base, unchanged.
    pub(super) base: &'a Base,
    /// The materials of the visit.
    pub(super) materials: &'a Materials,
    /// Which value of the input is being changed.
    pub(super) field: usize,
}
