//! Toy targets with one hard comparison each, solved without any mutation.

use std::collections::{BTreeSet, VecDeque};

use super::*;
use crate::compare::colorize::colorize;
use crate::compare::log::Bytes64;

mod shapes;
mod words;

/// One execution of a toy target: its comparisons and its path.
#[derive(Debug, Default)]
struct Trace {
    records: Vec<Record>,
    path: u64,
}

impl Trace {
    fn branch(&mut self, pc: usize, outcome: bool) -> bool {
        let step = (pc as u64) << 1 | u64::from(outcome);
        self.path = (self.path ^ step).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        outcome
    }

    /// Notes a comparison of integers as the compiler's callbacks would.
    fn integers(&mut self, pc: usize, width: u8, is_const: bool, left: u64, right: u64) {
        if left != right {
            let kind = Kind::Integer { width, is_const, left, right };
            self.records.push(Record { pc, kind });
        }
    }

    fn is(&mut self, pc: usize, width: u8, constant: u64, value: u64) -> bool {
        self.integers(pc, width, true, constant, value);
        self.branch(pc, constant == value)
    }

    fn memory(&mut self, pc: usize, left: &[u8], right: &[u8]) -> bool {
        if left != right {
            let (left, right) = (Bytes64::new(left), Bytes64::new(right));
            self.records.push(Record { pc, kind: Kind::Memory { left, right } });
        }
        self.branch(pc, left == right)
    }

    /// A comparison of slices: first of their lengths.
    fn slices(&mut self, pc: usize, constant: &[u8], value: &[u8]) -> bool {
        self.is(pc, 8, constant.len() as u64, value.len() as u64)
            && self.memory(pc + 1, value, constant)
    }

    fn has_at_least(&mut self, pc: usize, len: usize, input: &[u8]) -> bool {
        self.integers(pc, 8, true, len as u64, input.len() as u64);
        self.branch(pc, input.len() >= len)
    }
}

/// A toy target: whether it is solved.
type Toy<'a> = &'a dyn Fn(&[u8], &mut Trace) -> bool;

/// Executes `toy` on the candidates of `start` and of every candidate with a new path, until it is
/// solved. Gives the number of candidates, and the input.
fn solve(start: &[u8], most: usize, toy: Toy<'_>) -> (usize, Vec<u8>) {
    let mut waiting = VecDeque::from([start.to_vec()]);
    let mut paths = BTreeSet::new();
    let (mut tried, mut buffer) = (0, Vec::new());
    let run = |input: &[u8]| {
        let mut trace = Trace::default();
        let solved = toy(input, &mut trace);
        (trace, solved)
    };
    paths.insert(run(start).0.path);
    while let Some(base) = waiting.pop_front() {
        let log = run(&base).0.records;
        let colorized = colorize(&base, 1_000, &mut |input| run(input).0.path);
        let colorized_log = run(&colorized.bytes).0.records;
        let mut solver = Solver::new(&base, &log, &colorized.bytes, &colorized_log);
        while solver.next(&mut buffer) {
            tried += 1;
            let (trace, solved) = run(&buffer);
            if solved {
                return (tried, buffer);
            }
            if paths.insert(trace.path) {
                waiting.push_front(buffer.clone());
            }
            assert!(tried < most, "not solved in {most} candidates, at {}", base.escape_ascii());
        }
    }
    panic!("no candidates left after {tried}; paths {}", paths.len());
}

fn word<const N: usize>(input: &[u8], at: usize) -> Option<[u8; N]> {
    input.get(at..at + N)?.try_into().ok()
}

#[test]
fn integers_of_every_width_and_both_byte_orders() {
    for width in [2_u8, 4, 8] {
        for is_big in [false, true] {
            let len = usize::from(width);
            let constant = 0xdead_beef_1234_5678_u64 >> (64 - 8 * width);
            let (tried, _) = solve(&[0x61; 24], 20, &|input, trace| {
                let mut bytes = [0; 8];
                bytes[..len].copy_from_slice(&input[9..9 + len]);
                if is_big {
                    bytes[..len].reverse();
                }
                trace.is(1, width, constant, u64::from_le_bytes(bytes))
            });
            assert!(tried <= 6, "width {width}: {tried}");
        }
    }
}

#[test]
fn integers_wider_than_their_field() {
    solve(&[0; 8], 60, &|input, trace| {
        let value = u16::from_be_bytes(word(input, 3).unwrap_or_default());
        trace.is(1, 8, 0x1234, u64::from(value))
    });
    solve(&[0x81; 8], 60, &|input, trace| {
        let value = i16::from_le_bytes(word(input, 2).unwrap_or_default());
        trace.is(1, 4, u64::from((-1_234_i32).cast_unsigned()), {
            u64::from(i32::from(value).cast_unsigned())
        })
    });
    solve(b"abcdefgh", 60, &|input, trace| {
        let value = u32::from_be_bytes([0, input[3], input[4], input[5]]);
        trace.is(1, 4, 0x00c0_ffee, u64::from(value))
    });
}

#[test]
fn both_halves_of_128_bits() {
    let constant = 0x0123_4567_89ab_cdef_1122_3344_5566_7788_u128.to_be_bytes();
    let half = |at| u64::from_be_bytes(word(&constant, at).unwrap());
    solve(&[7; 16], 20, &|input, trace| {
        let read = |at| u64::from_be_bytes(word(input, at).unwrap_or_default());
        let first = trace.is(1, 8, half(0), read(0));
        first && trace.is(2, 8, half(8), read(8))
    });
}

#[test]
fn bits_of_a_float() {
    let bits = 1234.5_f64.to_bits();
    solve(&[0; 8], 20, &|input, trace| {
        trace.is(1, 8, bits, u64::from_le_bytes(word(input, 0).unwrap_or_default()))
    });
}

#[test]
fn ranges_need_neighbours() {
    let (tried, input) = solve(b"aaaabbbb", 20, &|input, trace| {
        let value = u32::from_le_bytes(word(input, 2).unwrap_or_default());
        trace.integers(1, 4, true, 0xf000_0000, u64::from(value));
        let is_above = trace.branch(1, value > 0xf000_0000);
        trace.integers(2, 4, true, 0xf000_0002, u64::from(value));
        is_above && trace.branch(2, value < 0xf000_0002)
    });
    assert_eq!(input[2..6], 0xf000_0001_u32.to_le_bytes(), "after {tried}");
}

#[test]
fn switches_give_the_nearest_cases() {
    solve(b"aaaabbbb", 20, &|input, trace| {
        let value = u64::from(u16::from_le_bytes(word(input, 3).unwrap_or_default()));
        let (below, above) = (0x1234, 0xf00d);
        let kind = Kind::Switch { width: 2, value, below, above };
        trace.records.push(Record { pc: 1, kind });
        trace.branch(2, value == below);
        trace.branch(3, value == above)
    });
}

#[test]
fn operands_computed_from_the_input() {
    let toys: [fn(u32) -> u32; 7] = [
        |x| x.wrapping_add(0x1111_2222),
        |x| x.wrapping_sub(3),
        |x| 0x7fff_0000_u32.wrapping_sub(x),
        |x| x ^ 0x5a5a_a5a5,
        |x| x >> 3,
        |x| x << 2,
        |x| !x,
    ];
    for (number, compute) in toys.into_iter().enumerate() {
        for is_big in [false, true] {
            println!("toy {number} {is_big}");
            let (tried, _) = solve(b"0123456789abcdefghijkl", 200, &|input, trace| {
                let bytes = word(input, 7).unwrap_or_default();
                let read = if is_big { u32::from_be_bytes } else { u32::from_le_bytes };
                let value = compute(read(bytes));
                trace.is(1, 4, 0x0dec_0de0, u64::from(value))
            });
            assert!(tried < 100, "toy {number}: {tried}");
        }
    }
}

#[test]
fn words_at_computed_offsets() {
    solve(&[b'a'; 40], 400, &|input, trace| {
        let at = 4 + usize::from(input[0] % 30);
        let value = u32::from_be_bytes(word(input, at).unwrap_or_default());
        trace.is(1, 4, 0xcafe_babe, u64::from(value))
    });
}

#[test]
fn a_length_field_that_must_be_true() {
    let (_, input) = solve(b"....payload....", 400, &|input, trace| {
        if !trace.has_at_least(1, 4, input) {
            return false;
        }
        let stated = u64::from(u32::from_be_bytes(word(input, 0).unwrap_or_default()));
        let left = input.len() as u64 - 4;
        trace.integers(2, 8, false, stated, left);
        trace.branch(2, stated == left) && trace.has_at_least(3, 32, input)
    });
    assert_eq!(input[..4], 28_u32.to_be_bytes());
}

#[test]
fn a_length_that_the_code_asks_for() {
    let (tried, input) = solve(b"abc", 20, &|input, trace| {
        let kind = Kind::Switch { width: 8, value: input.len() as u64, below: 0, above: 17 };
        trace.records.push(Record { pc: 1, kind });
        trace.branch(1, input.len() == 17)
    });
    assert_eq!(input, b"abcabcabcabcabcab", "after {tried}");
}

#[test]
fn nested_conditions() {
    let (tried, _) = solve(b"start", 3_000, &|input, trace| {
        trace.has_at_least(1, 24, input)
            && trace.memory(2, &input[..4], b"MAZE")
            && trace.is(3, 4, 0x1357_9bdf, {
                u64::from(u32::from_le_bytes(word(input, 4).unwrap_or_default()))
            })
            && trace.is(4, 2, 0x4242, {
                u64::from(u16::from_be_bytes(word(input, 8).unwrap_or_default())) ^ 0x1111
            })
            && trace.memory(5, &input[10..18], &input[2..10])
    });
    assert!(tried < 1_000, "{tried}");
}

#[test]
fn conditions_that_are_only_told_together() {
    solve(&[b'x'; 16], 100, &|input, trace| {
        let mut all = true;
        for (turn, constant) in [(0, 0x1111_u64), (1, 0x2222), (2, 0x3333), (3, 0x4444)] {
            let value = u16::from_le_bytes(word(input, 2 * turn).unwrap_or_default());
            trace.integers(1, 2, true, constant, u64::from(value));
            all &= u64::from(value) == constant;
        }
        trace.branch(1, all)
    });
}

#[test]
fn candidates_are_bounded_and_made_quickly_for_a_flood_of_records() {
    let base: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let colorized: Vec<u8> = base.iter().map(|byte| byte.wrapping_add(77)).collect();
    let log = |shift: u64| -> Vec<Record> {
        let record = |turn: u64| Record {
            pc: (turn % 999) as usize,
            kind: Kind::Integer { width: 8, is_const: false, left: turn * shift, right: turn * 7 },
        };
        (0..10_000).map(record).collect()
    };
    let mut solver = Solver::new(&base, &log(3), &colorized, &log(5));
    let (mut count, mut buffer) = (0, Vec::new());
    while solver.next(&mut buffer) {
        count += 1;
    }
    assert!(count <= crate::compare::limits::CANDIDATES_MAX, "{count}");
}

#[test]
fn empty_inputs_and_logs_give_nothing() {
    let mut buffer = Vec::new();
    assert!(!Solver::new(b"", &[], b"", &[]).next(&mut buffer));
    assert!(!Solver::new(b"abc", &[], b"xyz", &[]).next(&mut buffer));
    let kind = Kind::Integer { width: 4, is_const: true, left: 5, right: 0 };
    let log = [Record { pc: 1, kind }];
    assert!(Solver::new(b"", &log, b"", &log).next(&mut buffer), "a length of 5");
    assert_eq!(buffer, b"00000");
}
