//! Names on disk: made from test names, hashes and signatures only, never from a worker's bytes.

use std::path::{Path, PathBuf};

use fuzzd_core::ids::EntryId;
use fuzzd_core::signature::{FailureKind, Signature};
use sha2::{Digest, Sha256};

use super::limits::DIR_NAME_BYTES_MAX;

/// File in a bug's directory that says what the bug is, so that it survives its database.
pub(super) const ABOUT_NAME: &str = "about.json";

/// SHA-256 of the bytes of a file.
pub(super) type FileHash = [u8; 32];

/// The hash of a file's bytes.
pub(super) fn file_hash(bytes: &[u8]) -> FileHash {
    Sha256::digest(bytes).into()
}

/// The name of a corpus or crash file: all 64 hexadecimal digits of its hash.
pub(super) fn hash_name(hash: &FileHash) -> String {
    EntryId(*hash).to_string()
}

/// The hash a name made by [`hash_name`] claims; `None` for every other name.
pub(super) fn parse_hash_name(name: &std::ffi::OsStr) -> Option<FileHash> {
    let digits = name.as_encoded_bytes();
    let mut hash = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(hash)
}

/// The directory name of a fuzz test: `::` becomes `.`, and every byte outside `[A-Za-z0-9._-]`
/// is percent-escaped; so is a leading dot. A name that would be too long is cut and hashed.
#[must_use]
pub fn dir_name(test: &str) -> String {
    let mut name = String::new();
    for byte in test.replace("::", ".").bytes() {
        match byte {
            b'.' if name.is_empty() => name.push_str("%2E"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
                name.push(char::from(byte));
            }
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    if name.is_empty() {
        name.push_str("%00");
    }
    if name.len() > DIR_NAME_BYTES_MAX {
        let hash = EntryId::of(test.as_bytes()).short();
        name.truncate(DIR_NAME_BYTES_MAX - hash.len() - 1);
        name = format!("{name}-{hash}");
    }
    name
}

/// The name of a bug's file in testdata.
pub(super) fn bug_file_name(kind: FailureKind, signature: Signature) -> String {
    format!("{}-{signature}", kind.name())
}

/// Where the parts of a state directory lie.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) state: PathBuf,
    /// `corpus/` of the state, or the directory the user gave instead.
    pub(super) corpus: PathBuf,
    /// Whether the user gave it: then only a removal moves files with names of their own.
    pub(super) is_users_corpus: bool,
}

impl Layout {
    pub(super) fn new(state: &Path) -> Self {
        let corpus = state.join("corpus");
        Self { state: state.to_owned(), corpus, is_users_corpus: false }
    }

    pub(super) fn database(&self) -> PathBuf {
        self.state.join("session.db")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    pub(super) fn quarantine(&self) -> PathBuf {
        self.state.join("quarantine")
    }

    /// Corpus files of the test with this directory name.
    pub(super) fn corpus_of(&self, dir: &str) -> PathBuf {
        self.corpus.join(dir)
    }

    /// All places that have files of this test's corpus: that of the state too, where the user gave
    /// another one.
    pub(super) fn corpora_of(&self, dir: &str) -> Vec<PathBuf> {
        let mut all = vec![self.corpus_of(dir), self.state.join("corpus").join(dir)];
        all.dedup();
        all
    }

    /// What was taken out of the corpus of the test with this directory name.
    pub(super) fn removed_of(&self, dir: &str) -> PathBuf {
        self.state.join("removed").join(dir)
    }

    /// Bugs of a test, one directory each.
    pub(super) fn crashes_of(&self, dir: &str) -> PathBuf {
        self.state.join("crashes").join(dir)
    }

    /// The same for what was never confirmed.
    pub(super) fn unconfirmed_of(&self, dir: &str) -> PathBuf {
        self.state.join("unconfirmed").join(dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_names_become_harmless_directory_names() {
        assert_eq!(dir_name("parse::a::b"), "parse.a.b");
        assert_eq!(dir_name("../etc"), "%2E.%2Fetc");
        assert_eq!(dir_name(".."), "%2E.");
        assert_eq!(dir_name(""), "%00");
        assert_eq!(dir_name("a%\0ü"), "a%25%00%C3%BC");
        let long = dir_name(&"x".repeat(1_000));
        assert_eq!(long.len(), DIR_NAME_BYTES_MAX);
        assert_ne!(long, dir_name(&"x".repeat(1_001)));
    }

    #[test]
    fn hash_names_survive_and_other_names_are_refused() {
        let hash = file_hash(b"abc");
        let name = hash_name(&hash);
        assert_eq!(parse_hash_name(name.as_ref()), Some(hash));
        assert_eq!(parse_hash_name(name.to_uppercase().as_ref()), None);
        assert_eq!(parse_hash_name(name[1..].as_ref()), None);
        assert_eq!(parse_hash_name(format!("g{}", &name[1..]).as_ref()), None);
    }
}
