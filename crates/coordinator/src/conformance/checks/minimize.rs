//! The call `Minimize`.

use fuzzd_protocol::message::{MinimizeCall, MinimizeReply};

use crate::conformance::bench::{Bench, has_all, signature, warm_up};
use crate::conformance::limits::MINIMIZE_EXECS;
use crate::conformance::subject::{Answer, Subject};
use crate::conformance::{Checked, WorkerDialect, ensure, failed, not_applicable};

/// Executions beyond the limit to describe what was reached.
const EXTRA_EXECS: u64 = 1;

/// Parameters of the Go dialect that can be minimized, by their place in the text.
fn index(bench: &Bench, input: &[u8]) -> Checked<i64> {
    if bench.facts.dialect == WorkerDialect::Native {
        return Ok(0);
    }
    let text = String::from_utf8_lossy(input);
    let mut values = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let at = values.position(|line| line.starts_with("[]byte(") || line.starts_with("string("));
    match at.and_then(|at| i64::try_from(at).ok()) {
        Some(at) => Ok(at),
        None => not_applicable("it has no parameter that can be minimized"),
    }
}

fn call(bench: &Bench, input: &[u8]) -> Checked<MinimizeCall> {
    let index = index(bench, input)?;
    Ok(MinimizeCall { limit: MINIMIZE_EXECS, index, ..MinimizeCall::default() })
}

/// What a minimization left in memory; it is not larger than what was sent.
fn smaller(subject: &Subject, reply: &MinimizeReply, sent: &[u8]) -> Checked<Vec<u8>> {
    ensure(reply.wrote_to_mem, || "WroteToMem is false, though the value holds".to_owned())?;
    let value = subject.value()?;
    ensure(value.len() <= sent.len(), || {
        format!("{} bytes were sent, {} came back", sent.len(), value.len())
    })?;
    Ok(value)
}

pub(in crate::conformance) fn coverage(bench: &mut Bench) -> Checked {
    let (input, snapshot) = bench.find()?;
    let mut call = call(bench, &input)?;
    bench.keep(&mut call, &snapshot);
    let mut subject = bench.start()?;
    let reply = subject.minimize(&input, call)?;
    if !reply.err.is_empty() {
        return not_applicable("a candidate of the minimization failed");
    }
    let value = smaller(&subject, &reply, &input)?;
    let told = bench.features(reply.coverage_sparse.as_deref(), reply.coverage_data.as_deref())?;
    let Some(told) = told else { return failed("it answers without coverage") };
    ensure(has_all(&told, &snapshot), || "its snapshot lacks bits that it kept".to_owned())?;
    let mut fresh = bench.start()?;
    let again = fresh.warm_up(&value)?;
    let again = bench.snapshot(&again)?.unwrap_or_default();
    ensure(has_all(&again, &snapshot), || "the value in memory lacks bits to keep".to_owned())
}

pub(in crate::conformance) fn failure(bench: &mut Bench) -> Checked {
    let failing = bench.failing()?;
    let mut subject = bench.start()?;
    let reply = subject.warm_up(&failing)?;
    let kept = signature(&reply.err, reply.failure.as_ref());
    let mut call = call(bench, &failing)?;
    let is_native = bench.facts.dialect == WorkerDialect::Native;
    if is_native && bench.has(fuzzd_protocol::caps::IGNORE) {
        call.signature = Some(kept.to_string());
    }
    let keeps = call.signature.is_some();
    let reply = subject.minimize(&failing, call)?;
    ensure(!reply.err.is_empty(), || "it answers without Err".to_owned())?;
    let value = smaller(&subject, &reply, &failing)?;
    let mut fresh = bench.start()?;
    let again = match fresh.try_fuzz(&value, warm_up())? {
        Answer::Reply(again) => again,
        Answer::Died(_) => return failed("what it made ends the process"),
    };
    ensure(!again.err.is_empty(), || "what it made does not fail".to_owned())?;
    let of_value = signature(&again.err, again.failure.as_ref());
    ensure(!keeps || of_value == kept, || {
        format!("it was to keep {kept}, what it made fails as {of_value}")
    })
}

pub(in crate::conformance) fn not_held(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    let mut subject = bench.start()?;
    // To keep a failure of an input that does not fail.
    let reply = subject.minimize(&base, call(bench, &base)?)?;
    ensure(!reply.wrote_to_mem, || "it minimized a failure that there is not".to_owned())?;
    if bench.facts.dialect == WorkerDialect::Native && bench.facts.counters > 0 {
        // No snapshot has two classes of one counter.
        let mut call = call(bench, &base)?;
        bench.keep(&mut call, &[(0, 0b11)]);
        let reply = subject.minimize(&base, call)?;
        ensure(!reply.wrote_to_mem, || "it kept bits that no input has".to_owned())?;
    }
    Ok(())
}

pub(in crate::conformance) fn limit(bench: &mut Bench) -> Checked {
    const LIMIT: u64 = 3;
    let failing = bench.failing()?;
    let mut subject = bench.start()?;
    let limit = i64::try_from(LIMIT).unwrap_or(i64::MAX);
    let call = MinimizeCall { limit, ..call(bench, &failing)? };
    let reply = subject.minimize(&failing, call)?;
    let executed = match bench.facts.dialect {
        WorkerDialect::Native => {
            let count = subject.header().count;
            ensure(count == 0, || format!("Minimize changed count to {count}"))?;
            reply.other_count
        }
        // Its own count is 0; the memory has it. The first run is not limited.
        WorkerDialect::Go => subject.header().count.unsigned_abs().saturating_sub(1),
    };
    ensure((1..=LIMIT + EXTRA_EXECS).contains(&executed), || {
        format!("Limit {LIMIT}, and it executed {executed} inputs")
    })
}
