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

/// Faster (callbacks behind a gate) and seeing more (comparisons of short texts stay calls, also
/// where code is made small). Older compilers do not know all of them; without any of them
/// everything works, only slower or blinder.
const WANTED: &[&str] = &[
    "-Cllvm-args=-sanitizer-coverage-gated-trace-callbacks",
    "-Cllvm-args=-max-loads-per-memcmp=0",
    "-Cllvm-args=-max-loads-per-memcmp-opt-size=0",
];

/// What crates can ask for with `#[cfg(fuzzing)]`.
const CONFIGURATION: &[&str] = &["--cfg", "fuzzing", "--check-cfg", "cfg(fuzzing)"];

/// Something to instrument: a branch, a comparison of numbers and one of texts.
const TRIAL: &str = "pub fn trial(text: &[u8], number: u32) -> bool { \
                     number == 77 || text.starts_with(b\"trial\") }";

/// The flags for every crate of the target, tried on this compiler.
pub(super) fn supported(toolchain: &Toolchain, scratch: &Path) -> Result<Vec<String>, BuildError> {
    taken(WANTED, |flags| try_flags(toolchain, flags, scratch))?.map_err(|message| {
        BuildError::NoInstrumentation { rustc: toolchain.rustc.clone(), message }
    })
}

/// All flags, or those that are needed and each of `wanted` that the compiler takes with them. The
/// compiler's own words if it does not take what is needed.
fn taken(
    wanted: &[&'static str],
    mut attempt: impl FnMut(&[&str]) -> Result<Result<(), String>, BuildError>,
) -> Result<Result<Vec<String>, String>, BuildError> {
    let all = [NEEDED, CONFIGURATION, wanted].concat();
    if attempt(&all)?.is_ok() {
        return Ok(Ok(owned(&all)));
    }
    let mut flags = [NEEDED, CONFIGURATION].concat();
    if let Err(message) = attempt(&flags)? {
        return Ok(Err(message));
    }
    for flag in wanted.iter().copied() {
        flags.push(flag);
        if attempt(&flags)?.is_err() {
            flags.pop();
        }
    }
    Ok(Ok(owned(&flags)))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A compiler that takes all flags but `refused`; what becomes of it, and how often it ran.
    fn with(refused: &[&str]) -> (Result<Vec<String>, String>, usize) {
        let mut attempts = 0;
        let taken = taken(WANTED, |flags| {
            attempts += 1;
            let bad = flags.iter().find(|flag| refused.contains(flag));
            Ok(bad.map_or(Ok(()), |flag| Err(format!("unknown {flag}"))))
        });
        (taken.unwrap(), attempts)
    }

    #[test]
    fn a_compiler_that_takes_all_flags_is_asked_once() {
        let (flags, attempts) = with(&[]);
        assert_eq!(attempts, 1);
        assert_eq!(flags.unwrap().len(), NEEDED.len() + CONFIGURATION.len() + WANTED.len());
    }

    #[test]
    fn each_wanted_flag_is_left_out_alone() {
        for refused in WANTED {
            let flags = with(&[refused]).0.unwrap();
            assert!(NEEDED.iter().all(|needed| flags.iter().any(|flag| flag == needed)));
            for wanted in WANTED {
                let is_there = flags.iter().any(|flag| flag == wanted);
                assert_eq!(is_there, wanted != refused, "{wanted} without {refused}");
            }
        }
        let flags = with(WANTED).0.unwrap();
        assert_eq!(flags.len(), NEEDED.len() + CONFIGURATION.len());
    }

    #[test]
    fn without_a_needed_flag_the_compilers_words_are_told() {
        let message = with(&NEEDED[..1]).0.unwrap_err();
        assert!(message.contains(NEEDED[0]), "{message}");
    }
}
