//! Where a command works, and where its state lies. Owns these two answers and nothing else.

use std::path::{Path, PathBuf};

/// The state directory, in the root of a workspace or where the command was given.
const STATE_NAME: &str = ".fuzzd";

/// The directory in which the command was given.
pub(crate) fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// The state directory asked for, or else the one in `root`.
pub(crate) fn state_directory(asked: Option<&Path>, root: &Path) -> PathBuf {
    asked.map_or_else(|| root.join(STATE_NAME), Path::to_owned)
}
