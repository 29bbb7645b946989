//! Comparisons of text and other runs of bytes, numbers in text, and inputs of several values.

use fuzzd_protocol::input;
use fuzzd_protocol::value::ValueType;

use super::*;

#[test]
fn slices_of_every_length() {
    let text: Vec<u8> = (0..64).map(|turn| b'A' + turn % 26).collect();
    for len in 3..=64 {
        let (tried, input) =
            solve(b"seed", 200, &|input, trace| trace.slices(1, &text[..len], input));
        assert_eq!(input, text[..len], "after {tried}");
        assert!(tried < 60, "{len} bytes: {tried}");
    }
}

#[test]
fn runs_of_bytes_in_the_middle() {
    let (tried, _) = solve(b"some longer input with text", 50, &|input, trace| {
        input.len() > 20 && trace.memory(1, &input[7..15], b"\x89PNG\r\n\x1a\n")
    });
    assert_eq!(tried, 1);
}

#[test]
fn two_runs_of_the_same_input() {
    solve(b"first half / second half, and more", 50, &|input, trace| {
        input.len() > 32 && trace.memory(1, &input[..12], &input[16..28])
    });
}

#[test]
fn words_of_a_match() {
    for wanted in ["get", "content-length", "transfer-encoding"] {
        let (tried, _) = solve(b"host", 400, &|input, trace| {
            let lens = [3, 14, 17];
            let value = input.len() as u64;
            let below = lens.into_iter().rev().find(|&len| len < value).unwrap_or(value);
            let above = lens.into_iter().find(|&len| len > value).unwrap_or(value);
            let kind = Kind::Switch { width: 8, value, below, above };
            trace.records.push(Record { pc: 1, kind });
            trace.path = value;
            wanted.len() == input.len() && trace.memory(2, wanted.as_bytes(), input)
        });
        assert!(tried < 100, "{wanted}: {tried}");
    }
}

#[test]
fn text_in_another_case() {
    let (_, input) = solve(b"header: Some Value here", 100, &|input, trace| {
        let lower = input.to_ascii_lowercase();
        input.len() > 20 && trace.memory(1, &lower[8..18], b"keep-alive")
    });
    assert!(input[8..].eq_ignore_ascii_case(b"keep-alive here"));
    solve(b"QUERY AbCd", 100, &|input, trace| {
        let value = u32::from_le_bytes(word(input, 6).unwrap_or_default()) | 0x2020_2020;
        trace.is(1, 4, u64::from(u32::from_le_bytes(*b"post")), u64::from(value))
    });
}

#[test]
fn numbers_in_text() {
    let parse = |input: &[u8]| -> Option<i64> {
        let text = std::str::from_utf8(input).ok()?.strip_prefix("n=")?;
        text.split(';').next()?.parse().ok()
    };
    for constant in [7_654_321_i64, -90_001, 5, i64::from(u32::MAX) + 1] {
        for start in [&b"n=12;x"[..], b"n=-300;x", b"n=0456;x"] {
            let (tried, _) = solve(start, 60, &|input, trace| {
                let Some(value) = parse(input) else { return trace.branch(1, false) };
                trace.is(2, 8, constant.cast_unsigned(), value.cast_unsigned())
            });
            assert!(tried < 20, "{constant} from {:?}: {tried}", start.escape_ascii());
        }
    }
}

#[test]
fn numbers_with_an_offset_in_hexadecimal_and_of_fixed_width() {
    solve(b"year 20240131 end", 60, &|input, trace| {
        let digits = std::str::from_utf8(&input[5..9]).ok();
        let Some(year) = digits.and_then(|text| text.parse::<u32>().ok()) else {
            return trace.branch(1, false);
        };
        trace.is(2, 4, 1987 - 1900, u64::from(year.wrapping_sub(1900)))
    });
    solve(b"id 00ab34ff end", 60, &|input, trace| {
        let digits = std::str::from_utf8(&input[3..11]).ok();
        let Some(id) = digits.and_then(|text| u32::from_str_radix(text, 16).ok()) else {
            return trace.branch(1, false);
        };
        trace.is(2, 4, 0xdead_beef, u64::from(id))
    });
}

#[test]
fn bytes_that_decide_the_path_can_be_replaced_as_a_whole() {
    // The first byte cannot change alone: the path depends on it.
    solve(b"{key}", 100, &|input, trace| {
        trace.branch(1, input.first() == Some(&b'{'));
        trace.branch(2, input.get(1..4) == Some(b"key"));
        input.len() == 5 && trace.memory(3, &input[1..4], b"len")
    });
}

#[test]
fn values_keep_their_places_when_one_grows() {
    let types = [ValueType::Bytes, ValueType::Uint16, ValueType::String];
    let memory = [&[3, 0, 0, 0][..], b"abc", &[9, 0], &[2, 0, 0, 0], b"no"].concat();
    let colorized = [&[3, 0, 0, 0][..], b"xyz", &[7, 1], &[2, 0, 0, 0], b"up"].concat();
    let fields = input::fields(&types, &memory);
    let records = |text: &[u8], number: u64, len: u64| {
        let (left, right) = (Bytes64::new(text), Bytes64::new(b"yes"));
        let number = Kind::Integer { width: 2, is_const: true, left: 0xabcd, right: number };
        let len = Kind::Integer { width: 8, is_const: true, left: 6, right: len };
        let all = [Kind::Memory { left, right }, number, len];
        all.into_iter().enumerate().map(|(pc, kind)| Record { pc, kind }).collect::<Vec<_>>()
    };
    let (log, log_then) = (records(b"no", 9, 3), records(b"up", 0x107, 3));
    let mut solver = Solver::for_fields(&fields, &memory, &log, &colorized, &log_then);
    let mut buffer = Vec::new();
    let mut seen = BTreeSet::new();
    while solver.next(&mut buffer) {
        assert_eq!(input::canonical(&types, &buffer), buffer, "every candidate is canonical");
        seen.insert(buffer.clone());
    }
    let grown = [&[3, 0, 0, 0][..], b"abc", &[9, 0], &[3, 0, 0, 0], b"yes"].concat();
    let number = [&[3, 0, 0, 0][..], b"abc", &[0xcd, 0xab], &[2, 0, 0, 0], b"no"].concat();
    let longer = [&[6, 0, 0, 0][..], b"abcabc", &[9, 0], &[2, 0, 0, 0], b"no"].concat();
    for wanted in [grown, number, longer] {
        assert!(seen.contains(&wanted), "{}", wanted.escape_ascii());
    }
}
