use super::*;

fn words() -> Vec<Vec<u8>> {
    vec![b"GET".to_vec(), b"Content-Length".to_vec()]
}

fn contains(values: &[Value], needle: &[u8]) -> bool {
    values.iter().any(|value| match value {
        Value::Bytes(bytes) | Value::String(bytes) => {
            bytes.windows(needle.len()).any(|window| window == needle)
        }
        _ => false,
    })
}

#[test]
fn words_parts_of_others_and_numbers_come_in() {
    let (base, other) =
        (vec![Value::Bytes(b"size=12;".to_vec())], vec![Value::Bytes(b"<x>".to_vec())]);
    let words = words();
    let mut inventor = Inventor::new(1, &words, 100);
    let all: Vec<Vec<Value>> = (0..20_000).map(|_| inventor.invent(&base, &other)).collect();
    for needle in [&b"GET"[..], b"Content-Length", b"<x", b"13", b"9223372036854775807", b"65536"] {
        assert!(all.iter().any(|values| contains(values, needle)), "{needle:?}");
    }
}

#[test]
fn nothing_is_too_long_and_types_stay() {
    let base = vec![
        Value::String(vec![b'a'; 90]),
        Value::Bool(true),
        Value::Int8(3),
        Value::Float64(0.5),
        Value::Bytes(Vec::new()),
    ];
    let words = words();
    let mut inventor = Inventor::new(2, &words, 100);
    let mut has_changed = [false; 5];
    for _ in 0..2_000 {
        let values = inventor.invent(&base, &base);
        for ((value, old), changed) in values.iter().zip(&base).zip(&mut has_changed) {
            assert_eq!(value.value_type(), old.value_type());
            *changed |= value != old;
            if let Value::Bytes(bytes) | Value::String(bytes) = value {
                assert!(bytes.len() <= 100);
            }
        }
    }
    assert_eq!(has_changed, [true; 5]);
}

#[test]
fn the_same_seed_invents_the_same() {
    let base = vec![Value::Bytes(b"abc".to_vec()), Value::Uint64(7)];
    let words = words();
    let inputs = |seed| {
        let mut inventor = Inventor::new(seed, &words, 64);
        (0..50).map(|_| inventor.invent(&base, &base)).collect::<Vec<_>>()
    };
    assert_eq!(inputs(3), inputs(3));
    assert_ne!(inputs(3), inputs(4));
}

#[test]
fn without_words_and_bytes_there_is_still_something() {
    let base = vec![Value::Bytes(Vec::new())];
    let mut inventor = Inventor::new(5, &[], 8);
    assert!((0..100).any(|_| inventor.invent(&base, &base) != base));
}
