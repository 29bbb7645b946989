//! What the runtime asks of a fuzz test.
//!
//! Owns the interface between a fuzz test and the engine. It is an object, never a type parameter:
//! generic code would be instantiated, and instrumented, in the crate of the target, and its own
//! branches would become coverage.

use fuzzd_protocol::value::ValueType;

/// One fuzz test, as the engine sees it.
pub trait Target {
    /// Types of its parameters, at least one. They say what the bytes of an input mean.
    fn types(&self) -> &[ValueType];

    /// The seeds declared in code, in memory form.
    fn seeds(&self) -> Vec<Vec<u8>>;

    /// Runs the fuzz test once on an input in memory form. May panic: the worker catches it.
    fn run(&self, input: &[u8]) -> Verdict;
}

/// What one run of a fuzz test came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong.
    Pass,
    /// The input is not what the fuzz test is about; it is kept out of the corpus.
    Reject,
    /// The fuzz test returned an error, with its text.
    Fail(String),
}
