//! The lock on a state directory: one coordinator at a time.
//!
//! Owns the file `lock`: an advisory lock that the system frees when its holder dies, and inside it
//! who the holder is. The file is opened close-on-exec, so that no worker can keep the lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::StoreError;
use super::holder::Holder;
use super::limits::LOCK_FILE_BYTES_MAX;

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
