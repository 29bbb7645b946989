use super::*;

/// The text of what one line means, or its problem.
fn again(line: &str) -> Result<String, TextError> {
    let values = decode(format!("{VERSION_LINE}\n{line}\n").as_bytes())?;
    assert_eq!(values.len(), 1, "{line}");
    let text = String::from_utf8(encode(&values)).unwrap();
    Ok(text.lines().nth(1).unwrap().to_owned())
}

#[track_caller]
fn same(lines: &[&str]) {
    for &line in lines {
        assert_eq!(again(line).as_deref(), Ok(line));
    }
}

#[track_caller]
fn becomes(pairs: &[(&str, &str)]) {
    for &(line, text) in pairs {
        assert_eq!(again(line).as_deref(), Ok(text), "{line}");
    }
}

#[track_caller]
fn refused(lines: &[&str]) {
    for &line in lines {
        assert!(again(line).is_err(), "{line}: {:?}", again(line));
    }
}

#[test]
fn the_first_line_must_be_the_version() {
    for text in ["", "\n", "go test fuzz v2\nint(1)\n", " go test fuzz v1\nint(1)", "int(1)\n"] {
        assert_eq!(decode(text.as_bytes()), Err(TextError::NoVersion), "{text:?}");
    }
    for text in ["go test fuzz v1", "go test fuzz v1\n", "go test fuzz v1\r\n \t\n\r\n"] {
        assert_eq!(decode(text.as_bytes()), Err(TextError::NoValues), "{text:?}");
    }
}

#[test]
fn line_ends_blank_lines_and_outer_blanks_do_not_matter() {
    let text = "go test fuzz v1\r\n\r\n\t int(1) \u{85}\r\n\n\u{a0}bool(true)";
    assert_eq!(decode(text.as_bytes()), Ok(vec![Value::Int(1), Value::Bool(true)]));
}

#[test]
fn the_text_of_every_type_is_go_s() {
    same(&[
        "[]byte(\"\")",
        "string(\"a\\\"'`\\\\\\a\\b\\f\\n\\r\\t\\v\\x00\\x7f\\xff\")",
        "string(\"é☃😀\\u0085\\u00ad\\ufeff\\u2028\\U000e0001\")",
        "string(\"e\u{301}\u{301}\")",
        "string(\"\u{301}\")",
        "bool(true)",
        "bool(false)",
        "byte('A')",
        "byte('\\x00')",
        "byte('\\'')",
        "byte('\"')",
        "byte('\\u0080')",
        "byte('ÿ')",
        "rune('☃')",
        "rune('\\U000e0001')",
        "int(-9223372036854775808)",
        "uint(18446744073709551615)",
        "int8(-128)",
        "int16(-32768)",
        "uint16(65535)",
        "int32(-1)",
        "uint32(4294967295)",
        "int64(9223372036854775807)",
        "uint64(0)",
        "int128(-170141183460469231731687303715884105728)",
        "uint128(340282366920938463463374607431768211455)",
    ]);
}

#[test]
fn integers_are_read_in_every_radix() {
    becomes(&[
        ("int(0x7F)", "int(127)"),
        ("int(-0x1)", "int(-1)"),
        ("int8(- 0b101)", "int8(-5)"),
        ("uint16(0o17)", "uint16(15)"),
        ("uint16(017)", "uint16(15)"),
        ("uint16(0_7)", "uint16(7)"),
        ("uint32(1_000)", "uint32(1000)"),
        ("uint32(0x_f_f)", "uint32(255)"),
        ("int(-0)", "int(0)"),
        ("uint8(65)", "byte('A')"),
        ("byte(0x41)", "byte('A')"),
        ("byte('\\101')", "byte('A')"),
        ("byte('\\u00ff')", "byte('ÿ')"),
        ("rune(65)", "rune('A')"),
        ("rune('\\xff')", "rune('ÿ')"),
        ("rune(-1)", "int32(-1)"),
        ("rune(0xd800)", "int32(55296)"),
        ("int32(65)", "int32(65)"),
    ]);
    refused(&[
        "int8(128)",
        "int8(-129)",
        "int(9223372036854775808)",
        "uint8(256)",
        "uint8(-1)",
        "uint(-0)",
        "uint128(340282366920938463463374607431768211456)",
        "int(20*5)",
        "int(--5)",
        "int(+5)",
        "int(1.0)",
        "int(1e3)",
        "int(08)",
        "int(0b2)",
        "int(0x)",
        "int(1__0)",
        "int(1_)",
        "int(_1)",
        "int('a')",
        "int(1i)",
        "uint8('a')",
        "int32('a')",
        "byte('☃')",
        "byte('aa')",
        "byte('')",
        "byte('a)",
        "byte(-'a')",
        "rune('\\ud800')",
        "rune(0x80000000)",
        "bool(0)",
        "bool(TRUE)",
        "bool(-true)",
    ]);
}

#[test]
fn strings_are_read_with_every_escape_and_raw() {
    becomes(&[
        ("string(\"\\101\\x41\\u0041\\U00000041\")", "string(\"AAAA\")"),
        ("string(\"\\377\\xc3\\xa9\")", "string(\"\\xffé\")"),
        ("[]byte(`a\\n\"b`)", "[]byte(\"a\\\\n\\\"b\")"),
        ("string(`a\rb`)", "string(\"ab\")"),
        ("string(\"\u{1}\u{ad}\")", "string(\"\\x01\\u00ad\")"),
    ]);
    refused(&[
        "string(\"\\400\")",
        "string(\"\\08\")",
        "string(\"\\x4\")",
        "string(\"\\ud800\")",
        "string(\"\\U00110000\")",
        "string(\"\\'\")",
        "string(\"\\q\")",
        "string(\"a\\\")",
        "string(\"a)",
        "string(`a)",
        "string('a')",
        "string(a)",
        "string(1)",
        "[]byte(-\"a\")",
        "string(\"\0\")",
        "string(\"\u{feff}\")",
    ]);
    assert!(decode(b"go test fuzz v1\nstring(\"\xff\")\n").is_err());
}

#[test]
fn floats_keep_their_bits() {
    same(&[
        "float64(-12.5)",
        "float64(-0)",
        "float32(-0)",
        "float64(NaN)",
        "float32(NaN)",
        "float64(+Inf)",
        "float32(-Inf)",
        "math.Float64frombits(0x7ff8000000000002)",
        "math.Float64frombits(0x7ff8000000000000)",
        "math.Float64frombits(0xfff8000000000001)",
        "math.Float32frombits(0x7fc00001)",
        "math.Float32frombits(0x7f800001)",
        "float64(123456)",
        "float64(1e+06)",
        "float64(1.234567e+06)",
        "float64(0.0001)",
        "float64(1e-05)",
        "float64(5e-324)",
        "float64(1.7976931348623157e+308)",
        "float32(3.4028235e+38)",
        "float32(382592.62)",
        "float64(2.5e+100)",
    ]);
    assert_eq!(
        decode(b"go test fuzz v1\nfloat64(NaN)\n"),
        Ok(vec![Value::Float64(f64::from_bits(0x7ff8_0000_0000_0001))])
    );
}

#[test]
fn floats_are_read_in_every_spelling() {
    becomes(&[
        ("float64(1)", "float64(1)"),
        ("float64(017)", "float64(17)"),
        ("float64(.5)", "float64(0.5)"),
        ("float64(5.)", "float64(5)"),
        ("float64(1_0.2_5e0_1)", "float64(102.5)"),
        ("float64(08.5)", "float64(8.5)"),
        ("float64(0x1p-2)", "float64(0.25)"),
        ("float64(0x_1.8P+1)", "float64(3)"),
        ("float64(0x1p-1075)", "float64(0)"),
        ("float64(0x1.8p-1074)", "float64(1e-323)"),
        ("float64(0x1.fffffffffffff7p1023)", "float64(1.7976931348623157e+308)"),
        ("float32(0x1.000001p0)", "float32(1)"),
        ("float32(0x1.000001000000000000000001p0)", "float32(1.0000001)"),
        ("float32(16777217)", "float32(1.6777216e+07)"),
        ("math.Float32frombits(1065353216)", "float32(1)"),
        ("math . Float64frombits ( 0 )", "float64(0)"),
        ("float64(1.5...)", "float64(1.5)"),
        ("float64(1e3...)", "float64(1000)"),
        ("float64(^Inf)", "float64(+Inf)"),
        ("float32(!Inf)", "float32(+Inf)"),
        ("float64(& Inf)", "float64(+Inf)"),
        ("float32(~Inf)", "float32(+Inf)"),
        ("float64(<-Inf)", "float64(+Inf)"),
    ]);
    refused(&[
        "float64(1e999)",
        "float32(1e39)",
        "float64(0x1p1024)",
        "float64(0x1.fffffffffffff8p1023)",
        "float64(0x10)",
        "float64(0b1)",
        "float64(0x_.8p1)",
        "float64(0xp1)",
        "float64(.)",
        "float64(1e)",
        "float64(1..2)",
        "float64(09)",
        "float64(1__0.5)",
        "float64(Inf)",
        "float64(-NaN)",
        "float64(^5)",
        "float64(*Inf)",
        "float64(--Inf)",
        "float64(< -Inf)",
        "float64(+1)",
        "float64('a')",
        "math.Float32frombits(0x100000000)",
        "math.Float64frombits(-1)",
        "math.Float64frombits(1.5)",
        "math.NaN(1)",
    ]);
}

#[test]
fn a_line_is_one_conversion_and_nothing_else() {
    becomes(&[
        ("[ ] byte ( \"a\" )", "[]byte(\"a\")"),
        ("int(5) // five", "int(5)"),
        ("/* a */int/**/(5/*)*/,)", "int(5)"),
        ("string(\"// /*\")", "string(\"// /*\")"),
        ("int(5 ...)", "int(5)"),
        ("string(\"a\"...,)", "string(\"a\")"),
        ("\u{feff}int(5)", "int(5)"),
    ]);
    refused(&[
        "int(5",
        "int 5",
        "int()",
        "int(5,5)",
        "int(5)(5)",
        "int(5);",
        "int(5...)",
        "int(5 . . .)",
        "int(... 5)",
        "\u{feff}\u{feff}int(5)",
        "int((5))",
        "(int)(5)",
        "int(5) int(5)",
        "int(/*5)",
        "// nothing",
        "5",
        "[]uint8(\"a\")",
        "[3]byte(\"a\")",
        "[]byte",
        "uintptr(5)",
        "x.int(5)",
        "☃(5)",
    ]);
}

#[test]
fn a_bad_line_is_named_by_its_number() {
    let error = decode(b"go test fuzz v1\nint(1)\n\nint8(300)\n").unwrap_err();
    assert_eq!(error.to_string(), "line 4: not a value of type int8");
}
