//! Measures what the operators find, to tune their start weights.
//!
//! Each goal is a small target: executions until it is reached, from a seed, with a corpus that
//! grows as it would for a target with an edge for each step.
//! Run: `cargo test --release -p fuzzd-worker goals -- --ignored --nocapture`.

use super::operator::Operator;
use super::*;
use crate::compare::pairs::{Pair, PairTable, Side};
use crate::dictionary::Dictionary;
use crate::rng::mutation_seed;

/// Executions after which a goal counts as missed.
const EXECS_MAX: u64 = 400_000;

/// Runs of each goal.
const RUNS: u64 = 41;

/// Something to be reached.
struct Goal {
    name: &'static str,
    seeds: &'static [&'static [u8]],
    /// How far an input gets; the last step is the goal.
    step: fn(&[u8]) -> u32,
    last: u32,
    pairs: fn() -> Vec<Pair>,
    tokens: &'static [&'static [u8]],
}

fn none() -> Vec<Pair> {
    Vec::new()
}

fn number(left: u64, right: u64, width: u8) -> Pair {
    let (left, right) = (Side::integer(left, width), Side::integer(right, width));
    Pair { left, right, is_number: true, is_const: true }
}

/// The deepest valid nesting of square brackets in a text of digits, commas and brackets.
fn depth(input: &[u8]) -> u32 {
    let (mut open, mut most) = (0u32, 0);
    for byte in input {
        match byte {
            b'[' => open += 1,
            b']' if open > 0 => open -= 1,
            b'0'..=b'9' | b',' => {}
            _ => return 0,
        }
        most = most.max(open);
    }
    if open == 0 { most } else { 0 }
}

fn decimal_range(input: &[u8]) -> u32 {
    let text = std::str::from_utf8(input).unwrap_or("");
    let Some(number) = text.strip_prefix("n=").and_then(|rest| rest.parse::<i64>().ok()) else {
        return 0;
    };
    1 + u32::from((1000..=1010).contains(&number))
}

/// Type, length of two bytes, body: how many of them follow each other to the end.
fn records(input: &[u8]) -> u32 {
    let (mut rest, mut count) = (input, 0);
    while let [1..=4, high, low, behind @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        if len == 0 || len > behind.len() {
            return 0;
        }
        rest = &behind[len..];
        count += 1;
    }
    if rest.is_empty() { count } else { 0 }
}

/// Length of four bytes, a type, the body and a checksum: how many of them there are.
fn chunks(input: &[u8]) -> u32 {
    let (mut rest, mut count) = (input, 0);
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let len = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        let Some(end) = behind.get(4 + len..8 + len) else { return 0 };
        if end != b"CRC_" || !behind[..4].iter().all(u8::is_ascii_uppercase) {
            return 0;
        }
        rest = &behind[8 + len..];
        count += 1;
    }
    if rest.is_empty() { count } else { 0 }
}

/// A length of four bytes in front of all, and how long the body is.
fn framed(input: &[u8]) -> u32 {
    let Some((length, body)) = input.split_first_chunk::<4>() else { return 0 };
    let is_right = usize::try_from(u32::from_le_bytes(*length)).ok() == Some(body.len());
    if is_right { 1 + u32::from(body.len() > 12) + u32::from(body.len() > 40) } else { 0 }
}

fn magic(input: &[u8]) -> u32 {
    u32::from(input.len() > 12 && input[8..12] == 0x1337_c0de_u32.to_be_bytes())
}

fn word(input: &[u8]) -> u32 {
    u32::from(input.windows(14).any(|part| part == b"content-length"))
}

/// `key=value` lines: how many distinct keys there are.
fn keys(input: &[u8]) -> u32 {
    let mut found = std::collections::BTreeSet::new();
    for line in input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Some(at) = line.iter().position(|byte| *byte == b'=') else { return 0 };
        if at == 0 || at + 1 == line.len() {
            return 0;
        }
        found.insert(&line[..at]);
    }
    u32::try_from(found.len()).unwrap()
}

/// An expression with parentheses: calls of functions nested in each other.
fn calls(input: &[u8]) -> u32 {
    let (mut open, mut most, mut before) = (0u32, 0, b' ');
    for &byte in input {
        match byte {
            b'(' if before.is_ascii_lowercase() => open += 1,
            b'(' => return 0,
            b')' if open > 0 => open -= 1,
            b'a'..=b'z' | b'0'..=b'9' | b',' | b' ' => {}
            _ => return 0,
        }
        most = most.max(open);
        before = byte;
    }
    if open == 0 { most } else { 0 }
}

const GOALS: &[Goal] = &[
    Goal {
        name: "brackets 3 deep",
        seeds: &[b"[1,2,3]"],
        step: depth,
        last: 3,
        pairs: none,
        tokens: &[],
    },
    Goal {
        name: "brackets 12 deep",
        seeds: &[b"[1,2,3]"],
        step: depth,
        last: 12,
        pairs: none,
        tokens: &[],
    },
    Goal {
        name: "brackets from digits",
        seeds: &[b"123"],
        step: depth,
        last: 2,
        pairs: none,
        tokens: &[],
    },
    Goal {
        name: "calls 4 deep",
        seeds: &[b"max(1, min(2, 3), abs(4))"],
        step: calls,
        last: 4,
        pairs: none,
        tokens: &[],
    },
    Goal {
        name: "decimal 1000..=1010",
        seeds: &[b"n=57"],
        step: decimal_range,
        last: 2,
        pairs: none,
        tokens: &[],
    },
    Goal {
        name: "decimal with its pair",
        seeds: &[b"n=57"],
        step: decimal_range,
        last: 2,
        pairs: || vec![number(1000, 57, 8), number(1010, 57, 8)],
        tokens: &[],
    },
    Goal {
        name: "chunks with checksums",
        seeds: &[b"\x00\x00\x00\x04IHDRabcdCRC_\x00\x00\x00\x02IDATxyCRC_\x00\x00\x00\x00IENDCRC_"],
        step: chunks,
        last: 7,
        pairs: none,
        tokens: &[],
    },
    Goal {
        name: "5 records",
        seeds: &[b"\x01\x00\x05hello"],
        step: records,
        last: 5,
        pairs: none,
        tokens: &[],
    },
    Goal {
        name: "frame of 41 bytes",
        seeds: &[b"\x06\x00\x00\x00abcdef"],
        step: framed,
        last: 3,
        pairs: none,
        tokens: &[],
    },
    Goal {
        name: "magic with its pair",
        seeds: &[b"0123456789abcdef"],
        step: magic,
        last: 1,
        pairs: || vec![number(0x1337_c0de, 0x3839_6162, 4), number(77, 9, 4)],
        tokens: &[],
    },
    Goal {
        name: "word of the dictionary",
        seeds: &[b"GET / HTTP/1.1\r\nhost: x\r\n"],
        step: word,
        last: 1,
        pairs: none,
        tokens: &[b"content-length", b"host", b"accept", b"transfer-encoding"],
    },
    Goal {
        name: "6 keys",
        seeds: &[b"name=1\nsize=22\n"],
        step: keys,
        last: 6,
        pairs: none,
        tokens: &[],
    },
];

/// Executions until `goal` is reached.
fn execs(goal: &Goal, seed: u64) -> u64 {
    let types = [ValueType::Bytes];
    let mut pairs = PairTable::new();
    for (pc, pair) in (goal.pairs)().into_iter().enumerate() {
        pairs.add(pc, pair);
    }
    let mut tokens = Dictionary::default();
    for token in goal.tokens {
        tokens.add_user(token);
    }
    let tokens = Rc::new(tokens.tokens());
    let mut corpus: Vec<Vec<u8>> = goal.seeds.iter().map(|seed| seed.to_vec()).collect();
    let mut best = corpus.iter().map(|input| (goal.step)(input)).max().unwrap();
    let mut mutator = Mutator::new(&types);
    mutator.begin_call(seed, Profile::Usual);
    let mut rng = Rng::new(seed);
    let mut buffer = vec![0; 1 << 12];
    let mut count = 0;
    while count < EXECS_MAX {
        // The newest is picked as often as all others, as the plan would.
        let last = corpus.len() - 1;
        let position = if rng.chance(1, 2) { last } else { rng.below(last + 1) };
        let mut base = Base::new(&types, corpus[position].clone());
        base.set_pairs(pairs.clone());
        let partners = corpus.clone();
        let materials = Materials { tokens: Rc::clone(&tokens), partners, ..Materials::default() };
        mutator.begin_visit(Rc::new(base), Rc::new(materials), 4096);
        for iteration in 0..256 {
            let seed = mutation_seed(seed, count + iteration);
            let len = mutator.mutate(seed, &mut buffer);
            let reached = (goal.step)(&buffer[..len]);
            if reached > best {
                best = reached;
                mutator.reward(seed, Reward::NewEdge);
                corpus.push(buffer[..len].to_vec());
            }
            if best >= goal.last {
                return count + iteration;
            }
        }
        count += 256;
        mutator.end_visit(256);
    }
    EXECS_MAX
}

#[test]
#[ignore = "a measurement"]
fn goals() {
    let mut logs = 0.0;
    for goal in GOALS {
        let mut all: Vec<u64> = (0..RUNS).map(|run| execs(goal, 1000 + run)).collect();
        all.sort_unstable();
        let (low, median, high) = (all[4], all[20], all[36]);
        println!("{:24} {median:>8}  ({low} .. {high})", goal.name);
        logs +=
            all.iter().map(|execs| (execs + 1) as f64).map(f64::log2).sum::<f64>() / RUNS as f64;
    }
    println!("mean of the logarithms: {:.2}", logs / GOALS.len() as f64);
}

/// Time of one mutation of `base`, in nanoseconds.
fn nanos(
    types: &[ValueType],
    base: &[u8],
    is_rich: bool,
    exponent: Option<u8>,
    operator: Option<Operator>,
) -> f64 {
    let mut mutator = Mutator::new(types);
    let mut base = Base::new(types, base.to_vec());
    let mut materials = Materials::default();
    if is_rich {
        let mut pairs = PairTable::new();
        pairs.add(0, number(0x1337_c0de, 0x3839_6162, 4));
        pairs.add(1, number(1000, 57, 8));
        materials.recent = pairs.clone();
        base.set_pairs(pairs);
        let mut tokens = Dictionary::default();
        tokens.add_user(b"token");
        materials.tokens = Rc::new(tokens.tokens());
        materials.partners = vec![base.bytes().to_vec(), b"partner of the input".to_vec()];
    }
    let (base, materials) = (Rc::new(base), Rc::new(materials));
    let mut buffer = vec![0; 1 << 16];
    let mut best = f64::MAX;
    for turn in 0..40u64 {
        mutator.begin_visit(Rc::clone(&base), Rc::clone(&materials), 4096);
        if let Some(exponent) = exponent {
            mutator.visit.set_exponent(exponent);
        }
        if let Some(operator) = operator {
            mutator.visit.set_operator(operator);
        }
        let started = std::time::Instant::now();
        for iteration in 0..4096 {
            let len = mutator.mutate(mutation_seed(turn, iteration), &mut buffer);
            std::hint::black_box((len, &mut buffer[..len]));
        }
        best = best.min(started.elapsed().as_nanos() as f64 / 4096.0);
    }
    best
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let binary: Vec<u8> = (0..64u8).map(|byte| byte.wrapping_mul(37)).collect();
    let text: &[u8] =
        b"{\"name\": [1, 22, 333], \"other\": {\"x\": null, \"y\": \"text\"}, \"z\":1}";
    for (name, base, is_rich) in [
        ("binary", &binary[..], false),
        ("binary, rich", &binary, true),
        ("text", text, false),
        ("text, rich", text, true),
    ] {
        let all: Vec<String> = [Some(0), Some(2), None]
            .map(|exponent| {
                format!("{:.1}", nanos(&[ValueType::Bytes], base, is_rich, exponent, None))
            })
            .to_vec();
        println!("{name:14} ns: one {}, up to 4 {}, as drawn {}", all[0], all[1], all[2]);
    }
    for operator in Operator::ALL {
        let time = |base| nanos(&[ValueType::Bytes], base, true, Some(0), Some(operator));
        println!("{operator:?} ns: {:.1} {:.1}", time(&binary), time(text));
    }
    let types = [ValueType::String, ValueType::Uint32, ValueType::Bytes];
    println!(
        "packed  ns: {:.1}",
        nanos(&types, b"\x05\0\0\0hello1234\x04\0\0\0abcd", true, Some(0), None)
    );
    let mut mutator = Mutator::new(&[ValueType::Bytes]);
    let (base, materials) = (Rc::new(Base::new(&[ValueType::Bytes], binary)), Rc::default());
    let mut best = f64::MAX;
    for _ in 0..100 {
        let started = std::time::Instant::now();
        for _ in 0..100 {
            mutator.begin_visit(Rc::clone(&base), Rc::clone(&materials), 4096);
            mutator.end_visit(256);
        }
        best = best.min(started.elapsed().as_nanos() as f64 / 100.0);
    }
    println!("visit   ns: {best:.1}");
}
