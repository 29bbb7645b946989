use std::sync::PoisonError;

use fuzzd_protocol::input;
use fuzzd_protocol::message::SearchPart;
use fuzzd_protocol::value::{Value, ValueType};

use super::*;
use crate::fork::tests::ALONE;
use crate::server::tests::{FakeTarget, Fixture, fake_counters, hit};
use crate::target::Verdict;

/// Shrinks `start` to what still makes `holds` true; gives the result and the executions.
fn shrunk(
    types: &[ValueType],
    start: &[u8],
    simplify: bool,
    holds: impl Fn(&[u8]) -> bool,
) -> (Vec<u8>, u32) {
    assert!(holds(start), "the start must hold");
    let mut executions = 0;
    let smallest = passes::shrink(types, start, simplify, &mut |candidate| {
        executions += 1;
        assert_eq!(input::canonical(types, candidate), candidate, "candidates are canonical");
        if holds(candidate) { Judgement::Holds } else { Judgement::Fails }
    });
    assert!(holds(&smallest));
    (smallest, executions)
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

#[test]
fn bytes_shrink_to_what_matters() {
    type Case = (&'static [u8], fn(&[u8]) -> bool, &'static [u8]);
    let cases: [Case; 8] = [
        (b"anything at all", |_| true, b""),
        (b"xxxxxneedlexxxxxxxxx", |input| contains(input, b"needle"), b"needle"),
        (b"a..b..c..d", |input| b"abcd".iter().all(|byte| input.contains(byte)), b"abcd"),
        (b"1234567890", |input| input.len() >= 4, b"0000"),
        (b"\xff\xfe\xfd", |input| input.len() == 3 && input[1] != b'0', b"0 0"),
        (b"..(((a)))..", |input| contains(input, b"(") && contains(input, b")"), b"()"),
        (b"\x07\x08", |input| input.len() == 2 && input[1] < 9, b"0\0"),
        (b"xyzzyx", |input| input.len() == 6 && input[0] == input[5], b"000000"),
    ];
    for (start, holds, expected) in cases {
        let (smallest, _) = shrunk(&[ValueType::Bytes], start, true, holds);
        assert_eq!(smallest, expected, "from {start:?}");
    }
}

/// Whether `input` is one value of a small JSON: lists, objects, words; gives the rest.
fn json_value(input: &[u8]) -> Option<&[u8]> {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric();
    match *input.first()? {
        open @ (b'[' | b'{') => {
            let mut rest = &input[1..];
            loop {
                if open == b'{' {
                    rest = json_value(rest)?.strip_prefix(b":")?;
                }
                rest = json_value(rest)?;
                match *rest.first()? {
                    b',' => rest = &rest[1..],
                    close => return (close == open + 2).then_some(&rest[1..]),
                }
            }
        }
        b'"' => {
            let end = input[1..].iter().position(|byte| *byte == b'"')?;
            Some(&input[end + 2..])
        }
        byte if byte.is_ascii_alphanumeric() => {
            Some(&input[input.iter().take_while(is_word).count()..])
        }
        _ => None,
    }
}

#[test]
fn what_nests_shrinks_though_it_must_stay_well_formed() {
    let whole = |input: &[u8]| json_value(input).is_some_and(<[u8]>::is_empty);
    let start =
        br#"{"name":"box","sizes":[[1,22,[{"deep":[[["x","needle"]]]}]],3],"end":{"a":"b"}}"#;
    for value_type in [ValueType::Bytes, ValueType::String] {
        let (smallest, executions) =
            shrunk(&[value_type], start, true, |input| whole(input) && contains(input, b"needle"));
        assert_eq!(smallest, b"needle");
        assert!(executions < 3000, "{executions}");
        let (smallest, _) = shrunk(&[value_type], start, true, |input| {
            whole(input) && contains(input, b"[") && contains(input, b"{")
        });
        assert_eq!(smallest, b"{0:[0]}");
    }
}

#[test]
fn what_failed_is_not_run_again() {
    let mut failed = std::collections::BTreeSet::new();
    let holds = |input: &[u8]| input.iter().filter(|byte| **byte == b'x').count() >= 2;
    passes::shrink(&[ValueType::Bytes], b"a x b x c", true, &mut |candidate| {
        assert!(!failed.contains(candidate), "{candidate:?} is run again");
        if holds(candidate) {
            return Judgement::Holds;
        }
        failed.insert(candidate.to_vec());
        Judgement::Fails
    });
    assert!(failed.len() > 10);
}

#[test]
fn finds_are_made_shorter_but_not_plainer() {
    let (smallest, _) = shrunk(&[ValueType::Bytes], b"qwertyuiop", false, |input| input.len() >= 3);
    assert_eq!(smallest, b"qwe");
}

#[test]
fn a_long_input_takes_few_executions() {
    let start = [vec![b'x'; 60_000], b"KEY".to_vec(), vec![b'y'; 5_000]].concat();
    let (smallest, executions) =
        shrunk(&[ValueType::Bytes], &start, true, |input| contains(input, b"KEY"));
    assert_eq!(smallest, b"KEY");
    assert!(executions < 200, "{executions}");
}

#[test]
fn text_is_cut_between_characters_and_stays_text() {
    let start = "grüße 💛 an alle".as_bytes();
    let (smallest, _) = shrunk(&[ValueType::String], start, true, |input| {
        std::str::from_utf8(input).is_ok_and(|text| text.contains('💛'))
    });
    assert_eq!(smallest, "💛".as_bytes());
    let (smallest, _) = shrunk(&[ValueType::String], start, true, |input| {
        std::str::from_utf8(input).is_ok_and(|text| text.chars().count() >= 2)
    });
    assert_eq!(smallest, b"00");
}

#[test]
fn values_shrink_field_by_field() {
    let types =
        [ValueType::Int32, ValueType::String, ValueType::Bool, ValueType::Bytes, ValueType::Rune];
    let start = input::to_memory(
        &types,
        &[
            Value::Int32(-1_000_000),
            Value::String("hello world".into()),
            Value::Bool(true),
            Value::Bytes(vec![9; 100]),
            Value::Rune('💛'),
        ],
    );
    let (smallest, _) = shrunk(&types, &start, true, |memory| {
        let values = input::to_values(&types, memory);
        let (Value::Int32(number), Value::String(text), Value::Bytes(bytes)) =
            (&values[0], &values[1], &values[3])
        else {
            return false;
        };
        *number < -1000 && text.contains(&b'w') && bytes.len() > 2
    });
    let expected = [
        Value::Int32(-1001),
        Value::String("w".into()),
        Value::Bool(false),
        Value::Bytes(b"000".to_vec()),
        Value::Rune('0'),
    ];
    assert_eq!(smallest, input::to_memory(&types, &expected));
}

#[test]
fn numbers_move_toward_zero() {
    type Case = (Value, fn(&Value) -> bool, Value);
    let cases: [Case; 11] = [
        (Value::Uint8(200), |_| true, Value::Uint8(0)),
        (
            Value::Uint64(u64::MAX),
            |v| matches!(v, Value::Uint64(n) if *n > 4711),
            Value::Uint64(4712),
        ),
        (Value::Int8(-128), |v| matches!(v, Value::Int8(n) if *n < 0), Value::Int8(-1)),
        (Value::Int8(-128), |v| matches!(v, Value::Int8(n) if *n == -128), Value::Int8(-128)),
        (Value::Int16(-300), |v| matches!(v, Value::Int16(n) if n.abs() > 9), Value::Int16(10)),
        (Value::Int128(i128::MIN), |v| matches!(v, Value::Int128(n) if *n < -5), Value::Int128(-6)),
        (Value::Bool(true), |v| matches!(v, Value::Bool(true)), Value::Bool(true)),
        (Value::Rune('z'), |v| matches!(v, Value::Rune(c) if *c > 'p'), Value::Rune('q')),
        (
            Value::Float64(-1234.5),
            |v| matches!(v, Value::Float64(f) if f.abs() > 99.0),
            Value::Float64(100.0),
        ),
        (
            Value::Float32(f32::NAN),
            |v| matches!(v, Value::Float32(f) if f.is_nan()),
            Value::Float32(f32::NAN),
        ),
        (Value::Float32(1.5), |v| matches!(v, Value::Float32(f) if *f > 0.0), Value::Float32(1.0)),
    ];
    for (start, holds, expected) in cases {
        let types = [start.value_type()];
        let memory = input::to_memory(&types, std::slice::from_ref(&start));
        let (smallest, _) =
            shrunk(&types, &memory, true, |memory| holds(&input::to_values(&types, memory)[0]));
        assert_eq!(smallest, input::to_memory(&types, &[expected]), "from {start:?}");
    }
}

#[test]
fn bytes_that_are_no_value_go_first() {
    let types = [ValueType::Uint8, ValueType::Uint8];
    let (smallest, _) = shrunk(&types, b"ab and more", true, |input| input[0] == b'a');
    assert_eq!(smallest, b"a\0");
}

#[test]
fn a_stop_ends_the_search_with_the_best_so_far() {
    let mut left = 3;
    let smallest = passes::shrink(&[ValueType::Bytes], &[7; 100], true, &mut |_| {
        left -= 1;
        if left < 0 { Judgement::Stop } else { Judgement::Holds }
    });
    assert_eq!(smallest.len(), 0);
    let smallest = passes::shrink(&[ValueType::Bytes], &[7; 100], true, &mut |_| Judgement::Stop);
    assert_eq!(smallest, [7; 100]);
}

#[test]
fn a_judge_that_changes_its_mind_is_survived() {
    let mut word = 0u32;
    passes::shrink(&[ValueType::Bytes, ValueType::Int64], &[200; 300], true, &mut |_| {
        word = word.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        if word & 0x1_0000 == 0 { Judgement::Holds } else { Judgement::Fails }
    });
}

fn failing() -> FakeTarget<impl Fn(&[u8]) -> Verdict> {
    FakeTarget {
        types: vec![ValueType::Bytes],
        seeds: Vec::new(),
        test: |input: &[u8]| {
            if contains(input, b"bug") {
                return Verdict::Fail("the bug".into());
            }
            assert!(input.len() != 2, "another one");
            Verdict::Pass
        },
    }
}

fn signature() -> Option<String> {
    Some(failure::of_error("the bug").signature.to_string())
}

#[test]
fn a_failure_is_minimized_to_the_same_signature() {
    let target = failing();
    let mut fixture = Fixture::new(&target, fake_counters(4));
    let call = MinimizeCall { signature: signature(), ..MinimizeCall::default() };
    let reply = fixture.minimize(b"a long way to the bug of today", call);
    assert!(reply.wrote_to_mem);
    assert_eq!(fixture.value(), b"bug");
    assert_eq!(reply.failure.unwrap().message, "the bug");
    assert_eq!(reply.err, "error: the bug");
    assert_eq!(reply.count, 0);
    assert!(reply.other_count > 5);
}

#[test]
fn the_smallest_panic_is_told_with_a_backtrace() {
    // A child that is forked meanwhile would wait for the lock of the backtrace.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = FakeTarget {
        types: vec![ValueType::Bytes],
        seeds: Vec::new(),
        test: |input: &[u8]| {
            assert!(input.len() < 3, "{} bytes", input.len());
            Verdict::Pass
        },
    };
    let mut fixture = Fixture::new(&target, fake_counters(4));
    let reply = fixture.minimize(&[1; 50], MinimizeCall::default());
    let failure = reply.failure.unwrap();
    assert_eq!(failure.message, "3 bytes");
    assert!(failure.details.contains("the_smallest_panic"), "{}", failure.details);
    assert_eq!(fixture.value(), b"000");
}

#[test]
fn an_input_that_does_not_hold_is_left_as_it_is() {
    let target = failing();
    let mut fixture = Fixture::new(&target, fake_counters(4));
    let call = MinimizeCall { signature: signature(), ..MinimizeCall::default() };
    let reply = fixture.minimize(b"nothing", call);
    assert!(!reply.wrote_to_mem);
    assert_eq!((reply.failure, reply.other_count), (None, 1));
    assert_eq!(fixture.value(), b"nothing");
    let call = MinimizeCall { signature: Some("no".into()), ..MinimizeCall::default() };
    let reply = fixture.minimize(b"bug", call);
    assert!(!reply.wrote_to_mem);
    assert_eq!(reply.other_count, 0);
}

#[test]
fn the_limit_of_a_minimization_is_exact() {
    for limit in [1, 2, 3, 7] {
        let target = failing();
        let mut fixture = Fixture::new(&target, fake_counters(4));
        let call = MinimizeCall { limit, signature: signature(), ..MinimizeCall::default() };
        let reply = fixture.minimize(b"a long way to the bug of today", call);
        assert!(reply.other_count <= limit.cast_unsigned(), "{} of {limit}", reply.other_count);
        assert!(reply.wrote_to_mem && contains(&fixture.value(), b"bug"));
        assert_eq!(reply.failure.unwrap().message, "the bug");
    }
}

#[test]
fn the_walk_to_where_a_search_goes_on_takes_nothing_of_its_time() {
    let start: Vec<u8> = (0..4096_u32).map(|at| at.to_le_bytes()[0] | 0x80).collect();
    // Nothing smaller holds.
    let test = |_: &[u8]| Verdict::Pass;
    let target = FakeTarget { types: vec![ValueType::Bytes], seeds: Vec::new(), test };
    let mut fixture = Fixture::new(&target, fake_counters(4));
    let from = |from| {
        let search = SearchPart { from, held: vec![0], part: 0, parts: 1 };
        let timeout_ns = 100_000;
        let signature = signature();
        MinimizeCall { search: Some(search), timeout_ns, signature, ..MinimizeCall::default() }
    };
    let started = Instant::now();
    let reply = fixture.minimize(&start, from(5_000));
    assert!(started.elapsed() > Duration::from_nanos(100_000), "or it shows nothing");
    let report = reply.search.unwrap();
    assert!(report.until > 5_000 && reply.other_count > 0, "{report:?}");
    let reply = fixture.minimize(&start, from(1 << 60));
    assert_eq!((reply.duration_ns, reply.other_count), (0, 0), "nothing was judged");
}

#[test]
fn a_find_keeps_its_coverage() {
    let counters = fake_counters(10);
    let target = FakeTarget {
        types: vec![ValueType::Bytes],
        seeds: Vec::new(),
        test: |input: &[u8]| {
            hit(counters, 0);
            if contains(input, b"<") && contains(input, b">") {
                hit(counters, 7);
            }
            Verdict::Pass
        },
    };
    let mut fixture = Fixture::new(&target, counters);
    let keep = Some(sparse::encode(&[(7, 1)]));
    let call = MinimizeCall { keep_sparse: keep, limit: 512, ..MinimizeCall::default() };
    let reply = fixture.minimize(b"text <tag attribute> text", call);
    assert!(reply.wrote_to_mem);
    assert_eq!(fixture.value(), b"<>");
    let features = sparse::decode(&reply.coverage_sparse.unwrap(), 10).unwrap();
    assert_eq!(features, [(0, 1), (7, 1)], "the snapshot of the smallest");
    assert_eq!(reply.failure, None);
    let call = MinimizeCall { keep_coverage: Some(vec![2; 10]), ..MinimizeCall::default() };
    assert!(!fixture.minimize(b"<>", call).wrote_to_mem, "it never had that");
}

#[test]
fn an_unknown_failure_on_the_way_ends_the_minimization_of_a_find() {
    let counters = fake_counters(4);
    let target = FakeTarget {
        types: vec![ValueType::Bytes],
        seeds: Vec::new(),
        test: |input: &[u8]| {
            hit(counters, 1);
            if input.is_empty() { Verdict::Fail("empty".into()) } else { Verdict::Pass }
        },
    };
    let mut fixture = Fixture::new(&target, counters);
    let call =
        MinimizeCall { keep_sparse: Some(sparse::encode(&[(1, 1)])), ..MinimizeCall::default() };
    let reply = fixture.minimize(b"abcdef", call.clone());
    assert_eq!(reply.failure.unwrap().message, "empty");
    assert_eq!(fixture.value(), b"", "the failing input");
    // Known ones are gone over.
    let ignore = vec![failure::of_error("empty").signature.to_string()];
    let fuzz = fuzzd_protocol::message::FuzzCall { limit: 1, ignore, ..Default::default() };
    fixture.fuzz(b"abc", fuzz);
    let reply = fixture.minimize(b"abcdef", call);
    assert_eq!((reply.failure, fixture.value().len()), (None, 1));
}
