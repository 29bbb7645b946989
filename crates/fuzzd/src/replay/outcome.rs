//! What one run came to, and how a child tells it.
//!
//! A child writes lines to its stderr that begin with a control character and the token that only
//! its parent and it know: `<SOH>fuzzd-replay <token> <kind> <text>`. A child that ends without a
//! line about its outcome was ended by the fuzz test.
//!
//! Owns: those lines and the verdict about every way to end. Must not: start anything.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use crate::limits::{MESSAGE_BYTES_MAX, QUOTED_LINE_BYTES_MAX, QUOTED_LINES_MAX};
use crate::replay::process::{Ended, Ending};

/// What one run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// Passed; the fuzz test is not about this input.
    Rejected,
    Panicked {
        /// `file:line:column`, where known.
        location: Option<String>,
        message: String,
    },
    /// The fuzz test returned an error.
    Failed(String),
    /// The file is not an input of this fuzz test.
    Unreadable(String),
    /// No child could be started.
    NotStarted(String),
    /// The process ended during the run.
    Died {
        /// By which signal or with which code.
        how: String,
        /// The last lines of its stderr.
        output: String,
    },
    TimedOut(Duration),
    /// Bytes that were resident.
    OutOfMemory(u64),
}

impl Outcome {
    /// Whether the test fails because of it.
    pub(crate) fn is_failure(&self) -> bool {
        match self {
            Self::Passed | Self::Rejected => false,
            Self::Panicked { .. }
            | Self::Failed(_)
            | Self::Unreadable(_)
            | Self::NotStarted(_)
            | Self::Died { .. }
            | Self::TimedOut(_)
            | Self::OutOfMemory(_) => true,
        }
    }

    /// One or more lines for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Rejected => "rejected".to_owned(),
            Self::Panicked { location: Some(location), message } => {
                format!("panicked at {location}: {}", cut(message, MESSAGE_BYTES_MAX))
            }
            Self::Panicked { location: None, message } => {
                format!("panicked: {}", cut(message, MESSAGE_BYTES_MAX))
            }
            Self::Failed(message) => {
                format!("returned an error: {}", cut(message, MESSAGE_BYTES_MAX))
            }
            Self::Unreadable(reason) => format!("not an input of this fuzz test: {reason}"),
            Self::NotStarted(reason) => format!("the process to run it did not start: {reason}"),
            Self::Died { how, output } if output.is_empty() => how.clone(),
            Self::Died { how, output } => format!("{how}; its last output:\n{output}"),
            Self::TimedOut(timeout) => format!("hung: still running after {timeout:?}"),
            Self::OutOfMemory(bytes) => {
                format!("out of memory: {} MB resident, over the limit", bytes >> 20)
            }
        }
    }

    /// The line by which a child tells its outcome.
    pub(crate) fn told(&self, token: &str) -> String {
        let (kind, text) = match self {
            Self::Passed => ("passed", String::new()),
            Self::Rejected => ("rejected", String::new()),
            Self::Panicked { location, message } => {
                let location = location.as_deref().unwrap_or_default();
                ("panicked", format!("{location}\n{}", cut(message, MESSAGE_BYTES_MAX)))
            }
            Self::Failed(message) => ("failed", cut(message, MESSAGE_BYTES_MAX).to_owned()),
            Self::Unreadable(reason) => ("unreadable", reason.clone()),
            Self::NotStarted(_) | Self::Died { .. } | Self::TimedOut(_) | Self::OutOfMemory(_) => {
                unreachable!("only a parent sees this: {self:?}")
            }
        };
        told_line(token, kind, &text)
    }

    fn from_told(kind: &str, text: String) -> Option<Self> {
        match kind {
            "passed" => Some(Self::Passed),
            "rejected" => Some(Self::Rejected),
            "panicked" => {
                let (location, message) = text.split_once('\n')?;
                let location = Some(location.to_owned()).filter(|place| !place.is_empty());
                Some(Self::Panicked { location, message: message.to_owned() })
            }
            "failed" => Some(Self::Failed(text)),
            "unreadable" => Some(Self::Unreadable(text)),
            _ => None,
        }
    }

    /// The outcome of a child that told things under `token`, and the input it printed.
    pub(crate) fn of_child(ended: &Ended, token: &str) -> (Self, Option<String>) {
        let stderr = String::from_utf8_lossy(&ended.stderr);
        let mut shown = None;
        let mut told = None;
        for (kind, text) in told_lines(&stderr, token) {
            if kind == "input" {
                shown = Some(text);
            } else {
                told = Self::from_told(kind, text);
            }
        }
        let outcome = match (ended.ending, told) {
            (Ending::TimedOut(timeout), _) => Self::TimedOut(timeout),
            (Ending::OutOfMemory(bytes), _) => Self::OutOfMemory(bytes),
            // What it told is only true if it then ended as it meant to.
            (Ending::Exited(status), Some(outcome)) if status.success() => outcome,
            (Ending::Exited(status), _) => Self::Died {
                how: death(status, &stderr),
                output: last_lines(&stderr, &told_prefix(token)),
            },
        };
        (outcome, shown)
    }
}

/// The line by which a child tells its input.
pub(crate) fn told_input(token: &str, text: &str) -> String {
    told_line(token, "input", text)
}

fn told_prefix(token: &str) -> String {
    format!("\u{1}fuzzd-replay {token} ")
}

fn told_line(token: &str, kind: &str, text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    // A newline first: the fuzz test may have left a line unfinished.
    format!("\n{}{kind} {text}", told_prefix(token))
}

fn told_lines<'a>(
    stderr: &'a str,
    token: &str,
) -> impl Iterator<Item = (&'a str, String)> + use<'a> {
    let prefix = told_prefix(token);
    stderr.lines().filter_map(move |line| {
        let (kind, text) = line.strip_prefix(&prefix)?.split_once(' ')?;
        Some((kind, unescape(text)))
    })
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

fn death(status: ExitStatus, stderr: &str) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) if stderr.contains("has overflowed its stack") => {
            format!("stack overflow (killed by {})", signal_name(signal))
        }
        (Some(signal), _) => format!("killed by {}", signal_name(signal)),
        (None, Some(code)) => {
            format!("the process exited with code {code} before the fuzz test returned")
        }
        (None, None) => format!("the process ended: {status}"),
    }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        31 => "SIGSYS",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

fn last_lines(stderr: &str, told_prefix: &str) -> String {
    let is_quoted = |line: &&str| !line.trim().is_empty() && !line.starts_with(told_prefix);
    let mut lines: Vec<&str> =
        stderr.lines().rev().filter(is_quoted).take(QUOTED_LINES_MAX).collect();
    lines.reverse();
    let cut: Vec<&str> = lines.iter().map(|line| cut(line, QUOTED_LINE_BYTES_MAX)).collect();
    cut.join("\n")
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
