//! What a fuzz test does when it is called as a test: one of four things, chosen by the
//! environment.
//!
//! ```text
//! FUZZD_WORKER=1      serve the coordinator, then exit
//! FUZZD_SHOW=<file>   print the input in the file, then exit
//! FUZZD_REPLAY=<file> run on that file in this process
//! (nothing)           run on all seeds and testdata: an ordinary test
//! ```
//!
//! Owns: that choice, and the working directory. Must not: know how any of the four is done.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::fuzz_test::FuzzTest;
use crate::replay;
use crate::settings::{REPLAY_ENV, SHOW_ENV};
use crate::show::complain;

/// The body of every fuzz test.
///
/// # Panics
///
/// When the fuzz test fails on one of its inputs, which is how a test tells it.
#[inline(never)]
#[track_caller]
pub fn run(test: &'static FuzzTest) {
    // The optimizer must not find out that nobody reads the marker at run time.
    std::hint::black_box(test.marker);
    if fuzzd_worker::is_worker() {
        if let Err(reason) = enter_package_root(test) {
            complain(&format!("fuzz test `{}`: {reason}", test.path()));
            std::process::exit(fuzzd_worker::protocol::INTERNAL_ERROR_EXIT);
        }
        fuzzd_worker::serve_and_exit(test);
    }
    if let Some(file) = std::env::var_os(SHOW_ENV) {
        let (text, code) = match absolute(&file).and_then(|file| replay::show_file(test, &file)) {
            Ok(text) => (text, 0),
            Err(reason) => (reason, 1),
        };
        complain(&text);
        std::process::exit(code);
    }
    let failure = match std::env::var_os(REPLAY_ENV) {
        Some(file) => absolute(&file)
            .and_then(|file| {
                enter_package_root(test)?;
                Ok(file)
            })
            .and_then(|file| replay::run_file(test, &file))
            .err(),
        None => replay::run_all(test).err(),
    };
    if let Some(text) = failure {
        panic!("{text}");
    }
}

/// Files are named relative to where the process was started, not to the package.
fn absolute(file: &OsString) -> Result<PathBuf, String> {
    std::path::absolute(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// A fuzz test runs in the root of its package, whoever started it.
fn enter_package_root(test: &FuzzTest) -> Result<(), String> {
    let Some(root) = test.package_root() else { return Ok(()) };
    let current = std::env::current_dir().and_then(|current| current.canonicalize()).ok();
    if current.is_some() && current == root.canonicalize().ok() {
        return Ok(());
    }
    std::env::set_current_dir(&root)
        .map_err(|error| format!("cannot enter the package root {}: {error}", root.display()))
}
