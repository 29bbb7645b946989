//! Arguments are the values that the protocol's form says, taken without copies.

use fuzzd_protocol::input;
use fuzzd_protocol::value::{Value, ValueType};

use super::{Arguments, Text};

/// The next argument, as generated code takes it.
fn take(arguments: &mut Arguments<'_>, value_type: ValueType) -> Value {
    match value_type {
        ValueType::Bytes => Value::Bytes(arguments.take_bytes()),
        ValueType::String => Value::String(arguments.take_slice().to_vec()),
        ValueType::Bool => Value::Bool(arguments.take_bool()),
        ValueType::Rune => Value::Rune(arguments.take_char()),
        ValueType::Uint8 => Value::Uint8(arguments.take_u8()),
        ValueType::Int8 => Value::Int8(arguments.take_i8()),
        ValueType::Uint16 => Value::Uint16(arguments.take_u16()),
        ValueType::Int16 => Value::Int16(arguments.take_i16()),
        ValueType::Uint32 => Value::Uint32(arguments.take_u32()),
        ValueType::Int32 => Value::Int32(arguments.take_i32()),
        ValueType::Uint64 => Value::Uint64(arguments.take_u64()),
        ValueType::Int64 => Value::Int64(arguments.take_i64()),
        ValueType::Uint128 => Value::Uint128(arguments.take_u128()),
        ValueType::Int128 => Value::Int128(arguments.take_i128()),
        ValueType::Float32 => Value::Float32(arguments.take_f32()),
        ValueType::Float64 => Value::Float64(arguments.take_f64()),
        ValueType::Uint => Value::Uint(u64::try_from(arguments.take_usize()).unwrap()),
        ValueType::Int => Value::Int(i64::try_from(arguments.take_isize()).unwrap()),
    }
}

/// A small generator: the same numbers each time.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn below(state: &mut u64, end: usize) -> usize {
    usize::try_from(next(state)).unwrap() % end
}

#[test]
fn arguments_are_what_the_memory_form_says() {
    for seed in 0..20_000 {
        let mut state = seed;
        let types: Vec<ValueType> = (0..=below(&mut state, 4))
            .map(|_| ValueType::ALL[below(&mut state, ValueType::ALL.len())])
            .collect();
        // Small numbers are lengths that fit, more often than not.
        let memory: Vec<u8> = (0..below(&mut state, 48))
            .map(|_| match below(&mut state, 3) {
                0 => u8::try_from(below(&mut state, 256)).unwrap(),
                1 => u8::try_from(below(&mut state, 9)).unwrap(),
                _ => 0,
            })
            .collect();
        let mut arguments = Arguments::new(&types, &memory);
        let taken: Vec<Value> = types.iter().map(|ty| take(&mut arguments, *ty)).collect();
        let wanted = input::to_values(&types, &memory);
        // As text, because a NaN is not equal to itself.
        assert_eq!(
            input::to_memory(&types, &taken),
            input::to_memory(&types, &wanted),
            "seed {seed}: {types:?} in {memory:?}"
        );
    }
}

#[test]
fn taking_arguments_copies_nothing() {
    // What owns nothing allocates nothing.
    assert!(!std::mem::needs_drop::<Arguments<'_>>());
    let memory = b"\x03\0\0\0raw\x04\0\0\0text\x07";
    let within = memory.as_ptr_range();
    let types = [ValueType::Bytes, ValueType::String, ValueType::Uint8];
    let mut arguments = Arguments::new(&types, memory);
    let raw = arguments.take_slice();
    assert_eq!((raw, within.contains(&raw.as_ptr())), (&b"raw"[..], true));
    let text: Text<'_> = arguments.take_text();
    assert_eq!((&*text, within.contains(&text.as_ptr())), ("text", true));
    assert_eq!(arguments.take_u8(), 7);
}

#[test]
fn one_argument_of_bytes_is_the_whole_input() {
    let memory = b"\x01\0\0\0whole";
    let slice = Arguments::new(&[ValueType::Bytes], memory).take_slice();
    assert_eq!((slice, slice.as_ptr()), (&memory[..], memory.as_ptr()));
    let text = Arguments::new(&[ValueType::String], memory).take_text();
    assert_eq!(text.as_ptr(), memory.as_ptr());
}

#[test]
fn invalid_text_is_repaired() {
    let text = Arguments::new(&[ValueType::String], b"a\xffb").take_text();
    assert_eq!(&*text, "a\u{fffd}b");
    assert_eq!(Arguments::new(&[ValueType::String], b"a\xffb").take_string(), "a\u{fffd}b");
}
