//! The `fuzzd` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    fuzzd_cli::main()
}
