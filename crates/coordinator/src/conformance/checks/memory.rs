//! The memory as such.

use fuzzd_protocol::layout::{self, CONTROL_ALIGN};
use fuzzd_protocol::message::{Call, FuzzCall, PingCall, encode_line};
use fuzzd_protocol::{INTERNAL_ERROR_EXIT, PROTOCOL_VERSION};

use crate::conformance::bench::{Bench, warm_up};
use crate::conformance::limits::{LIMIT_EXECS, ROOM_BYTES, SMALL_ROOM_BYTES};
use crate::conformance::subject::{Answer, Equipment};
use crate::conformance::{Checked, ensure, failed};

pub(in crate::conformance) fn bad_control(bench: &mut Bench) -> Checked {
    let memory = layout::memory_bytes(ROOM_BYTES) as u64;
    let good = layout::control_offset(ROOM_BYTES) as u64;
    for offset in [0, good + 1, good + CONTROL_ALIGN as u64, memory, u64::MAX - 63] {
        let mut subject = bench.starter.start(bench.equipment())?;
        let call = PingCall {
            proto: Some(PROTOCOL_VERSION),
            control_offset: Some(offset),
            ..PingCall::default()
        };
        subject.pump.send(&encode_line(&Call::Ping(call)));
        subject.must_end(INTERNAL_ERROR_EXIT, &format!("told of a control block at {offset}"))?;
    }
    Ok(())
}

pub(in crate::conformance) fn size(bench: &mut Bench) -> Checked {
    let equipment = Equipment { room: SMALL_ROOM_BYTES, ..bench.equipment() };
    let mut call = FuzzCall { limit: LIMIT_EXECS, ..FuzzCall::default() };
    bench.tell_all(&mut call);
    let (subject, reply) = bench.calm(equipment, &call)?;
    ensure(reply.count == LIMIT_EXECS, || format!("Count is {} of {LIMIT_EXECS}", reply.count))?;
    subject.value().map(drop)
}

pub(in crate::conformance) fn value_len(bench: &mut Bench) -> Checked {
    let mut subject = bench.start()?;
    for (length, call) in [
        (subject.capacity() as u64 + 1, warm_up()),
        (u64::MAX, warm_up()),
        (i64::MAX.cast_unsigned(), FuzzCall { limit: 10, ..FuzzCall::default() }),
    ] {
        subject.put_len(b"x", length);
        let line = encode_line(&Call::Fuzz(call));
        let reply: fuzzd_protocol::message::FuzzReply = subject.exchange(&line)?;
        ensure(!reply.internal_err.is_empty(), || {
            format!("valueLen {}: no InternalErr", length.cast_signed())
        })?;
        let count = subject.header().count;
        ensure(count == 0, || format!("it executed {count} inputs all the same"))?;
    }
    Ok(())
}

pub(in crate::conformance) fn forms(bench: &mut Bench) -> Checked {
    let mut subject = bench.start()?;
    for bytes in [&b""[..], &[0xff; 3], &[0; 7], &[0xff; 100], &[1, 0, 0, 0, 2, 0, 0]] {
        match subject.try_fuzz(bytes, warm_up())? {
            Answer::Reply(reply) if reply.internal_err.is_empty() => {}
            Answer::Reply(reply) => {
                return failed(format!("{bytes:02x?}: InternalErr {:?}", reply.internal_err));
            }
            Answer::Died(crate::process::ExitStatus::Exited(INTERNAL_ERROR_EXIT)) => {
                return failed(format!("{bytes:02x?}: it gave up{}", subject.last_words()));
            }
            // The fuzz test may end the process on any input.
            Answer::Died(_) => subject = bench.start()?,
        }
    }
    Ok(())
}
