//! Reading the bugs of a state directory, also while a coordinator works on it.
//!
//! Must not take the lock, create a file or change a byte. A database with a write-ahead log beside
//! it is read through that log; one without is read as it stands, and read again should a session
//! have started meanwhile.

use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::value::ValueType;
use rusqlite::{Connection, OpenFlags};

use super::FileForm;
use super::database::{FORMAT, format_of};
use super::error::StoreError;
use super::ledger::{BugRow, BugStatus, CrashRole, CrashRow, path_of_bytes, shown_of};
use super::limits::{BUSY_WAIT, READ_TRIES_MAX};
use super::names::{Layout, dir_name};

/// One bug as the state knows it. Texts come from the target: escape them before they reach a
/// terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBug {
    /// The fuzz test.
    pub test: String,
    /// Its identity.
    pub signature: Signature,
    /// How it failed.
    pub kind: FailureKind,
    /// Its message.
    pub message: String,
    /// `file:line:column` of the panic; empty where there is none.
    pub location: String,
    /// Backtrace, and the tail of the target's output.
    pub details: String,
    /// What became of it.
    pub status: BugStatus,
    /// Times it was seen to fail while fuzzing, the first included.
    pub count: u64,
    /// Runs in a fresh process that failed the same way.
    pub reproduced: u32,
    /// Runs in a fresh process.
    pub runs: u32,
    /// The file that shows it, if there is one now.
    pub path: Option<PathBuf>,
    /// Bytes of the input shown, in memory form.
    pub size: u64,
    /// When its first crash was stored.
    pub first_seen: SystemTime,
    /// When it was last seen or judged.
    pub last_seen: SystemTime,
    /// How many of its inputs are kept as they failed first.
    pub originals: usize,
}

/// The inputs of one bug, each as the content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BugInputs {
    /// The input shown for it: the smallest that was confirmed.
    pub shown: Vec<u8>,
    /// As they failed first, in the order in which they came.
    pub originals: Vec<Vec<u8>>,
}

/// All bugs of a state directory, by test and then in the order in which they were found.
///
/// # Errors
/// There is no session, or it cannot be read.
pub fn list_bugs(state_dir: &Path) -> Result<Vec<StoredBug>, StoreError> {
    let layout = Layout::new(state_dir);
    read(&layout, |connection| {
        let mut bugs = Vec::new();
        for test in tests_of(connection)? {
            for bug in BugRow::all(connection, test.row)? {
                let crashes = CrashRow::all(connection, bug.seq)?;
                bugs.push(stored(&layout, &test, bug, &crashes));
            }
        }
        Ok(bugs)
    })
}

/// The inputs of one bug.
///
/// # Errors
/// There is no session or no such bug, or it cannot be read.
pub fn read_bug(
    state_dir: &Path,
    test: &str,
    signature: Signature,
) -> Result<BugInputs, StoreError> {
    let layout = Layout::new(state_dir);
    let found = read(&layout, |connection| {
        for row in tests_of(connection)?.into_iter().filter(|row| row.name == test) {
            let Some(bug) = BugRow::find(connection, row.row, signature)? else { continue };
            let crashes = CrashRow::all(connection, bug.seq)?;
            let Some(shown) = shown_of(&bug, &crashes) else { continue };
            let to_file = |crash: &CrashRow| row.form.to_file(&row.types, &crash.input);
            let originals = crashes.iter().filter(|crash| crash.role != CrashRole::Minimized);
            let originals = originals.map(to_file).collect();
            return Ok(Some(BugInputs { shown: to_file(shown), originals }));
        }
        Ok(None)
    })?;
    let dir = state_dir.to_owned();
    found.ok_or_else(|| StoreError::NoSuchBug { dir, test: test.to_owned(), signature })
}

/// What a reader needs of a row of `tests`.
struct TestRow {
    row: i64,
    name: String,
    types: Vec<ValueType>,
    form: FileForm,
    testdata: PathBuf,
}

fn tests_of(connection: &Connection) -> rusqlite::Result<Vec<TestRow>> {
    let sql = "SELECT seq, name, types, testdata FROM tests ORDER BY name, seq";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let types: String = row.get(2)?;
        let (form, types) = FileForm::read_types(&types);
        let testdata: Vec<u8> = row.get(3)?;
        Ok(TestRow {
            row: row.get(0)?,
            name: row.get(1)?,
            types,
            form,
            testdata: path_of_bytes(&testdata),
        })
    })?;
    rows.collect()
}

fn stored(layout: &Layout, test: &TestRow, bug: BugRow, crashes: &[CrashRow]) -> StoredBug {
    let path = bug
        .placed
        .as_ref()
        .map(|placed| placed.path(layout, &test.testdata, &dir_name(&test.name), bug.signature));
    let size = shown_of(&bug, crashes).map_or(0, |shown| shown.input.len() as u64);
    let originals = crashes.iter().filter(|crash| crash.role != CrashRole::Minimized).count();
    StoredBug {
        test: test.name.clone(),
        signature: bug.signature,
        kind: bug.kind,
        message: bug.message,
        location: bug.location,
        details: bug.details,
        status: bug.status,
        count: u64::try_from(bug.count).unwrap_or(0),
        reproduced: bug.reproduced,
        runs: bug.runs,
        path: path.filter(|path| path.exists()),
        size,
        first_seen: time_of(bug.first_seen_ms),
        last_seen: time_of(bug.last_seen_ms),
        originals,
    }
}

fn time_of(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// Runs `work` over a database that is only read.
fn read<T>(
    layout: &Layout,
    work: impl Fn(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let path = layout.database();
    let refuse = |error| StoreError::database(&path, error);
    let mut tries = 0;
    loop {
        tries += 1;
        let before = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NoSession { dir: layout.state.clone() });
            }
            Err(source) => return Err(StoreError::Io { path, source }),
        };
        let is_still = !has_log(&path);
        let result = attempt(&path, is_still, &work);
        let is_disturbed = is_still && (has_log(&path) || !is_same(&path, &before));
        match result {
            _ if is_disturbed && tries < READ_TRIES_MAX => {}
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(found)) => {
                return Err(StoreError::NewerFormat { path, found, supported: FORMAT });
            }
            Err(error) => return Err(refuse(error)),
        }
    }
}

/// One reading: the value, or the format that is too new.
fn attempt<T>(
    path: &Path,
    is_still: bool,
    work: impl Fn(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<Result<T, u32>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = if is_still {
        // Without a log a reader of the ordinary kind would create one.
        let uri = immutable_uri(path);
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    connection.busy_timeout(BUSY_WAIT)?;
    // One transaction: everything that is read is of one instant.
    let transaction = connection.transaction()?;
    let found = format_of(&transaction)?;
    if found > FORMAT {
        return Ok(Err(found));
    }
    work(&transaction).map(Ok)
}

/// Whether a write-ahead log lies beside the database.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

fn is_same(path: &Path, before: &Metadata) -> bool {
    let key = |metadata: &Metadata| {
        (metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec())
    };
    fs::metadata(path).is_ok_and(|now| key(&now) == key(before))
}

/// The address of a file that nobody changes; every byte that could mean something is escaped.
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    if path.is_absolute() {
        uri.push_str("//");
    }
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}
