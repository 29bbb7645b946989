//! The `fuzzd` binary.
fn main() {}
