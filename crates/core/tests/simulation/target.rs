//! A model of a target: a coverage function, and rules by which inputs fail.

use fuzzd_core::coverage::Feature;
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::Input;
use fuzzd_core::signature::FailureKind;

use crate::dice::{Dice, hash, hash_bytes};

/// Inputs are made of bytes below this, so that triggers are met often.
const ALPHABET: u64 = 32;
/// The first byte of inputs that are rejected.
const REJECTED: u8 = 31;
const INPUT_BYTES_MAX: usize = 8;

/// What one execution does.
#[derive(Debug, Clone)]
pub(crate) enum Ran {
    Passed(Vec<Feature>),
    Rejected,
    Failed(Failure),
}

/// Inputs that hold `trigger` fail in this way, in `percent` of their executions.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) trigger: u8,
    pub(crate) failure: Failure,
    percent: u64,
}

/// How the processes of a target come up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starts {
    Well,
    Never,
    /// They announce another number of counters.
    Changed,
    /// They start, and every answer is nonsense.
    Insane,
}

#[derive(Debug, Clone)]
pub(crate) struct Target {
    salt: u64,
    pub(crate) counters: usize,
    pub(crate) rules: Vec<Rule>,
    pub(crate) starts: Starts,
    pub(crate) execs_per_ms: u64,
    rejects: bool,
}

impl Target {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let kinds = [
            FailureKind::Panic,
            FailureKind::Panic,
            FailureKind::Error,
            FailureKind::Abort,
            FailureKind::Signal(11),
            FailureKind::StackOverflow,
            FailureKind::Exit(0),
            FailureKind::Timeout,
            FailureKind::OutOfMemory,
        ];
        let rules = (0..dice.below(5)).map(|number| {
            let kind = dice.pick(&kinds);
            let location = match kind {
                FailureKind::Panic => format!("src/lib.rs:{number}:1"),
                _ => String::new(),
            };
            let percent = if dice.percent(70) { 100 } else { dice.range(10, 90) };
            let failure = Failure::new(kind, &location, "it failed", "");
            Rule { trigger: dice.byte(u64::from(REJECTED)), failure, percent }
        });
        let rules = rules.collect();
        let starts = match dice.below(100) {
            0..=3 => Starts::Never,
            4 => Starts::Changed,
            5 => Starts::Insane,
            _ => Starts::Well,
        };
        Self {
            salt: dice.next(),
            counters: if dice.percent(5) { 0 } else { dice.index(40) + 2 },
            rules,
            starts,
            execs_per_ms: dice.pick(&[1, 3, 10, 40]),
            rejects: dice.percent(50),
        }
    }

    /// The `nth` execution of `input`.
    pub(crate) fn run(&self, input: &[u8], nth: u64) -> Ran {
        for rule in &self.rules {
            let chance = hash(&[hash_bytes(self.salt, input), nth, u64::from(rule.trigger)]) % 100;
            if input.contains(&rule.trigger) && chance < rule.percent {
                return Ran::Failed(rule.failure.clone());
            }
        }
        if self.rejects && input.first() == Some(&REJECTED) {
            return Ran::Rejected;
        }
        Ran::Passed(self.coverage(input))
    }

    pub(crate) fn coverage(&self, input: &[u8]) -> Vec<Feature> {
        if self.counters == 0 {
            return Vec::new();
        }
        let mut snapshot = std::collections::BTreeMap::from([(0u32, 1u8)]);
        for (position, byte) in input.iter().enumerate().take(INPUT_BYTES_MAX) {
            let value = hash(&[self.salt, position as u64, u64::from(byte >> 1)]);
            let index = u32::try_from(value % self.counters as u64).expect("few counters");
            snapshot.entry(index).or_insert(1 << ((value >> 32) % 8));
        }
        snapshot.into_iter().collect()
    }
}

pub(crate) fn random_input(dice: &mut Dice) -> Input {
    (0..dice.below(INPUT_BYTES_MAX as u64)).map(|_| dice.byte(ALPHABET)).collect()
}

pub(crate) fn mutate(input: &[u8], dice: &mut Dice) -> Input {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(2) {
        match dice.below(3) {
            0 if bytes.len() < INPUT_BYTES_MAX => {
                bytes.insert(dice.index(bytes.len() + 1), dice.byte(ALPHABET));
            }
            1 if !bytes.is_empty() => {
                bytes.remove(dice.index(bytes.len()));
            }
            _ if !bytes.is_empty() => {
                let at = dice.index(bytes.len());
                bytes[at] = dice.byte(ALPHABET);
            }
            _ => {}
        }
    }
    bytes.into()
}

/// `input` without the byte at `position`.
pub(crate) fn without(input: &[u8], position: usize) -> Input {
    input.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, byte)| *byte).collect()
}

/// Whether a worker can live on after it.
pub(crate) fn is_survivable(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Panic | FailureKind::Error)
}
