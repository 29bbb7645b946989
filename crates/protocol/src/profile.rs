//! Names of the profiles a Fuzz call may have (extension `profile`): in which way to mutate.
//!
//! Must not hold behaviour. To a worker, a name that is not on this list is no profile.

/// Substitute what is compared more often, and look at comparisons more often.
pub const COMPARE: &str = "compare";

/// Work on tokens, brackets, lines and length fields, and on pieces of other inputs.
pub const STRUCTURE: &str = "structure";

/// Change much at once, anywhere.
pub const WILD: &str = "wild";
