//! What can go wrong with a state directory as a whole, in words for people.

use std::io;
use std::path::{Path, PathBuf};

use fuzzd_core::signature::Signature;

use super::holder::Holder;

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another coordinator works on it.
    #[error(
        "{} is in use by {holder}; stop it, or choose another directory with --state",
        dir.display()
    )]
    Locked {
        /// The state directory.
        dir: PathBuf,
        /// Who holds it.
        holder: Holder,
    },
    /// It was written by a newer fuzzd. Nothing was changed.
    #[error(
        "{} has format {found}, this fuzzd knows formats up to {supported}; \
         use the newer fuzzd, or choose another directory with --state", path.display()
    )]
    NewerFormat {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this program knows.
        supported: u32,
    },
    /// The directory or something in it cannot be written.
    #[error(
        "cannot write {}: {}; make it writable, or choose another directory with --state",
        path.display(), io_reason(source)
    )]
    NotWritable {
        /// What cannot be written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No space is left.
    #[error(
        "no space left on the disk for {}; free some, or choose another directory with --state",
        path.display()
    )]
    DiskFull {
        /// What did not fit.
        path: PathBuf,
    },
    /// There is no session to read.
    #[error(
        "no session in {}; `fuzzd run` starts one, --state names another directory",
        dir.display()
    )]
    NoSession {
        /// The state directory.
        dir: PathBuf,
    },
    /// The corpus that was named is the testdata of the fuzz test. Nothing was changed.
    #[error(
        "{} is testdata, which is not made smaller; name the corpus with --corpus, or none",
        dir.display()
    )]
    CorpusIsTestdata {
        /// The directory.
        dir: PathBuf,
    },
    /// The session has no such bug.
    #[error("no bug {signature} of fuzz test {test} in {}", dir.display())]
    NoSuchBug {
        /// The state directory.
        dir: PathBuf,
        /// The test asked for.
        test: String,
        /// The bug asked for.
        signature: Signature,
    },
    /// The database refused.
    #[error("session database {}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// Anything else the system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was worked on.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl StoreError {
    /// Sorts a refusal of the system to write `path`.
    pub(super) fn writing(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory => Self::NotWritable { path, source },
            _ => Self::Io { path, source },
        }
    }

    /// Sorts a refusal of the database at `path`.
    pub(super) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::PermissionDenied) => {
                let source = io::Error::new(io::ErrorKind::PermissionDenied, source.to_string());
                Self::NotWritable { path, source }
            }
            _ => Self::Database { path, source },
        }
    }
}

/// The system's reason in the words of people.
pub(super) fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "no space left on the disk".into(),
        io::ErrorKind::QuotaExceeded => "disk quota exceeded".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// SQLite's reason in the words of people.
pub(super) fn database_reason(path: &Path, error: &rusqlite::Error) -> String {
    let what = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "no space left on the disk".into(),
        Some(rusqlite::ErrorCode::ReadOnly) => "it cannot be written".into(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            "another program has locked it".into()
        }
        _ => error.to_string(),
    };
    format!("session database {}: {what}", path.display())
}
