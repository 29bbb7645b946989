//! Comparisons of numbers that are packed, stated or computed from the whole input.

use super::*;

#[test]
fn a_number_in_the_upper_half_of_an_option() {
    let (tried, found) = solve(b"n=1000", 20, &|input, trace| {
        let digits = std::str::from_utf8(input).ok().and_then(|text| text.strip_prefix("n="));
        let number = digits.and_then(|digits| digits.parse::<u32>().ok());
        trace.branch(2, number.is_some());
        // The tag lies below the value; a wrong number leaves garbage there.
        let packed = number.map_or(0x1_0000_0001, |number| u64::from(number) << 32);
        trace.is(1, 8, 31_337 << 32, packed)
    });
    assert_eq!(found, b"n=31337", "after {tried}");
}

#[test]
fn a_length_that_one_comparison_asks_for_and_a_field_that_another_one_checks() {
    for start in [b"LF\x00\x00", b"LF\x00\x07", b"LFxy"] {
        solve(start, 60, &|input, trace| {
            let Some(field) = word(input, 2).map(u16::from_be_bytes) else { return false };
            let rest = input.len() as u64 - 4;
            trace.integers(1, 8, false, rest, u64::from(field));
            trace.integers(2, 8, true, 27, input.len() as u64);
            trace.branch(3, rest == u64::from(field) && input.len() > 27)
        });
    }
}

#[test]
fn sides_that_are_equal_in_the_base_and_differ_in_the_colorized_input() {
    let (tried, _) = solve(&[b'a'; 32], 40, &|input, trace| {
        let (Some(first), Some(second)) = (word::<16>(input, 0), word::<16>(input, 16)) else {
            return false;
        };
        let mut reversed = first;
        reversed.reverse();
        let mut note = |pc, left: &[u8], right: &[u8]| {
            let (left, right) = (Bytes64::new(left), Bytes64::new(right));
            if left != right {
                trace.records.push(Record { pc, kind: Kind::Memory { left, right } });
            }
        };
        note(1, &first, &reversed);
        if first == reversed {
            return false;
        }
        note(2, &second, &reversed);
        second == reversed
    });
    assert!(tried <= 12, "{tried}");
}
