//! `fuzzd list`: the fuzz tests of the workspace, a line each.

use serde_json::json;

use crate::args::ListArgs;
use crate::discover::FuzzTest;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::print;
use crate::plan::build_tests;
use crate::render::escape;

/// Carries out `fuzzd list`.
pub(crate) fn list(arguments: &ListArgs) -> Result<Exit, CliError> {
    let built = build_tests(&arguments.cargo, !arguments.blind)?;
    print(&if arguments.json { events(&built.tests) } else { table(&built.tests) });
    Ok(Exit::Fine)
}

fn table(tests: &[FuzzTest]) -> String {
    let rows: Vec<Vec<String>> = tests
        .iter()
        .map(|test| {
            let place = format!("{}:{}", test.file, test.line);
            vec![
                format!("{}({})", escape::line(&test.name), escape::line(&test.types.join(", "))),
                escape::line(&test.executable.package.name),
                escape::line(&place),
            ]
        })
        .collect();
    // Data for people and for `cut`: no indentation, the columns to the left.
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (first, second) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    rows.iter()
        .map(|row| format!("{:<first$}  {:<second$}  {}\n", row[0], row[1], row[2]))
        .collect()
}

fn events(tests: &[FuzzTest]) -> String {
    let line = |test: &FuzzTest| {
        let object = json!({
            "test": test.name,
            "test_path": test.test_path,
            "types": test.types,
            "package": test.executable.package.name,
            "target": test.executable.target,
            "file": test.file,
            "line": test.line,
            "executable": test.executable.path.to_string_lossy(),
            "testdata": test.testdata.to_string_lossy(),
        });
        format!("{object}\n")
    };
    tests.iter().map(line).collect()
}
