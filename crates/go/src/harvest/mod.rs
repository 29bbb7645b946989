//! The seeds and the parameter types of a fuzz test, which only its binary knows.
//!
//! Owns: running a Go test binary as *its own coordinator* with a program of ours as its worker,
//! and what comes of it. Must not: drive workers.
//!
//! Go's coordinator is the test binary too, so the protocol has neither seeds nor types. But it
//! starts `os.Args[0]` as its worker (`CoordinateFuzzing` in `fuzz.go`, Go 1.27.3). Run with our
//! own executable as `argv[0]`, it hands every seed to us, from `f.Add` and from
//! `testdata/fuzz/<test>/`: first one `Warmup` call each, then one `Fuzz` call, with zero values if
//! there are no seeds. That one has the types. Its answer is an internal error, upon which the
//! coordinator stops and records nothing.
//!
//! ```text
//! fuzzd ──exec, argv[0] = fuzzd──► x.test ──exec os.Args[0]──► fuzzd -test.fuzzworker
//!   ▲                                                                     │
//!   └──────────────────────── seeds, in a file ◄──────────────────────────┘
//! ```
//!
//! The binary runs `TestMain` and the body of the fuzz test up to `f.Fuzz`, in the directory of its
//! package, as `go test` would. None of its inputs is executed.

mod records;
pub mod shim;

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fuzzd_protocol::value::{Value, ValueType};

use self::records::{BOUNDS, Record, TooMany};
use crate::limits::{SEED_BYTES_MAX, SEEDS_MAX};
use crate::process::{self, Ended, Finished, Spawn};
use crate::text::{self, GoTextError};

/// What to harvest.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The test binary.
    pub program: &'a Path,
    /// The name of the fuzz test.
    pub test: &'a str,
    /// The directory of the package, where `testdata` lies.
    pub directory: &'a Path,
    /// The executable that calls [`shim::serve`] when it [is asked to](shim::is_asked_for), usually
    /// our own.
    pub shim: &'a Path,
    /// How long it may take, usually [`HARVEST_TIMEOUT`](crate::limits::HARVEST_TIMEOUT).
    pub timeout: Duration,
    /// How the binary is started. What it starts itself ends with it, by the end of a pipe.
    pub spawn: Spawn,
}

/// What a fuzz test takes, and begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harvest {
    /// Its parameter types. `rune` is `int32`, as it is to Go.
    pub types: Vec<ValueType>,
    /// The text of each seed once, in Go's order: `f.Add`, then `testdata` by file name. A text
    /// from a file is as the file has it.
    pub seeds: Vec<Vec<u8>>,
}

/// Why there is no harvest.
#[derive(Debug, thiserror::Error)]
pub enum HarvestError {
    /// The binary could not be run, or no file be made.
    #[error("harvest the seeds of {test}: {step}: {source}")]
    Io {
        /// The fuzz test.
        test: String,
        /// What was done.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It was still running at the deadline, and was killed.
    #[error("{test} did not call f.Fuzz within {seconds} s")]
    TimedOut {
        /// The fuzz test.
        test: String,
        /// Seconds it had.
        seconds: u64,
    },
    /// It ended without error and without calling `f.Fuzz`: it was skipped, or there is none of
    /// that name.
    #[error("{test} was skipped, or is not in this binary")]
    Skipped {
        /// The fuzz test.
        test: String,
    },
    /// It failed before it called `f.Fuzz`: a panic, a malformed file in `testdata`, a seed of the
    /// wrong type.
    #[error("{test} failed before it called f.Fuzz: {output}")]
    Failed {
        /// The fuzz test.
        test: String,
        /// The end of what it wrote.
        output: String,
    },
    /// It has more seeds than are taken: [`SEEDS_MAX`] and [`SEED_BYTES_MAX`].
    #[error("{test} has more than {SEEDS_MAX} seeds, or more than {SEED_BYTES_MAX} bytes of them")]
    TooMany {
        /// The fuzz test.
        test: String,
    },
    /// What it handed out is no text of Go's.
    #[error("a seed of {test}: {problem}")]
    Text {
        /// The fuzz test.
        test: String,
        /// What is wrong with it.
        problem: GoTextError,
    },
}

/// Runs the binary once and takes what it gives.
pub fn run(request: Request<'_>) -> Result<Harvest, HarvestError> {
    let failed =
        |step| move |source| HarvestError::Io { test: request.test.to_owned(), step, source };
    let place = tempfile::tempdir().map_err(failed("make a directory"))?;
    let file = place.path().join("seeds");
    // Go's coordinator would write finds below its cache; there will be none.
    let cache = place.path().join("cache");
    let command = command(request, &file, &cache).map_err(failed("find the programs"))?;
    let finished =
        process::run(command, request.timeout, request.spawn).map_err(failed("run the binary"))?;
    let records = records::read(&file, BOUNDS).map_err(failed("read the seeds"))?;
    take(request, records, &finished)
}

fn command(request: Request<'_>, file: &Path, cache: &Path) -> io::Result<Command> {
    let mut cache_flag = OsString::from("-test.fuzzcachedir=");
    cache_flag.push(cache);
    let mut command = Command::new(absolute(request.program)?);
    command
        .arg0(absolute(request.shim)?)
        .args(["-test.paniconexit0", "-test.run=^$", "-test.parallel=1", "-test.timeout=0"])
        .arg(format!("-test.fuzz=^{}$", request.test))
        .arg(cache_flag)
        .env(shim::OUTPUT_ENV, file)
        .current_dir(request.directory);
    Ok(command)
}

/// The paths must hold in the directory of the package too.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// The last record is the `Fuzz` call; with it the harvest is complete, however the binary ended.
fn take(
    request: Request<'_>,
    records: Result<Vec<Record>, TooMany>,
    finished: &Finished,
) -> Result<Harvest, HarvestError> {
    let test = || request.test.to_owned();
    let records = records.map_err(|TooMany| HarvestError::TooMany { test: test() })?;
    let Some(Record::Fuzz(last)) = records.last() else {
        return Err(match finished.ended {
            Ended::TimedOut => {
                HarvestError::TimedOut { test: test(), seconds: request.timeout.as_secs() }
            }
            Ended::Exited(status) if status.success() => HarvestError::Skipped { test: test() },
            Ended::Exited(_) => HarvestError::Failed { test: test(), output: output(finished) },
        });
    };
    let values =
        text::decode(last).map_err(|problem| HarvestError::Text { test: test(), problem })?;
    let types = values.iter().map(Value::value_type).collect();
    let mut seen = HashSet::new();
    let are_new: Vec<bool> = records
        .iter()
        .map(|record| matches!(record, Record::Warmup(text) if seen.insert(text)))
        .collect();
    let seeds = records.into_iter().zip(are_new).filter_map(|(record, is_new)| match record {
        Record::Warmup(text) => is_new.then_some(text),
        Record::Fuzz(_) => None,
    });
    Ok(Harvest { types, seeds: seeds.collect() })
}

/// The end of both outputs: Go's test log is standard output, a panic standard error.
fn output(finished: &Finished) -> String {
    let both = [finished.stdout.excerpt(), finished.stderr.excerpt()];
    both.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests;
