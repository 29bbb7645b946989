//! The Fuzz call: mutate and run, or run once as it is.
//!
//! Owns how a call is read and answered; [`run`] owns the work in between, in *visits*.
//!
//! ```text
//!            ┌──────────────────────── until limit, timeout, stop ───────────────────────┐
//! plan ─► pick a member ─► make it ready (first time) ─► visit: up to 256 inputs of it ──┘
//!                           └ solve its comparisons        └ finds ─► ring, and members
//! ```

mod finds;
mod ignored;
mod prepare;
mod queue;
mod run;
mod visit;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use fuzzd_core::coverage::Feature;
use fuzzd_core::signature::Signature;
use fuzzd_protocol::message::{FuzzCall, FuzzReply, PlanStat};
use fuzzd_protocol::sparse;

use crate::clock::wire_nanos;
use crate::engine::Engine;
use crate::failure::{self, Fault};
use crate::rng::iteration_seed;
use crate::runner::{Ending, Runner};
use ignored::Ignored;

/// Why a call cannot be carried out. Always an error of the worker or the coordinator.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Value(#[from] crate::memory::ValueLenError),
    #[error("the coverage mask has {found} bytes, the target has {counters} counters")]
    MaskSize { found: usize, counters: usize },
    #[error("read the coverage of the call: {0}")]
    Coverage(#[from] sparse::SparseError),
    #[error("read the signatures of the call: {0}")]
    Signature(#[from] fuzzd_core::signature::SignatureError),
    #[error("the call has a limit of {limit}, but count already is {count}")]
    CountBeyondLimit { count: u64, limit: u64 },
    #[error("the values of fixed width need {needed} bytes, the memory has room for {capacity}")]
    NoRoom { needed: usize, capacity: usize },
    #[error("the plan names entry {0}, which is not in the arena")]
    NoSuchEntry(u32),
}

/// How a call ended.
#[derive(Debug)]
enum End {
    /// The limit, the timeout or a stop.
    Over,
    /// The value in memory was rejected (warm-up only).
    Rejected,
    /// The value in memory has this coverage.
    Covered(Vec<Feature>, Duration),
    /// The value in memory failed.
    Failed(Box<Fault>),
    /// The call asks for what cannot be.
    Refused(CallError),
}

impl<E: Into<CallError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// What is told beside the end.
#[derive(Debug, Default)]
struct Tally {
    ignored: Ignored,
    stats: Vec<PlanStat>,
    unlooked: Vec<u32>,
}

/// Carries a call out.
pub(crate) fn fuzz<'a>(
    runner: &mut Runner<'a>,
    engine: &mut Engine<'a>,
    call: &FuzzCall,
) -> FuzzReply {
    let started = Instant::now();
    let mut tally = Tally::default();
    runner.begin_call();
    let end = match take_coverage(runner, engine, call) {
        Err(error) => End::Refused(error),
        Ok(()) if call.warmup => warm_up(runner).unwrap_or_else(|end| end),
        Ok(()) => run::mutate_and_run(runner, engine, call, started, &mut tally),
    };
    let mut reply = FuzzReply::default();
    match end {
        End::Over => {}
        End::Refused(error) => reply.internal_err = error.to_string(),
        End::Rejected => reply.rejected = true,
        End::Covered(features, took) => {
            reply.coverage_sparse = Some(sparse::encode(&features));
            reply.interesting_duration_ns = wire_nanos(took);
        }
        End::Failed(fault) => {
            reply.err = fault.summary();
            reply.failure = Some(fault.info());
        }
    }
    reply.ignored = tally.ignored.into_wire();
    reply.plan = tally.stats;
    reply.unlooked = tally.unlooked;
    runner.end_call();
    reply.count = i64::try_from(runner.count).unwrap_or(i64::MAX);
    reply.other_count = runner.other_count;
    reply.total_duration_ns = wire_nanos(started.elapsed());
    reply
}

/// Runs the value in memory once, whatever is ignored.
fn warm_up(runner: &mut Runner<'_>) -> Result<End, End> {
    let value = runner.given()?;
    failure::begin_call(&[], 1);
    let started = Instant::now();
    let ending = runner.run_other(value.len());
    let took = started.elapsed();
    // The target may have overwritten it.
    runner.put(&value);
    let features = runner.counters.snapshot();
    runner.counters.clear();
    Ok(match ending {
        Ending::Passed => End::Covered(features, took),
        Ending::Rejected => End::Rejected,
        Ending::Failed(fault) => End::Failed(fault),
    })
}

/// Takes over what the coordinator knows.
fn take_coverage(
    runner: &mut Runner<'_>,
    engine: &mut Engine<'_>,
    call: &FuzzCall,
) -> Result<(), CallError> {
    let counters = runner.counters.len();
    if let Some(mask) = &call.coverage_data
        && !runner.seen.replace(mask)
    {
        return Err(CallError::MaskSize { found: mask.len(), counters });
    }
    if let Some(delta) = &call.coverage_delta {
        runner.seen.merge(&sparse::decode(delta, counters)?);
    }
    if let Some(map) = &mut engine.map {
        map.read_into(&mut runner.seen);
    }
    Ok(())
}

/// The signatures of a call to go on over, in order and once each.
fn signatures(call: &FuzzCall) -> Result<Vec<Signature>, CallError> {
    let texts = call.ignore.iter();
    let mut signatures: Vec<Signature> =
        texts.map(|text| text.parse()).collect::<Result<_, _>>()?;
    signatures.sort_unstable();
    signatures.dedup();
    Ok(signatures)
}

/// A seed for a coordinator that gave none: different in every call and process.
fn own_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = now.map_or(0, |now| now.as_nanos());
    iteration_seed(u64::from(std::process::id()), u64::try_from(nanos).unwrap_or(u64::MAX))
}
