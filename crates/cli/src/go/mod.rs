//! Fuzz tests of Go: which ones a test binary has, and how their workers are started.
//!
//! Owns the command lines. What a Go worker is told and what it answers is the coordinator's
//! matter; what the file says of itself is [`fuzzd_go`]'s.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use fuzzd_coordinator::{Dialect, GoTarget};
use fuzzd_go::binary::{self, GoTestBinary};
use fuzzd_go::process::spawn;

use crate::discover::{DiscoverError, select};
use crate::error::CliError;
use crate::invocation;
use crate::planned::Planned;
use crate::render::TestView;

/// A test binary, and where it is at home.
#[derive(Debug)]
pub(crate) struct Binary<'a> {
    /// Absolute.
    pub(crate) path: PathBuf,
    /// As people named it.
    pub(crate) given: &'a Path,
    /// The directory of its package, as far as it is known.
    pub(crate) directory: PathBuf,
}

/// The fuzz tests of a binary, or the one called `name`.
pub(crate) fn tests_of(
    inspected: GoTestBinary,
    binary: &Binary<'_>,
    name: Option<&str>,
) -> Result<Vec<Planned>, CliError> {
    let unusable =
        |problem: String| DiscoverError::Unusable { path: binary.given.to_owned(), problem };
    let tests = match inspected.fuzz_tests {
        Some(tests) => tests,
        None => binary::list(&binary.path, &binary.directory, spawn)
            .map_err(|error| unusable(error.to_string()))?,
    };
    if tests.is_empty() {
        let problem = format!("{} has no fuzz tests", inspected.package);
        return Err(unusable(problem).into());
    }
    let shim = std::env::current_exe().map_err(CliError::OwnProgram)?;
    let counters_max = inspected.counter_bytes.unwrap_or(0);
    let counters_max = usize::try_from(counters_max).unwrap_or(usize::MAX);
    let chosen = tests.iter().filter(|test| name.is_none_or(|name| *test == name));
    let target = |test: &str| GoTarget { test: test.to_owned(), shim: shim.clone(), counters_max };
    let planned: Vec<Planned> = chosen.map(|test| planned(target(test), binary)).collect();
    if planned.is_empty() {
        let name = name.unwrap_or_default().to_owned();
        let near = select::near(&name, tests.iter().map(String::as_str));
        return Err(DiscoverError::UnknownTest { name, near }.into());
    }
    Ok(planned)
}

fn planned(target: GoTarget, binary: &Binary<'_>) -> Planned {
    let test = target.test.clone();
    let request = format!("{}:{test}", binary.given.to_string_lossy());
    Planned {
        testdata: binary.directory.join("testdata/fuzz").join(&test),
        view: TestView {
            name: test.clone(),
            types: Vec::new(),
            cargo_test: None,
            go_test: Some(test.clone()),
            replay: invocation::replay_program(&request),
        },
        program: binary.path.clone(),
        arguments: worker_arguments(&test),
        environment: Vec::new(),
        directory: binary.directory.clone(),
        can_show: false,
        dialect: Dialect::Go(target),
    }
}

/// What makes a test binary the worker of one fuzz test. It wants to know a cache, and never looks
/// there.
fn worker_arguments(test: &str) -> Vec<OsString> {
    let fuzz = format!("-test.fuzz=^{test}$");
    let flags = ["-test.fuzzworker", "-test.paniconexit0", "-test.fuzzcachedir=/nonexistent"];
    flags.into_iter().chain(["-test.run=^$", &fuzz]).map(OsString::from).collect()
}
