//! The real binary, from the outside.

mod build;
mod support;
mod usage;
