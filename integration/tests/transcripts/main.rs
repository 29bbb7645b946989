//! The transcripts of `proto-spec/transcripts/`: calls, replies and memories of real workers.
//!
//! [`walk`] reads those that lie there against the schemas and the other rules; [`record`] makes
//! them anew from a Go worker and from ours, and either compares their course with what lies there
//! or, with `FUZZD_RECORD=1` (`scripts/record-transcripts`), puts them in its place.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod driver;
mod record;
mod transcript;
mod walk;
#[path = "../common/worker_process.rs"]
mod worker_process;
