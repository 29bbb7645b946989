//! The call `Fuzz`: counting, limits, finds.

use std::time::{Duration, Instant};

use fuzzd_protocol::message::{Call, FuzzCall, FuzzReply, encode_line};

use crate::conformance::bench::{Bench, Features, has_all, warm_up};
use crate::conformance::limits::{
    CALL_TIMEOUT, FIND_EXECS, LIMIT_EXECS, LOOK_EVERY, MAX_LEN_BYTES, TIMEOUT_EARLY_MAX,
    TIMEOUT_LATE_MAX,
};
use crate::conformance::pump::Heard;
use crate::conformance::subject::{Answer, Subject};
use crate::conformance::{Checked, Trouble, WorkerDialect, ensure, failed, not_applicable};

/// Rounds of finds that are looked at.
const MASK_ROUNDS: u64 = 4;

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

pub(in crate::conformance) fn warmup(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    let mut subject = bench.start()?;
    let reply = subject.warm_up(&base)?;
    ensure(reply.internal_err.is_empty(), || format!("InternalErr {:?}", reply.internal_err))?;
    let snapshot = bench.snapshot(&reply)?;
    match bench.facts.dialect {
        WorkerDialect::Native => {
            ensure(reply.count == 0, || format!("a warm-up is no Count, it is {}", reply.count))?;
            ensure(reply.other_count == 1, || format!("OtherCount is {}", reply.other_count))?;
            let Some(snapshot) = snapshot else { return failed("it has no CoverageSparse") };
            let strange = snapshot.iter().find(|(_, class)| !class.is_power_of_two());
            ensure(strange.is_none(), || format!("{strange:?} is no class of one counter"))?;
            let count = subject.header().count;
            ensure(count == 0, || format!("count in memory is {count}"))
        }
        WorkerDialect::Go => {
            ensure(reply.count == 1, || format!("Count is {}", reply.count))?;
            bench.needs_counters()?;
            ensure(snapshot.is_some(), || "it has no CoverageData".to_owned())
        }
    }
}

pub(in crate::conformance) fn constant(bench: &mut Bench) -> Checked {
    bench.needs_counters()?;
    let base = bench.base()?;
    let counters = bench.facts.counters;
    for _ in 0..2 {
        let mut subject = bench.start()?;
        for call in [warm_up(), FuzzCall { limit: 20, ..FuzzCall::default() }, warm_up()] {
            let Answer::Reply(reply) = subject.try_fuzz(&base, call)? else { break };
            // Decoding checks the length, and every index.
            let snapshot = bench.snapshot(&reply)?;
            ensure(snapshot.is_none_or(|hit| hit.len() <= counters), String::new)?;
        }
    }
    Ok(())
}

/// Nothing is new to the worker, so that only limits end the call.
fn quiet_call(bench: &Bench, call: FuzzCall) -> FuzzCall {
    let mut call = call;
    bench.tell_all(&mut call);
    call
}

fn counted(subject: &Subject, reply: &FuzzReply) -> Checked {
    let count = subject.header().count;
    ensure(count == reply.count, || format!("Count is {}, in memory {count}", reply.count))
}

pub(in crate::conformance) fn count(bench: &mut Bench) -> Checked {
    let call = quiet_call(bench, FuzzCall { limit: LIMIT_EXECS, ..FuzzCall::default() });
    let (subject, reply) = bench.calm(bench.equipment(), &call)?;
    ensure(reply.count > 0, || "it executed nothing".to_owned())?;
    counted(&subject, &reply)?;
    // The count is there to be watched while the call goes on.
    let base = bench.base()?;
    bench.calmly(&quiet_call(bench, FuzzCall::default()), |call| {
        let mut subject = bench.start()?;
        subject.begin(&base, call)?;
        let first = subject.header().count;
        let deadline = Instant::now() + TIMEOUT_LATE_MAX;
        while subject.header().count <= first {
            if subject.pump.hear(LOOK_EVERY)? != Heard::Silence {
                return Err(Trouble::Disturbed);
            }
            ensure(Instant::now() < deadline, || format!("count stays at {first} in a call"))?;
        }
        subject.kill()
    })
}

pub(in crate::conformance) fn limit(bench: &mut Bench) -> Checked {
    for limit in [1, 2, LIMIT_EXECS] {
        let call = quiet_call(bench, FuzzCall { limit, ..FuzzCall::default() });
        let (_, reply) = bench.calm(bench.equipment(), &call)?;
        ensure(reply.count == limit, || format!("Limit {limit}, Count {}", reply.count))?;
    }
    Ok(())
}

pub(in crate::conformance) fn reached(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    let mut subject = bench.start()?;
    subject.put(&base);
    subject.set_count(5);
    let call = FuzzCall { limit: 5, ..FuzzCall::default() };
    let reply: FuzzReply = subject.exchange(&encode_line(&Call::Fuzz(call)))?;
    ensure(!reply.internal_err.is_empty(), || "count is at Limit: no InternalErr".to_owned())?;
    let count = subject.header().count;
    ensure(count == 5, || format!("count went from 5 to {count} all the same"))
}

pub(in crate::conformance) fn timeout(bench: &mut Bench) -> Checked {
    let timeout_ns = nanoseconds(CALL_TIMEOUT);
    let call = quiet_call(bench, FuzzCall { timeout_ns, ..FuzzCall::default() });
    let begun = Instant::now();
    let (_, reply) = bench.calm(bench.equipment(), &call)?;
    let took = begun.elapsed();
    ensure(took < CALL_TIMEOUT + TIMEOUT_LATE_MAX, || {
        format!("a Timeout of {CALL_TIMEOUT:?}, and it took {took:?}")
    })?;
    let own = Duration::from_nanos(reply.total_duration_ns.unsigned_abs());
    ensure(took + TIMEOUT_EARLY_MAX >= CALL_TIMEOUT, || {
        format!("a Timeout of {CALL_TIMEOUT:?}, and it answered after {took:?}")
    })?;
    ensure(own <= took && own + TIMEOUT_EARLY_MAX >= CALL_TIMEOUT, || {
        format!("TotalDuration is {own:?} for a Timeout of {CALL_TIMEOUT:?}")
    })
}

/// A Fuzz call on the passing input that ends with a find.
fn found(bench: &Bench, known: &[(u32, u8)]) -> Checked<(Vec<u8>, Features)> {
    bench.needs_counters()?;
    let mut call = FuzzCall { limit: FIND_EXECS, ..FuzzCall::default() };
    bench.tell(&mut call, known);
    let (subject, reply) = bench.calm(bench.equipment(), &call)?;
    let Some(snapshot) = bench.snapshot(&reply)?.filter(|snapshot| !snapshot.is_empty()) else {
        ensure(reply.count == FIND_EXECS, || {
            format!("it ended after {} inputs without a find", reply.count)
        })?;
        return not_applicable(format!("nothing was found in {FIND_EXECS} executions"));
    };
    counted(&subject, &reply)?;
    let input = bench.executed(&subject, &bench.base()?)?;
    Ok((input, snapshot))
}

pub(in crate::conformance) fn find(bench: &mut Bench) -> Checked {
    // A process that was told of nothing knows nothing: the first input that hits anything.
    let (input, snapshot) = match found(bench, &[]) {
        Err(Trouble::NotApplicable(_)) if bench.facts.counters > 0 => {
            return failed("its mask is empty, and no input is a find");
        }
        found => found?,
    };
    let mut subject = bench.start()?;
    let reply = subject.warm_up(&input)?;
    let again = bench.snapshot(&reply)?.unwrap_or_default();
    ensure(has_all(&again, &snapshot), || {
        "the value in memory, run again, has not the coverage of the find".to_owned()
    })
}

pub(in crate::conformance) fn mask(bench: &mut Bench) -> Checked {
    bench.needs_counters()?;
    let base = bench.base()?;
    let mut subject = bench.start()?;
    let reply = subject.warm_up(&base)?;
    let mut known = bench.snapshot(&reply)?.unwrap_or_default();
    for seed in 1..=MASK_ROUNDS {
        let seed = bench.seed(seed);
        let mut call = FuzzCall { limit: FIND_EXECS, seed, ..FuzzCall::default() };
        bench.tell(&mut call, &known);
        let Answer::Reply(reply) = subject.try_fuzz(&base, call)? else {
            subject = bench.start()?;
            continue;
        };
        let snapshot = bench.snapshot(&reply)?.unwrap_or_default();
        if snapshot.is_empty() {
            continue;
        }
        ensure(!has_all(&known, &snapshot), || {
            format!("a find of {} features, all of which it was told", snapshot.len())
        })?;
        known = union(&known, &snapshot);
    }
    // And with everything in the mask, nothing is a find.
    let call = quiet_call(bench, FuzzCall { limit: LIMIT_EXECS, ..FuzzCall::default() });
    let (_, reply) = bench.calm(bench.equipment(), &call)?;
    let snapshot = bench.snapshot(&reply)?;
    ensure(snapshot.is_none_or(|snapshot| snapshot.is_empty()), || {
        "a find, though it was told of every bit there is".to_owned()
    })
}

fn union(one: &[(u32, u8)], other: &[(u32, u8)]) -> Features {
    let mut all = std::collections::BTreeMap::new();
    for &(index, bits) in one.iter().chain(other) {
        *all.entry(index).or_insert(0) |= bits;
    }
    all.into_iter().collect()
}

pub(in crate::conformance) fn bad_delta(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    let beyond = fuzzd_protocol::sparse::encode(&[(u32::MAX, 1)]);
    for delta in [vec![0x80], vec![0, 0], vec![0, 1, 0, 1], beyond] {
        let mut subject = bench.start()?;
        let call = FuzzCall { limit: 10, coverage_delta: Some(delta.clone()), ..warm_up() };
        let reply = subject.fuzz(&base, FuzzCall { warmup: false, ..call })?;
        ensure(!reply.internal_err.is_empty(), || {
            format!("CoverageDelta of the bytes {delta:02x?}: no InternalErr")
        })?;
    }
    Ok(())
}

pub(in crate::conformance) fn max_len(bench: &mut Bench) -> Checked {
    let types = &bench.facts.types;
    let widths = types.iter().map(|value_type| value_type.width().unwrap_or(4));
    let max_len = MAX_LEN_BYTES + widths.sum::<usize>();
    let base = fuzzd_protocol::input::canonical(types, &vec![b'7'; 4 * max_len]);
    let mut subject = bench.start()?;
    let call = FuzzCall { max_len: Some(max_len as u64), seed: Some(1), ..FuzzCall::default() };
    subject.begin(&base, quiet_call(bench, call))?;
    let deadline = Instant::now() + CALL_TIMEOUT;
    while Instant::now() < deadline && subject.pump.hear(LOOK_EVERY)? == Heard::Silence {
        let length = subject.header().value_len;
        ensure(length <= i64::try_from(max_len).unwrap_or(i64::MAX), || {
            format!("MaxLen is {max_len}, an input has {length} bytes")
        })?;
    }
    subject.kill()
}

pub(in crate::conformance) fn bad_value(bench: &mut Bench) -> Checked {
    let mut subject = bench.start()?;
    let reply = subject.fuzz(b"no text of Go's", FuzzCall { limit: 5, ..FuzzCall::default() })?;
    ensure(!reply.internal_err.is_empty(), || "no InternalErr".to_owned())
}

pub(in crate::conformance) fn state(bench: &mut Bench) -> Checked {
    let call = quiet_call(bench, FuzzCall { limit: LIMIT_EXECS, ..FuzzCall::default() });
    let (subject, _) = bench.calm(bench.equipment(), &call)?;
    let header = subject.header();
    ensure(header.rand_inc % 2 == 1, || format!("randInc is {}, not odd", header.rand_inc))?;
    // What it ran last follows from what it saved.
    bench.executed(&subject, &bench.base()?).map(drop)
}
