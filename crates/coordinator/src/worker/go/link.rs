//! What is kept of one Go worker between its calls.
//!
//! Owns the coverage it was told, and what a call of the core begins with. Must not judge answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fuzzd_core::session::{Call, Work};
use fuzzd_go::limits::ENCODING_ROOM;
use fuzzd_go::text;
use fuzzd_protocol::input::to_values;
use fuzzd_protocol::message::{self, PingCall, PingReply};
use fuzzd_protocol::value::{Value, ValueType};

use crate::limits::{GO_TRIM_AHEAD, GO_TRIM_SHARE};
use crate::shared::TestMemories;
use crate::worker::go::arms::Arms;
use crate::worker::go::fuzz::{Fuzzing, Limits};
use crate::worker::go::mask::Mask;
use crate::worker::go::shrink::{Goal, Shrinking};
use crate::worker::go::talk::{Begin, Doing, GoTalk};
use crate::worker::memory::WorkerMemory;
use crate::worker::ping::{PingError, shortened};

/// See the module.
#[derive(Debug)]
pub(in super::super) struct GoLink {
    pub(super) types: Vec<ValueType>,
    pub(super) mask: Mask,
    pub(super) memories: Option<Arc<TestMemories>>,
    /// Words to put into inputs.
    pub(super) words: Arc<[Vec<u8>]>,
    /// What Go's mutations and ours brought.
    pub(super) arms: Arms,
    /// The longest input to keep.
    pub(super) input_bytes_max: usize,
    /// Time of all talks, and of trimming finds in them.
    pub(super) talked: Duration,
    pub(super) trimmed: Duration,
}

/// The line of a `Ping`. Nothing is offered: a Go worker could not take it.
pub(in super::super) fn ping_line() -> Vec<u8> {
    message::encode_line(&message::Call::Ping(PingCall::default()))
}

/// Checks that it is an answer; there is nothing in it.
pub(in super::super) fn read_ping(line: &[u8]) -> Result<(), PingError> {
    let reply: Result<PingReply, _> = message::decode_reply(line);
    reply.map(drop).map_err(|error| PingError::NotAReply(shortened(&error.to_string())))
}

impl GoLink {
    pub(in super::super) fn new(
        types: &[ValueType],
        counters_max: usize,
        memories: Option<Arc<TestMemories>>,
        words: Arc<[Vec<u8>]>,
        input_bytes_max: usize,
    ) -> Self {
        Self {
            types: types.to_vec(),
            mask: Mask::new(counters_max),
            memories,
            words,
            arms: Arms::default(),
            input_bytes_max,
            talked: Duration::ZERO,
            trimmed: Duration::ZERO,
        }
    }

    /// Begins the talk that a call of the core comes to, with its first line. The memory must have
    /// [`room_for`](Self::room_for) its input.
    pub(in super::super) fn begin(
        &mut self,
        call: &Call,
        memory: &WorkerMemory,
        now: Instant,
    ) -> (GoTalk, Result<Vec<u8>, String>) {
        self.mask.add(&call.coverage);
        let values = to_values(&self.types, &call.input);
        let doing = match &call.work {
            Work::Execute => Doing::Execute,
            Work::Fuzz { execs_max, time_max, plan, rng_seed, len_max, profile: _ } => {
                let (execs_max, time_max, len_max) = (*execs_max, *time_max, *len_max);
                let limits = Limits { execs_max, time_max, len_max, now };
                let fuzzing = Fuzzing::new(self, values.clone(), plan, limits, *rng_seed);
                Doing::Fuzz(Box::new(fuzzing))
            }
            Work::MinimizeFind { keep, execs_max, time_max } => {
                let goal = Goal::Coverage { keep: keep.clone(), has: Vec::new() };
                Doing::Shrink(Shrinking::new(values.clone(), goal, *execs_max, *time_max, now))
            }
            Work::MinimizeFailure { signature, execs_max, time_max, .. } => {
                let goal = Goal::Failure(*signature);
                Doing::Shrink(Shrinking::new(values.clone(), goal, *execs_max, *time_max, now))
            }
        };
        let begin = Begin { doing, values, ignore: call.ignore.clone(), now };
        GoTalk::begin(self, begin, memory)
    }

    /// Bytes that a memory needs for this input to be sent, and to be mutated.
    pub(in super::super) fn room_for(&self, input: &[u8]) -> usize {
        let values = to_values(&self.types, input);
        room_for_values(&values, text::encode(&values).len())
    }

    /// The process is another one from now on.
    pub(in super::super) fn restarted(&mut self) {
        self.mask.forget();
    }

    /// Whether there is time to trim a find. Where executions replace the clock there always is.
    pub(super) fn may_trim(&self) -> bool {
        self.trimmed <= self.talked / GO_TRIM_SHARE + GO_TRIM_AHEAD
    }
}

/// Bytes that a memory needs for values with a text of so many bytes to be sent and to be mutated.
pub(super) fn room_for_values(values: &[Value], text_bytes: usize) -> usize {
    let longest = values.iter().map(|value| match value {
        Value::Bytes(bytes) | Value::String(bytes) => bytes.len(),
        _ => 0,
    });
    let share = longest.max().unwrap_or(0).saturating_add(2 * ENCODING_ROOM);
    text_bytes.max(share.saturating_mul(values.len()))
}
