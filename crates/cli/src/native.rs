//! Programs that speak the worker protocol by themselves, in whatever language.
//!
//! Owns: which fuzz tests such a program has. Nothing in the file says so; the program is asked
//! once, with a `Ping`. One that announces no names is a fuzz test itself, called as the file.

use std::path::Path;

use fuzzd_coordinator::Dialect;
use fuzzd_protocol::TEST_ENV;

use crate::discover::DiscoverError;
use crate::error::CliError;
use crate::invocation;
use crate::limits::NAMES_SHOWN_MAX;
use crate::places::here;
use crate::planned::{Planned, worker_environment};
use crate::render::{TestView, escape};
use crate::request::Program;
use crate::session;

/// The fuzz tests of a program that were asked for.
pub(crate) fn planned(program: &Program, path: &Path) -> Result<Vec<Planned>, CliError> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = program.name.clone().or(stem).unwrap_or_default();
    let alone = one(program, path, &name, None);
    let tests = session::announced_tests(&alone)?;
    if tests.is_empty() {
        return Ok(vec![alone]);
    }
    let chosen = chosen(path, &tests, program.name.as_deref())?;
    Ok(chosen.into_iter().map(|test| one(program, path, test, Some(test))).collect())
}

/// Those of the tests that are asked for: one by its name, or all.
fn chosen<'a>(
    path: &Path,
    tests: &'a [String],
    name: Option<&str>,
) -> Result<Vec<&'a str>, DiscoverError> {
    let matching = tests.iter().filter(|test| name.is_none_or(|name| *test == name));
    let chosen: Vec<&str> = matching.map(String::as_str).collect();
    match (chosen.is_empty(), name) {
        (true, Some(name)) => {
            let tests = tests.iter().take(NAMES_SHOWN_MAX).map(|test| escape::line(test)).collect();
            let (path, name) = (path.to_owned(), name.to_owned());
            Err(DiscoverError::NotAnnounced { path, name, tests })
        }
        (true | false, _) => Ok(chosen),
    }
}

/// A worker for one of them. `announced` is the name the program itself has for it.
fn one(program: &Program, path: &Path, name: &str, announced: Option<&str>) -> Planned {
    let request = match announced {
        Some(test) => format!("{}:{test}", program.path.to_string_lossy()),
        None => program.request.to_string_lossy().into_owned(),
    };
    let mut environment = worker_environment();
    // What this process has of the variable is not meant for it.
    environment.push((TEST_ENV.into(), announced.unwrap_or_default().into()));
    Planned {
        testdata: here().join("testdata/fuzz").join(name),
        view: TestView {
            name: name.to_owned(),
            types: Vec::new(),
            cargo_test: None,
            go_test: None,
            replay: invocation::replay_program(&request),
        },
        program: path.to_owned(),
        arguments: Vec::new(),
        environment,
        directory: here(),
        can_show: false,
        dialect: Dialect::Native,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_test_is_chosen_by_its_whole_name_and_all_without_one() {
        let tests = ["parse".to_owned(), "print".to_owned()];
        let chosen = |name| chosen(Path::new("/worker"), &tests, name);
        assert_eq!(chosen(None).unwrap(), ["parse", "print"]);
        assert_eq!(chosen(Some("print")).unwrap(), ["print"]);
        let error = chosen(Some("prin")).unwrap_err().to_string();
        assert_eq!(error, "/worker has no fuzz test prin; it has parse, print");
    }
}
