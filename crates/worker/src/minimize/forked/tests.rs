use std::sync::PoisonError;

use fuzzd_core::failure::Failure;
use fuzzd_core::signature::FailureKind;
use fuzzd_protocol::value::ValueType;

use super::*;
use crate::fork::tests::ALONE;
use crate::server::tests::{FakeTarget, Fixture, fake_counters};
use crate::target::Verdict;

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + frame[(depth % 64) as usize]
}

/// Ends its process in the way that the first byte behind a `!` names; a `?` is an error.
fn deadly() -> FakeTarget<impl Fn(&[u8]) -> Verdict> {
    FakeTarget {
        types: vec![ValueType::Bytes],
        seeds: Vec::new(),
        test: |input: &[u8]| {
            let at = input.iter().position(|&byte| byte == b'!');
            match at.and_then(|at| input.get(at + 1)) {
                Some(b'a') => std::process::abort(),
                Some(b'e') => std::process::exit(0),
                Some(b'3') => std::process::exit(3),
                Some(b's') => drop(std::hint::black_box(recurse(0))),
                Some(b'h') => loop {
                    std::thread::park();
                },
                Some(b'm') => drop(std::hint::black_box(vec![1_u8; 1 << 50])),
                _ if input.contains(&b'?') => return Verdict::Fail("it lives".into()),
                _ => {}
            }
            Verdict::Pass
        },
    }
}

fn of(kind: FailureKind, message: &str) -> Option<String> {
    Some(Failure::new(kind, "", message, "").signature().to_string())
}

/// Minimizes; what was reached, and the reply.
fn minimized(input: &[u8], signature: Option<String>, limit: i64) -> (Vec<u8>, MinimizeReply) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = deadly();
    let mut fixture = Fixture::new(&target, fake_counters(4));
    let fork = Some(ForkLimits { timeout_ns: 300_000_000, memory: 0 });
    let call = MinimizeCall { signature, limit, fork, ..MinimizeCall::default() };
    let reply = fixture.minimize(input, call);
    (fixture.value(), reply)
}

#[test]
fn what_ends_its_process_is_minimized_to_the_same_end() {
    let cases: [(&[u8], FailureKind, &str, &[u8]); 5] = [
        (b"a long !a way", FailureKind::Abort, "aborted (SIGABRT)", b"!a"),
        (b"a long !e way", FailureKind::Exit(0), "exited with status 0", b"!e"),
        (b"a long !3 way", FailureKind::Exit(3), "exited with status 3", b"!3"),
        (b"a long !s way", FailureKind::StackOverflow, "the stack overflowed", b"!s"),
        (b"!m way", FailureKind::OutOfMemory, "memory allocation of 9 bytes failed", b"!m"),
    ];
    for (input, kind, message, smallest) in cases {
        let (value, reply) = minimized(input, of(kind, message), 0);
        assert!(reply.wrote_to_mem, "{kind:?}");
        assert_eq!(value, smallest, "{kind:?}");
        assert!(reply.other_count > 5 && reply.failure.is_none(), "{reply:?}");
    }
}

#[test]
fn an_input_that_runs_for_ever_is_cut_off_and_minimized() {
    let message = "no execution ended within 300ms";
    let (value, reply) = minimized(b"!h..", of(FailureKind::Timeout, message), 8);
    assert!(reply.wrote_to_mem);
    assert_eq!(value, b"!h");
}

#[test]
fn what_a_child_survives_counts_by_its_signature() {
    let (value, reply) = minimized(b"what?", of(FailureKind::Error, "it lives"), 0);
    assert!(reply.wrote_to_mem);
    assert_eq!(value, b"?");
}

#[test]
fn another_end_does_not_hold_and_the_input_stays() {
    let (value, reply) = minimized(b"..!a", of(FailureKind::Exit(0), "exited with status 0"), 0);
    assert!(!reply.wrote_to_mem);
    assert_eq!((value, reply.other_count), (b"..!a".to_vec(), 1));
    let (value, reply) = minimized(b"alive", of(FailureKind::Abort, "aborted (SIGABRT)"), 0);
    assert!(!reply.wrote_to_mem);
    assert_eq!((value, reply.other_count), (b"alive".to_vec(), 1));
}

#[test]
fn without_a_signature_every_failure_holds() {
    let (value, reply) = minimized(b"..!e..", None, 0);
    assert!(reply.wrote_to_mem);
    assert_eq!(value.len(), 2);
}

#[test]
fn the_limit_of_executions_is_exact() {
    for limit in [1, 2, 3, 7] {
        let signature = of(FailureKind::Abort, "aborted (SIGABRT)");
        let (value, reply) = minimized(b"a long !a way", signature, limit);
        assert!(reply.wrote_to_mem);
        assert!(reply.other_count <= limit.cast_unsigned(), "{} of {limit}", reply.other_count);
        assert!(value.windows(2).any(|part| part == b"!a"));
    }
}
