//! What is noted of every answer and every process, whichever check it was for.
//!
//! Owns the first offence against each rule that holds at all times.

use serde_json::{Map, Value};

/// Fields of Go's own that every reply to `Fuzz` has.
const FUZZ_FIELDS: [&str; 6] =
    ["TotalDuration", "InterestingDuration", "Count", "CoverageData", "Err", "InternalErr"];

/// Fields of Go's own that every reply to `Minimize` has.
const MINIMIZE_FIELDS: [&str; 5] = ["WroteToMem", "Err", "CoverageData", "Duration", "Count"];

/// Answers that are compared with what stands on standard output.
const ANSWERS_MAX: usize = 64;

/// Offences, the first of each kind.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// A field is missing, or has a name the specification does not give it.
    pub(super) fields: Option<String>,
    /// Bytes came that no call had asked for.
    pub(super) unasked: Option<String>,
    /// An answer stood on standard output.
    pub(super) on_stdout: Option<String>,
    /// Answers to Fuzz and Minimize so far.
    pub(super) answers: u64,
    last: Vec<u8>,
    lines: Vec<Vec<u8>>,
}

impl Noted {
    pub(super) fn call_begins(&mut self) {
        self.last.clear();
    }

    pub(super) fn answered(&mut self, line: &[u8]) {
        self.last = line.to_vec();
        // A short line, such as `{}`, may be anybody's.
        if line.len() > 20 && self.lines.len() < ANSWERS_MAX {
            self.lines.push(line.to_vec());
        }
        if line.ends_with(b"\r") {
            self.fields.get_or_insert_with(|| format!("{} has a \\r at its end", shown(line)));
        }
    }

    pub(super) fn unasked(&mut self, line: &[u8]) {
        self.unasked.get_or_insert_with(|| shown(line));
    }

    pub(super) fn fuzz_answered(&mut self) {
        self.look_for(&FUZZ_FIELDS);
    }

    pub(super) fn minimize_answered(&mut self) {
        self.look_for(&MINIMIZE_FIELDS);
    }

    fn look_for(&mut self, fields: &[&str]) {
        let Ok(reply) = serde_json::from_slice::<Map<String, Value>>(&self.last) else { return };
        self.answers += 1;
        if let Some(missing) = fields.iter().find(|field| !reply.contains_key(**field)) {
            let line = shown(&self.last);
            self.fields.get_or_insert_with(|| format!("{line} has no field {missing}"));
        }
    }

    /// A process has ended, or is given up, and has written this to standard output.
    pub(super) fn ended(&mut self, output: &[u8]) {
        let found = self.lines.iter().find(|line| {
            output.split(|byte| *byte == b'\n').any(|written| written == line.as_slice())
        });
        if let Some(line) = found {
            let line = shown(line);
            self.on_stdout.get_or_insert(line);
        }
        self.lines.clear();
    }
}

/// The beginning of a line, as text.
pub(super) fn shown(line: &[u8]) -> String {
    const SHOWN: usize = 120;
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]);
    format!("{text:?}")
}
