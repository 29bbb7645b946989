//! What the target compares, and how inputs are made from it.
//!
//! Owns the way from one comparison inside the target to bytes of the next input. Must not run
//! while the gate is open, except for what the hooks call in `log`.
//!
//! ```text
//! hooks ─► log (during one gated execution) ─► drain ─► records
//!                              records ─► pairs (for the mutator), solve (with a colorized input)
//! ```

pub(crate) mod colorize;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod measure;
pub(crate) mod pairs;
pub(crate) mod solve;
