//! The worker that Go's own coordinator starts in a harvest, as `fuzzd` is to be it.
//!
//! Owns nothing: it is the two calls that a program makes before anything else.

use std::process::ExitCode;

fn main() -> ExitCode {
    if fuzzd_go::harvest::shim::is_asked_for() {
        return fuzzd_go::harvest::shim::serve();
    }
    ExitCode::FAILURE
}
