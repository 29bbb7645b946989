//! The smallest worker: a fuzz test without `#[fuzzd::test]`.
//!
//! Started by a coordinator (environment variable `FUZZD_WORKER=1`, descriptors 3, 4 and 5 as
//! `proto-spec/` says) it serves calls; started by a person it says what it is.

use fuzzd_worker::protocol::value::ValueType;
use fuzzd_worker::{Target, Verdict};

struct Smallest;

impl Target for Smallest {
    fn types(&self) -> &[ValueType] {
        &[ValueType::Bytes]
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![b"fuzz".to_vec()]
    }

    fn run(&self, input: &[u8]) -> Verdict {
        assert!(!input.starts_with(b"FUZZ"), "the bug is found");
        Verdict::Pass
    }
}

#[expect(clippy::print_stdout, reason = "an example talks to a person")]
fn main() {
    if fuzzd_worker::is_worker() {
        fuzzd_worker::serve_and_exit(&Smallest);
    }
    println!("This program is a fuzz target; give its path to `fuzzd run`.");
}
