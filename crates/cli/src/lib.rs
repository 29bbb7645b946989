//! The command line of fuzzd: arguments, instrumented builds, and what people and scripts see.
//!
//! Owns: the words a person types and reads, exit codes, the `RUSTC_WRAPPER` of instrumented
//! builds, and the rendering of reports. Must not decide anything about fuzzing: it hands
//! options to the coordinator and shows what comes back.
//!
//! `fuzzd` and `cargo-fuzzd` are the same program: both call [`main`].

mod args;
mod build;
mod commands;
mod dictionary;
mod discover;
mod error;
mod exit;
mod go;
mod invocation;
mod limits;
mod native;
mod output;
mod places;
mod plan;
mod planned;
mod render;
mod request;
mod run;
mod session;
mod show;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use fuzzd_go::harvest::shim;

use crate::args::{Cli, Command};
use crate::exit::Exit;

/// Runs the program with the arguments and the environment of this process.
///
/// Others start the same executable for a purpose of their own, for which it then does nothing
/// else: a Go test binary that is asked for its seeds, as its worker; and cargo, inside an
/// instrumented build, in the place of rustc.
#[must_use]
pub fn main() -> ExitCode {
    if shim::is_asked_for() {
        return shim::serve();
    }
    if let Some(settings) = std::env::var_os(build::wrapper::SETTINGS_ENV) {
        return build::wrapper::main(&settings, std::env::args_os().skip(1).collect());
    }
    let arguments = args::without_cargo_word(std::env::args_os().collect());
    start(arguments).into()
}

/// Parses and carries out one command line.
fn start(arguments: Vec<OsString>) -> Exit {
    if let Some(hint) = args::libfuzzer::hint(&arguments) {
        output::complain(&hint, None);
        return Exit::Usage;
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to tell when even this cannot be written.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Fine };
        }
    };
    start_logging();
    let outcome = match cli.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::List(arguments) => commands::list::list(&arguments),
        Command::Build(arguments) => commands::build::build(&arguments),
        Command::Replay(arguments) => commands::replay::replay(&arguments),
        Command::Bugs(arguments) => commands::bugs::bugs(&arguments),
        Command::Cmin(arguments) => commands::cmin::cmin(&arguments),
        Command::Conformance(arguments) => commands::conformance::conformance(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        output::complain(&error::chain(&error), error.help().as_deref());
        error.exit()
    })
}

/// Logs go to stderr; `FUZZD_LOG` takes the filters of `tracing-subscriber`.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_env_var("FUZZD_LOG")
        .with_default_directive(tracing::level_filters::LevelFilter::ERROR.into())
        .from_env_lossy();
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Its own complaint would go to the stderr that is gone, and panic.
    logger.log_internal_errors(false).init();
}
