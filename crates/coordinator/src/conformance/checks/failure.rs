//! Failures, deaths, and what is left in memory after them.

use fuzzd_go::rebuild;
use fuzzd_protocol::layout;
use fuzzd_protocol::message::FuzzCall;

use crate::conformance::bench::{Bench, signature, warm_up};
use crate::conformance::limits::FIND_EXECS;
use crate::conformance::subject::{Answer, Subject};
use crate::conformance::{Checked, WorkerDialect, ensure, failed, not_applicable};

/// Calls that are made until one ends in a failure.
const FAILING_CALLS: u64 = 20;

/// Runs an input that fails; the signature of the failure.
fn fails(bench: &Bench, subject: &mut Subject, input: &[u8]) -> Checked<String> {
    let reply = match subject.try_fuzz(input, warm_up())? {
        Answer::Reply(reply) => reply,
        Answer::Died(_) => return failed("an input that was told as Err ends the process"),
    };
    ensure(!reply.err.is_empty(), || "an input that failed passes when it is run again".into())?;
    if let Some(info) = &reply.failure {
        ensure(matches!(info.kind.as_str(), "panic" | "error"), || {
            format!("Kind is {:?}, neither panic nor error", info.kind)
        })?;
    }
    let after = subject.value()?;
    if bench.facts.dialect == WorkerDialect::Native {
        ensure(after == input, || "after Err the value in memory is another one".to_owned())?;
    }
    Ok(signature(&reply.err, reply.failure.as_ref()).to_string())
}

pub(in crate::conformance) fn told(bench: &mut Bench) -> Checked {
    let failing = bench.failing()?;
    let mut subject = bench.start()?;
    let of_input = fails(bench, &mut subject, &failing)?;
    // And by mutation: what memory holds then must fail alike.
    for seed in 1..=FAILING_CALLS {
        let mut subject = bench.start()?;
        let seed = bench.seed(seed);
        let mut call = FuzzCall { limit: FIND_EXECS, seed, ..FuzzCall::default() };
        bench.tell_all(&mut call);
        let Answer::Reply(reply) = subject.try_fuzz(&failing, call)? else { continue };
        if reply.err.is_empty() {
            continue;
        }
        let by_mutation = signature(&reply.err, reply.failure.as_ref()).to_string();
        let input = bench.executed(&subject, &failing)?;
        let mut fresh = bench.start()?;
        let again = fails(bench, &mut fresh, &input)?;
        return ensure(again == by_mutation, || {
            format!("told as {by_mutation}, and run again {again}")
        });
    }
    let known = format!("an input fails ({of_input}), and no mutation of it does");
    not_applicable(known)
}

pub(in crate::conformance) fn lives(bench: &mut Bench) -> Checked {
    let failing = bench.failing()?;
    let mut subject = bench.start()?;
    for _ in 0..3 {
        fails(bench, &mut subject, &failing)?;
    }
    let base = bench.base()?;
    let reply = subject.warm_up(&base)?;
    ensure(reply.err.is_empty() && reply.internal_err.is_empty(), || {
        format!("a good input after it: Err {:?}, InternalErr {:?}", reply.err, reply.internal_err)
    })
}

/// Runs an input that ends the process; the process, ended.
fn dies(bench: &Bench, input: &[u8]) -> Checked<Subject> {
    let mut subject = bench.start()?;
    match subject.try_fuzz(input, warm_up())? {
        Answer::Died(_) => Ok(subject),
        Answer::Reply(reply) => {
            failed(format!("the input that ended a process is answered with Err {:?}", reply.err))
        }
    }
}

pub(in crate::conformance) fn memory(bench: &mut Bench) -> Checked {
    let deadly = bench.deadly()?;
    let subject = dies(bench, &deadly)?;
    let left = bench.running(&subject, rebuild::Call::Warmup, &deadly)?;
    // Go's text of one value can be written in several ways.
    if bench.facts.dialect == WorkerDialect::Native {
        ensure(left == deadly, || "memory does not hold the input that ended it".to_owned())?;
    } else {
        dies(bench, &left)?;
    }
    if bench.has(fuzzd_protocol::caps::CONTROL) {
        let phase = subject.phase();
        ensure(phase == Some(layout::PHASE_RUNNING), || format!("phase is {phase:?} then"))?;
    }
    Ok(())
}

pub(in crate::conformance) fn killed(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    let mut call = FuzzCall::default();
    bench.tell_all(&mut call);
    let subject = bench.calmly(&call, |call| {
        let mut subject = bench.start()?;
        subject.begin(&base, call)?;
        subject.kill()?;
        Ok(subject)
    })?;
    let input = bench.executed(&subject, &base)?;
    // It can be run by the next process, whatever comes of it.
    let mut next = bench.start()?;
    match next.try_fuzz(&input, warm_up())? {
        Answer::Reply(reply) => ensure(reply.internal_err.is_empty(), || {
            format!("what it left cannot be run: {}", reply.internal_err)
        }),
        Answer::Died(_) => Ok(()),
    }
}
