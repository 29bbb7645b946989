//! The `RUSTC_WRAPPER` of an instrumented build: this very executable, started by cargo in the
//! place of rustc, as `fuzzd <rustc> <arguments…>` (or `fuzzd <workspace wrapper> <rustc> …`).
//!
//! It adds the flags that instrument to every crate that is compiled for the target, except the
//! runtime and what only the runtime uses, and then becomes the compiler. Build scripts and
//! procedural macros are compiled for the host, without `--target`: they stay as they are.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use serde::{Deserialize, Serialize};

use super::conflicts;
use crate::output::complain;

/// Set to [`Settings`] as JSON: act as the compiler wrapper.
pub(crate) const SETTINGS_ENV: &str = "FUZZD_RUSTC_WRAPPER";

/// What the build tells the wrapper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Added to each instrumented compilation.
    pub(crate) flags: Vec<String>,
    /// Packages that stay as they are.
    pub(crate) uninstrumented: Vec<Package>,
    /// The user's own wrapper, put around the compiler.
    pub(crate) inner: Option<PathBuf>,
}

/// One package as cargo names it to the compiler's environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What to do with one call of the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// Pass it on.
    Plain,
    /// Pass it on with the flags.
    Instrument,
}

/// Becomes the compiler. Returns only if that fails.
pub(crate) fn main(settings: &OsStr, arguments: Vec<OsString>) -> ExitCode {
    let parsed = settings.to_str().and_then(|text| serde_json::from_str(text).ok());
    let Some(settings) = parsed else {
        return refuse(&format!("{SETTINGS_ENV} is for fuzzd's own use"));
    };
    let Some((compiler, rest)) = arguments.split_first() else {
        return refuse("the compiler wrapper was started without a compiler");
    };
    let words = words(rest);
    let decision = decide(&words, compiled_package().as_ref(), &settings);
    let mut command = match &settings.inner {
        Some(inner) => {
            let mut command = Command::new(inner);
            command.arg(compiler);
            command
        }
        None => Command::new(compiler),
    };
    command.args(rest);
    match decision {
        Decision::Plain => {}
        Decision::Instrument => {
            if let Some(conflict) = conflicts::in_flags(&words) {
                return refuse(&format!("{}: {}", conflict.flag, conflict.reason));
            }
            command.args(&settings.flags);
        }
    }
    let error = command.exec();
    refuse(&format!("failed to start {}: {error}", command.get_program().display()))
}

fn refuse(problem: &str) -> ExitCode {
    complain(problem, None);
    ExitCode::FAILURE
}

fn compiled_package() -> Option<Package> {
    let name = std::env::var("CARGO_PKG_NAME").ok()?;
    let version = std::env::var("CARGO_PKG_VERSION").ok()?;
    Some(Package { name, version })
}

/// The arguments as text, with the files that stand for many of them (`@file`) read.
fn words(arguments: &[OsString]) -> Vec<String> {
    let mut words = Vec::new();
    for argument in arguments {
        let argument = argument.to_string_lossy();
        match argument.strip_prefix('@').and_then(|path| std::fs::read_to_string(path).ok()) {
            Some(text) => words.extend(text.lines().map(str::to_owned)),
            None => words.push(argument.into_owned()),
        }
    }
    words
}

/// Instruments real crates that are compiled for the target, outside the given packages.
fn decide(arguments: &[String], package: Option<&Package>, settings: &Settings) -> Decision {
    let asks_only = arguments.iter().any(|word| word == "--print" || word.starts_with("--print="));
    let is_crate = value(arguments, "--crate-name").is_some_and(|name| name != "___");
    let is_for_target = value(arguments, "--target").is_some();
    let is_left_out = package.is_some_and(|package| settings.uninstrumented.contains(package));
    if !asks_only && is_crate && is_for_target && !is_left_out {
        Decision::Instrument
    } else {
        Decision::Plain
    }
}

/// The value of `--name value` or `--name=value`.
fn value<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == name {
            return rest.next().map(String::as_str);
        }
        if let Some(value) = argument.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> Package {
        Package { name: name.into(), version: version.into() }
    }

    fn decision(arguments: &str, package_name: &str) -> Decision {
        let settings = Settings {
            flags: vec!["-Cpasses=sancov-module".into()],
            uninstrumented: vec![package("fuzzd-worker", "0.1.0"), package("rand", "0.9.0")],
            inner: None,
        };
        let words: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        decide(&words, Some(&package(package_name, "0.1.0")), &settings)
    }

    #[test]
    fn crates_of_the_target_are_instrumented() {
        let line = "--crate-name app --edition=2024 src/lib.rs --target x86_64-unknown-linux-gnu";
        assert_eq!(decision(line, "app"), Decision::Instrument);
        // The same package in another version than the one that only the runtime uses.
        assert_eq!(decision(line, "rand"), Decision::Instrument);
        assert_eq!(decision("--crate-name=app --target=x src/lib.rs", "app"), Decision::Instrument);
    }

    #[test]
    fn the_runtime_is_left_alone() {
        assert_eq!(
            decision("--crate-name fuzzd_worker --target x", "fuzzd-worker"),
            Decision::Plain
        );
    }

    #[test]
    fn build_scripts_macros_and_questions_are_left_alone() {
        for line in [
            "--crate-name build_script_build build.rs",
            "--crate-name my_macro --crate-type proc-macro src/lib.rs",
            "- --crate-name ___ --print=file-names --target x",
            "--crate-name app --print cfg --target x",
            "-vV",
        ] {
            assert_eq!(decision(line, "app"), Decision::Plain, "{line}");
        }
    }

    #[test]
    fn arguments_in_a_file_are_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("arguments");
        std::fs::write(&path, "--crate-name\napp\n--target\nx\n").unwrap();
        let read = words(&[format!("@{}", path.display()).into()]);
        assert_eq!(read, ["--crate-name", "app", "--target", "x"]);
    }

    #[test]
    fn settings_survive_the_environment() {
        let settings = Settings {
            flags: vec!["--check-cfg".into(), "cfg(fuzzing)".into()],
            uninstrumented: vec![package("a", "1.0.0")],
            inner: Some("/usr/bin/sccache".into()),
        };
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings);
    }
}
