//! The session on disk: what was found is there again, byte for byte, whatever ends the process.
//!
//! ```text
//!  <state>/lock            held by one coordinator at a time; says by whom
//!          session.db      everything, in SQLite: what makes a record durable
//!          corpus/<test>/<sha-256 of the file>              entries, as files, within a second
//!          crashes/<test>/<signature>/<sha-256>             originals of bugs, and about.json
//!          unconfirmed/<test>/<signature>/<sha-256>         deaths that did not happen again
//!          removed/<test>/                                  entries that a corpus did not need
//!          quarantine/                                      what was set aside, never deleted
//!  <package>/testdata/fuzz/<test>/<kind>-<signature>        one file per bug, for people to commit
//!                                                          (of Go: the name that Go gives it)
//! ```
//!
//! Owns the state directory, and writes the files of bugs in testdata. Must not decide what is
//! worth keeping: records say what, `Session` says when. Nothing a worker sent becomes a name.
//!
//! Life: [`Store::open`] takes the lock, [`Store::load`] reads, [`Store::start`] hands everything
//! to the writer thread, [`StoreHandle::close`] ends it. [`list_bugs`] and [`read_bug`] read beside
//! it.

mod about;
mod apply;
mod bugs;
mod database;
mod error;
mod files;
mod form;
mod gather;
mod group;
mod holder;
mod ledger;
pub mod limits;
mod load;
mod load_bugs;
mod lock;
mod names;
mod notice;
mod pending;
mod rebuild;
mod removal;
mod scan;
mod verdict;
mod writer;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fuzzd_core::ids::EntryId;
use fuzzd_protocol::value::ValueType;

pub use bugs::{BugInputs, StoredBug, list_bugs, read_bug};
pub use error::StoreError;
pub use form::FileForm;
pub use holder::Holder;
pub use ledger::BugStatus;
pub use names::dir_name;
pub use notice::LoadNotice;
pub use removal::StoredEntry;
pub use writer::StoreHandle;

use database::{Database, OpenProblem};
use files::{Durability, create_dirs, set_aside, write_new};
use lock::StateLock;
use names::Layout;
use pending::PendingFiles;

/// One fuzz test, as the store has to know it.
#[derive(Debug, Clone)]
pub struct StoreTest {
    /// Unique name.
    pub name: String,
    /// Types of its parameters. None: they are not known, so nothing of this test is read or
    /// written.
    pub types: Vec<ValueType>,
    /// SHA-256 of the executable: coverage measured with another one is not valid.
    pub build_id: String,
    /// Number of coverage counters.
    pub counters: usize,
    /// Its directory of committed inputs; need not exist.
    pub testdata: PathBuf,
    /// How its inputs are written to files.
    pub form: FileForm,
    /// A directory of inputs for it alone, only ever read; need not exist.
    pub inputs: Option<PathBuf>,
}

/// A state directory that is locked and open.
#[derive(Debug)]
pub struct Store {
    layout: Layout,
    database: Database,
    tests: Vec<KnownTest>,
    pending: PendingFiles,
    /// What is to be told with the first load.
    early: Vec<LoadNotice>,
    /// Last, so that it is freed last.
    _lock: StateLock,
}

/// A loaded test, in the order of `TestIndex`.
#[derive(Debug)]
struct KnownTest {
    /// Its row in `tests`.
    row: i64,
    /// The row in `builds` that its coverage belongs to.
    build: i64,
    /// Its directory name.
    dir: String,
    types: Vec<ValueType>,
    testdata: PathBuf,
    form: FileForm,
    execs_before: i64,
    execs_other_before: i64,
    elapsed_ms_before: i64,
    /// The files that inputs were loaded from.
    origins: HashMap<EntryId, PathBuf>,
}

impl Store {
    /// Creates the directory if need be, takes its lock and opens its database. A damaged database
    /// is set aside, and the first load rebuilds it from the files.
    ///
    /// # Errors
    /// Somebody else holds the lock, the format is newer, or the disk refuses.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        let layout = Layout::new(state_dir);
        create_dirs(state_dir, 0o700).map_err(|error| StoreError::writing(state_dir, error))?;
        let mut lock = StateLock::take(state_dir, &layout.lock())?;
        let mut early = Vec::new();
        let path = layout.database();
        // Nothing is written before the format is known.
        if let Err(OpenProblem::Refused(error)) = database::check_header(&path) {
            return Err(error);
        }
        lock.sign(&layout.lock())?;
        let database = match Database::open(&path) {
            Ok(database) => database,
            Err(OpenProblem::Refused(error)) => return Err(error),
            Err(OpenProblem::Damaged(reason)) => {
                early.push(set_database_aside(&layout, &reason)?);
                open_new(&path)?
            }
        };
        write_new(state_dir, ".gitignore", b"*\n", Durability::Lazy)
            .and_then(|_is_new| files::sync_dir(state_dir))
            .map_err(|error| StoreError::writing(state_dir, error))?;
        files::sweep_temp_files(state_dir, false);
        if is_network_filesystem(state_dir) {
            early.push(LoadNotice::NetworkFilesystem { path: state_dir.to_owned() });
        }
        let (tests, pending) = (Vec::new(), PendingFiles::default());
        Ok(Self { layout, database, tests, pending, early, _lock: lock })
    }

    /// Sets the database aside and begins a new one.
    fn rebuild_database(&mut self, reason: &str) -> Result<(), StoreError> {
        self.database.close();
        self.early.push(set_database_aside(&self.layout, reason)?);
        self.database = open_new(&self.layout.database())?;
        Ok(())
    }

    /// Whether files wait to be written that may be written now.
    fn has_files_due(&self) -> bool {
        let now = Instant::now();
        self.pending.due(now).is_some_and(|at| at <= now)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.database.close();
    }
}

fn open_new(path: &Path) -> Result<Database, StoreError> {
    Database::open(path).map_err(|problem| match problem {
        OpenProblem::Refused(error) => error,
        OpenProblem::Damaged(reason) => StoreError::Io {
            path: path.to_owned(),
            source: io::Error::other(format!("a new database is damaged at once: {reason}")),
        },
    })
}

/// Moves the database and its log to `quarantine/`.
fn set_database_aside(layout: &Layout, reason: &str) -> Result<LoadNotice, StoreError> {
    let path = layout.database();
    let quarantine = layout.quarantine();
    let refuse = |error| StoreError::writing(&quarantine, error);
    let to = set_aside(&path, &quarantine).map_err(refuse)?;
    for ending in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(ending);
        match set_aside(Path::new(&beside), &quarantine) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(refuse(error)),
        }
    }
    Ok(LoadNotice::DatabaseSetAside { path, to, reason: reason.to_owned() })
}

/// NFS, SMB and CIFS by the numbers the system gives them.
fn is_network_filesystem(dir: &Path) -> bool {
    const NETWORK: [u64; 4] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42];
    let Ok(dir) = fs::File::open(dir) else { return false };
    rustix::fs::fstatfs(&dir)
        .is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| NETWORK.contains(&kind)))
}
