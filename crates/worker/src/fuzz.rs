//! The Fuzz call: mutate and run, or run once as it is.
//!
//! Owns the loop. Nothing in it that happens per execution may allocate, lock, hash, ask the system
//! or read a clock.
//!
//! ```text
//! mutate ─► count ─► run ─► pass ─┬─ nothing new ──────────────────────► next
//!                                 ├─ rejected ─────────────────────────► next
//!                                 ├─ failed, signature ignored ─► count ─► next
//!                                 ├─ failed ───────────────────────────► reply
//!                                 └─ something new ─► run again ─┬─ it is new again ─► reply
//!                                                                └─ strike ──────────► next
//! ```

use std::time::{Duration, Instant};

use fuzzd_core::coverage::Feature;
use fuzzd_core::signature::Signature;
use fuzzd_protocol::message::{FuzzCall, FuzzReply, IgnoredCount};
use fuzzd_protocol::sparse;

use crate::clock::{Pace, wire_limit, wire_nanos, wire_timeout};
use crate::failure::{self, Fault};
use crate::limits::BACKTRACES_PER_CALL_MAX;
use crate::mutator::Mutator;
use crate::rng::iteration_seed;
use crate::runner::{Ending, Runner};

#[cfg(test)]
mod tests;

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
}

/// How a call ended.
#[derive(Debug)]
enum End {
    /// The limit, the timeout or a stop, and nothing was found.
    Nothing,
    /// The value in memory was rejected (warm-up only).
    Rejected,
    /// The value in memory has this coverage.
    Covered(Vec<Feature>, Duration),
    /// The value in memory failed.
    Failed(Box<Fault>),
}

/// Carries a call out.
pub(crate) fn fuzz(runner: &mut Runner<'_>, mutator: &mut Mutator, call: &FuzzCall) -> FuzzReply {
    let started = Instant::now();
    let mut ignored = Ignored::default();
    runner.begin_call();
    let end = if call.warmup {
        warm_up(runner, call)
    } else {
        mutate_and_run(runner, mutator, call, started, &mut ignored)
    };
    let mut reply = FuzzReply::default();
    match end {
        Err(error) => reply.internal_err = error.to_string(),
        Ok(End::Nothing) => {}
        Ok(End::Rejected) => reply.rejected = true,
        Ok(End::Covered(features, took)) => {
            reply.coverage_sparse = Some(sparse::encode(&features));
            reply.interesting_duration_ns = wire_nanos(took);
        }
        Ok(End::Failed(fault)) => {
            reply.err = fault.summary();
            reply.failure = Some(fault.info());
        }
    }
    reply.ignored = ignored.into_wire();
    runner.end_call();
    reply.count = i64::try_from(runner.count).unwrap_or(i64::MAX);
    reply.other_count = runner.other_count;
    reply.total_duration_ns = wire_nanos(started.elapsed());
    reply
}

/// Runs the value in memory once, whatever is ignored.
fn warm_up(runner: &mut Runner<'_>, call: &FuzzCall) -> Result<End, CallError> {
    take_coverage(runner, call)?;
    let len = runner.memory.value()?.len();
    failure::begin_call(&[], 1);
    let started = Instant::now();
    let ending = runner.run_other(len);
    let took = started.elapsed();
    runner.restore(len);
    let features = runner.counters.snapshot();
    runner.counters.clear();
    Ok(match ending {
        Ending::Passed => End::Covered(features, took),
        Ending::Rejected => End::Rejected,
        Ending::Failed(fault) => End::Failed(fault),
    })
}

fn mutate_and_run(
    runner: &mut Runner<'_>,
    mutator: &mut Mutator,
    call: &FuzzCall,
    started: Instant,
    ignored: &mut Ignored,
) -> Result<End, CallError> {
    take_coverage(runner, call)?;
    let mut signatures =
        call.ignore.iter().map(|text| text.parse()).collect::<Result<Vec<Signature>, _>>()?;
    signatures.sort_unstable();
    signatures.dedup();
    runner.ignored.clone_from(&signatures);
    failure::begin_call(&signatures, BACKTRACES_PER_CALL_MAX);
    *ignored = Ignored::new(signatures);

    let limit = wire_limit(call.limit);
    if runner.count >= limit {
        return Err(CallError::CountBeyondLimit { count: runner.count, limit });
    }
    let capacity = runner.memory.capacity();
    let len_max = call.max_len.map_or(capacity, |len| usize::try_from(len).unwrap_or(capacity));
    mutator.set_base(&runner.memory.value()?, len_max.min(capacity));
    let needed = mutator.base_len();
    if needed > capacity {
        return Err(CallError::NoRoom { needed, capacity });
    }
    let call_seed = call.seed.unwrap_or_else(own_seed);
    let mut pace = Pace::new(wire_timeout(call.timeout_ns), started);

    while runner.count < limit && !runner.must_stop() && !pace.is_over() {
        let seed = iteration_seed(call_seed, runner.count);
        runner.memory.set_rand_state(seed);
        let len = mutator.mutate(seed, runner.memory.area());
        let ending = runner.run_new(len);
        let hot = runner.counters.pass(&runner.seen);
        match ending {
            Ending::Passed if !hot => {}
            Ending::Passed => {
                if let Some(end) = run_again(runner, len, ignored) {
                    return Ok(end);
                }
            }
            Ending::Rejected => {}
            Ending::Failed(fault) => {
                if !ignored.count(fault.signature) {
                    runner.restore(len);
                    return Ok(End::Failed(fault));
                }
            }
        }
    }
    Ok(End::Nothing)
}

/// Takes over what the coordinator knows.
fn take_coverage(runner: &mut Runner<'_>, call: &FuzzCall) -> Result<(), CallError> {
    let counters = runner.counters.len();
    if let Some(mask) = &call.coverage_data
        && !runner.seen.replace(mask)
    {
        return Err(CallError::MaskSize { found: mask.len(), counters });
    }
    if let Some(delta) = &call.coverage_delta {
        runner.seen.merge(&sparse::decode(delta, counters)?);
    }
    Ok(())
}

/// The second execution of an input that showed something new: it must show it again, and its
/// snapshot is what is reported.
#[cold]
fn run_again(runner: &mut Runner<'_>, len: usize, ignored: &mut Ignored) -> Option<End> {
    runner.restore(len);
    let started = Instant::now();
    let ending = runner.run_other(len);
    let took = started.elapsed();
    runner.restore(len);
    let features = runner.counters.snapshot();
    runner.counters.clear();
    match ending {
        Ending::Passed => {}
        // It was accepted the first time: it does not repeat.
        Ending::Rejected => return None,
        Ending::Failed(fault) => {
            return (!ignored.count(fault.signature)).then_some(End::Failed(fault));
        }
    }
    runner.seen.strike_unrepeated(runner.counters.hot(), &features);
    if !runner.seen.lacks_any_of(&features) {
        return None;
    }
    // Told once is enough: the coordinator decides what becomes of it.
    runner.seen.merge(&features);
    Some(End::Covered(features, took))
}

/// Signatures to go on over, with the number of times each was met.
#[derive(Debug, Default)]
struct Ignored {
    signatures: Vec<Signature>,
    counts: Vec<u64>,
}

impl Ignored {
    /// `signatures` are sorted.
    fn new(signatures: Vec<Signature>) -> Self {
        let counts = vec![0; signatures.len()];
        Self { signatures, counts }
    }

    /// Counts a failure if it is to be ignored, and says whether it is.
    fn count(&mut self, signature: Signature) -> bool {
        let found = self.signatures.binary_search(&signature);
        if let Ok(position) = found {
            self.counts[position] += 1;
        }
        found.is_ok()
    }

    fn into_wire(self) -> Vec<IgnoredCount> {
        let met = self.signatures.into_iter().zip(self.counts).filter(|(_, count)| *count > 0);
        met.map(|(signature, count)| IgnoredCount { signature: signature.to_string(), count })
            .collect()
    }
}

/// A seed for a coordinator that gave none: different in every call and process.
fn own_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id())
}
