//! Killed, or refused by the system, at one chosen system call after another (under strace).

use std::process::{Command, Stdio};

use crate::kill::{COUNT_VARIABLE, check, child, kill_after};

/// Numbers a child commits when nothing happens to it.
const COUNT: u64 = 40;

/// System calls at which each fault is tried, spread over the life of a child. More of them:
/// `FUZZD_TEST_STORE_POINTS`.
const POINTS: u64 = 8;

fn has_strace() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-o", "/dev/null", "true"]).stderr(Stdio::null());
    let works = strace.status().is_ok_and(|status| status.success());
    if !works {
        println!("skipped: strace does not work here");
    }
    works
}

/// Runs a child with `fault` at its `number`-th call of `calls`, then checks what it left behind.
/// Returns how many records it said were stored.
fn try_fault(calls: &str, fault: &str, number: u64) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap().into_os_string().into_string().unwrap();
    let inject = format!("inject={calls}:{fault}:when={number}");
    let arguments = ["-f", "-o", "/dev/null", "-e", &inject, &program];
    let mut command = child("strace", &arguments, dir.path(), 0);
    let child = command.env(COUNT_VARIABLE, COUNT.to_string()).stderr(Stdio::null()).spawn();
    let stored = kill_after(child.unwrap(), u64::MAX);
    println!("{inject}: {} stored", stored.len());
    check(dir.path(), &stored, fault.starts_with("error"));
    stored.len() as u64
}

/// Tries a fault at the calls 1, 1 + step and so on; returns how many records were stored each
/// time.
fn sweep(calls: &str, fault: &str, step: u64) -> Vec<u64> {
    if !has_strace() {
        return Vec::new();
    }
    let points = std::env::var("FUZZD_TEST_STORE_POINTS").ok().and_then(|text| text.parse().ok());
    let points: u64 = points.unwrap_or(POINTS);
    let step = (step * POINTS / points).max(1);
    (0..points).map(|point| try_fault(calls, fault, 1 + point * step)).collect()
}

/// One refusal ends a start, as a whole, or it is got over.
fn is_all_or_nothing(stored: u64) -> bool {
    // An entry each, and two records in place of one for every tenth number.
    stored == 0 || stored == COUNT + COUNT / 10
}

#[test]
fn a_kill_at_any_system_call_that_writes_loses_nothing_that_was_answered() {
    sweep("openat,write,pwrite64,fsync,fdatasync,renameat2,ftruncate,unlink", "signal=SIGKILL", 18);
}

#[test]
fn a_sync_that_fails_once_loses_nothing() {
    assert!(sweep("fsync,fdatasync", "error=EIO", 5).into_iter().all(is_all_or_nothing));
}

#[test]
fn a_write_that_finds_no_space_once_loses_nothing() {
    assert!(sweep("pwrite64", "error=ENOSPC", 10).into_iter().all(is_all_or_nothing));
}

#[test]
fn a_rename_that_fails_once_loses_nothing() {
    assert!(sweep("renameat2,rename", "error=EACCES", 3).into_iter().all(is_all_or_nothing));
}
