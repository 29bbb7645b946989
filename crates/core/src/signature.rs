//! The identity of a bug: what makes two crashes the same one.
//!
//! Owns: the kinds of failure, and the signature made of kind, location and message shape.
//! Must not: look at input bytes. Both sides use it: the worker to go on over failures it was told
//! to ignore, the coordinator to group crashes.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// How an input failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// A panic that the worker caught, or one that ended the process.
    Panic,
    /// The fuzz test returned an error.
    Error,
    /// `abort`, or SIGABRT from another cause.
    Abort,
    /// Death by a signal of the target's own making (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP,
    /// ...).
    Signal(i32),
    /// The stack overflowed.
    StackOverflow,
    /// The process exited, also with status 0.
    Exit(i32),
    /// One input ran longer than the per-input timeout.
    Timeout,
    /// Resident memory passed the limit, or an allocation failed.
    OutOfMemory,
    /// A signal that somebody outside sent (SIGKILL, SIGTERM, SIGHUP, ...).
    ForeignSignal(i32),
    /// The process broke the protocol while it ran an input.
    Protocol,
}

impl FailureKind {
    /// A word without spaces, used in file names, events and the database.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Panic => "panic".into(),
            Self::Error => "error".into(),
            Self::Abort => "abort".into(),
            Self::Signal(number) => format!("signal-{number}"),
            Self::StackOverflow => "stack-overflow".into(),
            Self::Exit(status) => format!("exit-{status}"),
            Self::Timeout => "timeout".into(),
            Self::OutOfMemory => "oom".into(),
            Self::ForeignSignal(number) => format!("killed-{number}"),
            Self::Protocol => "protocol".into(),
        }
    }

    /// The kind that [`name`](Self::name) wrote, `None` for any other text.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let number = |prefix: &str| name.strip_prefix(prefix)?.parse().ok();
        match name {
            "panic" => Some(Self::Panic),
            "error" => Some(Self::Error),
            "abort" => Some(Self::Abort),
            "stack-overflow" => Some(Self::StackOverflow),
            "timeout" => Some(Self::Timeout),
            "oom" => Some(Self::OutOfMemory),
            "protocol" => Some(Self::Protocol),
            other => {
                debug_assert_eq!(other, name);
                number("signal-")
                    .map(Self::Signal)
                    .or_else(|| number("exit-").map(Self::Exit))
                    .or_else(|| number("killed-").map(Self::ForeignSignal))
            }
        }
    }
}

/// Identity of a bug: 64 bits of SHA-256 over kind, location and message shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub u64);

impl Signature {
    /// The signature of a failure.
    ///
    /// `location` is `file:line:column` of the panic, or empty where there is none. The path is
    /// shortened to its last components, so that the same bug has the same signature on another
    /// machine. The message counts by its shape only (see [`message_shape`]), and only where there
    /// is no location.
    #[must_use]
    pub fn of(kind: FailureKind, location: &str, message: &str) -> Self {
        let shape = if location.is_empty() { message_shape(message) } else { String::new() };
        let text = format!("{}\n{}\n{shape}", kind.name(), stable_location(location));
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(u64::from_be_bytes(first))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// Text that is not a signature of 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a signature has 16 hexadecimal digits, this is not one: {0}")]
pub struct SignatureError(String);

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u64::from_str_radix(text, 16).ok().filter(|_| plain);
        value.map(Self).ok_or_else(|| SignatureError(text.to_owned()))
    }
}

/// The message with everything that varies from input to input taken out: runs of digits become
/// `0`, hexadecimal addresses too, quoted parts become `''`; only the first line counts, and at
/// most 200 characters of it.
#[must_use]
pub fn message_shape(message: &str) -> String {
    let mut shape = String::new();
    let mut characters = message.lines().next().unwrap_or("").chars().take(200).peekable();
    while let Some(character) = characters.next() {
        match character {
            '0'..='9' => {
                while characters.next_if(|next| next.is_ascii_alphanumeric()).is_some() {}
                shape.push('0');
            }
            '"' | '\'' | '`' => {
                // An apostrophe inside a word is not a quote.
                let in_word = shape.chars().last().is_some_and(char::is_alphanumeric);
                if in_word {
                    shape.push(character);
                    continue;
                }
                for next in characters.by_ref() {
                    if next == character {
                        break;
                    }
                }
                shape.push_str("''");
            }
            other => shape.push(other),
        }
    }
    shape
}

/// `registry/src/index-1/semver-0.11.0/src/a.rs:1:2` and the same file below any other folder have
/// one form: from the last directory before `src` (or `tests`, `library`), or the last three parts.
fn stable_location(location: &str) -> String {
    let parts: Vec<&str> = location.split(['/', '\\']).collect();
    let root = parts
        .iter()
        .rposition(|part| matches!(*part, "src" | "tests" | "library" | "examples" | "benches"))
        .map_or(parts.len().saturating_sub(3), |position| position.saturating_sub(1));
    parts[root..].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_their_names() {
        for kind in [
            FailureKind::Panic,
            FailureKind::Error,
            FailureKind::Abort,
            FailureKind::Signal(11),
            FailureKind::StackOverflow,
            FailureKind::Exit(0),
            FailureKind::Exit(-3),
            FailureKind::Timeout,
            FailureKind::OutOfMemory,
            FailureKind::ForeignSignal(9),
            FailureKind::Protocol,
        ] {
            assert_eq!(FailureKind::from_name(&kind.name()), Some(kind));
        }
        assert_eq!(FailureKind::from_name("signal-x"), None);
    }

    #[test]
    fn the_same_panic_on_another_machine_has_the_same_signature() {
        let one = "/root/.cargo/registry/src/index-1/semver-0.11.0/src/lib.rs:10:5";
        let two = "/home/a/.cargo/registry/src/index-2/semver-0.11.0/src/lib.rs:10:5";
        assert_eq!(
            Signature::of(FailureKind::Panic, one, "index 3 out of range"),
            Signature::of(FailureKind::Panic, two, "index 77 out of range"),
        );
    }

    #[test]
    fn another_line_or_kind_is_another_bug() {
        let base = Signature::of(FailureKind::Panic, "src/lib.rs:10:5", "");
        assert_ne!(base, Signature::of(FailureKind::Panic, "src/lib.rs:11:5", ""));
        assert_ne!(base, Signature::of(FailureKind::Abort, "src/lib.rs:10:5", ""));
    }

    #[test]
    fn shapes_forget_numbers_addresses_and_quoted_text() {
        assert_eq!(message_shape("bad byte 0x7ffe12 at 33"), "bad byte 0 at 0");
        assert_eq!(message_shape("can't parse 'abc' as \"x\""), "can't parse '' as ''");
        assert_eq!(message_shape("first\nsecond"), "first");
    }

    #[test]
    fn signatures_survive_their_text() {
        let signature = Signature(0x00ab_cdef_0123_4567);
        assert_eq!(signature.to_string().parse(), Ok(signature));
        assert!("00abcdef0123456".parse::<Signature>().is_err());
        assert!("+0abcdef01234567".parse::<Signature>().is_err());
    }
}
