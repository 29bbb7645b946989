//! What a worker answers.
//!
//! Owns the types of the replies and their meaning. Fields up to the word "extension" are Go's and
//! keep Go's order. A reply has no envelope: its type follows from the call.

use serde::{Deserialize, Serialize};

use super::is_false;
use super::wire::{null_is_zero, object_list, option_object};
use crate::bytes64;

/// Reply to `Ping`. A Go worker answers `{}`: all fields are extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PingReply {
    /// Extension. Version of the protocol both sides use from now on; `None`: the Go dialect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proto: Option<u32>,
    /// Extension. Capabilities, see [`crate::caps`].
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_zero")]
    pub caps: Vec<String>,
    /// Extension. Number of coverage counters; 0: the target is not instrumented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counters: Option<u64>,
    /// Extension. Names the build of the target, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// Extension. Parameter types of the fuzz test, by their Go names.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_zero")]
    pub types: Vec<String>,
    /// Extension. How many seeds are declared in code.
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_zero")]
    pub seeds: u64,
    /// Extension. Names of the fuzz tests of the program, if it has names for them. This process
    /// serves the one that [`TEST_ENV`](crate::TEST_ENV) named.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_zero")]
    pub tests: Vec<String>,
    /// Extension. The counters that begin a function, in sparse form, each with the class byte 1;
    /// `None`: it was not asked for, or is not known.
    #[serde(with = "bytes64", skip_serializing_if = "Option::is_none")]
    pub functions: Option<Vec<u8>>,
}

/// Reply to `Fuzz`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FuzzReply {
    /// Nanoseconds the call took.
    #[serde(rename = "TotalDuration", deserialize_with = "null_is_zero")]
    pub total_duration_ns: i64,
    /// Nanoseconds the execution of the input took that ended the call.
    #[serde(rename = "InterestingDuration", deserialize_with = "null_is_zero")]
    pub interesting_duration_ns: i64,
    /// Executions. Of a native worker: of newly mutated inputs only.
    #[serde(deserialize_with = "null_is_zero")]
    pub count: i64,
    /// Go dialect: the whole snapshot, one byte per counter; `None`: nothing new.
    #[serde(with = "bytes64")]
    pub coverage_data: Option<Vec<u8>>,
    /// How the input failed; empty: it did not.
    #[serde(deserialize_with = "null_is_zero")]
    pub err: String,
    /// An error of the worker or of the coordinator, never of the fuzz test; empty: none.
    #[serde(deserialize_with = "null_is_zero")]
    pub internal_err: String,
    /// Extension. The whole snapshot in sparse form; `None`: nothing new.
    #[serde(with = "bytes64", skip_serializing_if = "Option::is_none")]
    pub coverage_sparse: Option<Vec<u8>>,
    /// Extension. What is known of the failure that `Err` tells.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "option_object")]
    pub failure: Option<FailureInfo>,
    /// Extension. Failures that were gone over, one element per signature.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "object_list")]
    pub ignored: Vec<IgnoredCount>,
    /// Extension. Executions of the call that are not of newly mutated inputs.
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_zero")]
    pub other_count: u64,
    /// Extension. The fuzz test rejected the value (calls with `Warmup` only).
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_zero")]
    pub rejected: bool,
    /// Extension `plan`. What became of each item of the plan, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "object_list")]
    pub plan: Vec<PlanStat>,
    /// Extension `plan`. Finds of the call, by their number from 0, that it did not come to look
    /// at: their comparisons are still to be solved.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_zero")]
    pub unlooked: Vec<u32>,
}

/// What one item of a plan was worked on (extension `plan`), finds that descend from it in the same
/// call included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PlanStat {
    /// Executions of newly mutated inputs.
    #[serde(deserialize_with = "null_is_zero")]
    pub execs: u64,
    /// Nanoseconds.
    #[serde(deserialize_with = "null_is_zero")]
    pub nanos: u64,
    /// Finds pushed to the ring.
    #[serde(deserialize_with = "null_is_zero")]
    pub finds: u64,
}

/// Reply to `Minimize`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MinimizeReply {
    /// The value in memory is a success: it keeps what had to be kept.
    #[serde(deserialize_with = "null_is_zero")]
    pub wrote_to_mem: bool,
    /// How the value in memory fails; empty: it does not.
    #[serde(deserialize_with = "null_is_zero")]
    pub err: String,
    /// Go dialect: the whole snapshot of the value in memory, one byte per counter.
    #[serde(with = "bytes64")]
    pub coverage_data: Option<Vec<u8>>,
    /// Nanoseconds the call took.
    #[serde(rename = "Duration", deserialize_with = "null_is_zero")]
    pub duration_ns: i64,
    /// Go dialect: executions. Native workers leave 0 and use `OtherCount`.
    #[serde(deserialize_with = "null_is_zero")]
    pub count: i64,
    /// Extension. The whole snapshot of the value in memory, in sparse form.
    #[serde(with = "bytes64", skip_serializing_if = "Option::is_none")]
    pub coverage_sparse: Option<Vec<u8>>,
    /// Extension. What is known of the failure that `Err` tells.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "option_object")]
    pub failure: Option<FailureInfo>,
    /// Extension. Executions of the call.
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_zero")]
    pub other_count: u64,
    /// Extension `search`. How far the search came, if the call named a part of one.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "option_object")]
    pub search: Option<SearchReport>,
}

/// How far a search came (extension `search`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SearchReport {
    /// The first candidate of its own that was not judged.
    #[serde(deserialize_with = "null_is_zero")]
    pub until: u64,
    /// Those that held in this call, ascending.
    #[serde(deserialize_with = "null_is_zero")]
    pub held: Vec<u64>,
    /// There is no candidate at `until` or behind it, as far as those of the others fail.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_zero")]
    pub done: bool,
}

/// What is known of one failure (extension).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FailureInfo {
    /// `panic` or `error`.
    #[serde(deserialize_with = "null_is_zero")]
    pub kind: String,
    /// `file:line:column` of the panic; empty where there is none.
    #[serde(deserialize_with = "null_is_zero")]
    pub location: String,
    /// The message of the panic or of the error.
    #[serde(deserialize_with = "null_is_zero")]
    pub message: String,
    /// The backtrace; may be empty.
    #[serde(deserialize_with = "null_is_zero")]
    pub details: String,
}

/// How often one ignored failure was gone over (extension).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IgnoredCount {
    /// As it stood in `Ignore`.
    #[serde(deserialize_with = "null_is_zero")]
    pub signature: String,
    /// Inputs of this call that failed with it.
    #[serde(deserialize_with = "null_is_zero")]
    pub count: u64,
}

/// Reply to `Seed` (extension `seeds`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SeedReply {
    /// How many seeds there are.
    #[serde(deserialize_with = "null_is_zero")]
    pub total: u64,
    /// Why the seed could not be written (no such index, too large for the memory); empty: it was.
    #[serde(deserialize_with = "null_is_zero")]
    pub internal_err: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
