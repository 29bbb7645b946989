//! `fuzzd build`: the test executables, a line each.

use std::fmt::Write;

use crate::args::BuildArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::print;
use crate::plan::build_tests;
use crate::render::escape;

/// Carries out `fuzzd build`.
pub(crate) fn build(arguments: &BuildArgs) -> Result<Exit, CliError> {
    let built = build_tests(&arguments.cargo, !arguments.blind)?;
    let mut text = String::new();
    for executable in &built.executables {
        let has_tests = built.tests.iter().any(|test| test.executable.path == executable.path);
        if has_tests {
            // Writing to a string does not fail.
            writeln!(text, "{}", escape::line(&executable.path.to_string_lossy()))
                .unwrap_or_default();
        }
    }
    print(&text);
    Ok(Exit::Fine)
}
