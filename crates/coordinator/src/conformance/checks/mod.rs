//! The tests of the rules, by what they are about. Each is a function that starts what it needs
//! and keeps nothing.

pub(super) mod ending;
pub(super) mod extensions;
pub(super) mod failure;
pub(super) mod fuzz;
pub(super) mod line;
pub(super) mod memory;
pub(super) mod minimize;
pub(super) mod start;
