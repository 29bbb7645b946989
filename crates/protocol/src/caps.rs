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

/// `Plan` is honoured: entries are read from the arena at fd 7 and finds are pushed to the ring in
/// fd 5. Announced only by a worker that was given both and adopted them.
pub const PLAN: &str = "plan";

/// `Profile` is honoured in `Fuzz`: see [`crate::profile`].
pub const PROFILE: &str = "profile";

/// `Fork` is honoured in `Minimize`: candidates run in processes the worker forks.
pub const FORK: &str = "fork";

/// `Search` is honoured in `Minimize`: a search is told by the numbers of its candidates, so that
/// several workers can share one and any can go on with it.
pub const SEARCH: &str = "search";

/// Merged coverage is read from the map at fd 6. Announced only by a worker that was given one and
/// adopted it.
pub const MAP: &str = "map";
