//! Lines and calls as such.

use std::time::Duration;

use fuzzd_protocol::LINE_BYTES_MAX;
use fuzzd_protocol::message::{Call, FuzzCall, FuzzReply, PingReply, encode_line};

use crate::conformance::bench::{Bench, warm_up};
use crate::conformance::limits::{END_DEADLINE, QUIET, REPLY_DEADLINE};
use crate::conformance::noted::shown;
use crate::conformance::pump::Heard;
use crate::conformance::subject::{Subject, told};
use crate::conformance::{Checked, WorkerDialect, ensure, failed};
use crate::process::ExitStatus;

/// Exit status of a worker that cannot understand its coordinator.
const INTERNAL_ERROR: i32 = fuzzd_protocol::INTERNAL_ERROR_EXIT;

/// A `Ping` without its line end.
fn ping(subject: &Subject) -> Vec<u8> {
    let mut line = encode_line(&Call::Ping(subject.ping_call()));
    line.pop();
    line
}

/// A process, and a `Ping` for it without line end. It was not sent anything yet.
fn fresh(bench: &Bench) -> Checked<(Subject, Vec<u8>)> {
    let subject = bench.starter.start(bench.equipment())?;
    let ping = ping(&subject);
    Ok((subject, ping))
}

/// The answer to `Ping` must be the one that is known.
fn answers_ping(bench: &Bench, subject: &mut Subject, bytes: &[u8]) -> Checked {
    let reply: PingReply = subject.exchange(bytes)?;
    ensure(reply == bench.facts.ping, || format!("its answer is another one: {reply:?}"))
}

pub(in crate::conformance) fn crlf(bench: &mut Bench) -> Checked {
    let (mut subject, mut line) = fresh(bench)?;
    line.extend_from_slice(b"\r\n");
    answers_ping(bench, &mut subject, &line)
}

pub(in crate::conformance) fn pieces(bench: &mut Bench) -> Checked {
    // One that is up: a process that only starts would find both pieces.
    let mut subject = bench.start()?;
    let line = ping(&subject);
    let (first, second) = line.split_at(line.len() / 2);
    match subject.ask(first, QUIET)? {
        Heard::Silence => {}
        Heard::Ended(status) => return failed(format!("it {} after a half", told(status))),
        Heard::Line(line) => return failed(format!("it answers half a line: {}", shown(&line))),
        Heard::NoLine(error) => return failed(format!("it answers half a line: {error}")),
    }
    answers_ping(bench, &mut subject, &[second, b"\n"].concat())
}

pub(in crate::conformance) fn limit(bench: &mut Bench) -> Checked {
    let (mut subject, mut line) = fresh(bench)?;
    // White space behind the object is a part of the line.
    line.resize(LINE_BYTES_MAX, b' ');
    line.push(b'\n');
    answers_ping(bench, &mut subject, &line)
}

pub(in crate::conformance) fn too_long(bench: &mut Bench) -> Checked {
    let mut subject = bench.start()?;
    let line = vec![b' '; LINE_BYTES_MAX + 2];
    subject.pump.send(&line);
    subject.must_end(INTERNAL_ERROR, "sent a line beyond the limit and no end of it")
}

pub(in crate::conformance) fn cut_off(bench: &mut Bench) -> Checked {
    let mut subject = bench.start()?;
    let line = ping(&subject);
    subject.pump.send(&line);
    while !subject.pump.has_sent() {
        subject.look(QUIET)?;
    }
    subject.pump.close_input();
    match subject.hear(END_DEADLINE)? {
        Heard::Ended(ExitStatus::Exited(0 | INTERNAL_ERROR)) => Ok(()),
        Heard::Ended(status) => failed(format!("it {}, neither 0 nor 70", told(status))),
        Heard::Line(line) => failed(format!("it answers a line without end: {}", shown(&line))),
        Heard::Silence => failed("it lives on after the end of fuzz_in"),
        Heard::NoLine(error) => failed(error.to_string()),
    }
}

/// Sends a line, after which it must end as a worker that understands nothing does.
fn must_refuse(bench: &Bench, line: &str) -> Checked {
    let mut subject = bench.start()?;
    subject.pump.send(format!("{line}\n").as_bytes());
    subject.must_end(INTERNAL_ERROR, &format!("sent {line}"))
}

pub(in crate::conformance) fn malformed(bench: &mut Bench) -> Checked {
    must_refuse(bench, "no json")?;
    must_refuse(bench, "[1,2,3]")
}

pub(in crate::conformance) fn no_method(bench: &mut Bench) -> Checked {
    must_refuse(bench, r#"{"Ping":null,"Fuzz":null,"Minimize":null}"#)?;
    must_refuse(bench, r#"{"Ping":null,"Fuzz":null,"Minimize":null,"Unheard":{}}"#)
}

pub(in crate::conformance) fn types(bench: &mut Bench) -> Checked {
    must_refuse(bench, r#"{"Ping":null,"Fuzz":{"Limit":"many"},"Minimize":null}"#)?;
    must_refuse(bench, r#"{"Ping":null,"Fuzz":[],"Minimize":null}"#)
}

pub(in crate::conformance) fn twice(bench: &mut Bench) -> Checked {
    must_refuse(bench, r#"{"Ping":{"Proto":1},"Ping":{"Proto":1}}"#)
}

/// A Fuzz call with more to it than there is.
const UNKNOWN: &str = r#"{"Ping":null,"Later":{"Deep":[1,{}]},"Minimize":null,
    "Fuzz":{"Warmup":true,"Limit":1,"Later":[{"a":null}],"Timeout":0,"CoverageData":null}}"#;

pub(in crate::conformance) fn unknown(bench: &mut Bench) -> Checked {
    let (mut subject, line) = fresh(bench)?;
    let line = String::from_utf8_lossy(&line).into_owned();
    let more = line.replacen(r#"{"Ping":{"#, r#"{"Later":7,"Ping":{"LaterStill":[],"#, 1);
    // In the Go dialect there is nothing in Ping that a comma could follow.
    let more = more.replace(",}", "}");
    answers_ping(bench, &mut subject, format!("{more}\n").as_bytes())?;
    let base = bench.base()?;
    subject.put(&base);
    let one_line = UNKNOWN.replace('\n', "");
    let reply: FuzzReply = subject.exchange(format!("{one_line}\n").as_bytes())?;
    ensure(reply.internal_err.is_empty() && reply.err.is_empty(), || {
        format!("Err {:?}, InternalErr {:?}", reply.err, reply.internal_err)
    })
}

pub(in crate::conformance) fn nulls(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    let mut subject = bench.start()?;
    let plain = subject.fuzz(&base, warm_up())?;
    let lines = [
        r#"{"Fuzz":{"Warmup":true,"Timeout":null,"Limit":null,"CoverageData":null}}"#,
        r#"{"Ping":null,"Minimize":null,"Fuzz":{"Warmup":true}}"#,
    ];
    for line in lines {
        subject.put(&base);
        let reply: FuzzReply = subject.exchange(format!("{line}\n").as_bytes())?;
        ensure(reply.internal_err.is_empty(), || format!("InternalErr {:?}", reply.internal_err))?;
        ensure(reply.count == plain.count, || format!("{line}: Count is {}", reply.count))?;
    }
    if bench.facts.dialect == WorkerDialect::Native {
        let line = r#"{"Fuzz":{"Limit":7,"Warmup":null,"Ignore":null,"CoverageDelta":null}}"#;
        subject.put(&base);
        let heard = subject.ask(format!("{line}\n").as_bytes(), REPLY_DEADLINE)?;
        let Heard::Line(line) = heard else { return failed(format!("{line}: no answer")) };
        ensure(!line.is_empty(), || "an empty answer".to_owned())?;
    }
    let call = FuzzCall { limit: 1, ..FuzzCall::default() };
    subject.put(&base);
    let heard = subject.ask(&encode_line(&Call::Fuzz(call)), REPLY_DEADLINE + Duration::ZERO)?;
    ensure(matches!(heard, Heard::Line(_)), || "no answer after that".to_owned())
}
