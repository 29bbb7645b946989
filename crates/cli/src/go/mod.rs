//! Fuzz tests of Go: which ones a test binary has, and how their workers are started.
//!
//! Owns the command lines. What a Go worker is told and what it answers is the coordinator's
//! matter; what the file says of itself is [`fuzzd_go`]'s.

pub(crate) mod build;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fuzzd_coordinator::{Dialect, GoTarget};
use fuzzd_go::binary::{self, GoTestBinary};
use fuzzd_go::process::spawn;

pub(crate) use self::build::{GoBuildError, PackageRequest};
use crate::discover::{DiscoverError, select};
use crate::error::CliError;
use crate::invocation;
use crate::planned::Planned;
use crate::render::TestView;
use crate::render::escape::shell_word;

/// A test binary, and where it is at home.
#[derive(Debug)]
pub(crate) struct Binary<'a> {
    /// Absolute.
    pub(crate) path: PathBuf,
    /// As people named it.
    pub(crate) given: &'a Path,
    /// The directory of its package, as far as it is known.
    pub(crate) directory: PathBuf,
    /// The package that it was built from, in the words of a request.
    pub(crate) package: Option<Package>,
}

/// A package of a module.
#[derive(Debug)]
pub(crate) struct Package {
    /// As `go test` takes it.
    path: String,
    /// Where in its module it is, with dots.
    place: String,
}

/// Builds a package, or all below a directory, and plans its fuzz tests.
pub(crate) fn tests_of_packages(
    request: &PackageRequest,
    state: &Path,
) -> Result<Vec<Planned>, CliError> {
    let mut planned = Vec::new();
    let mut known = Vec::new();
    for built in request.build(state)? {
        let given = std::env::current_dir().ok().and_then(|here| {
            let below = built.directory.strip_prefix(here).ok()?;
            Some(Path::new(".").join(below))
        });
        let given = given.unwrap_or_else(|| built.directory.clone());
        let path = given.to_string_lossy().into_owned();
        let unusable = |problem| DiscoverError::Unusable { path: given.clone(), problem };
        let inspected = binary::inspect(&built.program);
        let inspected = inspected.map_err(|error| unusable(error.to_string()))?;
        let inspected = inspected.ok_or_else(|| unusable("not a Go test binary".to_owned()))?;
        let binary = Binary {
            path: built.program,
            given: &given,
            directory: built.directory,
            package: Some(Package { path, place: built.place }),
        };
        let tests = fuzz_tests(inspected, &binary)?;
        known.extend(tests.names.iter().cloned());
        planned.extend(tests.planned(&binary, request.test.as_deref())?);
    }
    if planned.is_empty() {
        return Err(match &request.test {
            Some(name) => unknown(name, &known).into(),
            None => GoBuildError::NoTests(request.given.clone()).into(),
        });
    }
    Ok(planned)
}

/// The fuzz tests of one binary.
struct FuzzTests {
    names: Vec<String>,
    package: String,
    counters_max: usize,
}

fn fuzz_tests(inspected: GoTestBinary, binary: &Binary<'_>) -> Result<FuzzTests, CliError> {
    let names = match inspected.fuzz_tests {
        Some(names) => names,
        None => binary::list(&binary.path, &binary.directory, spawn).map_err(|error| {
            let problem = error.to_string();
            DiscoverError::Unusable { path: binary.given.to_owned(), problem }
        })?,
    };
    let counters_max = inspected.counter_bytes.unwrap_or(0);
    let counters_max = usize::try_from(counters_max).unwrap_or(usize::MAX);
    Ok(FuzzTests { names, package: inspected.package, counters_max })
}

impl FuzzTests {
    /// How to start workers for all of them, or for the one called `name`.
    fn planned(&self, binary: &Binary<'_>, name: Option<&str>) -> Result<Vec<Planned>, CliError> {
        let shim = std::env::current_exe().map_err(CliError::OwnProgram)?;
        let chosen = self.names.iter().filter(|test| name.is_none_or(|name| *test == name));
        let target = |test: &String| GoTarget {
            test: test.clone(),
            shim: shim.clone(),
            cache: None,
            package: self.package.clone(),
            counters_max: self.counters_max,
        };
        Ok(chosen.map(|test| planned(target(test), binary)).collect())
    }
}

fn unknown(name: &str, known: &[String]) -> DiscoverError {
    let near = select::near(name, known.iter().map(String::as_str));
    DiscoverError::UnknownTest { name: name.to_owned(), near }
}

/// The fuzz tests of a binary that somebody else built, or the one called `name`.
pub(crate) fn tests_of(
    inspected: GoTestBinary,
    binary: &Binary<'_>,
    name: Option<&str>,
) -> Result<Vec<Planned>, CliError> {
    let tests = fuzz_tests(inspected, binary)?;
    if tests.names.is_empty() {
        let (path, problem) =
            (binary.given.to_owned(), format!("{} has no fuzz tests", tests.package));
        return Err(DiscoverError::Unusable { path, problem }.into());
    }
    let planned = tests.planned(binary, name)?;
    match name {
        Some(name) if planned.is_empty() => Err(unknown(name, &tests.names).into()),
        Some(_) | None => Ok(planned),
    }
}

fn planned(target: GoTarget, binary: &Binary<'_>) -> Planned {
    let test = target.test.clone();
    let request = format!("{}:{test}", binary.given.to_string_lossy());
    let (mut name, mut package) = (test.clone(), String::new());
    if let Some(Package { path, place }) = &binary.package {
        package = format!(" {}", shell_word(path));
        if !place.is_empty() {
            name = format!("{place}.{test}");
        }
    }
    Planned {
        testdata: binary.directory.join("testdata/fuzz").join(&test),
        view: TestView {
            name,
            types: Vec::new(),
            cargo_test: None,
            go_test: Some(format!("go test{package} -run={test}")),
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

/// Where `go test -fuzz` keeps its finds, for all fuzz tests of Go among these.
pub(crate) fn add_cache(targets: &mut [Planned]) -> Result<(), CliError> {
    let asked = Command::new("go").args(["env", "GOCACHE"]).stdin(Stdio::null()).output();
    let asked = asked.map_err(GoBuildError::Start)?;
    let cache = PathBuf::from(OsString::from_vec(asked.stdout.trim_ascii().to_vec()));
    if !asked.status.success() || !cache.is_absolute() {
        let next = "set GOCACHE, or name the directory with --seeds";
        return Err(CliError::usage("go does not say where its cache is", next));
    }
    for target in targets {
        if let Dialect::Go(go) = &mut target.dialect {
            go.cache = Some(cache.join("fuzz").join(&go.package).join(&go.test));
        }
    }
    Ok(())
}

/// What makes a test binary the worker of one fuzz test. It wants to know a cache, and never looks
/// there.
fn worker_arguments(test: &str) -> Vec<OsString> {
    let fuzz = format!("-test.fuzz=^{test}$");
    let flags = ["-test.fuzzworker", "-test.paniconexit0", "-test.fuzzcachedir=/nonexistent"];
    flags.into_iter().chain(["-test.run=^$", &fuzz]).map(OsString::from).collect()
}
