//! Directories of inputs: which files there are, in an order that is always the same.
//!
//! Owns the bounds of a scan and what is passed over (hidden files) or named (everything that is
//! not a regular file). Must not change anything.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::io_reason;
use super::limits::{FILES_PER_DIR_MAX, SEEDS_DEPTH_MAX};
use super::notice::Notices;

/// The files of `dir`, sorted by name; `depth` levels of subdirectories are looked into, after the
/// files beside them. A directory that is not there has no files. Files are named, not opened.
pub(super) fn files_of(dir: &Path, depth: usize, notices: &mut Notices) -> Vec<PathBuf> {
    let mut files = Vec::new();
    match collect(dir, depth, &mut files, notices) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => notices.skipped(dir, io_reason(&error)),
    }
    files
}

/// The files of a directory the user named; that it is not there is worth a notice.
pub(super) fn seed_files_of(dir: &Path, notices: &mut Notices) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if let Err(error) = collect(dir, SEEDS_DEPTH_MAX, &mut files, notices) {
        notices.skipped(dir, io_reason(&error));
    }
    files
}

/// The subdirectories of `dir`, sorted by name.
pub(super) fn dirs_of(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut dirs: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    dirs.sort();
    dirs
}

fn collect(
    dir: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    notices: &mut Notices,
) -> io::Result<()> {
    let mut dirs = Vec::new();
    let first = files.len();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if files.len() >= FILES_PER_DIR_MAX {
            notices.skipped(dir, format!("it has more than {FILES_PER_DIR_MAX} files"));
            break;
        }
        // The kind of the entry itself: a symbolic link to a directory is not one.
        if entry.file_type()?.is_dir() {
            dirs.push(entry.path());
        } else {
            files.push(entry.path());
        }
    }
    files[first..].sort();
    dirs.sort();
    for below in dirs {
        if depth == 0 {
            notices.skipped(&below, "it is a directory");
        } else if let Err(error) = collect(&below, depth - 1, files, notices) {
            notices.skipped(&below, io_reason(&error));
        }
    }
    Ok(())
}
