use super::*;

/// Runs a whole search; what it came to, and how many candidates it took.
fn search(
    start: Vec<Value>,
    effort: Effort,
    holds: impl Fn(&[Value]) -> bool,
) -> (Vec<Value>, usize) {
    let mut search = Reducer::new(start, effort);
    let mut runs = 0;
    while let Some(candidate) = search.propose() {
        let held = holds(candidate);
        search.judge(held);
        runs += 1;
        assert!(runs < 100_000, "it does not end");
    }
    (search.best().to_vec(), runs)
}

fn bytes(values: &[Value]) -> &[u8] {
    match &values[0] {
        Value::Bytes(bytes) | Value::String(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn what_is_needed_is_all_that_is_left() {
    let mut start = vec![b'x'; 1_000];
    start[700..704].copy_from_slice(b"<\xff/>");
    let (best, runs) = search(vec![Value::Bytes(start)], Effort::Full, |values| {
        contains(bytes(values), b"<\xff/>")
    });
    assert_eq!(best, [Value::Bytes(b"<\xff/>".to_vec())]);
    assert!(runs < 4_000, "{runs} candidates");
}

#[test]
fn what_does_not_matter_becomes_plain_or_goes() {
    let start = vec![Value::String(b"abc\x01{xyz".to_vec())];
    let (best, _) = search(start, Effort::Full, |values| bytes(values).len() >= 5);
    assert_eq!(best, [Value::String(b"00000".to_vec())]);
    let start = vec![Value::String(b"whatever".to_vec())];
    assert_eq!(search(start, Effort::Full, |_| true).0, [Value::String(Vec::new())]);
}

/// What `minimize_test.go` expects of Go's own search, where ours comes to the same.
#[test]
fn what_go_s_own_search_comes_to_is_reached() {
    type Holds = fn(&[u8]) -> bool;
    let ones: Holds = |bytes| bytes.iter().filter(|byte| **byte == 1).count() == 3;
    let bytes_of_set: Holds = |bytes| [0, 4, 5].iter().all(|byte| bytes.contains(byte));
    let letter: Holds = |bytes| bytes.len() == 1 && bytes[0].is_ascii_uppercase();
    let cases: [(&[u8], Holds, &[u8]); 6] = [
        (b"\0\0\0\0\x01\x01\x01\0\0\0\0\x05\0\0\0", ones, b"\x01\x01\x01"),
        (b"\x01\x01", |bytes| bytes.len() == 2, b"00"),
        (b"\0\x01\x02\x03\x04\x05\x06\x07\x04\x05", bytes_of_set, b"\0\x04\x05"),
        (b"\xef\xbf\xbd", |bytes| bytes.len() == 3, b"000"),
        (b"abcde", |bytes| bytes.len() == 5, b"00000"),
        (b"Z", letter, b"A"),
    ];
    for (start, holds, expected) in cases {
        for value in [Value::Bytes(start.to_vec()), Value::String(start.to_vec())] {
            let (best, _) = search(vec![value], Effort::Full, |values| holds(bytes(values)));
            assert_eq!(bytes(&best), expected, "{start:?}");
        }
    }
}

#[test]
fn numbers_come_as_near_to_zero_as_they_can() {
    let start = vec![
        Value::Int64(-9_000_000_000),
        Value::Uint8(200),
        Value::Bool(true),
        Value::Float64(1e30),
        Value::Int32(7),
    ];
    let (best, runs) = search(start, Effort::Full, |values| {
        matches!(values[0], Value::Int64(number) if number <= -1_000)
            && matches!(values[1], Value::Uint8(number) if number > 99)
            && matches!(values[3], Value::Float64(number) if number > 1.5)
    });
    let expected = [
        Value::Int64(-1_000),
        Value::Uint8(100),
        Value::Bool(false),
        Value::Float64(2.0),
        Value::Int32(0),
    ];
    assert_eq!(best, expected);
    assert!(runs < 1_000, "{runs} candidates");
}

#[test]
fn several_parameters_are_reduced_in_turn_and_again() {
    // The second can only go when the first has.
    let start = vec![Value::Bytes(b"first".to_vec()), Value::String(b"second".to_vec())];
    let (best, _) = search(start, Effort::Full, |values| match values {
        [Value::Bytes(first), Value::String(second)] => !second.is_empty() || first.is_empty(),
        _ => false,
    });
    assert_eq!(best, [Value::Bytes(Vec::new()), Value::String(Vec::new())]);
}

#[test]
fn a_quick_search_is_short_whatever_the_length() {
    for length in [1, 10, 1_000, 100_000] {
        let start = vec![Value::Bytes(vec![7; length]), Value::Int(9)];
        let (_, runs) = search(start, Effort::Quick, |_| false);
        assert!(runs <= 2 * QUICK_BLOCKS + 8, "{length} bytes: {runs} candidates");
    }
}

#[test]
fn a_candidate_stays_until_it_is_judged_and_is_always_another() {
    let mut search = Reducer::new(vec![Value::Bytes(b"abcd".to_vec())], Effort::Full);
    let first = search.propose().unwrap().to_vec();
    assert_eq!(search.propose().unwrap(), first);
    search.judge(false);
    assert_ne!(search.propose().unwrap(), first);
    assert_eq!(bytes(search.best()), b"abcd");
}
