//! What a fuzz test may return.
//!
//! Owns: [`Corpus`] and the way from a returned value to a verdict. Must not: run anything.

use std::fmt::Debug;

use fuzzd_worker::Verdict;

/// Whether an input may become part of the corpus. A fuzz test returns it to keep inputs away that
/// it is not about, so that no time is spent on mutating them.
///
/// ```
/// #[fuzzd::test(seeds = ["2024-02-29"])]
/// fn dates(text: &str) -> fuzzd::Corpus {
///     if text.len() != 10 {
///         return fuzzd::Corpus::Reject;
///     }
///     // … parse the date …
///     fuzzd::Corpus::Keep
/// }
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corpus {
    /// The input counts: kept if it covers something new.
    Keep,
    /// The input is no failure, and is not kept whatever it covers.
    Reject,
}

/// A type that a fuzz test may return.
#[diagnostic::on_unimplemented(
    message = "a fuzz test cannot return `{Self}`",
    label = "not a verdict about an input",
    note = "it may return `()`, `fuzzd::Corpus`, `Result<(), E>` or `Result<fuzzd::Corpus, E>` \
            where `E: Debug`; an `Err` is a failure"
)]
pub trait IntoVerdict {
    /// What the returned value says about the input.
    fn into_verdict(self) -> Verdict;
}

impl IntoVerdict for () {
    #[inline(never)]
    fn into_verdict(self) -> Verdict {
        Verdict::Pass
    }
}

impl IntoVerdict for Corpus {
    #[inline(never)]
    fn into_verdict(self) -> Verdict {
        match self {
            Self::Keep => Verdict::Pass,
            Self::Reject => Verdict::Reject,
        }
    }
}

impl<E: Debug> IntoVerdict for Result<(), E> {
    fn into_verdict(self) -> Verdict {
        match self {
            Ok(()) => Verdict::Pass,
            Err(error) => failed(&error),
        }
    }
}

impl<E: Debug> IntoVerdict for Result<Corpus, E> {
    fn into_verdict(self) -> Verdict {
        match self {
            Ok(corpus) => corpus.into_verdict(),
            Err(error) => failed(&error),
        }
    }
}

#[cold]
#[inline(never)]
fn failed(error: &dyn Debug) -> Verdict {
    Verdict::Fail(format!("{error:?}"))
}
