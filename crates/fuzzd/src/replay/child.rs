//! A replay child: how it is started, and what it does.
//!
//! Owns: both ends of one file's run. The child prints the input before it runs it, so that the
//! parent knows it whatever happens then. Must not: judge the ending, see [`super::outcome`].

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use fuzzd_worker::Verdict;
use fuzzd_worker::protocol::WORKER_ENV;

use crate::fuzz_test::FuzzTest;
use crate::platform;
use crate::replay::outcome::{Outcome, told_input};
use crate::replay::process::{self, Ended};
use crate::replay::{read_input, run_caught};
use crate::settings::{Limits, REPLAY_ENV, SHOW_ENV, TOKEN_ENV};
use crate::show::{complain, input_text};

/// Makes the tokens of one process differ.
static TOKENS: AtomicU32 = AtomicU32::new(0);

/// Runs the fuzz test on `file` in a child of this executable. Also the token under which the child
/// told its outcome.
pub(crate) fn start(test: &FuzzTest, file: &Path, limits: Limits) -> io::Result<(Ended, String)> {
    let parent = std::process::id();
    let token = format!("{parent}-{}", TOKENS.fetch_add(1, Ordering::Relaxed));
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(test.path())
        .args(["--exact", "--nocapture", "--test-threads=1", "--include-ignored"])
        .env(REPLAY_ENV, file)
        .env(TOKEN_ENV, &token)
        .env_remove(SHOW_ENV)
        .env_remove(WORKER_ENV);
    process::run(command, limits).map(|ended| (ended, token))
}

/// Runs the fuzz test on `file` in this process. Told to do so by a person, the fuzz test panics as
/// it likes; told by a parent, its outcome is written to stderr and the process ends.
pub(crate) fn run_file(test: &FuzzTest, file: &Path) -> Result<(), String> {
    match std::env::var_os(TOKEN_ENV) {
        Some(token) => run_for_parent(test, file, &token),
        None => run_for_person(test, file),
    }
}

/// The readable form of the input in `file`.
pub(crate) fn show_file(test: &FuzzTest, file: &Path) -> Result<String, String> {
    let memory = read_input(test, file).map_err(|reason| unreadable(test, file, &reason))?;
    Ok(input_text(test.types, test.parameters, &memory))
}

fn run_for_person(test: &FuzzTest, file: &Path) -> Result<(), String> {
    let memory = read_input(test, file).map_err(|reason| unreadable(test, file, &reason))?;
    let text = input_text(test.types, test.parameters, &memory);
    complain(&format!("fuzz test `{}` on {}\n{text}", test.path(), file.display()));
    // Not caught: a debugger should stop where the panic is.
    match (test.run)(&memory) {
        Verdict::Pass | Verdict::Reject => Ok(()),
        Verdict::Fail(message) => Err(format!("fuzz test `{}` failed: {message}", test.path())),
    }
}

fn run_for_parent(test: &FuzzTest, file: &Path, token: &OsString) -> ! {
    let token = token.to_string_lossy();
    let parent = token.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    if let Err(error) = platform::die_with_parent(parent) {
        complain(&error.to_string());
        std::process::exit(1);
    }
    let outcome = match read_input(test, file) {
        Ok(memory) => {
            complain(&told_input(&token, &input_text(test.types, test.parameters, &memory)));
            run_with_location(test, &memory)
        }
        Err(reason) => Outcome::Unreadable(reason),
    };
    complain(&outcome.told(&token));
    std::process::exit(0);
}

thread_local! {
    /// Where this thread panicked last.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// [`run_caught`] that also knows where a panic was. Changes the panic hook for good, which only
/// a replay child may do.
fn run_with_location(test: &FuzzTest, memory: &[u8]) -> Outcome {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let location = info.location().map(ToString::to_string);
        // A panic while the thread ends has nowhere to leave its location.
        drop(LOCATION.try_with(|place| place.replace(location)));
        previous(info);
    }));
    match run_caught(test, memory) {
        Outcome::Panicked { message, .. } => {
            Outcome::Panicked { location: LOCATION.with(RefCell::take), message }
        }
        other => other,
    }
}

fn unreadable(test: &FuzzTest, file: &Path, reason: &str) -> String {
    format!("fuzz test `{}`: {}: {reason}", test.path(), file.display())
}
