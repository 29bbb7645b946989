//! Names of the capabilities a worker may announce in its answer to `Ping`.
//!
//! Must not hold behaviour. A name that is not on this list is ignored.

/// The input being executed lies in memory before it runs. Every worker that is not of the Go
/// dialect announces it.
pub const INPUT_IN_MEMORY: &str = "input_in_memory";

/// Coverage travels as `CoverageSparse`, `CoverageDelta` and `KeepSparse`.
pub const COVERAGE_SPARSE: &str = "coverage_sparse";

/// `Ignore` is honoured: failures with these signatures are counted and gone over.
pub const IGNORE: &str = "ignore";

/// The method `Seed` is served.
pub const SEEDS: &str = "seeds";

/// The control block is read and written.
pub const CONTROL: &str = "control";
