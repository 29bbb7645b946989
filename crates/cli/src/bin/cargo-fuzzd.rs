//! The `cargo fuzzd` spelling of the same program.
fn main() {}
