//! The `cargo-fuzzd` binary: `cargo fuzzd …` is `fuzzd …`.

use std::process::ExitCode;

fn main() -> ExitCode {
    fuzzd_cli::main()
}
