//! What a worker does that announced a capability.

use std::collections::BTreeMap;
use std::time::Duration;

use fuzzd_protocol::layout::PHASE_IDLE;
use fuzzd_protocol::layout::ring::{FindParent, FindRecord};
use fuzzd_protocol::message::{
    ForkLimits, FuzzCall, FuzzReply, MinimizeCall, PlanItem, SearchPart,
};
use fuzzd_protocol::{caps, sparse};

use crate::conformance::bench::{Bench, signature, warm_up};
use crate::conformance::limits::{
    FIND_EXECS, IGNORE_CALLS, LIMIT_EXECS, MINIMIZE_EXECS, REPLY_DEADLINE, SEEDS_MAX,
};
use crate::conformance::subject::{Answer, Equipment, Subject};
use crate::conformance::{Checked, ConformanceError, Trouble, ensure, failed, not_applicable};
use crate::shared::TestMemories;

/// For one execution in a process of its own.
const FORK_TIMEOUT: Duration = Duration::from_secs(1);

pub(in crate::conformance) fn stop(bench: &mut Bench) -> Checked {
    bench.needs(caps::CONTROL)?;
    let base = bench.base()?;
    let mut call = FuzzCall::default();
    bench.tell_all(&mut call);
    bench.calmly(&call, |call| {
        let mut subject = bench.start()?;
        subject.begin(&base, call)?;
        subject.request_stop();
        let heard = subject.hear(REPLY_DEADLINE)?;
        match subject.answer::<FuzzReply>(heard)? {
            Answer::Reply(reply) if reply.err.is_empty() => {}
            Answer::Reply(_) => return Err(Trouble::Disturbed),
            Answer::Died(status) => return Err(subject.ended_in_call(status)),
        }
        // It is no end of the worker.
        subject.ping().map(drop)
    })
}

pub(in crate::conformance) fn phase(bench: &mut Bench) -> Checked {
    bench.needs(caps::CONTROL)?;
    let base = bench.base()?;
    let mut subject = bench.start()?;
    let idle = |subject: &Subject, when: &str| {
        let phase = subject.phase();
        ensure(phase == Some(PHASE_IDLE), || format!("phase is {phase:?} {when}"))
    };
    idle(&subject, "before a call")?;
    let reply = subject.warm_up(&base)?;
    idle(&subject, "after a warm-up")?;
    let counted = subject.other_count();
    ensure(counted == Some(reply.other_count), || {
        format!("OtherCount is {}, in memory {counted:?}", reply.other_count)
    })?;
    let call = FuzzCall { limit: LIMIT_EXECS, ..FuzzCall::default() };
    let (subject, reply) = bench.calm(bench.equipment(), &call)?;
    idle(&subject, "after a call")?;
    let counted = subject.other_count();
    ensure(counted == Some(reply.other_count), || {
        format!("OtherCount is {}, in memory {counted:?}", reply.other_count)
    })
}

pub(in crate::conformance) fn seeds(bench: &mut Bench) -> Checked {
    bench.needs(caps::SEEDS)?;
    let total = bench.facts.ping.seeds;
    let mut subject = bench.start()?;
    for index in 0..total.min(SEEDS_MAX) {
        let reply = subject.seed(index)?;
        ensure(reply.total == total, || {
            format!("Ping told of {total} seeds, Seed of {}", reply.total)
        })?;
        if reply.internal_err.is_empty() {
            subject.value()?;
        }
    }
    let beyond = subject.seed(total)?;
    ensure(!beyond.internal_err.is_empty(), || {
        format!("there are {total} seeds, and it serves number {total}")
    })
}

pub(in crate::conformance) fn ignore(bench: &mut Bench) -> Checked {
    bench.needs(caps::IGNORE)?;
    let failing = bench.failing()?;
    let mut subject = bench.start()?;
    let reply = subject.warm_up(&failing)?;
    let ignored = signature(&reply.err, reply.failure.as_ref()).to_string();
    for seed in 1..=IGNORE_CALLS {
        let ignore = vec![ignored.clone()];
        let mut call =
            FuzzCall { limit: LIMIT_EXECS, seed: Some(seed), ignore, ..FuzzCall::default() };
        bench.tell_all(&mut call);
        let Answer::Reply(reply) = subject.try_fuzz(&failing, call)? else {
            subject = bench.start()?;
            continue;
        };
        let of_reply = signature(&reply.err, reply.failure.as_ref()).to_string();
        ensure(reply.err.is_empty() || of_reply != ignored, || {
            format!("{ignored} was to be ignored, and ends a call")
        })?;
        let counts: BTreeMap<&str, u64> =
            reply.ignored.iter().map(|met| (met.signature.as_str(), met.count)).collect();
        match counts.get(ignored.as_str()) {
            Some(0) => return failed("Ignored counts a failure 0 times"),
            Some(&count) => {
                return ensure(count <= reply.count.unsigned_abs(), || {
                    format!("Ignored counts {count} of {} executions", reply.count)
                });
            }
            None => {}
        }
    }
    not_applicable("no mutation of the input that fails did fail")
}

pub(in crate::conformance) fn profile(bench: &mut Bench) -> Checked {
    bench.needs(caps::PROFILE)?;
    for profile in ["compare", "structure", "wild", "of a later version"] {
        let profile = Some(profile.to_owned());
        let mut call = FuzzCall { limit: LIMIT_EXECS, profile, ..FuzzCall::default() };
        bench.tell_all(&mut call);
        let (_, reply) = bench.calm(bench.equipment(), &call)?;
        ensure(reply.count == LIMIT_EXECS, || {
            format!("{:?}: Count is {} of {LIMIT_EXECS}", call.profile, reply.count)
        })?;
    }
    Ok(())
}

/// The memories at fds 6 and 7.
fn memories(bench: &Bench) -> Checked<TestMemories> {
    let memories = TestMemories::create(bench.facts.counters, &[b"token".to_vec()]);
    Ok(memories.map_err(ConformanceError::Memory)?)
}

/// A process that was offered both; not applicable if it does not take this one.
fn offered(bench: &Bench, memories: &TestMemories, cap: &str) -> Checked<Subject> {
    let equipment = Equipment { shared: Some(memories), ..bench.equipment() };
    let mut subject = bench.starter.start(equipment)?;
    let reply = subject.ping()?;
    let has = reply.caps.iter().any(|announced| announced == cap);
    if has { Ok(subject) } else { not_applicable(format!("{cap} is not announced")) }
}

pub(in crate::conformance) fn plan(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    let memories = memories(bench)?;
    memories.publish_entry(0, &base);
    let Some(entry) = memories.item_of(0) else { return failed("the arena has no room") };
    let item = PlanItem { entry, weight: 1, is_new: true };
    let plan = vec![item, PlanItem { weight: 2, is_new: false, ..item }];
    let call = FuzzCall { limit: FIND_EXECS, plan, ..FuzzCall::default() };
    let (subject, reply) = bench.calmly(&call, |call| {
        let mut subject = offered(bench, &memories, caps::PLAN)?;
        let reply = subject.fuzz(b"", call)?;
        Ok((subject, reply))
    })?;
    ensure(reply.internal_err.is_empty(), || format!("InternalErr {:?}", reply.internal_err))?;
    ensure(reply.plan.len() == 2, || format!("Plan has {} of 2 elements", reply.plan.len()))?;
    let execs: u64 = reply.plan.iter().map(|stat| stat.execs).sum();
    ensure(execs <= reply.count.unsigned_abs(), || {
        format!("Count is {}, the elements of Plan make {execs}", reply.count)
    })?;
    let finds = subject.finds()?;
    for (number, bytes) in finds.iter().enumerate() {
        judge_find(bench, &subject, bytes, number)?;
    }
    ensure(bench.facts.counters == 0 || !reply.err.is_empty() || !finds.is_empty(), || {
        "its mask is empty, and it told no find in the ring".to_owned()
    })?;
    // An item that there is not.
    let mut subject = offered(bench, &memories, caps::PLAN)?;
    let beyond = PlanItem { entry: entry + 1, weight: 1, is_new: false };
    let call = FuzzCall { limit: 10, plan: vec![beyond], ..FuzzCall::default() };
    let reply = subject.fuzz(b"", call)?;
    ensure(!reply.internal_err.is_empty(), || "an item beyond the arena: no InternalErr".into())
}

fn judge_find(bench: &Bench, subject: &Subject, bytes: &[u8], number: usize) -> Checked {
    let find = match FindRecord::decode(bytes) {
        Ok(find) => find,
        Err(error) => return failed(format!("find {number}: {error}")),
    };
    let has_parent = match find.parent {
        FindParent::Plan(position) => position < 2,
        FindParent::Found(parent) => usize::try_from(parent).is_ok_and(|parent| parent < number),
    };
    ensure(has_parent, || format!("find {number} has no parent: {:?}", find.parent))?;
    ensure(find.input.len() <= subject.capacity(), || format!("find {number} is too long"))?;
    match sparse::decode(find.coverage, bench.facts.counters) {
        Ok(features) if !features.is_empty() => Ok(()),
        Ok(_) => failed(format!("find {number} has no coverage")),
        Err(error) => failed(format!("find {number}: {error}")),
    }
}

pub(in crate::conformance) fn map(bench: &mut Bench) -> Checked {
    bench.needs_counters()?;
    let base = bench.base()?;
    let indices = 0..u32::try_from(bench.facts.counters).unwrap_or(u32::MAX);
    let all: Vec<(u32, u8)> = indices.map(|index| (index, u8::MAX)).collect();
    bench.calmly(&FuzzCall { limit: LIMIT_EXECS, ..FuzzCall::default() }, |call| {
        let memories = memories(bench)?;
        let mut subject = offered(bench, &memories, caps::MAP)?;
        // It was empty when the worker adopted it: what is published later counts.
        memories.publish_coverage(&all);
        let reply = subject.fuzz(&base, call)?;
        if !reply.err.is_empty() {
            return Err(Trouble::Disturbed);
        }
        let is_find = reply.coverage_sparse.is_some_and(|snapshot| !snapshot.is_empty());
        ensure(!is_find && subject.finds()?.is_empty(), || {
            "a find, though every bit stands in the map".to_owned()
        })
    })
}

pub(in crate::conformance) fn fork(bench: &mut Bench) -> Checked {
    bench.needs(caps::FORK)?;
    let deadly = bench.deadly()?;
    let mut subject = bench.start()?;
    let timeout_ns = i64::try_from(FORK_TIMEOUT.as_nanos()).unwrap_or(i64::MAX);
    let call = MinimizeCall {
        limit: MINIMIZE_EXECS / 10,
        fork: Some(ForkLimits { timeout_ns, memory: 0 }),
        ..MinimizeCall::default()
    };
    let reply = match subject.minimize(&deadly, call) {
        Err(Trouble::Disturbed) => return failed("the candidates end the worker itself"),
        reply => reply?,
    };
    ensure(reply.wrote_to_mem, || "WroteToMem is false, though the value holds".to_owned())?;
    ensure(reply.err.is_empty() && reply.failure.is_none(), || {
        format!("it tells a failure of its children: {:?}", reply.err)
    })?;
    let value = subject.value()?;
    ensure(value.len() <= deadly.len(), || "it made the input longer".to_owned())?;
    let mut fresh = bench.start()?;
    match fresh.try_fuzz(&value, warm_up())? {
        Answer::Died(_) => Ok(()),
        Answer::Reply(reply) if !reply.err.is_empty() => Ok(()),
        Answer::Reply(_) => failed("what it made does not fail"),
    }
}

pub(in crate::conformance) fn search(bench: &mut Bench) -> Checked {
    bench.needs(caps::SEARCH)?;
    let failing = bench.failing()?;
    let mut subject = bench.start()?;
    let part = |from, held: &[u64], parts| MinimizeCall {
        limit: MINIMIZE_EXECS,
        search: Some(SearchPart { from, held: held.to_vec(), part: 0, parts }),
        ..MinimizeCall::default()
    };
    let reply = subject.minimize(&failing, part(0, &[], 1))?;
    let Some(report) = &reply.search else { return failed("it answers without Search") };
    ensure(reply.wrote_to_mem, || "WroteToMem is false, though the value holds".to_owned())?;
    ensure(report.held.first() == Some(&0), || {
        format!("candidate 0 is the value itself and held; Held is {:?}", report.held)
    })?;
    ensure(report.held.is_sorted() && report.held.last() < Some(&report.until), || {
        format!("Held {:?} with Until {}", report.held, report.until)
    })?;
    // From 0 has to be judged by one worker alone; Held must name 0.
    for call in [part(0, &[], 2), part(1, &[], 1)] {
        let reply = subject.minimize(&failing, call)?;
        ensure(!reply.wrote_to_mem, || "it did a part that there cannot be".to_owned())?;
    }
    Ok(())
}
