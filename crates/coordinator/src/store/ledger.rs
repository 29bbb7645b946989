//! Rows of bugs and of the inputs that show them.
//!
//! ```text
//!            ┌────────── Crash ─────────┐
//!   Crash    ▼                          │
//!  ───────▶ pending ──Confirmed──▶ confirmed ◀─┐
//!            ▲ ├──────Flaky──────▶ flaky       │ each can become fixed (its input passes again),
//!      Crash │ ├──────Known──────▶ known       │ and a fixed one known again
//!            │ └───Unconfirmed───▶ unconfirmed─┘
//!         doubtful, after a doubtful Crash, and with a verdict what a pending one becomes
//! ```
//!
//! Owns the words of the `bugs` and `crashes` tables and their reading. Must not touch files.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use fuzzd_core::ids::EntryId;
use fuzzd_core::session::Verdict;
use fuzzd_core::signature::{FailureKind, Signature};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::names::{FileHash, Layout};

/// What is known of a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BugStatus {
    /// Its crash is stored; it was not tried again yet.
    Pending,
    /// The same, of a crash that was only seen while its worker was being ended.
    Doubtful,
    /// It failed again in fresh processes (or nobody was asked to try).
    Confirmed,
    /// It failed, but not again by itself.
    Flaky,
    /// A death from outside, or a doubtful crash, that did not happen again: not a bug, but kept.
    Unconfirmed,
    /// It came with an input of testdata or state.
    Known,
    /// Its input passes now.
    Fixed,
}

impl BugStatus {
    const ALL: [Self; 7] = [
        Self::Pending,
        Self::Doubtful,
        Self::Confirmed,
        Self::Flaky,
        Self::Unconfirmed,
        Self::Known,
        Self::Fixed,
    ];

    /// One word, as in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Doubtful => "doubtful",
            Self::Confirmed => "confirmed",
            Self::Flaky => "flaky",
            Self::Unconfirmed => "unconfirmed",
            Self::Known => "known",
            Self::Fixed => "fixed",
        }
    }

    /// The status with this name; for any other word the one that is looked at again.
    pub(super) fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.name() == name).unwrap_or(Self::Pending)
    }

    /// What a verdict makes of it. A bug that was seen to fail again stays one.
    pub(super) fn after(self, verdict: Verdict) -> Self {
        match (verdict, self) {
            (Verdict::Confirmed { .. }, _) => Self::Confirmed,
            (Verdict::Flaky { .. }, Self::Confirmed) => Self::Confirmed,
            (Verdict::Flaky { .. }, _) => Self::Flaky,
            (Verdict::Minimized, status) => status,
            (Verdict::Unconfirmed { .. }, Self::Pending | Self::Doubtful | Self::Unconfirmed) => {
                Self::Unconfirmed
            }
            (Verdict::Unconfirmed { .. }, status) => status,
            (Verdict::Known, Self::Confirmed | Self::Flaky) => self,
            (Verdict::Known, _) => Self::Known,
            (Verdict::NoLongerFails, _) => Self::Fixed,
        }
    }
}

/// What an input of a bug is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrashRole {
    /// As it failed first; its file lies under `crashes/`.
    Original,
    /// Made smaller; its file lies in testdata.
    Minimized,
    /// Never failed again; its file lies under `unconfirmed/`.
    Unconfirmed,
}

impl CrashRole {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Minimized => "minimized",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "minimized" => Self::Minimized,
            "unconfirmed" => Self::Unconfirmed,
            _ => Self::Original,
        }
    }
}

/// Where the file shown for a bug lies. Only what is below the directory is kept, so that a
/// session survives being moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Placed {
    /// In testdata, under this name.
    Testdata(OsString),
    /// In the bug's directory under `crashes/`.
    Crashes(OsString),
    /// In the bug's directory under `unconfirmed/`.
    Unconfirmed(OsString),
    /// In a directory of seeds; the whole path.
    Elsewhere(OsString),
}

impl Placed {
    pub(super) fn columns(&self) -> (&'static str, &[u8]) {
        match self {
            Self::Testdata(name) => ("testdata", name.as_bytes()),
            Self::Crashes(name) => ("crashes", name.as_bytes()),
            Self::Unconfirmed(name) => ("unconfirmed", name.as_bytes()),
            Self::Elsewhere(path) => ("elsewhere", path.as_bytes()),
        }
    }

    fn from_columns(place: Option<String>, path: Option<Vec<u8>>) -> Option<Self> {
        let path = OsString::from_vec(path?);
        match place?.as_str() {
            "testdata" => Some(Self::Testdata(path)),
            "crashes" => Some(Self::Crashes(path)),
            "unconfirmed" => Some(Self::Unconfirmed(path)),
            "elsewhere" => Some(Self::Elsewhere(path)),
            _ => None,
        }
    }

    /// The whole path, for a bug `signature` of the test with directory name `dir`.
    pub(super) fn path(
        &self,
        layout: &Layout,
        testdata: &Path,
        dir: &str,
        signature: Signature,
    ) -> PathBuf {
        let bug = signature.to_string();
        match self {
            Self::Testdata(name) => testdata.join(name),
            Self::Crashes(name) => layout.crashes_of(dir).join(bug).join(name),
            Self::Unconfirmed(name) => layout.unconfirmed_of(dir).join(bug).join(name),
            Self::Elsewhere(path) => PathBuf::from(path),
        }
    }

    /// A file that was loaded from `path`.
    pub(super) fn of_loaded(path: &Path, testdata: &Path) -> Self {
        match path.file_name() {
            Some(name) if path.parent() == Some(testdata) => Self::Testdata(name.to_owned()),
            _ => Self::Elsewhere(absolute(path).into_os_string()),
        }
    }
}

/// The path from the root; the path itself where there is no current directory.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A path from the bytes of a column.
pub(super) fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// One row of `bugs`.
#[derive(Debug, Clone)]
pub(super) struct BugRow {
    pub(super) seq: i64,
    pub(super) signature: Signature,
    pub(super) kind: FailureKind,
    pub(super) location: String,
    pub(super) message: String,
    pub(super) details: String,
    pub(super) status: BugStatus,
    pub(super) count: i64,
    pub(super) reproduced: u32,
    pub(super) runs: u32,
    pub(super) shown: Option<EntryId>,
    pub(super) placed: Option<Placed>,
    pub(super) first_seen_ms: i64,
    pub(super) last_seen_ms: i64,
}

impl BugRow {
    /// The columns [`read`](Self::read) expects.
    pub(super) const COLUMNS: &str = "seq, signature, kind, location, message, details, status, \
         count, reproduced, runs, shown, place, path, first_seen_ms, last_seen_ms";

    /// Reads one row; `None` if its signature is none.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let signature: String = row.get(1)?;
        let Ok(signature) = signature.parse() else { return Ok(None) };
        let kind: String = row.get(2)?;
        let status: String = row.get(6)?;
        let shown: Option<[u8; 32]> = row.get(10)?;
        Ok(Some(Self {
            seq: row.get(0)?,
            signature,
            kind: FailureKind::from_name(&kind).unwrap_or(FailureKind::Error),
            location: row.get(3)?,
            message: row.get(4)?,
            details: row.get(5)?,
            status: BugStatus::from_name(&status),
            count: row.get(7)?,
            reproduced: row.get(8)?,
            runs: row.get(9)?,
            shown: shown.map(EntryId),
            placed: Placed::from_columns(row.get(11)?, row.get(12)?),
            first_seen_ms: row.get(13)?,
            last_seen_ms: row.get(14)?,
        }))
    }

    /// The bug of a test with this signature.
    pub(super) fn find(
        connection: &Connection,
        test: i64,
        signature: Signature,
    ) -> rusqlite::Result<Option<Self>> {
        let columns = Self::COLUMNS;
        let sql = format!("SELECT {columns} FROM bugs WHERE test=?1 AND signature=?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let row = statement.query_row(params![test, signature.to_string()], Self::read);
        row.optional().map(Option::flatten)
    }

    /// All bugs of a test, in the order in which they were found.
    pub(super) fn all(connection: &Connection, test: i64) -> rusqlite::Result<Vec<Self>> {
        let columns = Self::COLUMNS;
        let sql = format!("SELECT {columns} FROM bugs WHERE test=?1 ORDER BY seq");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows: Vec<Option<Self>> =
            statement.query_map([test], Self::read)?.collect::<Result<_, _>>()?;
        Ok(rows.into_iter().flatten().collect())
    }
}

/// One row of `crashes`.
#[derive(Debug, Clone)]
pub(super) struct CrashRow {
    pub(super) id: EntryId,
    pub(super) input: Vec<u8>,
    pub(super) file: FileHash,
    pub(super) role: CrashRole,
}

impl CrashRow {
    /// All inputs of a bug whose bytes are what they were, in the order in which they came.
    pub(super) fn all(connection: &Connection, bug: i64) -> rusqlite::Result<Vec<Self>> {
        let sql = "SELECT id, input, file, role FROM crashes WHERE bug=?1 ORDER BY seq";
        let mut statement = connection.prepare_cached(sql)?;
        let read = |row: &Row<'_>| {
            let role: String = row.get(3)?;
            Ok(Self {
                id: EntryId(row.get(0)?),
                input: row.get(1)?,
                file: row.get(2)?,
                role: CrashRole::from_name(&role),
            })
        };
        let rows: Vec<Self> = statement.query_map([bug], read)?.collect::<Result<_, _>>()?;
        Ok(rows.into_iter().filter(|crash| EntryId::of(&crash.input) == crash.id).collect())
    }
}

/// The input to show for a bug: the one its verdict named, else the smallest.
pub(super) fn shown_of<'a>(bug: &BugRow, crashes: &'a [CrashRow]) -> Option<&'a CrashRow> {
    let named = crashes.iter().find(|crash| Some(crash.id) == bug.shown);
    named.or_else(|| crashes.iter().min_by_key(|crash| crash.input.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_survive_their_names() {
        for status in BugStatus::ALL {
            assert_eq!(BugStatus::from_name(status.name()), status);
        }
        assert_eq!(BugStatus::from_name("of another format"), BugStatus::Pending);
    }

    #[test]
    fn what_was_seen_to_fail_again_stays_a_bug() {
        let confirmed = Verdict::Confirmed { reproduced: 2, runs: 3 };
        for status in BugStatus::ALL {
            assert_eq!(status.after(confirmed), BugStatus::Confirmed);
            assert_eq!(status.after(Verdict::Minimized), status);
            assert_eq!(status.after(Verdict::NoLongerFails), BugStatus::Fixed);
        }
        let aside = Verdict::Unconfirmed { runs: 3 };
        assert_eq!(BugStatus::Pending.after(aside), BugStatus::Unconfirmed);
        assert_eq!(BugStatus::Confirmed.after(aside), BugStatus::Confirmed);
        assert_eq!(BugStatus::Flaky.after(Verdict::Known), BugStatus::Flaky);
        assert_eq!(BugStatus::Fixed.after(Verdict::Known), BugStatus::Known);
    }
}
