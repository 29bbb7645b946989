//! `fuzzd build`: the test executables, a line each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::args::BuildArgs;
use crate::discover::select;
use crate::error::CliError;
use crate::exit::Exit;
use crate::go;
use crate::output::print;
use crate::places::state_directory;
use crate::plan::build_tests;
use crate::render::escape;
use crate::request::Requests;

/// Carries out `fuzzd build`.
pub(crate) fn build(arguments: &BuildArgs) -> Result<Exit, CliError> {
    let requests = Requests::of(&arguments.targets);
    if let Some(program) = requests.programs.first() {
        let path = program.path.display();
        let (problem, next) = match program.path.exists() {
            true => (
                format!("{path} is no package to build"),
                "an executable is run as it is; name a directory with Go files to build it",
            ),
            false => (format!("there is no {path}"), "name a fuzz test, or a directory of Go"),
        };
        return Err(CliError::usage(problem, next));
    }
    let mut root = None;
    if requests.has_workspace() {
        let built = build_tests(&arguments.cargo, !arguments.blind)?;
        let chosen = select::tests(&built.tests, &requests.names)?;
        let chosen: BTreeSet<&Path> = chosen
            .into_iter()
            .map(|position| built.tests[position].executable.path.as_path())
            .collect();
        let executables = built.executables.iter().map(|executable| &executable.path);
        print(&lines(executables.filter(|path| chosen.contains(path.as_path()))));
        root = Some(built.workspace.root);
    }
    for package in &requests.packages {
        let module = root.get_or_insert_with(|| package.root()).clone();
        let state = state_directory(arguments.state.state.as_deref(), &module);
        let tests = go::tests_of_packages(package, &state)?;
        let mut programs: Vec<&PathBuf> = tests.iter().map(|test| &test.program).collect();
        // The fuzz tests of one package stand together.
        programs.dedup();
        print(&lines(programs.into_iter()));
    }
    Ok(Exit::Fine)
}

fn lines<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> String {
    let line = |path: &PathBuf| format!("{}\n", escape::line(&path.to_string_lossy()));
    paths.map(line).collect()
}
