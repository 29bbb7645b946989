//! What people see of an input.

#![expect(
    clippy::needless_borrow,
    reason = "generated code cannot know whether it needs the borrow"
)]

use super::{Show, ShowWithDebug as _, ShowWithoutDebug as _};
use super::{argument_text, value_text};
use crate::limits::SHOWN_BYTES_MAX;
use crate::parameter::{Parameter, Shown};
use fuzzd_protocol::value::Value;

struct Silent;

#[derive(Debug)]
struct Pair {
    #[expect(dead_code, reason = "read by `Debug`")]
    left: Vec<u64>,
}

/// A `Debug` that would never end by itself.
struct Endless;

impl std::fmt::Debug for Endless {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        loop {
            formatter.write_str("ä")?;
        }
    }
}

fn shown_text(shown: Shown) -> String {
    match shown {
        Shown::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn debug_is_used_where_a_type_has_it() {
    assert_eq!(shown_text((&Show(&Pair { left: vec![7] })).show()), "Pair { left: [7] }");
    assert!(matches!((&Show(&Silent)).show(), Shown::NoDebug));
}

#[test]
fn long_values_take_several_lines_and_have_a_bound() {
    let text = shown_text((&Show(&Pair { left: vec![1 << 60; 5] })).show());
    assert!(text.starts_with("Pair {\n    left: [\n        1152921504606846976,"), "{text}");
    let text = shown_text((&Show(&Endless)).show());
    assert!(text.len() <= SHOWN_BYTES_MAX + "…".len() && text.ends_with("ä…"), "{}", text.len());
}

#[test]
fn values_are_printed_as_in_rust() {
    let text = |value| value_text(&value);
    assert_eq!(text(Value::Bytes(b"a\0\xff\"".to_vec())), r#"b"a\x00\xff\"" (4 bytes)"#);
    assert_eq!(text(Value::String("a\nß".into())), "\"a\\nß\" (4 bytes)");
    let replaced = "\"a\u{fffd}\" (2 bytes, invalid UTF-8 replaced)";
    assert_eq!(text(Value::String(b"a\xff".to_vec())), replaced);
    assert_eq!(text(Value::Rune('\'')), r"'\''");
    assert_eq!(text(Value::Int8(-1)), "-1");
    assert_eq!(text(Value::Uint128(u128::MAX)), u128::MAX.to_string());
    assert_eq!(text(Value::Float64(-0.0)), "-0.0");
    assert_eq!(text(Value::Float32(f32::NAN)), "NaN = f32::from_bits(0x7fc00000)");
}

#[test]
fn large_values_are_cut() {
    let text = value_text(&Value::Bytes(vec![b'a'; SHOWN_BYTES_MAX + 1]));
    assert_eq!(text.matches('a').count(), SHOWN_BYTES_MAX);
    assert!(text.ends_with("a\"… (2049 bytes)"), "{text}");
    let text = value_text(&Value::String(vec![0xc3; SHOWN_BYTES_MAX + 1]));
    assert!(text.len() < 2 * SHOWN_BYTES_MAX, "{}", text.len());
}

#[test]
fn built_values_without_debug_are_printed_as_their_bytes() {
    let built = |debug| {
        let parameter = Parameter { name: "a", ty: "T", debug: Some(debug) };
        argument_text(&Value::Bytes(b"x\0".to_vec()), &parameter)
    };
    let bytes = r#"[]byte("x\x00") (2 bytes)"#;
    assert_eq!(built(|_| Shown::NoDebug), format!("a value built from {bytes}"));
    assert_eq!(built(|_| Shown::Rejected), format!("no value (rejected), from {bytes}"));
    let panics = built(|_| panic!("in Debug"));
    assert_eq!(panics, format!("a value that panics when built or printed, from {bytes}"));
}
