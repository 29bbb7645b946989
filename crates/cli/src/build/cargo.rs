//! One instrumented `cargo test --no-run`, and the executables that come out of it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, Message};
use sha2::{Digest, Sha256};

use super::config::CargoConfig;
use super::toolchain::{Toolchain, forget_outer_cargo};
use super::wrapper::{SETTINGS_ENV, Settings};
use super::{BuildError, FuzzPackage, InUse, Workspace, conflicts, flags, stub, upkeep};
use crate::args::CargoArgs;
use crate::render::escape::shell_word;

/// The packages of the runtime that run inside a worker.
const ENGINE_PACKAGES: [&str; 5] =
    ["fuzzd", "fuzzd-core", "fuzzd-protocol", "fuzzd-shm", "fuzzd-worker"];

/// What to build, and how.
#[derive(Debug)]
pub(crate) struct BuildOptions<'a> {
    pub(crate) cargo: &'a CargoArgs,
    pub(crate) config: &'a CargoConfig,
    pub(crate) toolchain: &'a Toolchain,
    pub(crate) workspace: &'a Workspace,
    /// The packages to build, at least one.
    pub(crate) packages: &'a [FuzzPackage],
    /// Without, the executables can be fuzzed only blindly.
    pub(crate) is_instrumented: bool,
}

/// One test executable.
#[derive(Debug, Clone)]
pub(crate) struct TestExecutable {
    pub(crate) path: PathBuf,
    pub(crate) package: FuzzPackage,
    /// The name of the cargo target: the package's library, or a file in `tests/`.
    pub(crate) target: String,
    /// The option by which cargo runs only this target.
    pub(crate) target_option: String,
    /// Directories with shared libraries that it may need, as `cargo test` would set them.
    pub(crate) library_path: Vec<PathBuf>,
}

/// What came out of a build.
#[derive(Debug)]
pub(crate) struct Executables {
    pub(crate) all: Vec<TestExecutable>,
    /// Keeps them where they are.
    pub(crate) in_use: InUse,
}

/// Builds, and removes old builds with other settings. What the compiler has to say goes to stderr
/// as it comes.
pub(crate) fn build(options: &BuildOptions<'_>) -> Result<Executables, BuildError> {
    let top = options.workspace.target_directory.join("fuzzd");
    writable(&top).map_err(|source| BuildError::Write { path: top.clone(), source })?;
    let settings = settings(options, &top)?;
    let directory = top.join(key(options, &settings));
    let in_use = upkeep::in_use(&directory);
    let mut command = command(options, &directory);
    match &settings {
        Some(settings) => wrap(&mut command, settings)?,
        None => {
            command.env_remove(SETTINGS_ENV);
        }
    }
    let started = |source| BuildError::Start { program: options.toolchain.cargo.clone(), source };
    let mut child = command.spawn().map_err(started)?;
    let found = match child.stdout.take() {
        Some(stdout) => executables(options, BufReader::new(stdout)),
        None => Ok(Vec::new()),
    };
    let status = child.wait().map_err(BuildError::Messages)?;
    if !status.success() {
        return Err(BuildError::Failed);
    }
    upkeep::remove_unused(&top, &directory);
    Ok(Executables { all: found?, in_use })
}

/// Makes sure of `directory`, so that a compiler that cannot write there is not blamed for it.
fn writable(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let trial = directory.join(format!("trial-{}", std::process::id()));
    std::fs::write(&trial, "")?;
    std::fs::remove_file(&trial)
}

/// What the wrapper has to know; `None` for a build without instrumentation.
fn settings(options: &BuildOptions<'_>, top: &Path) -> Result<Option<Settings>, BuildError> {
    if !options.is_instrumented {
        return Ok(None);
    }
    let toolchain = options.toolchain;
    conflicts::check(options.config, &toolchain.host)?;
    let mut flags = flags::supported(toolchain, top)?;
    let mut stub_flag = "-Clink-arg=".to_owned();
    stub_flag.push_str(&stub::archive(top, toolchain)?.to_string_lossy());
    flags.push(stub_flag);
    if toolchain.host.contains("linux") {
        flags.push("-Clink-arg=-Wl,--build-id".to_owned());
    }
    Ok(Some(Settings {
        flags,
        uninstrumented: options.workspace.uninstrumented.clone(),
        inner: options.config.rustc_wrapper(),
    }))
}

/// Everything that makes the same source compile to something else has a directory of its own:
/// cargo does not know about flags that a wrapper adds.
fn key(options: &BuildOptions<'_>, settings: &Option<Settings>) -> String {
    let mut parts = vec![env!("CARGO_PKG_VERSION").to_owned(), options.toolchain.version.clone()];
    if let Some(settings) = settings {
        parts.extend(settings.flags.iter().cloned());
        let names = settings.uninstrumented.iter();
        parts.extend(names.map(|package| format!("{} {}", package.name, package.version)));
    }
    fingerprint(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// 16 hexadecimal digits that name `parts`.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Settings of the profile that fuzzing needs, whatever the user's profile says: the checks are
/// what tells a bug, and link-time optimization would come after the instrumentation.
fn profile(inherits: &str) -> Vec<String> {
    let settings = [
        format!("profile.fuzzd.inherits={inherits:?}"),
        "profile.fuzzd.debug-assertions=true".to_owned(),
        "profile.fuzzd.overflow-checks=true".to_owned(),
        "profile.fuzzd.lto=\"off\"".to_owned(),
        "profile.fuzzd.panic=\"unwind\"".to_owned(),
        "profile.fuzzd.strip=\"none\"".to_owned(),
        "profile.fuzzd.debug=\"line-tables-only\"".to_owned(),
    ];
    // The runtime is not under test, and runs between any two executions: it is built for speed,
    // whatever the user's own code is built for.
    let runtime = ENGINE_PACKAGES.iter().flat_map(|package| {
        ["debug-assertions=false", "overflow-checks=false", "opt-level=3", "codegen-units=1"]
            .map(|setting| format!("profile.fuzzd.package.{package}.{setting}"))
    });
    let settings = settings.into_iter().chain(runtime);
    settings.flat_map(|setting| ["--config".to_owned(), setting]).collect()
}

fn command(options: &BuildOptions<'_>, directory: &Path) -> Command {
    let arguments = options.cargo;
    let mut command = Command::new(&options.toolchain.cargo);
    command.args(["test", "--no-run", "--tests", "--profile", "fuzzd"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    command.args(["--target", &options.toolchain.host]);
    command.args(profile(&arguments.profile));
    command.arg("--target-dir").arg(directory);
    if let Some(path) = &arguments.manifest_path {
        command.arg("--manifest-path").arg(path);
    }
    for package in options.packages {
        command.args(["--package", &package.id]);
    }
    for features in &arguments.features {
        command.args(["--features", features]);
    }
    for (is_set, flag) in [
        (arguments.all_features, "--all-features"),
        (arguments.no_default_features, "--no-default-features"),
        (arguments.locked, "--locked"),
        (arguments.offline, "--offline"),
    ] {
        if is_set {
            command.arg(flag);
        }
    }
    forget_outer_cargo(&mut command);
    // A build directory shared with uninstrumented builds would mix the two.
    command.env("CARGO_BUILD_BUILD_DIR", directory);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Puts this executable in the place of the compiler.
fn wrap(command: &mut Command, settings: &Settings) -> Result<(), BuildError> {
    let unusable = |message: String| BuildError::Wrapper { message };
    let program = std::env::current_exe().map_err(|error| unusable(error.to_string()))?;
    let text = serde_json::to_string(settings).map_err(|error| unusable(error.to_string()))?;
    command.env("RUSTC_WRAPPER", program).env(SETTINGS_ENV, text);
    Ok(())
}

fn executables(
    options: &BuildOptions<'_>,
    messages: impl std::io::BufRead,
) -> Result<Vec<TestExecutable>, BuildError> {
    let mut found = Vec::new();
    let mut library_path: BTreeSet<PathBuf> = BTreeSet::new();
    for message in Message::parse_stream(messages) {
        match message.map_err(BuildError::Messages)? {
            Message::CompilerArtifact(artifact) => {
                found.extend(executable(options.packages, artifact));
            }
            Message::BuildScriptExecuted(script) => {
                let paths = script.linked_paths.iter().map(|path| path.as_str());
                // `native=/path` and the like: the kind is for the linker only.
                library_path.extend(
                    paths.map(|path| path.split_once('=').map_or(path, |(_, path)| path).into()),
                );
            }
            // Diagnostics were rendered by cargo; everything else is for other programs.
            _ => {}
        }
    }
    library_path.retain(|path| path.starts_with(&options.workspace.target_directory));
    for executable in &mut found {
        let dependencies = executable.path.parent().map(Path::to_owned);
        executable.library_path = library_path.iter().cloned().chain(dependencies).collect();
    }
    found.sort_by(|one, other| {
        (&one.package.name, &one.target).cmp(&(&other.package.name, &other.target))
    });
    Ok(found)
}

fn executable(packages: &[FuzzPackage], artifact: Artifact) -> Option<TestExecutable> {
    let path = artifact.executable.filter(|_| artifact.profile.test)?;
    let package = packages.iter().find(|package| package.id == artifact.package_id.repr)?;
    Some(TestExecutable {
        path: path.into(),
        package: package.clone(),
        target_option: target_option(&artifact.target),
        target: artifact.target.name,
        library_path: Vec::new(),
    })
}

fn target_option(target: &cargo_metadata::Target) -> String {
    let name = shell_word(&target.name);
    if target.is_test() {
        format!("--test {name}")
    } else if target.is_bin() {
        format!("--bin {name}")
    } else if target.is_example() {
        format!("--example {name}")
    } else if target.is_bench() {
        format!("--bench {name}")
    } else {
        "--lib".to_owned()
    }
}

impl TestExecutable {
    /// The value of `LD_LIBRARY_PATH` for it: its own directories, then those set already.
    pub(crate) fn library_path_variable(&self) -> OsString {
        let present = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let present = std::env::split_paths(&present).filter(|path| !path.as_os_str().is_empty());
        let all: Vec<PathBuf> = self.library_path.iter().cloned().chain(present).collect();
        std::env::join_paths(all).unwrap_or_default()
    }
}
