use proptest::prelude::*;

use super::operators::Operator;
use super::*;
use crate::pcg::Pcg;

/// Go's `mockRand`: the next of some numbers, and a coin that falls on alternate sides.
struct Script {
    numbers: Vec<u32>,
    taken: usize,
    coin: bool,
}

impl Script {
    fn new(numbers: &[u32]) -> Self {
        Self { numbers: numbers.to_vec(), taken: 0, coin: false }
    }
}

impl Random for Script {
    fn below(&mut self, end: u32) -> u32 {
        self.taken += 1;
        self.numbers[self.taken - 1] % end
    }

    fn coin(&mut self) -> bool {
        self.coin = !self.coin;
        !self.coin
    }
}

fn apply(operator: Operator, input: &[u8], capacity: usize, numbers: &[u32]) -> Option<Vec<u8>> {
    let mut scratch = Scratch::new(capacity);
    scratch.load(input);
    operator.apply(&mut scratch, &mut Script::new(numbers))?;
    Some(scratch.value().to_vec())
}

/// The table of `TestByteSliceMutators`: operator, input, capacity, draws, result.
#[test]
fn the_eighteen_operators_do_what_go_s_own_tests_expect() {
    const COUNT: &[u32] = &[0, 1, 2, 3, 4, 5];
    const FOUR: &[u8] = &[1, 2, 3, 4];
    type Case = (Operator, &'static [u8], usize, &'static [u32], &'static [u8]);
    const CASES: [Case; 18] = [
        (Operator::RemoveBytes, FOUR, 4, COUNT, &[4]),
        (Operator::InsertRandomBytes, &[0; 4], 8, COUNT, &[3, 4, 5, 0, 0, 0, 0]),
        (Operator::DuplicateBytes, FOUR, 13, COUNT, &[1, 1, 2, 3, 4, 2, 3, 4]),
        (Operator::OverwriteBytes, FOUR, 4, COUNT, &[1, 1, 3, 4]),
        (Operator::BitFlip, FOUR, 4, COUNT, &[3, 2, 3, 4]),
        (Operator::XorByte, FOUR, 4, COUNT, &[3, 2, 3, 4]),
        (Operator::SwapByte, FOUR, 4, COUNT, &[2, 1, 3, 4]),
        (Operator::ArithmeticUint8, FOUR, 4, COUNT, &[255, 2, 3, 4]),
        (Operator::ArithmeticUint16, FOUR, 4, COUNT, &[1, 3, 3, 4]),
        (Operator::ArithmeticUint32, FOUR, 4, COUNT, &[2, 2, 3, 4]),
        (
            Operator::ArithmeticUint64,
            &[1, 2, 3, 4, 5, 6, 7, 8],
            8,
            COUNT,
            &[2, 2, 3, 4, 5, 6, 7, 8],
        ),
        (Operator::OverwriteInterestingUint8, FOUR, 4, COUNT, &[255, 2, 3, 4]),
        (Operator::OverwriteInterestingUint16, FOUR, 4, COUNT, &[255, 127, 3, 4]),
        (Operator::OverwriteInterestingUint32, FOUR, 4, COUNT, &[250, 0, 0, 250]),
        (Operator::InsertConstantBytes, FOUR, 8, COUNT, &[3, 3, 3, 1, 2, 3, 4]),
        (Operator::OverwriteConstantBytes, FOUR, 4, COUNT, &[3, 3, 3, 4]),
        (Operator::ShuffleBytes, FOUR, 4, COUNT, &[2, 3, 1, 4]),
        (Operator::SwapBytes, FOUR, 9, &[0, 2, 0, 2], &[3, 2, 1, 4]),
    ];
    for (position, (operator, input, capacity, numbers, expected)) in CASES.into_iter().enumerate()
    {
        assert_eq!(Operator::ALL[position], operator, "the order is Go's");
        let result = apply(operator, input, capacity, numbers);
        assert_eq!(result.as_deref(), Some(expected), "{operator:?}");
    }
}

#[test]
fn a_result_that_would_fill_the_capacity_is_refused() {
    // Each needs one byte more than it uses.
    let cases: [(Operator, usize, &[u32]); 4] = [
        (Operator::InsertRandomBytes, 7, &[0, 1, 2, 3, 4, 5]),
        (Operator::DuplicateBytes, 12, &[0, 1, 2, 3]),
        (Operator::InsertConstantBytes, 7, &[0, 1, 2, 3]),
        (Operator::SwapBytes, 5, &[0, 2, 0, 2]),
    ];
    for (operator, most, numbers) in cases {
        assert_eq!(apply(operator, &[1, 2, 3, 4], most, numbers), None, "{operator:?}");
        assert!(apply(operator, &[1, 2, 3, 4], most + 1, numbers).is_some(), "{operator:?}");
    }
}

#[test]
fn operators_refuse_values_that_are_too_short_for_them() {
    for operator in Operator::ALL {
        let shortest = match operator {
            Operator::InsertRandomBytes => continue,
            Operator::BitFlip
            | Operator::XorByte
            | Operator::ArithmeticUint8
            | Operator::OverwriteInterestingUint8 => 1,
            Operator::ArithmeticUint32 | Operator::OverwriteInterestingUint32 => 4,
            Operator::ArithmeticUint64 => 8,
            _ => 2,
        };
        // No draw is taken for the refusal.
        assert_eq!(apply(operator, &vec![0; shortest - 1], 100, &[]), None, "{operator:?}");
    }
}

fn candidate(values: Vec<Value>, capacity: usize) -> Candidate {
    Candidate::new(values, capacity).unwrap()
}

#[test]
fn byte_parameters_show_one_buffer_and_strings_are_copies() {
    let two = |a: &[u8], b: &[u8]| vec![Value::Bytes(a.to_vec()), Value::Bytes(b.to_vec())];
    let mut shared = candidate(two(b"aaaaaaaa", b"bb"), 4096);
    // First parameter, operator 4 (BitFlip), position 0, bit 0; then the second one, last byte.
    shared.mutate(&mut Script::new(&[0, 4, 0, 0])).unwrap();
    assert_eq!(shared.values(), two(b"`aaaaaaa", b"bb"));
    shared.mutate(&mut Script::new(&[1, 4, 1, 0])).unwrap();
    assert_eq!(shared.values(), two(b"bcaaaaaa", b"bc"), "the first shows the second's bytes");

    let text = |a: &[u8], b: &[u8]| vec![Value::Bytes(a.to_vec()), Value::String(b.to_vec())];
    let mut mixed = candidate(text(b"aaaa", b"bb"), 4096);
    mixed.mutate(&mut Script::new(&[1, 4, 1, 0])).unwrap();
    assert_eq!(mixed.values(), text(b"aaaa", b"bc"));
    mixed.mutate(&mut Script::new(&[0, 4, 0, 0])).unwrap();
    assert_eq!(mixed.values(), text(b"`aaa", b"bc"), "a mutated string stays");
    mixed.mutate(&mut Script::new(&[1, 4, 0, 0])).unwrap();
    assert_eq!(mixed.values(), text(b"ccaa", b"cc"), "but it is mutated in the same buffer");
}

#[test]
fn working_space_behind_a_value_shows_in_a_longer_one() {
    let values = vec![Value::Bytes(b"12345678".to_vec()), Value::Bytes(b"abcd".to_vec())];
    let mut shared = candidate(values, 4096);
    shared.mutate(&mut Script::new(&[0, 4, 7, 0])).unwrap();
    // The second: operator 17 (SwapBytes), chunks of 2 bytes at 0 and 2... which touch, so 1 byte.
    shared.mutate(&mut Script::new(&[1, 17, 0, 2, 0, 0])).unwrap();
    let both = [Value::Bytes(b"cbadc679".to_vec()), Value::Bytes(b"cbad".to_vec())];
    assert_eq!(shared.values(), both);
}

#[test]
fn the_size_of_the_memory_changes_results() {
    let value = || vec![Value::Bytes(vec![b'x'; 40])];
    let result = |capacity: usize| {
        let mut small = candidate(value(), capacity);
        let mut generator = Pcg::seeded(3, 1);
        for _ in 0..20 {
            small.mutate(&mut generator).unwrap();
        }
        small.values()
    };
    assert_eq!(result(1 << 20), result(100 << 20), "both have room for everything");
    assert_ne!(result(1 << 20), result(140), "no operator may make it longer here");
}

#[test]
fn values_that_go_panics_for_are_errors() {
    let long = |bytes| vec![Value::Bytes(vec![0; bytes])];
    let mutate = |values, capacity| candidate(values, capacity).mutate(&mut Pcg::seeded(1, 1));
    assert_eq!(mutate(long(24), 124), Ok(()));
    assert_eq!(mutate(long(25), 124), Err(MutateError::TooLong { bytes: 25, max: 24 }));
    assert_eq!(mutate(long(0), 99), Err(MutateError::TooLong { bytes: 0, max: 0 }));
    assert_eq!(mutate(long(0), 101), Err(MutateError::NothingApplies { bytes: 0 }));
    assert_eq!(mutate(vec![Value::Int128(1)], 4096), Err(MutateError::NotGo(ValueType::Int128)));
    assert_eq!(Candidate::new(Vec::new(), 4096).unwrap_err(), MutateError::NoValues);
    assert!(Candidate::new(long(1), CAPACITY_MAX + 1).is_err());
}

fn mutated(value: Value, numbers: &[u32]) -> Value {
    let mut one = candidate(vec![value], 4096);
    let mut script = Script::new(&[&[0], numbers].concat());
    one.mutate(&mut script).unwrap();
    assert_eq!(script.taken, script.numbers.len(), "every draw was taken");
    one.values().remove(0)
}

#[test]
fn integers_step_up_or_down_and_stay_in_range() {
    assert_eq!(mutated(Value::Int(5), &[0, 99]), Value::Int(105));
    assert_eq!(mutated(Value::Int(5), &[1, 99]), Value::Int(-95));
    // At the bound the direction is drawn again.
    assert_eq!(mutated(Value::Int8(127), &[0, 0, 1, 3]), Value::Int8(123));
    assert_eq!(mutated(Value::Int8(-128), &[1, 0, 3]), Value::Int8(-124));
    assert_eq!(mutated(Value::Int8(-127), &[1, 0, 3]), Value::Int8(-123));
    // Near the bound the step is drawn below what is left: 5 % 2.
    assert_eq!(mutated(Value::Int8(125), &[0, 5]), Value::Int8(127));
    assert_eq!(mutated(Value::Int64(i64::MIN), &[1, 0, 7]), Value::Int64(i64::MIN + 8));
    assert_eq!(mutated(Value::Uint8(0), &[1, 0, 99]), Value::Uint8(100));
    assert_eq!(mutated(Value::Uint8(2), &[1, 5]), Value::Uint8(0));
    assert_eq!(mutated(Value::Uint64(u64::MAX), &[0, 1, 0]), Value::Uint64(u64::MAX - 1));
    assert_eq!(mutated(Value::Int32(0x10_ffff), &[0, 0]), Value::Int32(0x11_0000));
    assert_eq!(mutated(Value::Rune('a'), &[0, 0]), Value::Int32(98));
    assert_eq!(mutated(Value::Bool(true), &[0]), Value::Bool(true));
    assert_eq!(mutated(Value::Bool(true), &[1]), Value::Bool(false));
}

#[test]
fn floats_step_scale_and_keep_their_nan() {
    assert_eq!(mutated(Value::Float64(0.5), &[0, 9]), Value::Float64(10.5));
    assert_eq!(mutated(Value::Float64(0.5), &[1, 9]), Value::Float64(-9.5));
    assert_eq!(mutated(Value::Float64(0.5), &[2, 9]), Value::Float64(5.0));
    assert_eq!(mutated(Value::Float64(5.0), &[3, 9]), Value::Float64(0.5));
    // Zero is neither multiplied nor divided, infinity not made larger.
    assert_eq!(mutated(Value::Float64(-0.0), &[2, 3, 0, 0]), Value::Float64(1.0));
    let infinity = f64::INFINITY;
    assert_eq!(mutated(Value::Float64(infinity), &[0, 2, 1, 0]), Value::Float64(infinity));
    assert_eq!(mutated(Value::Float32(f32::MAX), &[0, 1, 0]), Value::Float32(f32::MAX));
    assert_eq!(mutated(Value::Float32(0.1), &[3, 2]), Value::Float32(0.1 / 3.0));
    let signalling = f64::from_bits(0xfff0_0000_0000_0002);
    let quiet = f64::from_bits(0xfff8_0000_0000_0002);
    assert_eq!(mutated(Value::Float64(signalling), &[0, 0]), Value::Float64(quiet));
    let signalling = f32::from_bits(0x7f80_0001);
    assert_eq!(
        mutated(Value::Float32(signalling), &[3, 0]),
        Value::Float32(f32::from_bits(0x7fc0_0001))
    );
}

proptest! {
    #[test]
    fn no_state_of_the_generator_and_no_value_makes_it_panic(
        state: u64,
        increment: u64,
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        numbers: (i8, i64, u64, u32),
        floats: (u32, u64),
        capacity in 900_usize..5000,
    ) {
        let values = vec![
            Value::Bytes(bytes.clone()),
            Value::String(bytes),
            Value::Int8(numbers.0),
            Value::Int64(numbers.1),
            Value::Uint64(numbers.2),
            Value::Uint32(numbers.3),
            Value::Float32(f32::from_bits(floats.0)),
            Value::Float64(f64::from_bits(floats.1)),
        ];
        let types: Vec<ValueType> = values.iter().map(Value::value_type).collect();
        let mut one = candidate(values, capacity);
        let mut generator = Pcg::restore(state, increment | 1).unwrap();
        for _ in 0..5 {
            match one.mutate(&mut generator) {
                Ok(()) => {}
                Err(MutateError::TooLong { .. } | MutateError::NothingApplies { .. }) => break,
                Err(other) => panic!("{other}"),
            }
        }
        let after: Vec<ValueType> = one.values().iter().map(Value::value_type).collect();
        prop_assert_eq!(types, after);
    }
}
