//! The start of a process, and what it says of itself.

use fuzzd_protocol::message::{Call, FuzzCall, PingCall, PingReply, encode_line};
use fuzzd_protocol::value::ValueType;
use fuzzd_protocol::{PROTOCOL_VERSION, caps};

use crate::conformance::bench::Bench;
use crate::conformance::limits::{QUIET, REPLY_DEADLINE, ROOM_BYTES, START_DEADLINE};
use crate::conformance::noted::shown;
use crate::conformance::pump::Heard;
use crate::conformance::subject::{Equipment, told};
use crate::conformance::{Checked, ensure, failed};
use crate::limits::COUNTERS_MAX;

pub(in crate::conformance) fn waits(bench: &mut Bench) -> Checked {
    let mut subject = bench.starter.start(bench.equipment())?;
    // Slow to start is not silent: it has to be up, and wait again.
    for patience in [QUIET, START_DEADLINE] {
        match subject.pump.hear(QUIET.min(patience))? {
            Heard::Silence => {}
            Heard::Ended(status) => {
                return failed(format!("it {} before a call", told(status)));
            }
            Heard::Line(line) => return failed(format!("it wrote {} by itself", shown(&line))),
            Heard::NoLine(error) => return failed(format!("it wrote by itself: {error}")),
        }
        let header = subject.header();
        ensure(header.count == 0 && header.value_len == 0, || {
            format!("count is {}, valueLen {} before a call", header.count, header.value_len)
        })?;
        if patience == QUIET {
            subject.ping()?;
        }
    }
    Ok(())
}

pub(in crate::conformance) fn group(bench: &mut Bench) -> Checked {
    let subject = bench.start()?;
    let pid = i64::from(subject.pump.pid());
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let Some((group, session)) = group_and_session(&stat) else {
        return failed(format!("{stat:?} does not say where it belongs"));
    };
    ensure(group == pid, || format!("its process group is {group}, not its own"))?;
    ensure(session != pid, || "it is in a session of its own".to_owned())
}

/// Process group and session in the text of `/proc/<pid>/stat` (proc(5)). A session that began
/// outside of this container is 0, for which rustix has no process id.
pub(in crate::conformance) fn group_and_session(stat: &str) -> Option<(i64, i64)> {
    // The name may hold anything, parentheses and spaces as well.
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let mut fields = behind_name.split(' ').skip(2).map_while(|field| field.parse().ok());
    Some((fields.next()?, fields.next()?))
}

pub(in crate::conformance) fn reply(bench: &mut Bench) -> Checked {
    let ping = &bench.facts.ping;
    ensure(ping.proto.is_some_and(|version| (1..=PROTOCOL_VERSION).contains(&version)), || {
        format!("Proto is {:?}, it was offered {PROTOCOL_VERSION}", ping.proto)
    })?;
    ensure(bench.has(caps::COVERAGE_SPARSE), || "coverage_sparse is not announced".to_owned())?;
    let strange = ping.types.iter().find(|name| ValueType::from_name(name).is_none());
    if let Some(name) = strange {
        return failed(format!("{name:?} is no type of the protocol"));
    }
    ensure(!ping.types.is_empty(), || "it announces no Types".to_owned())?;
    match ping.counters {
        Some(counters) if counters <= COUNTERS_MAX as u64 => Ok(()),
        counters => failed(format!("Counters is {counters:?}")),
    }
}

pub(in crate::conformance) fn go_reply(bench: &mut Bench) -> Checked {
    let ping = &bench.facts.ping;
    ensure(*ping == PingReply::default(), || {
        format!("it announces {:?} without {}", ping, caps::INPUT_IN_MEMORY)
    })
}

pub(in crate::conformance) fn offers(bench: &mut Bench) -> Checked {
    let mut subject =
        bench.starter.start(Equipment { room: ROOM_BYTES, has_control: false, shared: None })?;
    let reply = subject.ping()?;
    for cap in [caps::CONTROL, caps::PLAN, caps::MAP] {
        ensure(!reply.caps.iter().any(|announced| announced == cap), || {
            format!("{cap} is announced, and nothing was offered for it")
        })?;
    }
    let has = |cap: &str| reply.caps.iter().any(|announced| announced == cap);
    ensure(has(caps::INPUT_IN_MEMORY), || "it is native only if it is offered more".to_owned())
}

pub(in crate::conformance) fn no_version(bench: &mut Bench) -> Checked {
    let mut subject = bench.starter.start(bench.equipment())?;
    let call = Call::Ping(PingCall::default());
    let Heard::Line(line) = subject.ask(&encode_line(&call), REPLY_DEADLINE)? else {
        return failed("it does not answer");
    };
    let reply: serde_json::Value = serde_json::from_slice(&line).unwrap_or_default();
    ensure(reply.as_object().is_some_and(serde_json::Map::is_empty), || {
        format!("it answers {}", shown(&line))
    })?;
    // Refusing what follows is only advised; ending there is not.
    subject.put(b"");
    let call = Call::Fuzz(FuzzCall { warmup: true, limit: 1, ..FuzzCall::default() });
    match subject.ask(&encode_line(&call), REPLY_DEADLINE)? {
        Heard::Line(_) => Ok(()),
        Heard::Ended(status) => failed(format!("it {} on the next call", told(status))),
        Heard::Silence | Heard::NoLine(_) => failed("it does not answer the next call"),
    }
}

pub(in crate::conformance) fn same(bench: &mut Bench) -> Checked {
    let mut subject = bench.starter.start(bench.equipment())?;
    let (first, second) = (&bench.facts.ping, subject.ping()?);
    ensure(first.counters == second.counters, || {
        format!("{:?} counters, then {:?}", first.counters, second.counters)
    })?;
    ensure(first.types == second.types, || {
        format!("types {:?}, then {:?}", first.types, second.types)
    })?;
    let again = subject.ping()?;
    ensure(again == second, || "a second Ping has another answer".to_owned())
}
