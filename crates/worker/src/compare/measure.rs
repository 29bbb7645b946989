//! The compare stage by itself, for the benchmark.
//!
//! Owns made-up inputs and records. Must not be used by the engine.

use std::fmt;

use super::colorize::{Colorized, colorize};
use super::log::{Bytes64, Kind, Record};
use super::pairs::PairTable;
use super::solve::Solver;

/// An input with the records of two executions.
pub struct CompareStage {
    input: Vec<u8>,
    colorized: Colorized,
    logs: [Vec<Record>; 2],
}

impl fmt::Debug for CompareStage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CompareStage").finish_non_exhaustive()
    }
}

impl CompareStage {
    /// An input of `len` (at least 32) bytes that brings `count` comparisons about.
    #[must_use]
    pub fn new(len: u32, count: usize) -> Self {
        let input: Vec<u8> = (0..len.max(32)).map(|at| b' ' + (at % 90).to_le_bytes()[0]).collect();
        let colorized = colorize(&input, 1_000, &mut |_| 1);
        let logs = [&input, &colorized.bytes].map(|input| records(input, count));
        Self { input, colorized, logs }
    }

    /// Makes all candidates; the bytes of the first one.
    #[must_use]
    pub fn candidates(&self) -> usize {
        let [log, log_then] = &self.logs;
        let mut solver = Solver::new(&self.input, log, &self.colorized.bytes, log_then);
        let mut buffer = Vec::new();
        solver.next(&mut buffer);
        buffer.len()
    }

    /// Makes the pair table; the number of pairs.
    #[must_use]
    pub fn pairs(&self) -> usize {
        let mut table = PairTable::new();
        table.add_records(&self.logs[0]);
        table.len()
    }

    /// Colorizes where every third byte decides the path, with executions that cost little; the
    /// number of free ranges.
    #[must_use]
    pub fn colorize(&self) -> usize {
        let path = |bytes: &[u8]| {
            let fixed = bytes.iter().step_by(3);
            fixed.fold(0_u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
        };
        colorize(&self.input, 1_000, &mut |bytes| path(bytes)).free.len()
    }
}

/// Comparisons of words all over the input with constants.
fn records(input: &[u8], count: usize) -> Vec<Record> {
    let record = |turn: usize| {
        let at = turn * 7 % (input.len() - 16);
        let word = &input[at..at + 16];
        let right = word[..4].iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        let constant = 0x0101_0101 * (turn as u64 % 200 + 1);
        let kind = match turn % 4 {
            0 => {
                let right = Bytes64::new(b"content-length: ");
                Kind::Memory { left: Bytes64::new(word), right }
            }
            1 => Kind::Switch { width: 4, value: right, below: right, above: constant },
            2 => Kind::Integer { width: 4, is_const: false, left: right ^ 0x55, right: constant },
            _ => Kind::Integer { width: 4, is_const: true, left: constant, right },
        };
        Record { pc: 0x1000 + turn / 8 * 32 + turn % 4, kind }
    };
    (0..count).map(record).collect()
}
