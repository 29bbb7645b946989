//! Arguments of `cmin`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::{CargoArgs, InputArgs, StateArgs, workers};

/// Arguments of `cmin`.
#[derive(Debug, Args)]
pub(crate) struct CminArgs {
    /// What `run` takes: names of fuzz tests or globs, executables, packages of Go
    #[arg(required = true)]
    pub(crate) targets: Vec<OsString>,
    /// Copy the entries that are needed into this directory, which must be empty or not exist, and
    /// leave the session as it is
    #[arg(long, value_name = "DIR", env = "FUZZD_INTO", hide_env = true)]
    pub(crate) into: Option<PathBuf>,
    /// Worker processes [default: one for each core]
    #[arg(short = 'j', long, visible_alias = "jobs", value_name = "N", value_parser = workers)]
    #[arg(env = "FUZZD_WORKERS", hide_env = true)]
    pub(crate) workers: Option<usize>,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Directory of the corpus, as in `run` [default: corpus/ in the state directory]
    #[arg(long, value_name = "DIR", env = "FUZZD_CORPUS", hide_env = true)]
    pub(crate) corpus: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: StateArgs,
    /// Print events on stdout, one JSON object a line
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_JSON", hide_env = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) cargo: CargoArgs,
}
