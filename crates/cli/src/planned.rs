//! A fuzz test that is ready to be started. Owns the description; who makes it is in `plan`, and
//! who starts it in `session` and `show`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use fuzzd_coordinator::Dialect;
use fuzzd_protocol::WORKER_ENV;

use crate::render::TestView;

/// One fuzz test, and how to start a worker for it.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// What is shown of it.
    pub(crate) view: TestView,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The working directory of its workers.
    pub(crate) directory: PathBuf,
    /// Its inputs that are kept with the code.
    pub(crate) testdata: PathBuf,
    /// Whether the program can print an input in a readable form.
    pub(crate) can_show: bool,
    /// What its workers speak.
    pub(crate) dialect: Dialect,
}

/// Leaves one of each: what is named twice (`./... ./pkg`) is one fuzz test of one program.
pub(crate) fn drop_repeated(targets: &mut Vec<Planned>) {
    let mut known = BTreeSet::new();
    targets.retain(|target| {
        let (program, name) = (target.program.clone(), target.view.name.clone());
        // Packages of one path in two modules are built to one place.
        known.insert((program, target.directory.clone(), name))
    });
}

/// What tells a program that it is to be a worker.
pub(crate) fn worker_environment() -> Vec<(OsString, OsString)> {
    vec![(WORKER_ENV.into(), "1".into())]
}
