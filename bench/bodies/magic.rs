//! Single comparisons: each function is one question, and panics at the right answer.
//!
//! All start from a seed of one byte, so a fuzzer also has to find the length. Most values occur
//! nowhere but in the code; in the dynamic ones both sides come from the input.
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::LazyLock;

/// Hands the names of all of them to the macro `$then`.
macro_rules! for_each_magic {
    ($then:ident) => {
        $then! {
            u8_eq u16_eq u32_eq u64_eq u128_eq i64_eq f64_eq
            u8_match u16_match u32_match u64_match u128_match i64_match
            u16_range u32_range u64_range u128_range i64_range f64_range
            array_3 array_4 array_5 array_8 array_13 array_16 array_40 array_64
            slice_3 slice_4 slice_5 slice_8 slice_13 slice_16 slice_40 slice_64
            dynamic_8 dynamic_16 dynamic_64 dynamic_u32 dynamic_u64 dynamic_sum
            starts_with ends_with str_match eq_ignore_ascii_case string_lookup
            decimal_number negative_number hexadecimal_number
            le_word_at_offset be_word_at_offset length_field
            nested_words nested_text nested_mixed
        }
    };
}

const TEXT: &[u8; 64] = b"k3y:Zq7!mW2#vB9@xL4$nR6%tH1^pJ8&sD5*fG0(gK3)hC7-yU2_aE9+bN4=cM6?";

#[cold]
fn solved(question: &str) -> ! {
    panic!("solved: {question}");
}

fn bytes<const N: usize>(data: &[u8], offset: usize) -> Option<[u8; N]> {
    data.get(offset..)?.first_chunk().copied()
}

fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).unwrap_or_default()
}

/// The first bytes as a number, compared by an expression or taken by a pattern.
macro_rules! numbers {
    ($($name:ident: $type:ty, |$value:ident| $test:expr;)*) => { $(
        pub fn $name(data: &[u8]) {
            let Some($value) = bytes(data, 0).map(<$type>::from_le_bytes) else { return };
            if $test {
                solved(stringify!($name));
            }
        }
    )* };
}

numbers! {
    u8_eq: u8, |value| value == 0xc3;
    u16_eq: u16, |value| value == 0x9e37;
    u32_eq: u32, |value| value == 0x8bad_f00d;
    u64_eq: u64, |value| value == 0x9e37_79b9_7f4a_7c15;
    u128_eq: u128, |value| value == 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    i64_eq: i64, |value| value == -8_364_283_457_237_459;
    f64_eq: f64, |value| value == 6.674_301_5e-11;
    u16_range: u16, |value| (0xbeea..=0xbeee).contains(&value);
    u32_range: u32, |value| (0xdead_b0a0..0xdead_b0b0).contains(&value);
    u64_range: u64, |value| value > 0x7fed_cba9_8765_4300 && value < 0x7fed_cba9_8765_4380;
    u128_range: u128, |value| (1_u128 << 101..(1_u128 << 101) + 999).contains(&value);
    i64_range: i64, |value| (-77_777_777_800..-77_777_777_700).contains(&value);
    f64_range: f64, |value| value > 1_234_567.890 && value < 1_234_567.891;
    u8_match: u8, |value| matches!(arm(value.into()), Some(true));
    u16_match: u16, |value| match value { 11_111 | 22_222 => false, 33_333 => true, _ => false };
    u32_match: u32, |value| match arm(value.into()) { Some(is_it) => is_it, None => false };
    u64_match: u64, |value| matches!(long_arm(value), Some("right"));
    u128_match: u128, |value| match value {
        0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10 => black_box(false),
        0x1122_3344_5566_7788_99aa_bbcc_ddee_ff00 => black_box(true),
        _ => false,
    };
    i64_match: i64, |value| match value {
        -1_000_000_007 => black_box(false),
        -998_244_353 => black_box(true),
        1_000_000_009 => black_box(false),
        _ => false,
    };
}

#[inline(never)]
fn arm(value: u64) -> Option<bool> {
    match value {
        0x17 | 0x4000_0001 => Some(false),
        0xd7 | 0x7a69_7070 => Some(true),
        0x41 | 0x1357_9bdf => black_box(None),
        _ => None,
    }
}

#[inline(never)]
fn long_arm(value: u64) -> Option<&'static str> {
    match value {
        0x0123_4567_89ab_cdef => Some("wrong"),
        0xfeed_face_cafe_beef => Some("right"),
        0x8000_0000_0000_0001 => Some("neither"),
        _ => None,
    }
}

/// Against an array whose length the compiler knows: mostly words, not a call.
macro_rules! arrays {
    ($($name:ident $length:literal)*) => { $(
        pub fn $name(data: &[u8]) {
            const WANTED: [u8; $length] = *TEXT.first_chunk::<$length>().unwrap();
            if bytes(data, 0) == Some(WANTED) {
                solved(stringify!($name));
            }
        }
    )* };
}

/// Against a slice of unknown length: a call of `memcmp` or `bcmp`.
macro_rules! slices {
    ($($name:ident $length:literal)*) => { $(
        pub fn $name(data: &[u8]) {
            let wanted = &black_box(&TEXT[..])[..black_box($length)];
            if data.get(..wanted.len()) == Some(wanted) {
                solved(stringify!($name));
            }
        }
    )* };
}

arrays! { array_3 3 array_4 4 array_5 5 array_8 8 array_13 13 array_16 16 array_40 40 array_64 64 }
slices! { slice_3 3 slice_4 4 slice_5 5 slice_8 8 slice_13 13 slice_16 16 slice_40 40 slice_64 64 }

/// The second half is the first half reversed, and is no palindrome of one letter.
macro_rules! mirrors {
    ($($name:ident $half:literal)*) => { $(
        pub fn $name(data: &[u8]) {
            let (Some(first), Some(second)) = (bytes::<$half>(data, 0), bytes::<$half>(data, $half))
            else { return };
            let mut reversed = first;
            reversed.reverse();
            if first != reversed && second == black_box(reversed) {
                solved(stringify!($name));
            }
        }
    )* };
}

mirrors! { dynamic_8 8 dynamic_16 16 dynamic_64 64 }

pub fn dynamic_u32(data: &[u8]) {
    let (Some(one), Some(other)) = (bytes(data, 0), bytes(data, 6)) else { return };
    let (one, other) = (u32::from_le_bytes(one), u32::from_le_bytes(other));
    if one != 0 && one ^ 0x5a5a_5a5a == other {
        solved("dynamic_u32");
    }
}

pub fn dynamic_u64(data: &[u8]) {
    let (Some(one), Some(other)) = (bytes(data, 0), bytes(data, 8)) else { return };
    let (one, other) = (u64::from_be_bytes(one), u64::from_le_bytes(other));
    if one > 0xffff_ffff && one.rotate_left(13) == other {
        solved("dynamic_u64");
    }
}

/// A checksum over the rest in the last four bytes.
pub fn dynamic_sum(data: &[u8]) {
    let Some((body, sum)) = data.split_last_chunk() else { return };
    let add = |sum: u32, byte: &u8| sum.wrapping_mul(16_777_619) ^ u32::from(*byte);
    if body.len() >= 8 && body.iter().fold(0x811c_9dc5, add) == u32::from_be_bytes(*sum) {
        solved("dynamic_sum");
    }
}

pub fn starts_with(data: &[u8]) {
    if text(data).starts_with("<!DOCTYPE fuzz") {
        solved("starts_with");
    }
}

pub fn ends_with(data: &[u8]) {
    if data.len() > 20 && data.ends_with(b"\r\n--end--") {
        solved("ends_with");
    }
}

pub fn str_match(data: &[u8]) {
    match text(data) {
        "get" | "put" | "delete" | "options" => black_box(()),
        "content-security-policy" => solved("str_match"),
        "content-transfer-encoding" => black_box(()),
        _ => {}
    }
}

pub fn eq_ignore_ascii_case(data: &[u8]) {
    let word = text(data).split(' ').next().unwrap_or_default();
    if word.eq_ignore_ascii_case("Transfer-Encoding") {
        solved("eq_ignore_ascii_case");
    }
}

pub fn string_lookup(data: &[u8]) {
    static WORDS: LazyLock<HashMap<String, u32>> = LazyLock::new(|| {
        let words = ["alpha", "bravo", "quebec-seven", "yankee"];
        words.into_iter().zip(0..).map(|(word, number)| (word.to_owned(), number)).collect()
    });
    if text(data).split(',').any(|word| WORDS.get(word) == Some(&2)) {
        solved("string_lookup");
    }
}

pub fn decimal_number(data: &[u8]) {
    if text(data).trim().parse() == Ok(73_819_264_u64) {
        solved("decimal_number");
    }
}

pub fn negative_number(data: &[u8]) {
    if text(data).split(';').any(|number| number.parse() == Ok(-40_961_i32)) {
        solved("negative_number");
    }
}

pub fn hexadecimal_number(data: &[u8]) {
    let Some(digits) = text(data).strip_prefix("0x") else { return };
    if u64::from_str_radix(digits, 16) == Ok(0xfa57_c0de) {
        solved("hexadecimal_number");
    }
}

/// The first byte says where the word lies.
pub fn le_word_at_offset(data: &[u8]) {
    let Some(offset) = data.first().map(|byte| 1 + usize::from(byte % 32)) else { return };
    if bytes(data, offset).map(u32::from_le_bytes) == Some(0x0bad_cafe) {
        solved("le_word_at_offset");
    }
}

pub fn be_word_at_offset(data: &[u8]) {
    let Some(offset) = data.first().map(|byte| 1 + usize::from(byte % 32)) else { return };
    if bytes(data, offset).map(u32::from_be_bytes) == Some(0x5eed_1e55) {
        solved("be_word_at_offset");
    }
}

/// A mark, the length of all that follows, then at least 24 bytes.
pub fn length_field(data: &[u8]) {
    let Some(rest) = data.strip_prefix(b"LF") else { return };
    let Some((length, body)) = rest.split_first_chunk() else { return };
    if usize::from(u16::from_be_bytes(*length)) == body.len() && body.len() >= 24 {
        solved("length_field");
    }
}

pub fn nested_words(data: &[u8]) {
    if bytes(data, 0).map(u32::from_be_bytes) == Some(0x7f45_4c46)
        && black_box(bytes(data, 4).map(u16::from_le_bytes)) == Some(0xb7f2)
        && black_box(bytes(data, 6).map(u64::from_le_bytes)) == Some(0x1f83_d9ab_fb41_bd6b)
    {
        solved("nested_words");
    }
}

pub fn nested_text(data: &[u8]) {
    let mut words = text(data).split(' ');
    if words.next() == Some("select")
        && words.next() == Some("distinct")
        && words.next().is_some_and(|name| name.eq_ignore_ascii_case("customer"))
        && words.next().and_then(|number| number.parse().ok()) == Some(31_337_u32)
    {
        solved("nested_text");
    }
}

pub fn nested_mixed(data: &[u8]) {
    let Some(rest) = data.strip_prefix(b"MZ\x90\x00") else { return };
    let Some((offset, rest)) = rest.split_first_chunk() else { return };
    let offset = usize::from(u16::from_le_bytes(*offset));
    if (8..64).contains(&offset)
        && rest.get(offset..).is_some_and(|part| part.starts_with(b"PE\0\0"))
        && bytes(rest, offset + 4).map(u16::from_le_bytes) == Some(0x8664)
    {
        solved("nested_mixed");
    }
}
