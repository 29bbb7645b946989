use super::*;

const PAIR: [ValueType; 2] = [ValueType::String, ValueType::Int16];

#[test]
fn one_byte_string_is_raw_and_two_are_packed() {
    let value = || Value::Bytes(b"ab".to_vec());
    assert_eq!(to_memory(&[ValueType::Bytes], &[value()]), b"ab");
    assert_eq!(to_memory(&[ValueType::Bytes; 2], &[value(), value()]), b"\x02\0\0\0ab\x02\0\0\0ab");
    assert_eq!(to_memory(&[ValueType::Uint16], &[Value::Uint16(0x0102)]), b"\x02\x01");
}

#[test]
fn every_byte_string_decodes() {
    assert_eq!(to_values(&PAIR, b""), [Value::String(vec![]), Value::Int16(0)]);
    assert_eq!(to_values(&PAIR, b"\x01"), [Value::String(vec![]), Value::Int16(0)]);
    assert_eq!(
        to_values(&PAIR, b"\xff\xff\xff\xffab"),
        [Value::String(b"ab".to_vec()), Value::Int16(0)]
    );
    assert_eq!(
        to_values(&PAIR, b"\x01\0\0\0a\x05"),
        [Value::String(b"a".to_vec()), Value::Int16(5)]
    );
    assert_eq!(canonical(&PAIR, b"\x01\0\0\0a\x05"), b"\x01\0\0\0a\x05\0");
    assert_eq!(canonical(&PAIR, b"\x01\0\0\0a\x05\0rest"), b"\x01\0\0\0a\x05\0");
}

#[test]
fn fields_lie_within_the_memory_even_when_their_lengths_do_not() {
    let fields = fields(&[ValueType::Bytes, ValueType::Uint32, ValueType::Bytes], b"\x09\0\0\0ab");
    assert_eq!(fields[0], Field { value_type: ValueType::Bytes, bytes: 4..6, prefix: Some(0) });
    assert_eq!(fields[1], Field { value_type: ValueType::Uint32, bytes: 6..6, prefix: None });
    assert_eq!(fields[2], Field { value_type: ValueType::Bytes, bytes: 6..6, prefix: Some(6) });
}

#[test]
fn an_invalid_character_reads_as_the_replacement_character() {
    let replaced = [Value::Rune('\u{fffd}')];
    assert_eq!(to_values(&[ValueType::Rune], &0xd800u32.to_le_bytes()), replaced);
    assert_eq!(to_values(&[ValueType::Rune], &[0xff; 4]), replaced);
    assert_eq!(to_values(&[ValueType::Rune], b"\x41"), [Value::Rune('A')]);
}

#[test]
fn raw_bytes_that_would_be_taken_for_text_are_written_as_text() {
    let types = [ValueType::Bytes];
    let text = b"go test fuzz v1\n[]byte(\"x\")\n";
    assert_eq!(to_file(&types, b"x"), b"x");
    assert_ne!(to_file(&types, text), text);
    assert_eq!(from_file(&types, &to_file(&types, text)), Ok(text.to_vec()));
    assert_eq!(from_file(&types, text), Ok(b"x".to_vec()));
    let almost = b"go test fuzz v1\n[]byte(\"x\"\n";
    assert_eq!(to_file(&types, almost), almost);
    assert_eq!(from_file(&types, almost), Ok(almost.to_vec()));
}

#[test]
fn a_file_with_other_types_names_both_lists() {
    let file = b"go test fuzz v1\nint16(1)\nstring(\"a\")\n";
    let error = from_file(&PAIR, file).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the fuzz test takes (string, int16), the file has (int16, string)"
    );
    assert!(from_file(&PAIR, b"go test fuzz v1\nstring(\"a\")\n").is_err());
    assert!(from_file(&[ValueType::Bytes], file).is_err());
    assert!(from_file(&[ValueType::String], b"raw").is_err());
}

#[test]
fn rune_and_int32_stand_for_each_other_where_the_number_is_a_character() {
    let file = |line: &str| format!("go test fuzz v1\n{line}\n").into_bytes();
    let rune = |line| from_file(&[ValueType::Rune], &file(line));
    let int32 = |line| from_file(&[ValueType::Int32], &file(line));
    assert_eq!(rune("int32(65)"), Ok(b"A\0\0\0".to_vec()));
    assert_eq!(int32("rune('A')"), Ok(b"A\0\0\0".to_vec()));
    assert_eq!(int32("rune(-1)"), Ok(vec![0xff; 4]));
    assert!(rune("int32(-1)").is_err());
    assert!(rune("rune(0xd800)").is_err());
    assert!(rune("uint32(65)").is_err());
}
