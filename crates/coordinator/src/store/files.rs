//! Files: read without following or waiting, written whole or not at all.
//!
//! Owns the way bytes get to disk: a temporary file in the same directory, synced where the caller
//! needs it durable, then published under its name in one step that replaces nothing, or replaces
//! one file knowingly. Must not decide what is written where.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, OFlags, RenameFlags};
use rustix::io::Errno;

use super::error::io_reason;
use super::limits::{INPUT_FILE_BYTES_MAX, NAME_TRIES_MAX, STALE_TEMP_AGE};

/// Whether a write must survive a power cut before the call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The file and its directory are synced.
    Synced,
    /// The database has the same bytes; the file may be lost.
    Lazy,
}

/// How temporary files begin. Hidden, so that nothing takes them for an input.
const TEMP_PREFIX: &str = ".fuzzd-tmp-";

static TEMP_NUMBER: AtomicU64 = AtomicU64::new(0);

/// Flags for opening something that may not be what it was a moment ago: no symbolic link is
/// followed, and a FIFO does not make us wait.
pub(super) fn plain_open_flags() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
}

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum ReadProblem {
    /// It is not there (any more).
    Gone,
    /// It is there, but not as a file to read; a sentence for people.
    Unusable(String),
}

/// Reads a regular file of at most [`INPUT_FILE_BYTES_MAX`].
pub(super) fn read_regular(path: &Path) -> Result<Vec<u8>, ReadProblem> {
    let sort = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ReadProblem::Gone,
        _ => ReadProblem::Unusable(io_reason(&error)),
    };
    // Opening a device can already do something; so it is looked at before, and after.
    check_kind(&fs::symlink_metadata(path).map_err(sort)?)?;
    let flags = plain_open_flags();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(sort)?;
    let metadata = file.metadata().map_err(sort)?;
    check_kind(&metadata)?;
    let too_large = || {
        let mib = INPUT_FILE_BYTES_MAX >> 20;
        ReadProblem::Unusable(format!("it is larger than {mib} MiB"))
    };
    if metadata.len() > INPUT_FILE_BYTES_MAX {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(INPUT_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(sort)?;
    if bytes.len() as u64 > INPUT_FILE_BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
}

fn check_kind(metadata: &fs::Metadata) -> Result<(), ReadProblem> {
    let kind = metadata.file_type();
    if kind.is_file() {
        Ok(())
    } else if kind.is_symlink() {
        Err(ReadProblem::Unusable("it is a symbolic link, which is not followed".into()))
    } else if kind.is_dir() {
        Err(ReadProblem::Unusable("it is a directory".into()))
    } else {
        Err(ReadProblem::Unusable("it is not a regular file".into()))
    }
}

/// A written file that has no name for others yet. Dropping it removes it.
#[derive(Debug)]
pub(super) struct TempFile {
    path: PathBuf,
    is_published: bool,
}

impl TempFile {
    /// Writes `bytes` beside where they will be published.
    pub(super) fn write(dir: &Path, bytes: &[u8], durability: Durability) -> io::Result<Self> {
        let (mut file, path) = create_temp(dir)?;
        let temp = Self { path, is_published: false };
        file.write_all(bytes)?;
        match durability {
            Durability::Synced => file.sync_all()?,
            Durability::Lazy => {}
        }
        Ok(temp)
    }

    /// Gives it its name, if that is free; `false` if it is taken.
    pub(super) fn publish(mut self, target: &Path) -> io::Result<bool> {
        self.is_published = rename_if_free(&self.path, target)?;
        Ok(self.is_published)
    }

    /// Gives it its name in place of what has it now.
    pub(super) fn replace(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.is_published {
            // What cannot be removed now is swept by a later start.
            let _removed = fs::remove_file(&self.path);
        }
    }
}

fn create_temp(dir: &Path) -> io::Result<(File, PathBuf)> {
    let pid = std::process::id();
    for _ in 0..NAME_TRIES_MAX {
        let number = TEMP_NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("{TEMP_PREFIX}{pid}-{number}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (file, path)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name for a temporary file"))
}

/// Renames, but never over something; `false` if `to` is taken.
fn rename_if_free(from: &Path, to: &Path) -> io::Result<bool> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // A file system that cannot rename like this can link like this.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match fs::hard_link(from, to) {
            Ok(()) => fs::remove_file(from).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        },
        Err(error) => Err(error.into()),
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Makes all files of the file system that `dir` lies on durable, and so all in `dir`: for many new
/// files it is one wait in the place of many.
pub(super) fn sync_all_files(dir: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(dir)?)?)
}

/// Creates a directory and those above it, durably. Only the last one gets `mode`.
pub(super) fn create_dirs(dir: &Path, mode: u32) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_dirs(parent, 0o777)?;
    match DirBuilder::new().mode(mode).create(dir) {
        Ok(()) => sync_dir(parent),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Somebody else may have been faster; a file in the way is another matter.
            if dir.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
        }
        Err(error) => Err(error),
    }
}

/// Writes a new file unless its name is taken. Returns whether it was written.
pub(super) fn write_new(
    dir: &Path,
    name: &str,
    bytes: &[u8],
    durability: Durability,
) -> io::Result<bool> {
    create_dirs(dir, 0o777)?;
    let written = TempFile::write(dir, bytes, durability)?.publish(&dir.join(name))?;
    match durability {
        Durability::Synced => sync_dir(dir)?,
        Durability::Lazy => {}
    }
    Ok(written)
}

/// Moves `path` into the directory `aside`, under its own name or a free one like it.
pub(super) fn set_aside(path: &Path, aside: &Path) -> io::Result<PathBuf> {
    create_dirs(aside, 0o700)?;
    let name = path.file_name().unwrap_or_default();
    for number in 0..NAME_TRIES_MAX {
        let mut free = name.to_owned();
        if number > 0 {
            free.push(format!(".{number}"));
        }
        let to = aside.join(free);
        match rename_if_free(path, &to) {
            Ok(true) => return Ok(to),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                if copy_aside(path, &to)? {
                    return Ok(to);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name to move it to"))
}

/// Moves a file to another file system: the old one goes only when the new one is durable.
fn copy_aside(path: &Path, to: &Path) -> io::Result<bool> {
    let bytes = match read_regular(path) {
        Ok(bytes) => bytes,
        Err(ReadProblem::Gone) => return Err(io::ErrorKind::NotFound.into()),
        Err(ReadProblem::Unusable(reason)) => return Err(io::Error::other(reason)),
    };
    let dir = to.parent().unwrap_or(Path::new("."));
    let written = TempFile::write(dir, &bytes, Durability::Synced)?.publish(to)?;
    if written {
        sync_dir(dir)?;
        fs::remove_file(path)?;
    }
    Ok(written)
}

/// Removes temporary files that a killed process of ours left in `dir`.
///
/// In a directory that others may write to (`is_shared`) only old ones go: the file of a
/// coordinator that works there now is not ours to remove.
pub(super) fn sweep_temp_files(dir: &Path, is_shared: bool) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(TEMP_PREFIX.as_bytes()) {
            continue;
        }
        let Ok(metadata) = entry.metadata() else { continue };
        let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
        let is_stale = !is_shared || age.is_some_and(|age| age > STALE_TEMP_AGE);
        if metadata.is_file() && is_stale {
            // Litter that stays is harmless: hidden files are never read.
            let _removed = fs::remove_file(entry.path());
        }
    }
}
