//! Fuzz tests over every kind of argument, seed, attribute and returned value. Each one checks
//! that it gets what its seeds say.

#![forbid(unsafe_code)]

use fuzzd::arbitrary::{self, Arbitrary};

#[fuzzd::test(seeds = [b"abc", b"", "text", vec![1, 2], String::from("owned"), [7_u8; 4]])]
fn byte_slice(data: &[u8]) {
    assert!([&b"abc"[..], b"", b"text", &[1, 2], b"owned", &[7; 4]].contains(&data));
}

#[fuzzd::test(seeds = [b"abc"])]
fn byte_vector(mut data: Vec<u8>) {
    data.push(b'!');
    assert_eq!(data, b"abc!");
}

#[fuzzd::test(seeds = ["grüße", String::from("owned").as_str(), std::borrow::Cow::from("cow")])]
fn str_slice(text: &str) {
    assert!(["grüße", "owned", "cow"].contains(&text));
}

#[fuzzd::test(seeds = ["grüße"])]
fn string(text: String) {
    assert_eq!(text, "grüße");
}

#[fuzzd::test(seeds = [
    (1, 2, 3, 4, 5, 6),
    (u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX, usize::MAX),
])]
fn unsigned(a: u8, b: u16, c: u32, d: u64, e: u128, f: usize) {
    let largest = (u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX, usize::MAX);
    assert!((a, b, c, d, e, f) == (1, 2, 3, 4, 5, 6) || (a, b, c, d, e, f) == largest);
}

#[fuzzd::test(seeds = [(-1, -2, -3, -4, -5, -6), SMALLEST])]
fn signed(a: i8, b: i16, c: i32, d: i64, e: i128, f: isize) {
    assert!((a, b, c, d, e, f) == (-1, -2, -3, -4, -5, -6) || (a, b, c, d, e, f) == SMALLEST);
}

const SMALLEST: (i8, i16, i32, i64, i128, isize) =
    (i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN, isize::MIN);

#[fuzzd::test(seeds = [(true, 'ß', -0.0, f64::NAN)])]
fn others(flag: bool, character: char, single: f32, double: f64) {
    assert!(flag && character == 'ß' && single.to_bits() == 1 << 31 && double.is_nan());
}

#[fuzzd::test(seeds = [7])]
fn one_scalar(number: u64) {
    assert_eq!(number, 7);
}

#[fuzzd::test(seeds = [(b"raw", "text", "owned", [9, 9], 3)])]
fn several(bytes: &[u8], text: &str, owned: String, vector: Vec<u8>, number: i32) {
    assert_eq!((bytes, text, owned.as_str()), (&b"raw"[..], "text", "owned"));
    assert_eq!((vector.as_slice(), number), (&[9, 9][..], 3));
}

#[derive(Arbitrary, Debug, PartialEq)]
struct Point {
    x: u16,
    y: u16,
}

#[fuzzd::test(seeds = [[1, 0, 2, 0], [1, 0, 2, 0]])]
fn arbitrary_value(point: Point) {
    assert_eq!(point, Point { x: 1, y: 2 });
}

#[derive(Arbitrary)]
struct Borrowed<'a> {
    text: &'a str,
}

#[fuzzd::test(seeds = [(b"abc", 5, [1, 2])])]
fn arbitrary_among_others(borrowed: Borrowed<'_>, number: u8, pair: (u8, u8)) {
    assert_eq!((borrowed.text, number, pair), ("abc", 5, (1, 2)));
}

/// Built from one byte that is even.
struct Even(u8);

impl Arbitrary<'_> for Even {
    fn arbitrary(bytes: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<Self> {
        let number = u8::arbitrary(bytes)?;
        if number % 2 == 0 { Ok(Self(number)) } else { Err(arbitrary::Error::IncorrectFormat) }
    }
}

#[fuzzd::test(seeds = [[1], [2]])]
fn bytes_that_build_nothing_are_rejected(even: Even) {
    assert_eq!(even.0, 2);
}

#[fuzzd::test(seeds = [(1, [1]), (2, [2])])]
fn bytes_that_build_nothing_among_others_are_rejected(number: u8, even: Even) {
    assert_eq!(even.0, number);
}

#[fuzzd::test(seeds = [([1, 2], 3)])]
#[expect(clippy::unused_unit, reason = "written out, it is still no verdict")]
fn patterns_and_unused_arguments((_, _): (u8, u8), _: u8) -> () {}

fn numbered() -> impl Iterator<Item = (String, u8)> {
    (0..3).map(|n| (n.to_string(), n))
}

#[fuzzd::test(seeds = numbered())]
fn iterated_seeds(text: String, number: u8) {
    assert_eq!(text, number.to_string());
}

#[fuzzd::test]
fn without_seeds(_data: &[u8]) {
    unreachable!("there is nothing to run it on");
}

#[fuzzd::test(seeds = [b"x"])]
fn returns_unit_result(data: &[u8]) -> Result<(), std::str::Utf8Error> {
    std::str::from_utf8(data)?;
    Ok(())
}

#[fuzzd::test(seeds = [b"x"])]
fn returns_corpus(_data: &[u8]) -> fuzzd::Corpus {
    fuzzd::Corpus::Reject
}

#[fuzzd::test(seeds = ["12"])]
fn returns_corpus_result(text: &str) -> Result<fuzzd::Corpus, std::num::ParseIntError> {
    let _number: u8 = text.parse()?;
    Ok(fuzzd::Corpus::Keep)
}

#[fuzzd::test(seeds = [1])]
#[cfg(any())]
fn configured_away(_number: NoSuchType) {}

#[fuzzd::test(seeds = [3])]
#[expect(clippy::manual_is_multiple_of, reason = "a lint level reaches the function")]
fn linted(number: u8) {
    assert!(number % 3 == 0);
}

mod nested {
    use super::Point;
    use fuzzd as other_name;

    #[fuzzd::test(seeds = [[0, 1, 0, 0]], crate = other_name)]
    pub(crate) fn with_another_crate_path(point: Point) {
        assert_eq!(point, Point { x: 256, y: 0 });
    }

    mod shadowing {
        use fuzzd::test;

        /// The words of the prelude are taken, and generated code does not care.
        #[test(seeds = [b"x"])]
        fn with_the_attribute_imported(data: &[u8]) {
            assert_eq!(data, b"x");
        }

        #[expect(dead_code, reason = "only its name matters")]
        enum Option {
            Some,
            None,
        }

        #[expect(dead_code, reason = "only its name matters")]
        fn run() {}
    }
}

macro_rules! fuzz_test_by_macro {
    ($name:ident, $ty:ty, $seed:expr) => {
        #[fuzzd::test(seeds = [$seed, $seed])]
        fn $name(value: $ty) {
            assert_eq!(value, $seed);
        }
    };
}

fuzz_test_by_macro!(by_macro_number, u32, 5);
fuzz_test_by_macro!(by_macro_text, String, "five");
fuzz_test_by_macro!(by_macro_bytes, Vec<u8>, b"five");
