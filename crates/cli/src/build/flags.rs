//! The flags that instrument, and which of them this compiler takes.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::BuildError;
use super::toolchain::Toolchain;
use crate::limits::SHOWN_OUTPUT_BYTES_MAX;

/// Edge counters with their table of places, and callbacks at comparisons.
const NEEDED: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=3",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Faster (callbacks behind a gate) and seeing more (comparisons of short texts stay calls). Older
/// compilers do not know them; without them everything works, only slower.
const WANTED: &[&str] = &[
    "-Cllvm-args=-sanitizer-coverage-gated-trace-callbacks",
    "-Cllvm-args=-max-loads-per-memcmp=0",
];

/// What crates can ask for with `#[cfg(fuzzing)]`.
const CONFIGURATION: &[&str] = &["--cfg", "fuzzing", "--check-cfg", "cfg(fuzzing)"];

/// Something to instrument: a branch, a comparison of numbers and one of texts.
const TRIAL: &str = "pub fn trial(text: &[u8], number: u32) -> bool { \
                     number == 77 || text.starts_with(b\"trial\") }";

/// The flags for every crate of the target, tried on this compiler.
pub(super) fn supported(toolchain: &Toolchain, scratch: &Path) -> Result<Vec<String>, BuildError> {
    let all: Vec<&str> = [NEEDED, WANTED, CONFIGURATION].concat();
    if try_flags(toolchain, &all, scratch)?.is_ok() {
        return Ok(owned(&all));
    }
    let fewer: Vec<&str> = [NEEDED, CONFIGURATION].concat();
    match try_flags(toolchain, &fewer, scratch)? {
        Ok(()) => Ok(owned(&fewer)),
        Err(message) => {
            Err(BuildError::NoInstrumentation { rustc: toolchain.rustc.clone(), message })
        }
    }
}

fn owned(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

/// Compiles a few lines with `flags`; the compiler's own words if it refuses.
fn try_flags(
    toolchain: &Toolchain,
    flags: &[&str],
    scratch: &Path,
) -> Result<Result<(), String>, BuildError> {
    let object = scratch.join(format!("trial-{}.o", std::process::id()));
    let mut arguments = vec!["--crate-name=trial", "--crate-type=lib", "--emit=obj"];
    arguments.extend(["--edition=2021", "-Copt-level=1", "-Ccodegen-units=1"]);
    arguments.extend(flags);
    let outcome = compile(&toolchain.rustc, &arguments, TRIAL, &object);
    // It was never read; a leftover changes nothing.
    std::fs::remove_file(&object).unwrap_or_default();
    outcome
}

/// Runs rustc over `source`, writing `output`; the compiler's own words if it refuses.
pub(super) fn compile(
    rustc: &Path,
    arguments: &[&str],
    source: &str,
    output: &Path,
) -> Result<Result<(), String>, BuildError> {
    let failed = |source| BuildError::Start { program: rustc.to_owned(), source };
    let mut child = Command::new(rustc)
        .args(arguments)
        .arg("-o")
        .arg(output)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A compiler that ends early (unknown flag) does not read; its exit status says so.
        stdin.write_all(source.as_bytes()).unwrap_or_default();
    }
    let finished = child.wait_with_output().map_err(failed)?;
    if finished.status.success() {
        return Ok(Ok(()));
    }
    let words = String::from_utf8_lossy(&finished.stderr);
    let end = words.floor_char_boundary(SHOWN_OUTPUT_BYTES_MAX);
    Ok(Err(words[..end].trim().to_owned()))
}
