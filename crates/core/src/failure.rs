//! One failure: what is known of an input that failed.

use crate::limits::{DETAILS_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::signature::{FailureKind, Signature};

/// What is known of one failure. Texts are bounded and may contain any bytes a target wrote
/// (as lossy UTF-8): escape them before they reach a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the input failed.
    pub kind: FailureKind,
    /// `file:line:column` of the panic; empty where there is none.
    pub location: String,
    /// The panic message, or a sentence that says what happened. At most [`MESSAGE_BYTES_MAX`].
    pub message: String,
    /// Backtrace, and the tail of the target's output. At most [`DETAILS_BYTES_MAX`].
    pub details: String,
}

impl Failure {
    /// A failure with its texts cut to their bounds.
    #[must_use]
    pub fn new(kind: FailureKind, location: &str, message: &str, details: &str) -> Self {
        Self {
            kind,
            location: cut(location, MESSAGE_BYTES_MAX),
            message: cut(message, MESSAGE_BYTES_MAX),
            details: cut(details, DETAILS_BYTES_MAX),
        }
    }

    /// The identity of the bug this failure shows.
    #[must_use]
    pub fn signature(&self) -> Signature {
        Signature::of(self.kind, &self.location, &self.message)
    }
}

/// The first `bytes_max` bytes of `text`, cut at a character.
fn cut(text: &str, bytes_max: usize) -> String {
    text[..text.floor_char_boundary(bytes_max)].to_owned()
}
