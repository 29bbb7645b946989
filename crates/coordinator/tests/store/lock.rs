//! One coordinator at a time, and readers beside it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{CONFIRMED, Place, bug, crash, entry, signature, tree};
use fuzzd_coordinator::store::{Store, StoreError, list_bugs, read_bug};

/// Where a child of this test finds its state directory.
const DIR_VARIABLE: &str = "FUZZD_TEST_STORE_LOCK";

#[test]
fn a_second_coordinator_is_refused_and_told_by_whom() {
    let place = Place::new();
    let first = place.load();
    let error = Store::open(&place.state).unwrap_err();
    let StoreError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(holder.pid, std::process::id());
    let program = std::env::current_exe().unwrap();
    let program = program.file_name().unwrap().to_str().unwrap();
    assert!(holder.command.contains(program), "{holder:?}");
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", holder.pid)), "{text}");
    drop(first);
    place.load();
}

/// Does nothing unless it is run as a child by the test below.
#[test]
fn child_that_holds_the_lock() {
    let Some(dir) = std::env::var_os(DIR_VARIABLE) else { return };
    let _store = Store::open(Path::new(&dir)).unwrap();
    println!("\n@locked");
    // Ends when the parent does, at the latest.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_lock_is_free_when_its_holder_was_killed() {
    let place = Place::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["lock::child_that_holds_the_lock", "--exact", "--nocapture"])
        .env(DIR_VARIABLE, &place.state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let is_locked = output.lines().any(|line| line.unwrap() == "@locked");
    assert!(is_locked, "the child took the lock");
    let error = Store::open(&place.state).unwrap_err();
    let StoreError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(holder.pid, child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    place.load();
}

#[test]
fn the_state_directory_keeps_itself_out_of_version_control() {
    let place = Place::new();
    place.load();
    assert_eq!(fs::read(place.state.join(".gitignore")).unwrap(), b"*\n");
    fs::write(place.state.join(".gitignore"), "mine").unwrap();
    place.load();
    assert_eq!(fs::read(place.state.join(".gitignore")).unwrap(), b"mine");
}

#[test]
fn a_newer_format_is_refused_and_nothing_is_touched() {
    let place = Place::new();
    let mut running = place.start();
    running.commit_bug(b"boom", CONFIRMED);
    running.close();
    let database = rusqlite::Connection::open(place.state.join("session.db")).unwrap();
    database.execute_batch("PRAGMA user_version=2; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(database);
    let before = tree(place.dir.path());
    let error = place.try_load().map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 2, supported: 1, .. }), "{error}");
    assert!(error.to_string().contains("session.db"), "{error}");
    let error = list_bugs(&place.state).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 2, .. }), "{error}");
    assert_eq!(tree(place.dir.path()), before);
}

#[test]
fn a_directory_that_cannot_be_made_is_named_with_a_next_step() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let state = dir.path().join("file/state");
    let error = Store::open(&state).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(state.to_str().unwrap()) && text.contains("--state"), "{text}");
}

#[test]
fn bugs_are_listed_while_a_coordinator_works() {
    let place = Place::new();
    let mut running = place.start();
    running.commit_bug(b"boom", CONFIRMED);
    let names = || tree(&place.state).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    running.commit(entry(b"so that the files of the bug are written", &[]));
    let before = names();
    let listed = list_bugs(&place.state).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].test, "module::parse");
    assert_eq!(listed[0].message, "index out of range");
    let after = names();
    assert!(before.iter().all(|path| after.contains(path)));
    // What is committed later is seen by the next reading.
    running.commit(crash(b"boom 2"));
    assert_eq!(list_bugs(&place.state).unwrap()[0].count, 2);
    running.commit(bug(b"b", fuzzd_core::session::Verdict::Minimized));
    let inputs = read_bug(&place.state, "module::parse", signature()).unwrap();
    assert_eq!(inputs.shown, b"b");
    running.close();
}

#[test]
fn reading_changes_and_creates_nothing() {
    let place = Place::new();
    let missing = list_bugs(&place.state).unwrap_err();
    assert!(matches!(missing, StoreError::NoSession { .. }), "{missing}");
    assert!(!place.state.exists());

    let mut running = place.start();
    running.commit_bug(b"boom", CONFIRMED);
    running.close();
    let before = tree(place.dir.path());
    assert_eq!(list_bugs(&place.state).unwrap().len(), 1);
    assert!(read_bug(&place.state, "module::parse", signature()).is_ok());
    let error = read_bug(&place.state, "another", signature()).unwrap_err();
    assert!(matches!(error, StoreError::NoSuchBug { .. }), "{error}");
    assert_eq!(tree(place.dir.path()), before);
}
