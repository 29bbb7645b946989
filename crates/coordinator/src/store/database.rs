//! The session database: one SQLite file, written by one thread.
//!
//! ```text
//!   Open ──a write failed in a way that may not be retried on this connection──▶ Closed
//!     ▲                                                                            │
//!     └──── next use: opened anew, the log written back into the file ─────────────┘
//! ```
//!
//! Owns the connection, its settings and the format version. Must not know what a row means to a
//! session.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{StoreError, database_reason};
use super::limits::{BUSY_WAIT, QUICK_CHECK_BYTES_MAX, WAL_BYTES_MAX};

/// The format this program writes, and the newest it reads.
pub(super) const FORMAT: u32 = 1;

/// The tables. `seq` orders rows as they came; hashes are 32 bytes; times are milliseconds since
/// 1970; paths are the bytes the system knows them by.
const TABLES: &str = "
CREATE TABLE tests(
    seq INTEGER PRIMARY KEY, name TEXT NOT NULL, types TEXT NOT NULL, testdata BLOB NOT NULL,
    execs INTEGER NOT NULL DEFAULT 0, execs_other INTEGER NOT NULL DEFAULT 0,
    elapsed_ms INTEGER NOT NULL DEFAULT 0, UNIQUE(name, types));
CREATE TABLE builds(
    seq INTEGER PRIMARY KEY, build_id TEXT NOT NULL, counters INTEGER NOT NULL,
    UNIQUE(build_id, counters));
CREATE TABLE entries(
    seq INTEGER PRIMARY KEY, test INTEGER NOT NULL, id BLOB NOT NULL, input BLOB NOT NULL,
    file BLOB NOT NULL, parent BLOB, created_ms INTEGER NOT NULL, UNIQUE(test, id));
CREATE TABLE coverage(
    test INTEGER NOT NULL, id BLOB NOT NULL, build INTEGER NOT NULL, features BLOB NOT NULL,
    PRIMARY KEY(test, id)) WITHOUT ROWID;
CREATE TABLE bugs(
    seq INTEGER PRIMARY KEY, test INTEGER NOT NULL, signature TEXT NOT NULL, kind TEXT NOT NULL,
    location TEXT NOT NULL, message TEXT NOT NULL, details TEXT NOT NULL, status TEXT NOT NULL,
    count INTEGER NOT NULL, reproduced INTEGER NOT NULL DEFAULT 0,
    runs INTEGER NOT NULL DEFAULT 0, shown BLOB, place TEXT, path BLOB,
    first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL, UNIQUE(test, signature));
CREATE TABLE crashes(
    seq INTEGER PRIMARY KEY, bug INTEGER NOT NULL, id BLOB NOT NULL, input BLOB NOT NULL,
    file BLOB NOT NULL, role TEXT NOT NULL, created_ms INTEGER NOT NULL, UNIQUE(bug, id));
";

/// The database of one state directory.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    connection: Option<Connection>,
    /// Device and inode of the file that was opened: another file of the same name is not ours.
    identity: (u64, u64),
}

/// Why a database was not opened.
#[derive(Debug)]
pub(super) enum OpenProblem {
    /// Its content is damaged or not ours: it is to be set aside.
    Damaged(String),
    /// Everything else: it stays where it is.
    Refused(StoreError),
}

impl Database {
    /// Opens the database, or creates it.
    pub(super) fn open(path: &Path) -> Result<Self, OpenProblem> {
        check_header(path)?;
        let flags = OpenFlags::SQLITE_OPEN_CREATE;
        let connection = connect(path, flags).map_err(|error| sort(path, error))?;
        let connection = prepare(path, connection)?;
        let identity = identity_of(path).map_err(|source| {
            OpenProblem::Refused(StoreError::Io { path: path.to_owned(), source })
        })?;
        Ok(Self { path: path.to_owned(), connection: Some(connection), identity })
    }

    /// The connection; opened anew if the last write broke it.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, String> {
        if identity_of(&self.path).ok() != Some(self.identity) {
            let path = self.path.display();
            return Err(format!("session database {path} was removed or replaced by somebody"));
        }
        if self.connection.is_none() {
            self.connection = Some(self.reopen().map_err(|error| self.reason(&error))?);
        }
        Ok(self.connection.as_mut().expect("it was opened just now"))
    }

    /// The same for a load, which begins with an open connection and ends at the first failure.
    pub(super) fn loading(&mut self) -> rusqlite::Result<&mut Connection> {
        if self.connection.is_none() {
            self.connection = Some(self.reopen()?);
        }
        Ok(self.connection.as_mut().expect("it was opened just now"))
    }

    /// What a failed statement means for the next one. Returns the reason in words.
    pub(super) fn failed(&mut self, error: &rusqlite::Error) -> String {
        match error.sqlite_error_code() {
            // The connection is sound: the transaction was rolled back, the next may succeed.
            Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {}
            _ => self.connection = None,
        }
        self.reason(error)
    }

    fn reason(&self, error: &rusqlite::Error) -> String {
        database_reason(&self.path, error)
    }

    /// After a failed sync the system may have dropped what it could not write, and says so only
    /// once. So the log is not trusted: all of it is written into the database file and synced
    /// there.
    fn reopen(&self) -> rusqlite::Result<Connection> {
        let connection = connect(&self.path, OpenFlags::empty())?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(connection)
    }

    /// Empties the log into the database and closes it.
    pub(super) fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err((_, error)) = connection.close()
        {
            tracing::warn!(%error, "the session database did not close cleanly");
        }
    }
}

/// Whether the content of the database is at fault, and not the disk or another process.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => true,
        Some(_) => false,
        // Rows that are not what the tables promise.
        None => matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..)
        ),
    }
}

fn sort(path: &Path, error: rusqlite::Error) -> OpenProblem {
    if is_damage(&error) {
        OpenProblem::Damaged(error.to_string())
    } else {
        OpenProblem::Refused(StoreError::database(path, error))
    }
}

fn connect(path: &Path, extra: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;")?;
    let set_limit = format!("PRAGMA journal_size_limit={WAL_BYTES_MAX}");
    connection.query_row(&set_limit, [], |_| Ok(()))?;
    Ok(connection)
}

/// Checks what the file says of itself before anything is opened, so that a file of a newer format
/// is not touched.
pub(super) fn check_header(path: &Path) -> Result<(), OpenProblem> {
    let refuse = |source| OpenProblem::Refused(StoreError::Io { path: path.to_owned(), source });
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refuse(error)),
    };
    if !metadata.is_file() {
        return Err(OpenProblem::Damaged("it is not a regular file".into()));
    }
    if metadata.len() == 0 {
        return Ok(());
    }
    let mut header = [0; 100];
    let mut file = fs::File::open(path)
        .map_err(|error| OpenProblem::Refused(StoreError::writing(path, error)))?;
    match file.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(OpenProblem::Damaged("it is cut off".into()));
        }
        Err(error) => return Err(refuse(error)),
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenProblem::Damaged("it is not a SQLite database".into()));
    }
    // Bytes 60 to 63 hold what `PRAGMA user_version` says.
    check_format(path, u32::from_be_bytes([header[60], header[61], header[62], header[63]]))
}

fn check_format(path: &Path, found: u32) -> Result<(), OpenProblem> {
    if found <= FORMAT {
        return Ok(());
    }
    let path = path.to_owned();
    Err(OpenProblem::Refused(StoreError::NewerFormat { path, found, supported: FORMAT }))
}

/// The format version of an open database.
pub(super) fn format_of(connection: &Connection) -> rusqlite::Result<u32> {
    let signed: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(signed.cast_unsigned())
}

/// Creates the tables of a new database, and checks those of an old one.
fn prepare(path: &Path, connection: Connection) -> Result<Connection, OpenProblem> {
    let inner = || -> rusqlite::Result<(u32, i64)> {
        let count = "SELECT count(*) FROM sqlite_schema";
        let tables = connection.query_row(count, [], |row| row.get(0))?;
        Ok((format_of(&connection)?, tables))
    };
    match inner().map_err(|error| sort(path, error))? {
        (0, 0) => create(&connection).map_err(|error| sort(path, error))?,
        (0, _) => return Err(OpenProblem::Damaged("it is not a database of fuzzd".into())),
        (found, _) => {
            check_format(path, found)?;
            quick_check(path, &connection)?;
        }
    }
    Ok(connection)
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("BEGIN;{TABLES}PRAGMA user_version={FORMAT};COMMIT;"))?;
    // The version belongs into the file itself, where another program looks before it opens it.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn quick_check(path: &Path, connection: &Connection) -> Result<(), OpenProblem> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > QUICK_CHECK_BYTES_MAX) {
        return Ok(());
    }
    let check = "PRAGMA quick_check(1)";
    let verdict: rusqlite::Result<String> = connection.query_row(check, [], |row| row.get(0));
    match verdict.map_err(|error| sort(path, error))? {
        verdict if verdict == "ok" => Ok(()),
        verdict => Err(OpenProblem::Damaged(verdict)),
    }
}

fn identity_of(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
