//! The programs under test: built once for all tests of a process.
//!
//! Owns: how they are built and where they come to lie. Everything goes below the target
//! directory that cargo uses for the workspace anyway.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::place::Place;

/// The root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the integration package lies in the root")
}

/// A command without what cargo tells the tests it runs: a cargo inside must not believe it.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_of_outer_cargo = name.starts_with("CARGO_")
            && !matches!(name.as_str(), "CARGO_HOME" | "CARGO_NET_OFFLINE" | "CARGO_BUILD_JOBS");
        if is_of_outer_cargo || name.starts_with("FUZZD_") || name == "RUST_BACKTRACE" {
            command.env_remove(name);
        }
    }
    command
}

/// The target directory of the workspace: the test itself was built into it.
fn target_directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let own = std::env::current_exe().expect("this executable has a path");
        // target/debug/deps/promises-0123456789abcdef
        let directory = own.ancestors().nth(3).expect("cargo puts tests three folders down");
        directory.to_owned()
    })
}

/// Where builds of fixtures go, apart from those of the workspace.
pub(crate) fn fixture_target() -> PathBuf {
    target_directory().join("fixtures")
}

/// The `fuzzd` program.
#[must_use]
pub fn fuzzd() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let target = target_directory();
        let status = command("cargo")
            .args(["build", "--workspace", "--bin", "fuzzd", "--bin", "cargo-fuzzd", "--quiet"])
            .arg("--manifest-path")
            .arg(repository().join("Cargo.toml"))
            .arg("--target-dir")
            .arg(target)
            .stdin(Stdio::null())
            .status()
            .expect("cargo starts");
        assert!(status.success(), "fuzzd does not build");
        let program = target.join("debug/fuzzd");
        assert!(program.is_file(), "{} was not built", program.display());
        program
    })
}

/// Plain cargo, as a user types it in a place.
#[must_use]
pub fn cargo(place: &Place) -> Command {
    let mut command = command("cargo");
    command.current_dir(place.path()).env("CARGO_TARGET_DIR", fixture_target());
    command
}

/// The instrumented executable with all fuzz tests of the zoo, built by fuzzd itself.
#[must_use]
pub fn zoo_executable() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let output = command(fuzzd())
            .args(["build", "--manifest-path"])
            .arg(fixture("zoo").join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", fixture_target())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .expect("fuzzd starts");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the zoo does not build:\n{stdout}\n{stderr}");
        let mut words = stdout.split_whitespace().map(Path::new);
        let path = words.find(|word| word.is_file() && word.to_string_lossy().contains("zoo-"));
        let path = path.unwrap_or_else(|| panic!("no executable of the zoo in:\n{stdout}"));
        path.to_owned()
    })
}

/// A worker in C, of this source below `integration/`, built with coverage by `compiler`.
#[must_use]
pub fn c_worker(source: &str, compiler: &str) -> PathBuf {
    let source = repository().join("integration").join(source);
    let name = source.file_stem().expect("a source has a name").to_string_lossy().into_owned();
    let folder = fixture_target().join("c");
    fs::create_dir_all(&folder).expect("a folder can be made");
    let program = folder.join(format!("{name}-{compiler}"));
    // Tests that run side by side build the same program.
    let partial = tempfile::NamedTempFile::new_in(&folder).expect("a file can be made");
    let partial = partial.into_temp_path();
    let output = command(compiler)
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g"])
        .args(["-fsanitize-coverage=trace-pc", "-o"])
        .args([partial.as_os_str(), source.as_os_str()])
        .output()
        .expect("there is a C compiler");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} does not build:\n{stderr}");
    partial.persist(&program).expect("a program can be put in place");
    program
}

/// The folder of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    repository().join("integration/fixtures").join(name)
}

/// Copies a fixture below `parent`, so that it can be changed; its dependency on fuzzd stays.
/// Returns the copy's `Cargo.toml`.
///
/// Each copy has a version of its own: cargo tells packages apart by their place in the workspace
/// and not on the disk, and two copies would overwrite each other's executables.
pub fn copy_fixture(name: &str, parent: &Path) -> PathBuf {
    static COPIES: AtomicU64 = AtomicU64::new(1);
    let copy = parent.join(name);
    let version = format!("version = \"0.1.{}\"", COPIES.fetch_add(1, Ordering::Relaxed));
    copy_folder(&fixture(name), &copy, &version);
    copy.join("Cargo.toml")
}

fn copy_folder(from: &Path, to: &Path, version: &str) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a fixture can be read") {
        let entry = entry.expect("a fixture can be read");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().expect("an entry has a kind");
        if kind.is_dir() {
            if entry.file_name() != "target" && entry.file_name() != "testdata" {
                copy_folder(&source, &target, version);
            }
        } else if entry.file_name() == "Cargo.toml" {
            let crates = format!("\"{}/crates/", repository().display());
            let text = fs::read_to_string(&source).expect("a manifest is text");
            let text = text
                .replace("\"../../../../crates/", &crates)
                .replace("\"../../../crates/", &crates)
                .replace("version = \"0.1.0\"", version);
            fs::write(&target, text).expect("a manifest can be written");
        } else {
            fs::copy(&source, &target).expect("a file can be copied");
        }
    }
}
