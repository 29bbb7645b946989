//! What is known of one argument of a fuzz test.
//!
//! Owns: the description that generated code writes down. Must not: print anything itself.

/// One argument.
#[derive(Debug)]
pub struct Parameter {
    /// Name in the source; `argument 2` for a pattern.
    pub name: &'static str,
    /// Type as written.
    pub ty: &'static str,
    /// How to print it, for types that are built through `Arbitrary`.
    pub debug: Option<fn(&[u8]) -> Shown>,
}

/// What could be printed of a value built through `Arbitrary`.
#[derive(Debug)]
pub enum Shown {
    /// Its `Debug` form, cut at a limit.
    Text(String),
    /// The type has no `Debug`.
    NoDebug,
    /// No value can be built from the bytes.
    Rejected,
}
