//! The commands that people are shown to type next: the same program, the same packages,
//! features and limits, so that they do what was just seen.
//!
//! Owns their words. Must not run anything.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use crate::args::{CargoArgs, InputArgs, RSS_LIMIT_MB_DEFAULT, TIMEOUT_DEFAULT};
use crate::render::TestView;
use crate::render::escape::shell_word;

/// This program as it was called: a command of cargo's, a relative path, or the name that it has
/// where it is installed.
pub(crate) fn program() -> String {
    program_of(&std::env::args_os().take(2).collect::<Vec<_>>())
}

fn program_of(arguments: &[OsString]) -> String {
    let path = arguments.first().map(Path::new).unwrap_or(Path::new(""));
    if path.file_stem().is_some_and(|stem| stem == "cargo-fuzzd") {
        return "cargo fuzzd".to_owned();
    }
    let is_relative = path.is_relative() && path.components().count() > 1;
    if is_relative { shell_word(&path.to_string_lossy()) } else { "fuzzd".to_owned() }
}

/// `--manifest-path`, as far as it was given.
fn manifest(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| {
        format!(" --manifest-path {}", shell_word(&path.to_string_lossy()))
    })
}

/// Which features to build with, as far as it was said.
fn features(cargo: &CargoArgs) -> String {
    let mut flags = String::new();
    for names in &cargo.features {
        // Writing to a string does not fail.
        write!(flags, " --features {}", shell_word(names)).unwrap_or_default();
    }
    for (is_set, flag) in [
        (cargo.all_features, " --all-features"),
        (cargo.no_default_features, " --no-default-features"),
    ] {
        if is_set {
            flags.push_str(flag);
        }
    }
    flags
}

/// Runs one fuzz test with cargo. `package` where the workspace has several, `target` (an option)
/// where another target of the package would run as well.
pub(crate) fn cargo_test(
    cargo: &CargoArgs,
    package: Option<&str>,
    target: Option<&str>,
    test_path: &str,
) -> String {
    let package = package.map_or_else(String::new, |name| format!(" -p {}", shell_word(name)));
    let target = target.map_or_else(String::new, |option| format!(" {option}"));
    let (features, path) = (features(cargo), shell_word(test_path));
    let manifest = manifest(cargo.manifest_path.as_deref());
    format!("cargo test{manifest}{package}{features}{target} {path}")
}

/// Replays inputs of a fuzz test of a Cargo workspace; a path can be put behind it.
pub(crate) fn replay(cargo: &CargoArgs, is_instrumented: bool, name: &str) -> String {
    let mut flags = manifest(cargo.manifest_path.as_deref());
    for package in &cargo.package {
        // Writing to a string does not fail.
        write!(flags, " -p {}", shell_word(package)).unwrap_or_default();
    }
    flags.push_str(&features(cargo));
    if !is_instrumented {
        flags.push_str(" --blind");
    }
    format!("{} replay{flags} {}", program(), shell_word(name))
}

/// Replays an input of a fuzz test of which only the name is known.
pub(crate) fn replay_file(manifest_path: Option<&Path>, name: &str, path: &str) -> String {
    let (name, path) = (shell_word(name), shell_word(path));
    format!("{} replay{} {name} {path}", program(), manifest(manifest_path))
}

/// Replays inputs of an executable.
pub(crate) fn replay_program(request: &str) -> String {
    format!("{} replay {}", program(), shell_word(request))
}

/// Lists the bugs of the session of these arguments.
pub(crate) fn list_bugs(cargo: &CargoArgs, state: Option<&Path>) -> String {
    let flags = match state {
        Some(state) => format!(" --state {}", shell_word(&state.to_string_lossy())),
        None => manifest(cargo.manifest_path.as_deref()),
    };
    format!("{} bugs{flags}", program())
}

/// Puts limits that are not the usual ones into the commands: within others, an input that hung
/// may pass.
pub(crate) fn limited(mut view: TestView, input: &InputArgs) -> TestView {
    let (mut flags, mut variables) = (String::new(), String::new());
    let mut add = |flag: &str, variable: &str, value: String| {
        // Writing to a string does not fail.
        write!(flags, " {flag} {value}").unwrap_or_default();
        write!(variables, "{variable}={value} ").unwrap_or_default();
    };
    if input.timeout != TIMEOUT_DEFAULT {
        add("--timeout", "FUZZD_TIMEOUT", written(input.timeout));
    }
    if input.rss_limit != RSS_LIMIT_MB_DEFAULT {
        add("--rss-limit", "FUZZD_RSS_LIMIT", input.rss_limit.to_string());
    }
    view.replay.push_str(&flags);
    view.cargo_test = view.cargo_test.map(|command| variables + &command);
    view
}

/// A duration as options take it.
fn written(duration: Duration) -> String {
    match (duration.as_secs(), duration.subsec_nanos()) {
        (seconds, 0) => format!("{seconds}s"),
        (_, nanos) if nanos % 1_000_000 == 0 => format!("{}ms", duration.as_millis()),
        _ => format!("{}ns", duration.as_nanos()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn run(line: &str) -> crate::args::RunArgs {
        let words = line.split_whitespace().map(OsString::from);
        match Cli::try_parse_from(words).unwrap().command {
            Command::Run(run) => run,
            other => panic!("not a run: {other:?}"),
        }
    }

    #[test]
    fn the_program_is_called_as_it_was_called() {
        let of = |line: &str| program_of(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("fuzzd run"), "fuzzd");
        assert_eq!(of("/usr/local/bin/fuzzd run"), "fuzzd");
        assert_eq!(of("/usr/local/bin/cargo-fuzzd fuzzd"), "cargo fuzzd");
        assert_eq!(of("target/release/fuzzd run"), "target/release/fuzzd");
        assert_eq!(of("./fuzzd run"), "./fuzzd");
        assert_eq!(program_of(&[]), "fuzzd");
    }

    #[test]
    fn commands_build_what_was_built() {
        let run = run("fuzzd run --manifest-path a/Cargo.toml -p b --features x,y --all-features");
        let shown = cargo_test(&run.cargo, Some("b"), Some("--test fuzz"), "tests::t");
        assert_eq!(
            shown,
            "cargo test --manifest-path a/Cargo.toml -p b --features x,y --all-features \
             --test fuzz tests::t"
        );
        let shown = replay(&run.cargo, false, "t");
        let wanted = " replay --manifest-path a/Cargo.toml -p b --features x,y --all-features \
                      --blind t";
        assert!(shown.ends_with(wanted), "{shown}");
        assert!(list_bugs(&run.cargo, None).ends_with(" bugs --manifest-path a/Cargo.toml"));
        let with_state = list_bugs(&run.cargo, Some(Path::new("a b")));
        assert!(with_state.ends_with(" bugs --state 'a b'"));
    }

    #[test]
    fn limits_of_the_run_are_those_of_the_commands() {
        let view = crate::render::samples::tests().remove(0);
        assert_eq!(limited(view.clone(), &run("fuzzd run").input), view);
        let limited = limited(view, &run("fuzzd run --timeout 1500ms --rss-limit 64").input);
        let flags = "--timeout 1500ms --rss-limit 64";
        assert_eq!(limited.replay, format!("fuzzd replay parse_request {flags}"));
        assert!(limited.cargo_test.unwrap().starts_with("FUZZD_TIMEOUT=1500ms FUZZD_RSS"));
    }

    #[test]
    fn durations_are_written_as_options_take_them() {
        for text in ["90s", "100ms", "2500000ns"] {
            assert_eq!(written(crate::args::duration::parse(text).unwrap()), text);
        }
    }
}
