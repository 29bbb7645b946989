//! The Go toolchain, and the Go fixture built with it.
//!
//! Owns: where the toolchain is looked for, and the sentence when there is none.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::programs::{command, fixture, fixture_target};

/// The `go` program to test with: `FUZZD_GO`, or else the one in the search path. `None`: there is
/// none, which is said once.
///
/// # Panics
///
/// If `FUZZD_GO` names something that is no `go` program: whoever set it wants no tests skipped.
#[must_use]
pub fn toolchain() -> Option<&'static Path> {
    static TOOLCHAIN: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = TOOLCHAIN.get_or_init(|| {
        let named = std::env::var_os("FUZZD_GO").filter(|name| !name.is_empty());
        let found = find(named.map(PathBuf::from));
        if found.is_none() {
            // Past the capture of test output: scripts/test lists it.
            let reason =
                "skipped: tests with Go, there is no toolchain (scripts/go-toolchain gets one)";
            writeln!(std::io::stderr(), "{reason}").expect("stderr takes a line");
        }
        found
    });
    found.as_deref()
}

fn find(named: Option<PathBuf>) -> Option<PathBuf> {
    let is_go = |program: &Path| {
        go(program).arg("version").output().is_ok_and(|output| output.status.success())
    };
    match named {
        Some(program) => {
            let name = program.display();
            assert!(is_go(&program), "FUZZD_GO is {name}, but `{name} version` does not work");
            Some(program)
        }
        None => Some(PathBuf::from("go")).filter(|program| is_go(program)),
    }
}

/// The release of the toolchain, such as `go1.27.3`.
#[must_use]
pub fn release(toolchain: &Path) -> String {
    setting(toolchain, "GOVERSION")
}

/// The folder the toolchain lies in, with `bin/go`.
#[must_use]
pub fn root(toolchain: &Path) -> PathBuf {
    setting(toolchain, "GOROOT").into()
}

fn setting(toolchain: &Path, name: &str) -> String {
    let output = go(toolchain).args(["env", name]).output().expect("go starts");
    assert!(output.status.success(), "go env {name}: {}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The directory of the fixture's package.
#[must_use]
pub fn package() -> PathBuf {
    fixture("go")
}

/// The test binary of the fixture, instrumented. `None`: there is no toolchain.
#[must_use]
pub fn test_binary() -> Option<&'static Path> {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let toolchain = toolchain()?;
    Some(BINARY.get_or_init(|| build(toolchain, "zoo.test", &["-fuzz=."])))
}

/// The test binary of the faults to find, instrumented. `None`: there is no toolchain.
#[must_use]
pub fn targets() -> Option<&'static Path> {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let toolchain = toolchain()?;
    Some(BINARY.get_or_init(|| {
        build_package(toolchain, &fixture("go_targets"), "targets.test", &["-fuzz=."])
    }))
}

/// A package of the suite: the root, or a directory below it with a build of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Everything that needs nothing special.
    Root,
    /// Calls C.
    Cgo,
    /// With the race detector.
    Race,
}

/// The test binary of a package of the suite, instrumented. `None`: there is no toolchain.
#[must_use]
pub fn suite(which: Suite) -> Option<&'static Path> {
    static BINARIES: [OnceLock<PathBuf>; 3] = [const { OnceLock::new() }; 3];
    let toolchain = toolchain()?;
    // Some of its fuzz tests are malformed on purpose.
    let (index, folder, name, flags): (_, _, _, &[&str]) = match which {
        Suite::Root => (0, "", "suite.test", &["-fuzz=.", "-vet=off"]),
        Suite::Cgo => (1, "cgo", "suite_cgo.test", &["-fuzz=."]),
        Suite::Race => (2, "race", "suite_race.test", &["-fuzz=.", "-race"]),
    };
    let package = fixture("go_suite").join(folder);
    Some(BINARIES[index].get_or_init(|| build_package(toolchain, &package, name, flags)))
}

/// Runs `go test` with these arguments in a directory. Whether it passed, and what it wrote.
#[must_use]
pub fn test(toolchain: &Path, directory: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = go(toolchain);
    let output = command.arg("test").args(arguments).current_dir(directory).output();
    let output = output.expect("go starts");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Copies the package of the faults to find.
pub fn copy_targets(to: &Path) {
    for name in ["go.mod", "targets.go", "targets_test.go"] {
        let from = fixture("go_targets").join(name);
        std::fs::copy(from, to.join(name)).expect("a file can be copied");
    }
}

/// The variables that go is run with: without the settings of whoever runs the tests, and without
/// the network.
#[must_use]
pub fn environment() -> Vec<(&'static str, OsString)> {
    let target = fixture_target().join("go");
    vec![
        ("GOCACHE", target.join("cache").into()),
        ("GOPATH", target.join("path").into()),
        ("GOENV", "off".into()),
        ("GOFLAGS", "".into()),
        ("GOPROXY", "off".into()),
        ("GOTOOLCHAIN", "local".into()),
    ]
}

/// The search path with the toolchain in front, for a program that calls `go` by itself.
#[must_use]
pub fn search_path(toolchain: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folder = toolchain.parent().filter(|folder| folder.is_absolute());
    let folders = folder.map(Path::to_owned).into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(folders).expect("folders of a search path make one")
}

/// The test binary of the fixture under this name, built with more flags of `go test -c`.
#[must_use]
pub fn build(toolchain: &Path, name: &str, flags: &[&str]) -> PathBuf {
    build_package(toolchain, &package(), name, flags)
}

/// A worker that is checked against the protocol. `None`: there is no toolchain.
#[must_use]
pub fn steps_binary() -> Option<&'static Path> {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let toolchain = toolchain()?;
    let build = || build_package(toolchain, &fixture("go_worker"), "steps.test", &["-fuzz=."]);
    Some(BINARY.get_or_init(build))
}

fn build_package(toolchain: &Path, package: &Path, name: &str, flags: &[&str]) -> PathBuf {
    let binary = fixture_target().join("go").join(name);
    let output = go(toolchain)
        .args(["test", "-c", "-o"])
        .arg(&binary)
        .args(flags)
        .arg(".")
        .current_dir(package)
        .output()
        .expect("go starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} does not build:\n{stderr}");
    binary
}

fn go(toolchain: &Path) -> Command {
    let mut command = command(toolchain);
    command.envs(environment()).stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "FUZZD_GO is /no/such/go, but `/no/such/go version` does not work")]
    fn a_named_toolchain_that_does_not_work_is_no_reason_to_skip() {
        drop(find(Some("/no/such/go".into())));
    }

    #[test]
    #[should_panic(expected = "FUZZD_GO is false, but `false version` does not work")]
    fn a_program_that_fails_is_no_toolchain() {
        drop(find(Some("false".into())));
    }
}
