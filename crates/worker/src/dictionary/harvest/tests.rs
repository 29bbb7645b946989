use super::*;
use crate::dictionary::limits::CODE_BYTES_MAX;

fn immediate(at: usize, bytes: &[u8]) -> Finding {
    let value = bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    let len = match bytes.len() {
        1 => 1,
        2..=4 => 4,
        _ => 8,
    };
    Finding { at, named: Named::Immediate { value, len } }
}

fn tokens(found: &[Finding]) -> Vec<String> {
    let mut harvest = Harvest::default();
    harvest.add_function(0x1000, found);
    harvest.into_tokens().map(|(token, _)| token.escape_ascii().to_string()).collect()
}

#[test]
fn pieces_of_one_constant_are_joined() {
    let all = tokens(&[immediate(0, b"hello, w"), immediate(14, b"orld"), immediate(22, b"!")]);
    assert!(all.contains(&"hello, world!".to_owned()), "{all:?}");
    let all = tokens(&[immediate(0, b"hello, w"), immediate(14, b"orld!")]);
    assert!(all.contains(&"hello, world!".to_owned()), "{all:?}");
    let all = tokens(&[immediate(0, b"hello, w"), immediate(14, b", world!")]);
    assert!(all.contains(&"hello, world!".to_owned()), "overlapping: {all:?}");
    let all = tokens(&[immediate(0, b"chun"), immediate(9, b"nked")]);
    assert!(all.contains(&"chunked".to_owned()), "{all:?}");
}

#[test]
fn pieces_that_lie_far_apart_are_not() {
    let all = tokens(&[immediate(0, b"hello, w"), immediate(100, b"orld")]);
    assert_eq!(all, ["hello, w", "orld"]);
}

#[test]
fn halves_of_wide_numbers_are_joined_in_both_orders() {
    let number = 0x0123_4567_89ab_cdef_1122_3344_5566_7788_u128;
    let bytes = number.to_le_bytes();
    let all = tokens(&[immediate(0, &bytes[..8]), immediate(13, &bytes[8..])]);
    for wanted in [number.to_le_bytes(), number.to_be_bytes()] {
        assert!(all.contains(&wanted.escape_ascii().to_string()), "{all:?}");
    }
}

#[test]
fn the_upper_half_of_a_wide_number_gets_a_lower_half() {
    let number = (1_u128 << 101).to_le_bytes();
    let negative = (1_u64 << 37).wrapping_neg().to_le_bytes();
    let carry = Finding { at: 25, named: Named::Carry };
    let all = tokens(&[immediate(0, &negative), carry]);
    assert!(all.contains(&number.escape_ascii().to_string()), "{all:?}");
    assert!(tokens(&[immediate(0, &negative)]).is_empty(), "a mask");
}

#[test]
fn the_lengths_behind_an_address_come_first() {
    let length = |at, len| Finding { at, named: Named::Length(len) };
    let address = Finding { at: 50, named: Named::Address(1) };
    let found = [length(10, 3), length(40, 4), address, length(60, 5), length(70, 4)];
    assert_eq!(lengths_near(&found, 2), [5, 4, 3]);
    let found = [length(0, 9), Finding { at: 500, ..address }, length(900, 8)];
    assert!(lengths_near(&found, 1).is_empty());
}

#[test]
fn messages_are_no_tokens() {
    assert!(is_message(b"src/lib.rs"));
    assert!(is_message(b"index out of bounds: the len is "));
    assert!(!is_message(b"text/html; charset=utf-8"));
    assert!(!is_message(b"content-length"));
}

#[test]
fn floats_are_there_as_bytes_and_as_text() {
    let mut harvest = Harvest::default();
    harvest.add_constant(&1234.5_f64.to_le_bytes(), 1);
    harvest.add_constant(&[0; 8], 1);
    let all: Vec<_> = harvest.into_tokens().map(|(token, _)| token).collect();
    assert_eq!(all.len(), 3);
    assert!(all.contains(&b"1234.5".to_vec()));
    assert!(all.contains(&1234.5_f64.to_be_bytes().to_vec()));
}

mod real {
    //! What the compiler really makes of comparisons. Only an instrumented build of these tests
    //! has functions to scan (the flags are those of `fuzzd build`); others check nothing here.

    use std::hint::black_box;

    use super::*;

    #[inline(never)]
    fn array(input: &[u8]) -> bool {
        input == b"hello, world!"
    }

    #[inline(never)]
    fn prefix(input: &[u8]) -> bool {
        input.starts_with(b"prefix-of-eleven")
    }

    #[inline(never)]
    fn word(input: &str) -> u32 {
        match input {
            "content-length" => 1,
            "hostname" => 2,
            "transfer-encoding" => 3,
            _ => 0,
        }
    }

    static TABLE: &[&str] = &["first-of-table", "second-of-table", "third"];

    #[inline(never)]
    fn table(input: &str) -> bool {
        TABLE.contains(&input)
    }

    #[inline(never)]
    fn wide(input: u128) -> bool {
        input == 0x0123_4567_89ab_cdef_1122_3344_5566_7788
    }

    #[inline(never)]
    fn float(input: f64) -> bool {
        input == 1234.567
    }

    #[test]
    fn an_instrumented_program_tells_its_tokens() {
        black_box((array(black_box(b"x")), prefix(black_box(b"x")), word(black_box("x"))));
        black_box((table(black_box("x")), wide(black_box(1)), float(black_box(1.0))));
        let functions = Functions::registered();
        if functions.len() == 0 || !cfg!(target_arch = "x86_64") {
            return;
        }
        let start = std::time::Instant::now();
        let image = Image::of_this_process();
        let code: usize = (0..functions.len()).map(|number| functions.code(number).len()).sum();
        let mut harvest = Harvest::default();
        let mut bytes_left = CODE_BYTES_MAX;
        (0..functions.len()).for_each(|at| harvest.add_code(&functions, at, &mut bytes_left));
        if let Some(image) = &image {
            harvest.add_data(image);
        }
        let all: Vec<_> = harvest.into_tokens().collect();
        println!("{} tokens of {code} bytes of code in {:?}", all.len(), start.elapsed());
        let (number, float) = (
            0x0123_4567_89ab_cdef_1122_3344_5566_7788_u128.to_le_bytes(),
            1234.567_f64.to_le_bytes(),
        );
        let missing: Vec<&[u8]> = [
            &b"hello, world!"[..],
            b"prefix-of-eleven",
            b"content-length",
            b"hostname",
            b"transfer-encoding",
            b"first-of-table",
            b"second-of-table",
            b"third",
            &number,
            &float,
            b"1234.567",
        ]
        .into_iter()
        .filter(|wanted| {
            let rank = all.iter().position(|(token, _)| token == wanted);
            println!("{:?} at {rank:?}", wanted.escape_ascii().to_string());
            rank.is_none()
        })
        .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
