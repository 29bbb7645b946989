//! The lock on a state directory: one coordinator at a time.
//!
//! Owns the file `lock`: an advisory lock that the system frees when its holder dies, and inside it
//! who the holder is. The file is opened close-on-exec, so that no worker can keep the lock.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::limits::LOCK_FILE_BYTES_MAX;

/// Who holds a state directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id; 0 if it has not written its name yet.
    pub pid: u32,
    /// Its command line, cut.
    pub command: String,
    /// When it took the lock, in seconds since 1970.
    pub started: u64,
}

impl Holder {
    fn of_this_process() -> Self {
        let words: Vec<String> =
            std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let mut command = words.join(" ");
        // JSON may escape one byte as six.
        let bytes_max = usize::try_from(LOCK_FILE_BYTES_MAX / 8).unwrap_or(usize::MAX);
        command.truncate(command.floor_char_boundary(bytes_max));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { pid: std::process::id(), command, started: now.as_secs() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return formatter.write_str("another fuzzd that is just starting");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let age = now.saturating_sub(self.started);
        write!(formatter, "process {} (`{}`), started ", self.pid, self.command.escape_debug())?;
        match age {
            0..120 => write!(formatter, "{age} s ago"),
            120..7_200 => write!(formatter, "{} min ago", age / 60),
            _ => write!(formatter, "{} h ago", age / 3_600),
        }
    }
}

/// The lock, held as long as this value lives.
#[derive(Debug)]
pub(super) struct StateLock {
    file: File,
}

impl StateLock {
    /// Takes the lock of the state directory `dir` by its lock file `path`, or says who has it.
    pub(super) fn take(dir: &Path, path: &Path) -> Result<Self, StoreError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(super::files::plain_open_flags())
            .open(path)
            .map_err(|error| StoreError::writing(path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&mut file);
                Err(StoreError::Locked { dir: dir.to_owned(), holder })
            }
            Err(TryLockError::Error(source)) => {
                Err(StoreError::Io { path: path.to_owned(), source })
            }
        }
    }

    /// Writes into the lock who holds it.
    pub(super) fn sign(&mut self, path: &Path) -> Result<(), StoreError> {
        let text = serde_json::to_string(&Holder::of_this_process()).unwrap_or_default();
        let mut write = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(text.as_bytes())
        };
        write().map_err(|error| StoreError::writing(path, error))
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // A lock file without a name is not an error: the next holder writes its own.
        let _emptied = self.file.set_len(0);
        // Unlocked, not only closed: a child between fork and exec has the file open as well.
        let _unlocked = self.file.unlock();
    }
}

fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.take(LOCK_FILE_BYTES_MAX).read_to_string(&mut text);
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
}
