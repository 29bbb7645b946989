use super::*;

/// `TestUnmarshalMarshal` of `encoding_test.go`: what Go reads, and what it writes for it.
#[track_caller]
fn becomes(file: &str, text: &str) {
    let values = decode(file.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(encode(&values)).unwrap(), format!("{text}\n"));
}

#[track_caller]
fn stays(file: &str) {
    becomes(file, file);
}

#[test]
fn what_go_rejects_is_rejected() {
    let cases = [
        ("missing version", "int(1234)"),
        ("malformed string", "go test fuzz v1\nstring(\"a\"bcad\")"),
        ("empty value", "go test fuzz v1\nint()"),
        ("negative uint", "go test fuzz v1\nuint(-32)"),
        ("int8 too large", "go test fuzz v1\nint8(1234456)"),
        ("multiplication in int value", "go test fuzz v1\nint(20*5)"),
        ("double negation", "go test fuzz v1\nint(--5)"),
        ("malformed bool", "go test fuzz v1\nbool(0)"),
        ("malformed byte", "go test fuzz v1\nbyte('aa)"),
        ("byte out of range", "go test fuzz v1\nbyte('☃')"),
        ("empty file", ""),
        ("no value", "go test fuzz v1"),
        ("a type of ours", "go test fuzz v1\nuint128(1)"),
    ];
    for (name, file) in cases {
        assert!(decode(file.as_bytes()).is_err(), "{name}");
    }
}

#[test]
fn extra_newlines_trailing_spaces_and_windows_line_ends_are_read() {
    let line = "go test fuzz v1\nstring(\"has extra newline\")";
    becomes(&format!("{line}\n"), line);
    becomes(
        "go test fuzz v1\nstring(\"extra\")\n[]byte(\"spacing\")  \n    ",
        "go test fuzz v1\nstring(\"extra\")\n[]byte(\"spacing\")",
    );
    becomes("go test fuzz v1\r\nint(0)\r\n", "go test fuzz v1\nint(0)");
}

#[test]
fn every_type_is_written_as_go_writes_it() {
    stays("go test fuzz v1\nfloat64(0)\nfloat32(0)");
    stays(concat!(
        "go test fuzz v1\nint(-23)\nint8(-2)\nint64(2342425)\nuint(1)\nuint16(234)\n",
        "uint32(352342)\nuint64(123)\nrune('œ')\nbyte('K')\nbyte('ÿ')\n[]byte(\"hello¿\")\n",
        "[]byte(\"a\")\nbool(true)\nstring(\"hello\\\\xbd\\\\xb2=\\\\xbc ⌘\")\n",
        "float64(-12.5)\nfloat32(2.5)",
    ));
}

#[test]
fn edges_of_floats_keep_their_bits() {
    stays(concat!(
        "go test fuzz v1\nfloat32(-0)\nfloat64(-0)\nfloat32(+Inf)\nfloat32(-Inf)\nfloat32(NaN)\n",
        "float64(+Inf)\nfloat64(-Inf)\nfloat64(NaN)\nmath.Float64frombits(0x7ff8000000000002)\n",
        "math.Float32frombits(0x7fc00001)",
    ));
}

#[test]
fn integers_are_read_in_other_spellings() {
    becomes(
        concat!(
            "go test fuzz v1\nint(0x0)\nint32(0x41)\nint64(0xfffffffff)\nuint32(0xcafef00d)\n",
            "uint64(0xffffffffffffffff)\nuint8(0b0000000)\nbyte(0x0)\nbyte('\\000')\n",
            "byte('\\u0000')\nbyte('\\'')\nmath.Float64frombits(9221120237041090562)\n",
            "math.Float32frombits(2143289345)",
        ),
        concat!(
            "go test fuzz v1\nint(0)\nrune('A')\nint64(68719476735)\nuint32(3405705229)\n",
            "uint64(18446744073709551615)\nbyte('\\x00')\nbyte('\\x00')\nbyte('\\x00')\n",
            "byte('\\x00')\nbyte('\\'')\nmath.Float64frombits(0x7ff8000000000002)\n",
            "math.Float32frombits(0x7fc00001)",
        ),
    );
    stays("go test fuzz v1\nint(9223372036854775807)\nuint(18446744073709551615)");
}

#[test]
fn a_rune_that_is_no_character_is_an_int32() {
    becomes(
        concat!(
            "go test fuzz v1\nrune(0)\nrune(0x41)\nrune(-1)\nrune(0xfffd)\nrune(0xd800)\n",
            "rune(0x10ffff)\nrune(0x110000)\n",
        ),
        concat!(
            "go test fuzz v1\nrune('\\x00')\nrune('A')\nint32(-1)\nrune('\u{fffd}')\n",
            "int32(55296)\nrune('\\U0010ffff')\nint32(1114112)",
        ),
    );
}

#[track_caller]
fn returns(value: Value) {
    assert_eq!(decode(&encode(std::slice::from_ref(&value))), Ok(vec![value]));
}

/// `TestByteRoundTrip` and `TestInt8RoundTrip`.
#[test]
fn every_byte_and_every_int8_returns() {
    for byte in u8::MIN..=u8::MAX {
        returns(Value::Uint8(byte));
        returns(Value::Int8(byte.cast_signed()));
    }
}

/// The seeds of `FuzzFloat64RoundTrip`, `FuzzRuneRoundTrip` and `FuzzStringRoundTrip`.
#[test]
fn the_seeds_of_go_s_round_trips_return() {
    for bits in [0, 1 << 63, 1, 0x7ff0_0000_0000_0001, 0x7ff8_0000_0000_0001] {
        returns(Value::Float64(f64::from_bits(bits)));
    }
    for float in [f64::MAX, f64::INFINITY, f64::NEG_INFINITY] {
        returns(Value::Float64(float));
    }
    let runes = [-1, 0xd800, 0xdfff, 0xfffd, 0x7f, 0xff, 0x10_ffff, 0x11_0000, i32::MIN, i32::MAX];
    for number in runes {
        returns(Value::Int32(number));
    }
    for text in ["", "\0", "\u{fffd}"] {
        returns(Value::String(text.as_bytes().to_vec()));
    }
}

mod round_trips {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_float64_returns(bits: u64) {
            returns(Value::Float64(f64::from_bits(bits)));
        }

        #[test]
        fn any_float32_returns(bits: u32) {
            returns(Value::Float32(f32::from_bits(bits)));
        }

        #[test]
        fn any_rune_returns(number: i32) {
            returns(Value::Int32(number));
        }

        #[test]
        fn any_bytes_return(bytes: Vec<u8>) {
            returns(Value::String(bytes.clone()));
            returns(Value::Bytes(bytes));
        }
    }
}

#[test]
fn files_are_named_by_the_start_of_their_hash() {
    // The first 16 digits of the SHA-256 of nothing.
    assert_eq!(file_name(b""), "e3b0c44298fc1c14");
}

#[test]
fn the_capacity_is_enough_for_text_and_mutator() {
    for parameters in 1..20 {
        let values: Vec<Value> = (0..parameters).map(|_| Value::Bytes(vec![0xff; 1000])).collect();
        let capacity = capacity_for(1000, parameters);
        assert!(encode(&values).len() <= capacity);
        assert!(capacity / parameters - ENCODING_ROOM >= 1000);
    }
}

#[test]
fn what_the_mutator_may_make_of_a_value_need_not_fit_the_memory() {
    let capacity = capacity_for(1000, 1);
    let share = Value::Bytes(vec![0xff; capacity - ENCODING_ROOM]);
    assert!(encode(&[share]).len() > capacity, "the sentence about it can go");
}
