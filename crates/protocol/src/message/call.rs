//! What the coordinator asks of a worker.
//!
//! Owns the types of the calls and their meaning. Fields up to the word "extension" are Go's and
//! keep Go's order.

use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::is_false;
use super::wire::{null_is_zero, object_list, option_object};
use crate::bytes64;

/// One call. On the wire an object with one key per method, all but one of them `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Are you there, and what can you do? The first call to every worker.
    Ping(PingCall),
    /// Mutate the value in memory and run it, or run it once as it is.
    Fuzz(FuzzCall),
    /// Make the value in memory smaller.
    Minimize(MinimizeCall),
    /// Extension `seeds`: put a seed that is declared in code into memory.
    Seed(SeedCall),
}

/// Call of `Ping`. All fields are extensions; Go sends and expects none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PingCall {
    /// Extension. Highest version of the protocol the coordinator speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proto: Option<u32>,
    /// Extension. Byte offset of the control block in the memory; `None`: there is none.
    #[serde(rename = "Control", skip_serializing_if = "Option::is_none")]
    pub control_offset: Option<u64>,
    /// Extension `plan`. Byte offset of the ring in the memory; `None`: there is none.
    #[serde(rename = "Ring", skip_serializing_if = "Option::is_none")]
    pub ring_offset: Option<u64>,
    /// Extension `plan`. Bytes of the ring's data, a power of two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring_bytes: Option<u64>,
    /// Extension `plan`. The corpus arena is at fd 7.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_zero")]
    pub arena: bool,
    /// Extension `map`. The coverage map is at fd 6.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_zero")]
    pub map: bool,
    /// Extension. The reply is to have [`PingReply::functions`](super::PingReply::functions).
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_zero")]
    pub functions: bool,
}

/// Call of `Fuzz`: work on the value in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FuzzCall {
    /// Nanoseconds after which no execution but the first starts; 0 is no limit.
    #[serde(rename = "Timeout", deserialize_with = "null_is_zero")]
    pub timeout_ns: i64,
    /// Executions, exact; 0 is no limit.
    #[serde(deserialize_with = "null_is_zero")]
    pub limit: i64,
    /// Run the value once, unmutated, and answer with its whole snapshot.
    #[serde(deserialize_with = "null_is_zero")]
    pub warmup: bool,
    /// Go dialect: the whole mask, one byte per counter; `None`: the one of the call before.
    #[serde(with = "bytes64")]
    pub coverage_data: Option<Vec<u8>>,
    /// Extension. Seed of all mutations of this call; `None`: the worker chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Extension. Bits to set in the worker's mask before the call, in sparse form.
    #[serde(with = "bytes64", skip_serializing_if = "Option::is_none")]
    pub coverage_delta: Option<Vec<u8>>,
    /// Extension. Signatures of failures to count and go on over.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_zero")]
    pub ignore: Vec<String>,
    /// Extension. Bytes of memory form a mutated input may have; `None`: what fits the memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_len: Option<u64>,
    /// Extension `plan`. What to work on, at most [`crate::limits::PLAN_ITEMS_MAX`] items; empty:
    /// the value in memory.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "object_list")]
    pub plan: Vec<PlanItem>,
    /// Extension `profile`. In which way to mutate, see [`crate::profile`]; `None`: the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// One entry to work on in a call (extension `plan`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PlanItem {
    /// Index in the arena.
    #[serde(deserialize_with = "null_is_zero")]
    pub entry: u32,
    /// How often it is picked, relative to the other items: 1 or more.
    #[serde(deserialize_with = "null_is_zero")]
    pub weight: u32,
    /// A look at it is due: no worker has come to that yet.
    #[serde(rename = "New", skip_serializing_if = "is_false", deserialize_with = "null_is_zero")]
    pub is_new: bool,
}

/// Call of `Minimize`: make the value in memory smaller, keeping coverage or the failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MinimizeCall {
    /// Nanoseconds after which no further execution starts; 0 is no limit.
    #[serde(rename = "Timeout", deserialize_with = "null_is_zero")]
    pub timeout_ns: i64,
    /// Executions; 0 is no limit.
    #[serde(deserialize_with = "null_is_zero")]
    pub limit: i64,
    /// Go dialect: the bits to keep, one byte per counter; `None`: keep the failure.
    #[serde(with = "bytes64")]
    pub keep_coverage: Option<Vec<u8>>,
    /// Go dialect: position of the parameter to minimize. Native workers ignore it.
    #[serde(deserialize_with = "null_is_zero")]
    pub index: i64,
    /// Extension. The bits to keep, in sparse form.
    #[serde(with = "bytes64", skip_serializing_if = "Option::is_none")]
    pub keep_sparse: Option<Vec<u8>>,
    /// Extension. Signature of the failure to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Extension `fork`. Run every candidate in a process of its own, because it may end there.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "option_object")]
    pub fork: Option<ForkLimits>,
    /// Extension `search`. What of a search to do: a part of it from some point on. `None`: all.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "option_object")]
    pub search: Option<SearchPart>,
}

/// What of a search one call does (extension `search`). The candidates of a search are numbered:
/// the value in memory is number 0, and the rest follows from it and from which of them held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SearchPart {
    /// The first candidate that was not judged yet.
    #[serde(deserialize_with = "null_is_zero")]
    pub from: u64,
    /// Those before it that held, ascending; at most [`crate::limits::SEARCH_HELD_MAX`].
    #[serde(deserialize_with = "null_is_zero")]
    pub held: Vec<u64>,
    /// Which of the parts is this worker's: every `parts`th candidate, from `from + part` on.
    #[serde(deserialize_with = "null_is_zero")]
    pub part: u32,
    /// Into how many parts the search is divided, 1 or more.
    #[serde(deserialize_with = "null_is_zero")]
    pub parts: u32,
}

/// What one forked process may use. It is killed beyond that, which is a failure too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ForkLimits {
    /// Nanoseconds for one execution; 0 is no limit.
    #[serde(rename = "Timeout", deserialize_with = "null_is_zero")]
    pub timeout_ns: i64,
    /// Resident bytes; 0 is no limit.
    #[serde(deserialize_with = "null_is_zero")]
    pub memory: u64,
}

/// Call of `Seed` (extension `seeds`): the worker writes the memory form of one seed as the value
/// in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SeedCall {
    /// From 0; the number of seeds stands in the answer to `Ping`.
    #[serde(deserialize_with = "null_is_zero")]
    pub index: u64,
}

/// Go's three keys are always there, in Go's order; the key of an extension only when it is set.
impl Serialize for Call {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = if matches!(self, Self::Seed(_)) { 4 } else { 3 };
        let mut object = serializer.serialize_struct("Call", keys)?;
        let (mut ping, mut fuzz, mut minimize, mut seed) = (None, None, None, None);
        match self {
            Self::Ping(call) => ping = Some(call),
            Self::Fuzz(call) => fuzz = Some(call),
            Self::Minimize(call) => minimize = Some(call),
            Self::Seed(call) => seed = Some(call),
        }
        object.serialize_field("Ping", &ping)?;
        object.serialize_field("Fuzz", &fuzz)?;
        object.serialize_field("Minimize", &minimize)?;
        if let Some(seed) = seed {
            object.serialize_field("Seed", seed)?;
        }
        object.end()
    }
}
