//! The end of a process, and what was noted on the way there.

use std::time::Instant;

use fuzzd_protocol::message::{Call, FuzzCall, FuzzReply, encode_line};

use crate::conformance::bench::Bench;
use crate::conformance::limits::{CALL_TIMEOUT, LOOK_EVERY, REPLY_DEADLINE};
use crate::conformance::noted::shown;
use crate::conformance::pump::Heard;
use crate::conformance::subject::{Answer, Subject, told};
use crate::conformance::{Checked, Trouble, ensure, failed};

pub(in crate::conformance) fn eof(bench: &mut Bench) -> Checked {
    let mut subject = bench.start()?;
    subject.pump.close_input();
    subject.must_end(0, "after fuzz_in was closed")
}

/// The reply to the call in flight, and exit status 0 behind it.
fn answers_and_ends(subject: &mut Subject, when: &str) -> Checked {
    match subject.hear(REPLY_DEADLINE)? {
        heard @ Heard::Line(_) => {
            let Answer::Reply(reply) = subject.answer::<FuzzReply>(heard)? else {
                return failed("it ended");
            };
            ensure(reply.internal_err.is_empty(), || {
                format!("{when}, it answers InternalErr {:?}", reply.internal_err)
            })?;
            if !reply.err.is_empty() {
                return Err(Trouble::Disturbed);
            }
        }
        Heard::Ended(status) => {
            return Err(match subject.ended_in_call(status) {
                Trouble::Failed(_) => {
                    Trouble::Failed(format!("{when}, it {} without an answer", told(status)))
                }
                trouble => trouble,
            });
        }
        Heard::Silence => return failed(format!("{when}, it does not answer")),
        Heard::NoLine(error) => return failed(format!("{when}: {error}")),
    }
    subject.must_end(0, when)
}

/// Without an end of its own where `timeout_ns` is 0.
fn quiet_call(bench: &Bench, timeout_ns: i64) -> FuzzCall {
    let mut call = FuzzCall { timeout_ns, ..FuzzCall::default() };
    bench.tell_all(&mut call);
    call
}

pub(in crate::conformance) fn eof_in_call(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    let timeout_ns = i64::try_from(CALL_TIMEOUT.as_nanos()).unwrap_or(i64::MAX);
    bench.calmly(&quiet_call(bench, timeout_ns), |call| {
        let mut subject = bench.start()?;
        subject.put(&base);
        subject.pump.send(&encode_line(&Call::Fuzz(call)));
        let deadline = Instant::now() + REPLY_DEADLINE;
        while !subject.pump.has_sent() && Instant::now() < deadline {
            subject.look(LOOK_EVERY)?;
        }
        subject.pump.close_input();
        answers_and_ends(&mut subject, "with fuzz_in closed in a call")
    })
}

pub(in crate::conformance) fn interrupt(bench: &mut Bench) -> Checked {
    let mut subject = bench.start()?;
    subject.pump.interrupt();
    subject.must_end(0, "after SIGINT")
}

pub(in crate::conformance) fn in_call(bench: &mut Bench) -> Checked {
    let base = bench.base()?;
    bench.calmly(&quiet_call(bench, 0), |call| {
        let mut subject = bench.start()?;
        subject.begin(&base, call)?;
        subject.pump.interrupt();
        answers_and_ends(&mut subject, "after SIGINT in a call")
    })
}

pub(in crate::conformance) fn fields(bench: &mut Bench) -> Checked {
    let noted = bench.noted.borrow();
    if let Some(what) = &noted.fields {
        return failed(what.clone());
    }
    ensure(noted.answers > 0, || "it never answered Fuzz or Minimize".to_owned())
}

pub(in crate::conformance) fn unasked(bench: &mut Bench) -> Checked {
    match &bench.noted.borrow().unasked {
        Some(what) => failed(format!("{what} came behind an answer")),
        None => Ok(()),
    }
}

pub(in crate::conformance) fn stdout(bench: &mut Bench) -> Checked {
    match &bench.noted.borrow().on_stdout {
        Some(line) => failed(format!("{} stood there", shown(line.as_bytes()))),
        None => Ok(()),
    }
}
