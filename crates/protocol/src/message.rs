//! Calls and replies, and their JSON lines.
//!
//! Owns: the wire names, which are Go's (`internal/fuzz`), and the fields that extend them. A field
//! of an extension is left out while it is empty, so that a Go worker never sees one that was not
//! negotiated. Reading ignores unknown fields; a field that is missing or `null` has its zero
//! value. Must not: know what a worker does with a call, or where lines come from (see
//! [`crate::line`]).

mod call;
mod reply;
mod wire;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use call::{
    Call, ForkLimits, FuzzCall, MinimizeCall, PingCall, PlanItem, SearchPart, SeedCall,
};
pub use reply::{
    FailureInfo, FuzzReply, IgnoredCount, MinimizeReply, PingReply, PlanStat, SearchReport,
    SeedReply,
};

/// A line that is not the message it should be.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Not JSON, or JSON of another shape.
    #[error("decode the message: {0}")]
    Json(#[from] serde_json::Error),
    /// A call in which no known method is set.
    #[error("the call names no known method")]
    NoMethod,
    /// A call in which one method stands twice.
    #[error("the call names the method {0} twice")]
    DuplicateMethod(&'static str),
}

/// The line of a message: JSON and a newline.
///
/// # Panics
/// Never for the messages of this module. A type of the caller's own that has no JSON form (a map
/// with keys that are not strings) is a programming error.
#[must_use]
pub fn encode_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("a message has string keys and plain values");
    line.push(b'\n');
    line
}

/// Reads a call from a line without its line end.
///
/// When several methods are set, the first of `Fuzz`, `Minimize`, `Ping`, `Seed` is the call.
pub fn decode_call(line: &[u8]) -> Result<Call, MessageError> {
    wire::decode_call(line)
}

/// Reads the reply to a call from a line without its line end. Which `T` it is follows from the
/// call that was sent; the line does not say.
pub fn decode_reply<T: DeserializeOwned>(line: &[u8]) -> Result<T, MessageError> {
    let wire::Object(reply) = serde_json::from_slice(line)?;
    Ok(reply)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
