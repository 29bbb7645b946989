//! The commands beside `run`: each one prints its data on stdout and ends.

pub(crate) mod bugs;
pub(crate) mod build;
pub(crate) mod cmin;
pub(crate) mod conformance;
pub(crate) mod list;
pub(crate) mod replay;
