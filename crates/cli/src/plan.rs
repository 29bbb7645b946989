//! From what was typed to what is started: builds, finds the fuzz tests, and says how each one
//! becomes a worker.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fuzzd_coordinator::Dialect;
use fuzzd_protocol::value::ValueType;
use memchr::memmem;

use crate::args::CargoArgs;
use crate::build::config::CargoConfig;
use crate::build::toolchain::Toolchain;
use crate::build::{self, BuildOptions, Executables, InUse, TestExecutable, Workspace};
use crate::discover::{self, DiscoverError, FuzzTest, select};
use crate::error::CliError;
use crate::go;
use crate::invocation;
use crate::native;
use crate::places::{here, state_directory};
use crate::planned::{Planned, drop_repeated, worker_environment};
use crate::render::TestView;
use crate::request::{Program, Requests};

/// Everything that was asked for.
#[derive(Debug)]
pub(crate) struct Plan {
    /// At least one.
    pub(crate) targets: Vec<Planned>,
    /// Where the state lies unless it is said otherwise: the workspace, else this directory.
    pub(crate) root: PathBuf,
    /// Keeps what was built where it is; `None` if nothing was.
    pub(crate) in_use: Option<InUse>,
}

/// All fuzz tests of the workspace, built.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) workspace: Workspace,
    pub(crate) executables: Vec<TestExecutable>,
    pub(crate) tests: Vec<FuzzTest>,
    in_use: InUse,
}

/// Builds what `requests` names (all without any) and plans its workers. `state` is the state
/// directory that was asked for.
pub(crate) fn plan(
    requests: &[OsString],
    cargo: &CargoArgs,
    is_instrumented: bool,
    state: Option<&Path>,
) -> Result<Plan, CliError> {
    let requests = Requests::of(requests);
    let mut targets = Vec::new();
    let (mut root, mut in_use) = (None, None);
    if requests.has_workspace() {
        let built = build_tests(cargo, is_instrumented)?;
        for position in select::tests(&built.tests, &requests.names)? {
            targets.push(planned_test(&built.tests[position], &built, cargo, is_instrumented));
        }
        root = Some(built.workspace.root);
        in_use = Some(built.in_use);
    }
    for program in &requests.programs {
        targets.extend(planned_programs(program)?);
    }
    for package in &requests.packages {
        let module = root.get_or_insert_with(|| package.root()).clone();
        targets.extend(go::tests_of_packages(package, &state_directory(state, &module))?);
    }
    // Without a workspace, or without cargo, the state lies here.
    let root = root.or_else(|| build::workspace::root(None).ok().flatten());
    drop_repeated(&mut targets);
    refuse_twins(&targets)?;
    Ok(Plan { targets, root: root.unwrap_or_else(here), in_use })
}

/// Builds the fuzz tests of the packages asked for and finds them.
pub(crate) fn build_tests(cargo: &CargoArgs, is_instrumented: bool) -> Result<Built, CliError> {
    if let Some(path) = cargo.manifest_path.as_ref().filter(|path| !path.is_file()) {
        let problem = format!("--manifest-path {} is not a file", path.display());
        return Err(CliError::usage(problem, "give the path of a Cargo.toml"));
    }
    if let Some(path) = cargo.manifest_path.as_ref().filter(|path| !path.ends_with("Cargo.toml")) {
        let problem = format!("--manifest-path {} is not called Cargo.toml", path.display());
        return Err(CliError::usage(problem, "give the path of a Cargo.toml"));
    }
    let config = CargoConfig::read(&here(), |name| std::env::var_os(name))?;
    let toolchain = Toolchain::find(&config)?;
    let workspace = Workspace::read(cargo, &toolchain.host)?;
    let packages = select::packages(&workspace, &cargo.package)?;
    let Executables { all: executables, in_use } = build::build(&BuildOptions {
        cargo,
        config: &config,
        toolchain: &toolchain,
        workspace: &workspace,
        packages: &packages,
        is_instrumented,
    })?;
    let tests = discover::discover(&executables, workspace.packages.len() > 1)?;
    if tests.is_empty() {
        let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        return Err(DiscoverError::NoTests { packages: names.join(", ") }.into());
    }
    Ok(Built { workspace, executables, tests, in_use })
}

/// A test of a test executable is a worker when it is the only one that runs.
fn test_arguments(test_path: &str) -> Vec<OsString> {
    [test_path, "--exact", "--nocapture", "--test-threads=1", "--include-ignored"]
        .map(OsString::from)
        .to_vec()
}

fn types_of(names: &[String]) -> Vec<ValueType> {
    let types: Option<Vec<ValueType>> =
        names.iter().map(|name| ValueType::from_name(name)).collect();
    types.unwrap_or_default()
}

fn planned_test(
    test: &FuzzTest,
    built: &Built,
    cargo: &CargoArgs,
    is_instrumented: bool,
) -> Planned {
    let package = &test.executable.package;
    let mut environment = worker_environment();
    environment.extend([
        ("CARGO_MANIFEST_DIR".into(), package.root.clone().into()),
        ("CARGO_PKG_NAME".into(), package.name.clone().into()),
        ("CARGO_PKG_VERSION".into(), package.version.clone().into()),
        ("LD_LIBRARY_PATH".into(), test.executable.library_path_variable()),
    ]);
    let member = (built.workspace.members.len() > 1).then_some(package.name.as_str());
    // Names are filters to cargo: it runs every test with the name in its own.
    let is_matched_elsewhere = built.tests.iter().any(|other| {
        other.executable.package.id == package.id
            && other.executable.path != test.executable.path
            && other.test_path.contains(&test.test_path)
    });
    let target = is_matched_elsewhere.then_some(test.executable.target_option.as_str());
    Planned {
        view: TestView {
            name: test.name.clone(),
            types: types_of(&test.types),
            cargo_test: Some(invocation::cargo_test(cargo, member, target, &test.test_path)),
            go_test: None,
            replay: invocation::replay(cargo, is_instrumented, &test.name),
        },
        program: test.executable.path.clone(),
        arguments: test_arguments(&test.test_path),
        environment,
        directory: package.root.clone(),
        testdata: test.testdata.clone(),
        can_show: true,
        dialect: Dialect::Native,
    }
}

/// The fuzz tests of one executable; a program without any is one itself.
pub(crate) fn planned_programs(program: &Program) -> Result<Vec<Planned>, CliError> {
    let path = std::path::absolute(&program.path).unwrap_or_else(|_| program.path.clone());
    let unusable = |problem: &str| {
        let problem = problem.to_owned();
        DiscoverError::Unusable { path: program.path.clone(), problem }
    };
    let failed = |source| DiscoverError::Read { path: program.path.clone(), source };
    let metadata = std::fs::metadata(&path).map_err(failed)?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return Err(unusable("not an executable file").into());
    }
    let inspected = fuzzd_go::binary::inspect(&path);
    if let Some(binary) = inspected.map_err(|error| unusable(&error.to_string()))? {
        let (given, name) = (&program.path, program.name.as_deref());
        return go::tests_of(
            binary,
            &go::Binary { path, given, directory: here(), package: None },
            name,
        );
    }
    let markers = discover::scan_file(&path)?;
    if markers.is_empty() {
        if is_go(&path).map_err(failed)? {
            let problem = "a Go program, but no test binary; build one with go test -c -fuzz=.";
            return Err(unusable(problem).into());
        }
        return native::planned(program, &path);
    }
    let chosen = markers.iter().filter(|marker| {
        let test = marker.test_path();
        program
            .name
            .as_ref()
            .is_none_or(|name| *name == test || test.ends_with(&format!("::{name}")))
    });
    let planned: Vec<Planned> =
        chosen.map(|marker| from_marker(program, path.clone(), marker)).collect();
    if planned.is_empty() {
        let paths: Vec<String> = markers.iter().map(discover::marker::Marker::test_path).collect();
        let name = program.name.clone().unwrap_or_default();
        let near = select::near(&name, paths.iter().map(String::as_str));
        return Err(DiscoverError::UnknownTest { name, near }.into());
    }
    Ok(planned)
}

/// A fuzz test of a test executable that was built by somebody else.
fn from_marker(program: &Program, path: PathBuf, marker: &discover::marker::Marker) -> Planned {
    let test = marker.test_path();
    let request = format!("{}:{test}", program.path.to_string_lossy());
    Planned {
        view: TestView {
            name: test.clone(),
            types: types_of(&marker.types),
            cargo_test: None,
            go_test: None,
            replay: invocation::replay_program(&request),
        },
        program: path,
        arguments: test_arguments(&test),
        environment: worker_environment(),
        directory: here(),
        testdata: here().join("testdata/fuzz").join(test.replace("::", ".")),
        can_show: true,
        dialect: Dialect::Native,
    }
}

/// Whether the Go toolchain has left its mark.
fn is_go(path: &Path) -> std::io::Result<bool> {
    // Put together here, so that this very program does not contain it.
    let mark = [&[0xff_u8][..], b" Go ", b"buildinf:"].concat();
    Ok(memmem::find(&std::fs::read(path)?, &mark).is_some())
}

/// Two targets of one name would share one corpus.
fn refuse_twins(targets: &[Planned]) -> Result<(), CliError> {
    for (position, target) in targets.iter().enumerate() {
        let name = &target.view.name;
        if targets[..position].iter().any(|other| other.view.name == *name) {
            let problem = format!("two of the targets are called {name}");
            return Err(CliError::usage(problem, "run them one by one, each with a --state"));
        }
    }
    Ok(())
}
