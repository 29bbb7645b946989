//! Bugs from their files: what lies under `crashes/` and `unconfirmed/` and the database does not
//! know.
//!
//! Must not believe a name: the signature is read from the directory, the content is checked
//! against its hash, and everything else a bug is comes from its `about.json` if that makes sense.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::EntryId;
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::input;
use rusqlite::params;

use super::about::About;
use super::apply::{count_crash, insert_crash, now_ms};
use super::files::sweep_temp_files;
use super::gather::Loader;
use super::ledger::{BugRow, BugStatus, CrashRole, CrashRow, Placed};
use super::names::{ABOUT_NAME, FileHash, bug_file_name, hash_name};
use super::pending::PendingFile;
use super::scan::{dirs_of, files_of};

/// Takes in the crash files that the database does not know; returns how many there were.
pub(super) fn take_in_crashes(loader: &mut Loader<'_>) -> rusqlite::Result<usize> {
    let mut adopted = 0;
    let crashes = loader.layout.crashes_of(&loader.known.dir);
    let unconfirmed = loader.layout.unconfirmed_of(&loader.known.dir);
    for (root, role) in [(crashes, CrashRole::Original), (unconfirmed, CrashRole::Unconfirmed)] {
        for dir in dirs_of(&root) {
            let name = dir.file_name().and_then(|name| name.to_str());
            let Some(Ok(signature)) = name.map(str::parse::<Signature>) else { continue };
            sweep_temp_files(&dir, false);
            adopted += take_in_bug(loader, &dir, signature, role)?;
        }
    }
    Ok(adopted)
}

fn take_in_bug(
    loader: &mut Loader<'_>,
    dir: &Path,
    signature: Signature,
    role: CrashRole,
) -> rusqlite::Result<usize> {
    let known = BugRow::find(loader.connection, loader.known.row, signature)?;
    let crashes = match &known {
        Some(bug) => CrashRow::all(loader.connection, bug.seq)?,
        None => Vec::new(),
    };
    let known_files: HashSet<FileHash> = crashes.iter().map(|crash| crash.file).collect();
    let mut adopted = 0;
    for path in files_of(dir, 0, loader.notices) {
        if path.file_name().is_some_and(|name| name == ABOUT_NAME) {
            continue;
        }
        let Some((hash, bytes)) = loader.read_state_file(&path) else { continue };
        if known_files.contains(&hash) {
            continue;
        }
        match input::from_file(&loader.known.types, &bytes) {
            Ok(memory) => adopted += usize::from(take_in(loader, dir, signature, role, &memory)?),
            Err(error) => loader.refuse(&path, &error.to_string()),
        }
    }
    if adopted > 0 && known.is_none() {
        restore(loader, dir, signature, role)?;
    }
    Ok(adopted)
}

/// Adds one input. Returns whether it is new.
fn take_in(
    loader: &mut Loader<'_>,
    dir: &Path,
    signature: Signature,
    role: CrashRole,
    memory: &[u8],
) -> rusqlite::Result<bool> {
    let (connection, now) = (loader.connection, now_ms());
    let bug = match BugRow::find(connection, loader.known.row, signature)? {
        Some(bug) => bug.seq,
        None => {
            let failure = failure_of(loader, dir, signature);
            let id = EntryId::of(memory);
            count_crash(
                connection,
                &loader.known,
                signature,
                id,
                (&failure, BugStatus::Pending),
                now,
            )?
        }
    };
    insert_crash(connection, &loader.known, bug, memory, role, now)?;
    Ok(connection.changes() > 0)
}

/// How a bug failed, as its directory tells; else the kind in the name of its testdata file.
fn failure_of(loader: &Loader<'_>, dir: &Path, signature: Signature) -> Failure {
    if let Some(failure) = About::read(dir).and_then(|about| about.failure()) {
        return failure;
    }
    let name = testdata_file(loader, signature);
    let kind = name.and_then(|(_, kind)| kind).unwrap_or(FailureKind::Error);
    Failure::new(kind, "", "kept from a session whose database is gone", "")
}

/// The file of testdata that was written for a bug, with the kind in its name.
fn testdata_file(
    loader: &Loader<'_>,
    signature: Signature,
) -> Option<(PathBuf, Option<FailureKind>)> {
    let ending = format!("-{signature}");
    let paths = loader.known.origins.values();
    let mut found: Vec<_> = paths
        .filter(|path| path.parent() == Some(&loader.known.testdata))
        .filter_map(|path| {
            let kind = path.file_name()?.to_str()?.strip_suffix(&ending)?;
            Some((path.clone(), FailureKind::from_name(kind)))
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found.into_iter().next()
}

/// Gives a bug that was taken in the verdict it had.
fn restore(
    loader: &mut Loader<'_>,
    dir: &Path,
    signature: Signature,
    role: CrashRole,
) -> rusqlite::Result<()> {
    let Some(bug) = BugRow::find(loader.connection, loader.known.row, signature)? else {
        return Ok(());
    };
    let about = About::read(dir);
    let (reproduced, runs) = about.as_ref().map_or((0, 0), About::runs);
    let shown = shown_in_testdata(loader, &bug)?;
    let status = match (role, about.map(|about| about.status())) {
        (CrashRole::Unconfirmed, _) => BugStatus::Unconfirmed,
        (_, Some(status)) => status,
        (_, None) if shown.is_some() => BugStatus::Confirmed,
        (_, None) => BugStatus::Pending,
    };
    let (placed, id) = shown.map(|(path, id)| (path, id.0)).unzip();
    let placed = placed.map(|path| Placed::of_loaded(&path, &loader.known.testdata));
    let (place, path) = placed.as_ref().map(Placed::columns).unzip();
    let sql = "UPDATE bugs SET status=?2, reproduced=?3, runs=?4, shown=coalesce(?5, shown),
               place=?6, path=?7 WHERE seq=?1";
    let values = params![bug.seq, status.name(), reproduced, runs, id, place, path];
    loader.connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// The testdata file that shows a bug, and its input, which becomes one of the bug's inputs.
fn shown_in_testdata(
    loader: &mut Loader<'_>,
    bug: &BugRow,
) -> rusqlite::Result<Option<(PathBuf, EntryId)>> {
    let path = loader.known.testdata.join(bug_file_name(bug.kind, bug.signature));
    let origin = loader.known.origins.iter().find(|(_, origin)| **origin == path);
    let Some(id) = origin.map(|(id, _)| *id) else { return Ok(None) };
    let Some(memory) = loader.loaded_input(id) else { return Ok(None) };
    let role = CrashRole::Minimized;
    insert_crash(loader.connection, &loader.known, bug.seq, &memory, role, now_ms())?;
    Ok(Some((path, id)))
}

/// Remembers the inputs of a bug that have no file, so that they get one.
pub(super) fn remember_missing_files(loader: &mut Loader<'_>, bug: &BugRow, crashes: &[CrashRow]) {
    let (test, signature) = (loader.index, bug.signature);
    for crash in crashes {
        let root = match crash.role {
            CrashRole::Original => loader.layout.crashes_of(&loader.known.dir),
            CrashRole::Unconfirmed => loader.layout.unconfirmed_of(&loader.known.dir),
            CrashRole::Minimized => continue,
        };
        let dir = root.join(signature.to_string());
        if !dir.join(hash_name(&crash.file)).exists() {
            loader.pending.push(PendingFile::Crash { test, signature, id: crash.id });
        }
        if !dir.join(ABOUT_NAME).exists() {
            loader.pending.push(PendingFile::About { test, signature });
        }
    }
}
