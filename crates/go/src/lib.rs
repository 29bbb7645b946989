//! The Go dialect: what a coordinator must know to drive unmodified Go test binaries.
//!
//! Owns: Go's generator and mutator, bit for bit ([`pcg`], [`mutator`]); the input a worker was
//! running ([`rebuild`]); its coverage snapshots ([`coverage`]); the text of an input exactly as Go
//! writes it ([`text`]); what Go says of a failure ([`account`]); which inputs to run to make one
//! smaller ([`reduce`]), and which Go's mutator does not come to ([`invent`]); what a binary says
//! of itself ([`binary`]); and the seeds and parameter types of a fuzz test, which only the binary
//! knows ([`harvest`]). Both are run with bounds ([`process`]). The messages and the layout of the
//! memory are `fuzzd-protocol`'s.
//!
//! Must not: drive workers, know the decision core, or do I/O outside [`binary`], [`harvest`] and
//! [`process`].
//!
//! What is said of Go here was read in the source of Go 1.27.3, and is checked against recordings
//! of its workers (`proto-spec/vectors/mutator/`) and, where there is a Go toolchain, against the
//! workers themselves. Nothing promises that the next release mutates in the same way: finds that
//! do not reproduce are the sign.

#![forbid(unsafe_code)]

pub mod account;
pub mod binary;
pub mod coverage;
pub mod harvest;
pub mod invent;
pub mod limits;
pub mod mutator;
pub mod pcg;
pub mod process;
pub mod rebuild;
pub mod reduce;
pub mod text;
