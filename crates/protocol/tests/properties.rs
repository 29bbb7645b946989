//! Promises that hold for every input, tried with random ones.

use fuzzd_protocol::input;
use fuzzd_protocol::layout::ring::{FindParent, FindRecord};
use fuzzd_protocol::layout::{HEADER_BYTES, Header};
use fuzzd_protocol::line::{LineDecoder, LineError};
use fuzzd_protocol::message::{
    Call, FailureInfo, ForkLimits, FuzzCall, FuzzReply, MinimizeCall, PlanItem, PlanStat,
    SearchPart, decode_call, decode_reply, encode_line,
};
use fuzzd_protocol::sparse;
use fuzzd_protocol::text;
use fuzzd_protocol::value::{Value, ValueType};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn types() -> impl Strategy<Value = Vec<ValueType>> {
    vec(select(ValueType::ALL.to_vec()), 1..6)
}

/// Bytes among which lengths are small often enough to leave content behind.
fn memory() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 0u8..4, 1 => any::<u8>()], 0..64)
}

const NAMES: [&str; 7] = ["int", "[]byte", "float64", "rune", "byte", "math.Float32frombits", ""];

/// Mostly characters that mean something to the parser.
fn hostile_line() -> impl Strategy<Value = Vec<u8>> {
    let meaningful = select(b"()[]'\"`\\-+.,_/*xeEpP0178 inf".to_vec());
    vec(prop_oneof![meaningful, any::<u8>()], 0..24)
}

fn feature() -> impl Strategy<Value = (u32, u8)> {
    (prop_oneof![0u32..300, any::<u32>()], any::<u8>())
}

/// A whole stream through the decoder: its lines, and how it ended.
fn lines(max: usize, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), LineError>) {
    let mut decoder = LineDecoder::new(max);
    let mut lines = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Ok(Some(line)) = decoder.next_line() {
            lines.push(line);
        }
    }
    let end = decoder.finish();
    (lines, end)
}

fn same_bits(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}

proptest! {
    #[test]
    fn the_text_of_values_reads_back_as_the_same_values(types in types(), memory in memory()) {
        let values = input::to_values(&types, &memory);
        let text = text::encode(&values);
        prop_assert!(str::from_utf8(&text).is_ok());
        let read = text::decode(&text).unwrap();
        prop_assert!(same_bits(&read, &values), "{values:?}\n{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn every_float_survives_its_text(bits in any::<u64>()) {
        let bits32 = u32::try_from(bits >> 32).unwrap();
        let values = [Value::Float64(f64::from_bits(bits)), Value::Float32(f32::from_bits(bits32))];
        let read = text::decode(&text::encode(&values)).unwrap();
        prop_assert!(same_bits(&read, &values), "{values:?} {read:?}");
    }

    #[test]
    fn every_character_survives_its_text(
        character in any::<char>(), bytes in vec(any::<u8>(), 0..9),
    ) {
        let mut string = bytes;
        string.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        let values = [Value::Rune(character), Value::String(string)];
        prop_assert_eq!(text::decode(&text::encode(&values)), Ok(values.to_vec()));
    }

    #[test]
    fn reading_text_never_panics(line in hostile_line(), name in select(NAMES.to_vec())) {
        let mut text = format!("go test fuzz v1\n{name}(").into_bytes();
        text.extend_from_slice(&line);
        let closed = [text.as_slice(), b")"].concat();
        for text in [text, closed] {
            if let Ok(values) = text::decode(&text) {
                let again = text::decode(&text::encode(&values));
                prop_assert!(again.is_ok_and(|again| same_bits(&again, &values)));
            }
        }
    }

    #[test]
    fn the_canonical_form_has_the_same_values_and_is_its_own(types in types(), memory in memory()) {
        let canonical = input::canonical(&types, &memory);
        prop_assert!(same_bits(
            &input::to_values(&types, &canonical),
            &input::to_values(&types, &memory)
        ));
        prop_assert_eq!(input::canonical(&types, &canonical), canonical);
    }

    #[test]
    fn fields_lie_in_order_within_the_memory(types in types(), memory in memory()) {
        let fields = input::fields(&types, &memory);
        prop_assert_eq!(fields.len(), types.len());
        let mut end = 0;
        for field in fields {
            prop_assert!(end <= field.bytes.start && field.bytes.start <= field.bytes.end);
            prop_assert!(field.bytes.end <= memory.len());
            let prefix = field.prefix.unwrap_or(end);
            prop_assert!(end <= prefix && prefix <= field.bytes.start);
            end = field.bytes.end;
        }
    }

    #[test]
    fn a_file_reads_back_as_the_canonical_input(types in types(), memory in memory()) {
        let file = input::to_file(&types, &memory);
        prop_assert_eq!(input::from_file(&types, &file), Ok(input::canonical(&types, &memory)));
    }

    #[test]
    fn sparse_coverage_reads_back_and_has_one_form(features in vec(feature(), 0..40)) {
        let bytes = sparse::encode(&features);
        let read = sparse::decode(&bytes, usize::MAX).unwrap();
        prop_assert_eq!(sparse::encode(&read), bytes);
        for (index, class) in features {
            let found = read.binary_search_by_key(&index, |feature| feature.0);
            prop_assert!(class == 0 || read[found.unwrap()].1 & class == class);
        }
    }

    #[test]
    fn hostile_sparse_coverage_is_refused_or_in_range(
        bytes in vec(any::<u8>(), 0..40), counters in 0usize..999,
    ) {
        if let Ok(features) = sparse::decode(&bytes, counters) {
            prop_assert!(features.iter().all(|feature| (feature.0 as usize) < counters));
            prop_assert!(features.iter().all(|feature| feature.1 != 0));
            prop_assert_eq!(sparse::encode(&features), bytes);
        }
    }

    #[test]
    fn lines_do_not_depend_on_where_the_stream_is_cut(
        stream in vec(select(b"ab\r\n".to_vec()), 0..60),
        cuts in vec(0usize..60, 0..5),
        max in 0usize..12,
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
        prop_assert_eq!(lines(max, &pieces), lines(max, &[&stream]));
    }

    #[test]
    fn calls_survive_their_line(
        timeout_ns in any::<i64>(), limit in any::<i64>(), warmup in any::<bool>(),
        bytes in option::of(vec(any::<u8>(), 0..20)), seed in option::of(any::<u64>()),
        ignore in vec(".*", 0..3), signature in option::of(".*"),
        plan in vec(any::<(u32, u32, bool)>(), 0..4), held in vec(any::<u64>(), 0..4),
    ) {
        let item = |(entry, weight, is_new)| PlanItem { entry, weight, is_new };
        let plan = plan.into_iter().map(item).collect();
        let fuzz = Call::Fuzz(FuzzCall {
            timeout_ns, limit, warmup, coverage_data: bytes.clone(), seed,
            coverage_delta: bytes.clone(), ignore, max_len: seed, plan, profile: signature.clone(),
        });
        let minimize = Call::Minimize(MinimizeCall {
            timeout_ns, limit, keep_coverage: bytes.clone(), index: limit, keep_sparse: bytes,
            signature, fork: seed.map(|memory| ForkLimits { timeout_ns, memory }),
            search: seed.map(|from| SearchPart { from, held, part: 1, parts: 2 }),
        });
        for call in [fuzz, minimize] {
            let line = encode_line(&call);
            prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            prop_assert_eq!(decode_call(&line[..line.len() - 1]).unwrap(), call);
        }
    }

    #[test]
    fn replies_survive_their_line(
        count in any::<i64>(), err in ".*", details in ".*", other_count in any::<u64>(),
        bytes in option::of(vec(any::<u8>(), 0..20)), rejected in any::<bool>(),
        plan in vec(any::<(u64, u64, u64)>(), 0..4),
    ) {
        let stat = |(execs, nanos, finds)| PlanStat { execs, nanos, finds };
        let failure = FailureInfo { details, message: err.clone(), ..FailureInfo::default() };
        let reply = FuzzReply {
            count, err, coverage_data: bytes.clone(), coverage_sparse: bytes, other_count,
            rejected, failure: Some(failure), plan: plan.into_iter().map(stat).collect(),
            ..FuzzReply::default()
        };
        let line = encode_line(&reply);
        prop_assert_eq!(decode_reply::<FuzzReply>(&line[..line.len() - 1]).unwrap(), reply);
    }

    #[test]
    fn finds_survive_their_record_and_no_bytes_panic(
        word in any::<u32>(), flags in any::<u32>(), count in any::<u64>(),
        exec_ns in any::<u64>(), input in vec(any::<u8>(), 0..40),
        coverage in vec(any::<u8>(), 0..40), hostile in vec(any::<u8>(), 0..80),
    ) {
        let parent = FindParent::from_word(word);
        let (input, coverage) = (&*input, &*coverage);
        let find = FindRecord { parent, flags, count, exec_ns, input, coverage };
        let mut record = Vec::new();
        find.encode_into(&mut record);
        prop_assert_eq!(FindRecord::decode(&record), Ok(find));
        if let Ok(find) = FindRecord::decode(&hostile) {
            let mut again = Vec::new();
            find.encode_into(&mut again);
            prop_assert_eq!(again, hostile);
        }
    }

    #[test]
    fn headers_survive_their_bytes(bytes in any::<[[u8; 8]; 5]>()) {
        let bytes: [u8; HEADER_BYTES] = bytes.concat().try_into().unwrap();
        let header = Header::from_bytes(&bytes);
        prop_assert_eq!(Header::from_bytes(&header.to_bytes()), header);
        prop_assert_eq!(&header.to_bytes()[..32], &bytes[..32]);
    }
}

#[test]
fn a_decoder_holds_no_more_than_the_limit_of_a_line_without_end() {
    let mut decoder = LineDecoder::new(1000);
    for _ in 0..10_000 {
        decoder.push(&[b'x'; 100]);
    }
    assert_eq!(decoder.next_line(), Err(LineError::TooLong { max: 1000 }));
    decoder.push(b"\n{}\n");
    assert_eq!(decoder.next_line(), Err(LineError::TooLong { max: 1000 }));
    assert_eq!(decoder.finish(), Err(LineError::TooLong { max: 1000 }));
    assert!(format!("{decoder:?}").len() < 200, "what was read is dropped");
}

#[test]
fn every_byte_and_every_small_integer_survives_its_text() {
    for byte in 0..=255u8 {
        let values =
            [Value::Uint8(byte), Value::Int8(byte.cast_signed()), Value::Bytes(vec![byte])];
        assert_eq!(text::decode(&text::encode(&values)), Ok(values.to_vec()));
    }
}
