use fuzzd_protocol::input;
use fuzzd_protocol::value::Value;
use proptest::prelude::*;

use super::operator::Operator;
use super::*;
use crate::compare::log::{Kind, Record};
use crate::compare::pairs::{Pair, PairTable, Side};
use crate::dictionary::Dictionary;
use crate::rng::{NEIGHBOURS, mutation_seed};

mod typed;

/// A mutator in a visit to `base`.
fn visit(types: &[ValueType], base: &[u8], len_max: usize) -> Mutator {
    let mut mutator = Mutator::new(types);
    let base = Rc::new(Base::new(types, base.to_vec()));
    mutator.begin_visit(base, Rc::default(), len_max);
    mutator
}

/// `count` mutations of `base`, in a buffer of `capacity` bytes.
fn mutations(
    types: &[ValueType],
    base: &[u8],
    len_max: usize,
    capacity: usize,
    count: u64,
) -> Vec<Vec<u8>> {
    let mut mutator = visit(types, base, len_max);
    let mut buffer = vec![0; capacity];
    let all = (0..count).map(|iteration| {
        let len = mutator.mutate(mutation_seed(7, iteration), &mut buffer);
        buffer[..len].to_vec()
    });
    all.collect()
}

fn strings_of(types: &[ValueType], memory: &[u8]) -> Vec<Vec<u8>> {
    let values = input::to_values(types, memory).into_iter();
    values
        .filter_map(|value| match value {
            Value::String(bytes) => Some(bytes),
            _ => None,
        })
        .collect()
}

#[test]
fn one_operator_begins_a_few_chains_and_all_others_are_chosen_apart() {
    let mut mutator = visit(&[ValueType::Bytes], b"abc 123 \x07", 100);
    let mut buffer = [0; 100];
    // Of two neighbours that both begin a chain, or both go on: how many, and with the same one.
    let mut counts = [(0, 0); 2];
    let mut before = None;
    for iteration in 0..40_000 {
        let seed = mutation_seed(7, iteration);
        mutator.mutate(seed, &mut buffer);
        let (operator, is_first) = mutator.last_operator(seed);
        if let Some((old, was_first)) = before.filter(|_| iteration % u64::from(NEIGHBOURS) > 0)
            && was_first == is_first
        {
            let count = &mut counts[usize::from(is_first)];
            *count = (count.0 + 1, count.1 + u32::from(old == operator));
        }
        before = Some((operator, is_first));
    }
    let [going_on, beginning] = counts;
    assert!(beginning.0 > 1000 && beginning.1 == beginning.0, "{beginning:?}");
    assert!(going_on.0 > 1000 && 5 * going_on.1 < going_on.0, "{going_on:?}");
}

#[test]
fn a_token_longer_than_the_value_takes_the_place_of_its_end() {
    let mut mutator = rich_visit(&[ValueType::Bytes], b"ab", 100);
    mutator.visit.set_exponent(0);
    mutator.visit.set_operator(Operator::OverwriteByToken);
    let mut buffer = [0; 100];
    let mut kept = [false; 3];
    for iteration in 0..200 {
        let len = mutator.mutate(mutation_seed(7, iteration), &mut buffer);
        let tokens = [&b"token"[..], "t\u{f6}k".as_bytes()];
        let token = tokens.into_iter().find(|token| buffer[..len].ends_with(token)).unwrap();
        let before = &buffer[..len - token.len()];
        assert!(b"ab".starts_with(before), "{:?}", buffer[..len].escape_ascii());
        kept[before.len()] = true;
    }
    assert_eq!(kept, [true; 3], "of the base nothing, a part, all");
}

#[test]
fn a_lone_byte_has_no_operators_that_need_several() {
    let weights = |base: &[u8]| {
        let base = Base::new(&[ValueType::Bytes], base.to_vec());
        let facts = operator::Facts::of(&base, &rich(b"").1);
        let weight = |operator: Operator| operator.weight(&facts);
        [Operator::CopyBlock, Operator::SwapBlocks, Operator::Shuffle, Operator::Word].map(weight)
    };
    assert_eq!(weights(b"a"), [0; 4]);
    assert!(weights(b"ab").iter().all(|weight| *weight > 0));
}

#[test]
fn nearly_every_mutation_changes_the_input() {
    for value_type in ValueType::ALL {
        let types = [value_type];
        let base = input::canonical(&types, b"abc 123 \x07");
        let all = mutations(&types, &base, 100, 100, 1000);
        let changed = all.iter().filter(|input| **input != base).count();
        let least = if value_type == ValueType::Bool { 500 } else { 900 };
        assert!(changed > least, "{value_type}: {changed} of 1000");
    }
}

#[test]
fn a_repeated_block_fills_the_room_there_is_with_copies_of_it_or_counts() {
    let base = b"<head>ab</tail>";
    let mut mutator = visit(&[ValueType::Bytes], base, 4_000);
    mutator.visit.set_operator(Operator::RepeatBlock);
    mutator.visit.set_exponent(0);
    let (mut buffer, mut longest, mut counted, mut rounds) = (vec![0; 4_000], 0, 0, 0);
    for iteration in 0..2_000 {
        let len = mutator.mutate(mutation_seed(7, iteration), &mut buffer);
        longest = longest.max(len);
        let added = len - base.len();
        // What was added repeats the block before it, but for one byte in each copy.
        let mut blocks = (1..=base.len()).filter(|block| added.is_multiple_of(*block));
        let is_repeated = |block: usize| {
            (0..=base.len() - block).any(|from| {
                let is_rest = buffer[from + block + added..len] == base[from + block..];
                let differ = |at: &usize| buffer[*at] != buffer[*at - block];
                let other: Vec<usize> =
                    (from + block..from + block + added).filter(differ).collect();
                let counts = |at: &usize| is_successor(buffer[*at - block], buffer[*at]);
                is_rest
                    && other.iter().all(counts)
                    && other.windows(2).all(|pair| pair[1] - pair[0] == block)
            })
        };
        assert!(added > 0 && blocks.any(is_repeated), "{:?}", &buffer[..len]);
        let has = |text: &[u8]| buffer[..len].windows(text.len()).any(|bytes| bytes == text);
        counted += usize::from(has(b"abacadaeafa"));
        rounds += usize::from(has(b"ayazaaabac"));
    }
    assert!(longest > 3_900 && counted > 0 && rounds > 0, "{longest} {counted} {rounds}");
}

/// Whether copies count from one byte to the other: what began as a sign counts through letters.
fn is_successor(byte: u8, next: u8) -> bool {
    let round = match byte {
        b'9' => b'0',
        b'z' => b'a',
        b'Z' => b'A',
        other => other.wrapping_add(1),
    };
    next == round || next == byte.wrapping_add(1)
}

#[test]
fn an_empty_input_grows() {
    for types in [vec![ValueType::Bytes], vec![ValueType::String, ValueType::Bool]] {
        let all = mutations(&types, b"", 64, 64, 100);
        let longest = all.iter().map(Vec::len).max().unwrap();
        assert!(longest > 8, "{types:?}: {longest}");
    }
}

#[test]
fn every_byte_value_every_scalar_end_and_any_digit_are_reached() {
    let mut bytes = [false; 256];
    for input in mutations(&[ValueType::Bytes], b"", 16, 16, 20_000) {
        input.iter().for_each(|byte| bytes[usize::from(*byte)] = true);
    }
    assert_eq!(bytes.iter().filter(|found| !**found).count(), 0);
    let all = mutations(&[ValueType::Int32], &7i32.to_le_bytes(), 16, 16, 20_000);
    for wanted in [0, 1, -1, 8, 6, i32::MIN, i32::MAX, 255, 65_536] {
        assert!(all.contains(&wanted.to_le_bytes().to_vec()), "{wanted}");
    }
    let all = mutations(&[ValueType::String], b"n=9", 16, 16, 20_000);
    for wanted in ["n=10", "n=8", "n=-9", "n=18", "n=65535"] {
        assert!(all.contains(&wanted.as_bytes().to_vec()), "{wanted}");
    }
}

#[test]
fn floats_reach_what_arithmetic_treats_in_a_way_of_its_own() {
    let all = mutations(&[ValueType::Float64], &1.5f64.to_le_bytes(), 8, 8, 5000);
    let all: Vec<f64> =
        all.iter().map(|bytes| f64::from_le_bytes(bytes.as_slice().try_into().unwrap())).collect();
    assert!(all.iter().any(|float| float.is_nan()));
    for wanted in [0.0, -1.5, f64::INFINITY, f64::NEG_INFINITY, 5e-324] {
        assert!(all.contains(&wanted), "{wanted}");
    }
}

#[test]
fn runes_stay_characters_and_reach_every_plane() {
    let types = [ValueType::Rune];
    let mut largest = 0;
    for input in mutations(&types, &[b'a', 0, 0, 0], 4, 4, 5000) {
        let number = u32::from_le_bytes(input.as_slice().try_into().unwrap());
        assert!(char::from_u32(number).is_some(), "{number:#x}");
        largest = largest.max(number);
    }
    assert!(largest > 0xffff);
}

#[test]
fn most_strings_stay_text() {
    let types = [ValueType::String, ValueType::Uint8];
    let base = input::to_memory(
        &types,
        &[Value::String("grüße an 💛 und 日本語 4711".into()), Value::Uint8(1)],
    );
    let all = mutations(&types, &base, 200, 256, 2000);
    let valid = |input: &&Vec<u8>| std::str::from_utf8(&strings_of(&types, input)[0]).is_ok();
    let valid = all.iter().filter(valid).count();
    assert!((1700..2000).contains(&valid), "{valid} of 2000");
}

#[test]
fn what_is_invalid_in_the_base_is_left_alone_elsewhere() {
    let all = mutations(&[ValueType::String], b"\xff--------------------tail", 100, 100, 500);
    let kept = all.iter().filter(|input| input.first() == Some(&0xff)).count();
    assert!(kept > 200, "{kept} of 500");
}

#[test]
fn a_base_beyond_the_limit_is_cut() {
    let types = [ValueType::Bytes, ValueType::Uint16, ValueType::String];
    let base = input::to_memory(
        &types,
        &[Value::Bytes(vec![1; 30]), Value::Uint16(7), Value::String(vec![b'a'; 30])],
    );
    for input in mutations(&types, &base, 25, 128, 200) {
        assert!(input.len() <= 25, "{}", input.len());
        assert_eq!(input::canonical(&types, &input), input);
    }
    // Scalars alone cannot be cut.
    for input in mutations(&[ValueType::Uint64], &[1; 8], 3, 128, 10) {
        assert_eq!(input.len(), 8);
    }
}

/// Pairs, lengths, tokens and partners of all kinds, of which some stand in `base`.
fn rich(base: &[u8]) -> (PairTable, Materials) {
    let mut pairs = PairTable::new();
    let piece = |from: usize| base.get(from..from + 4).unwrap_or(b"word");
    let sides = [
        (Side::integer(0xdead_beef, 4), Side::new(piece(0)), true),
        (Side::integer(700, 8), Side::integer(97, 8), true),
        (Side::integer(u64::MAX, 8), Side::integer(0, 8), true),
        (Side::new(b"much longer than what is there"), Side::new(piece(2)), false),
        (Side::new(b"x"), Side::new(b"ABC"), false),
    ];
    for (pc, (left, right, is_number)) in sides.into_iter().enumerate() {
        pairs.add(pc, Pair { left, right, is_number, is_const: pc == 0 });
    }
    let kind = Kind::Switch { width: 8, value: 5, below: 3, above: 30 };
    pairs.add_lengths(&[Record { pc: 1, kind }], &[5]);
    let mut tokens = Dictionary::default();
    tokens.add_user(b"token");
    tokens.add_user("tök".as_bytes());
    let partners = vec![base.to_vec(), b"[1, {2: (3)}]\nline, line\n".to_vec(), Vec::new()];
    let recent = pairs.clone();
    (pairs, Materials { tokens: Rc::new(tokens.tokens()), recent, partners })
}

/// A mutator in a visit with everything there is.
fn rich_visit(types: &[ValueType], memory: &[u8], len_max: usize) -> Mutator {
    let mut base = Base::new(types, memory.to_vec());
    let (pairs, materials) = rich(base.bytes());
    base.set_pairs(pairs);
    base.set_free(&[1..3, 10..20]);
    let mut mutator = Mutator::new(types);
    mutator.begin_visit(Rc::new(base), Rc::new(materials), len_max);
    mutator
}

fn types() -> impl Strategy<Value = Vec<ValueType>> {
    let one = proptest::sample::select(ValueType::ALL.to_vec());
    let vary = proptest::sample::select(vec![ValueType::Bytes, ValueType::String]);
    prop_oneof![
        proptest::collection::vec(one, 1..5),
        proptest::collection::vec(vary.clone(), 1..2),
        proptest::collection::vec(vary, 2..4),
    ]
}

/// Bytes, and texts with what operators look for.
fn memory() -> impl Strategy<Value = Vec<u8>> {
    let text = "([-\\]a-z{}()<>\",:0-9 \n]|abc|12){0,60}";
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        text.prop_map(String::into_bytes),
        (text, any::<bool>()).prop_map(|(text, is_big)| {
            let length = u32::try_from(text.len()).unwrap();
            let length = if is_big { length.to_be_bytes() } else { length.to_le_bytes() };
            [&length[..], text.as_bytes()].concat()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn results_are_canonical_and_within_the_limit(
        types in types(),
        base in memory(),
        room in 0usize..100,
        seed in any::<u64>(),
    ) {
        let base = input::canonical(&types, &base);
        let len_max = base.len() + room;
        let mut mutator = rich_visit(&types, &base, len_max);
        let mut buffer = vec![0xaa; len_max + 3];
        for iteration in 0..100 {
            let len = mutator.mutate(mutation_seed(seed, iteration), &mut buffer);
            prop_assert!(len <= len_max);
            prop_assert_eq!(&input::canonical(&types, &buffer[..len]), &buffer[..len]);
        }
        prop_assert_eq!(&buffer[len_max..], [0xaa; 3]);
    }

    #[test]
    fn an_input_depends_on_the_seeds_of_its_chain_alone_during_a_visit(
        types in types(),
        base in memory(),
        room in 0usize..100,
        seed in any::<u64>(),
    ) {
        let base = input::canonical(&types, &base);
        let len_max = base.len() + room;
        let mut mutator = rich_visit(&types, &base, len_max);
        let mut buffer = vec![0; len_max];
        let all: Vec<(u64, Vec<u8>)> = (0..40)
            .map(|iteration| {
                let len = mutator.mutate(mutation_seed(seed, iteration), &mut buffer);
                let first = iteration - u64::from(mutator.place_in_chain());
                (first, buffer[..len].to_vec())
            })
            .collect();
        mutator.reward(mutation_seed(seed, 39), Reward::NewEdge);
        for iteration in [39usize, 0, 17, 17, 38, 2] {
            let (first, input) = &all[iteration];
            buffer.fill(0x55);
            mutator.restart();
            let mut len = 0;
            for iteration in *first..=iteration as u64 {
                len = mutator.mutate(mutation_seed(seed, iteration), &mut buffer);
            }
            prop_assert_eq!(&buffer[..len], &input[..], "iteration {}", iteration);
        }
    }
}
