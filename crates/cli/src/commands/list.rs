//! `fuzzd list`: the fuzz tests there are, a line each.
//!
//! Those of a Cargo workspace are described in its executables. All others are asked: a worker of
//! each says what it takes.

use fuzzd_coordinator::{Dialect, ProbeError, RunError, TargetInfo};
use serde_json::{Value, json};

use crate::args::ListArgs;
use crate::discover::{FuzzTest, select};
use crate::error::{CliError, chain};
use crate::exit::Exit;
use crate::go;
use crate::output::{complain, print};
use crate::places::{here, state_directory};
use crate::plan::{build_tests, planned_programs};
use crate::planned::{Planned, drop_repeated};
use crate::render::escape;
use crate::render::format::short_path;
use crate::request::Requests;
use crate::session::{self, SessionError};

/// What stands in a column of which nothing is known.
const UNKNOWN: &str = "-";

/// One fuzz test, in both forms.
struct Listed {
    /// With its types, package, place.
    row: [String; 3],
    object: Value,
}

/// Carries out `fuzzd list`.
pub(crate) fn list(arguments: &ListArgs) -> Result<Exit, CliError> {
    let requests = Requests::of(&arguments.targets);
    let (mut listed, mut root) = (Vec::new(), None);
    if requests.has_workspace() {
        let built = build_tests(&arguments.cargo, !arguments.blind)?;
        let chosen = select::tests(&built.tests, &requests.names)?;
        listed.extend(chosen.into_iter().map(|position| of_workspace(&built.tests[position])));
        root = Some(built.workspace.root);
    }
    let mut planned = Vec::new();
    for program in &requests.programs {
        planned.extend(planned_programs(program)?);
    }
    for package in &requests.packages {
        let module = root.get_or_insert_with(|| package.root()).clone();
        let state = state_directory(arguments.state.state.as_deref(), &module);
        planned.extend(go::tests_of_packages(package, &state)?);
    }
    drop_repeated(&mut planned);
    let problems = ask(&planned, arguments.blind, &mut listed)?;
    print(&if arguments.json { events(&listed) } else { table(&listed) });
    for problem in &problems {
        complain(&chain(problem), None);
    }
    Ok(if problems.is_empty() { Exit::Fine } else { Exit::Infrastructure })
}

/// Asks each what it takes. Returns what is wrong with those that cannot be listed; where nothing
/// can, that is the error.
fn ask(
    planned: &[Planned],
    is_blind: bool,
    listed: &mut Vec<Listed>,
) -> Result<Vec<SessionError>, CliError> {
    let mut problems = Vec::new();
    let targets: Vec<&Planned> = planned.iter().collect();
    for (target, answer) in planned.iter().zip(session::probe(&targets)?) {
        match answer {
            Ok(info) if info.counters == 0 && !is_blind => {
                let name = target.view.name.clone();
                problems.push(RunError::NotInstrumented { name }.into());
            }
            Ok(info) => listed.push(of_target(target, Some(&info))),
            // It is there, and does nothing here and now: that is no failure.
            Err(ProbeError::Skipped { .. }) => listed.push(of_target(target, None)),
            Err(problem) => problems.push(SessionError::Probe(problem)),
        }
    }
    match problems.is_empty() || !listed.is_empty() {
        true => Ok(problems),
        false => Err(problems.swap_remove(0).into()),
    }
}

fn of_workspace(test: &FuzzTest) -> Listed {
    let package = &test.executable.package.name;
    let place = format!("{}:{}", test.file, test.line);
    Listed {
        row: [with_types(&test.name, &test.types), escape::line(package), escape::line(&place)],
        object: json!({
            "test": test.name,
            "test_path": test.test_path,
            "types": test.types,
            "package": package,
            "target": test.executable.target,
            "file": test.file,
            "line": test.line,
            "executable": test.executable.path.to_string_lossy(),
            "testdata": test.testdata.to_string_lossy(),
        }),
    }
}

/// A fuzz test that was asked. One that skips itself does not say its types.
fn of_target(target: &Planned, info: Option<&TargetInfo>) -> Listed {
    let types = info.map(|info| &info.types[..]).unwrap_or_default();
    let types: Vec<String> = types.iter().map(|one| one.name().to_owned()).collect();
    let name = &target.view.name;
    let (test_path, package) = match &target.dialect {
        Dialect::Go(go) => (&go.test, Some(&go.package)),
        Dialect::Native => (name, None),
    };
    let place = here();
    let executable = short_path(&target.program, &place).to_string_lossy();
    let shown = match info {
        Some(_) => with_types(name, &types),
        None => format!("{} (skips itself)", escape::line(name)),
    };
    let package_shown = package.map_or(UNKNOWN.to_owned(), |package| escape::line(package));
    let mut object = json!({
        "test": name,
        "test_path": test_path,
        "types": types,
        "executable": target.program.to_string_lossy(),
        "testdata": target.testdata.to_string_lossy(),
    });
    if let Some(package) = package {
        object["package"] = package.as_str().into();
    }
    if info.is_none() {
        object["skipped"] = true.into();
    }
    Listed { row: [shown, package_shown, escape::line(&executable)], object }
}

fn with_types(name: &str, types: &[String]) -> String {
    format!("{}({})", escape::line(name), escape::line(&types.join(", ")))
}

fn table(listed: &[Listed]) -> String {
    // Data for people and for `cut`: no indentation, the columns to the left.
    let width =
        |column: usize| listed.iter().map(|one| one.row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let line = |Listed { row: [test, package, place], .. }: &Listed| {
        format!("{test:<first$}  {package:<second$}  {place}\n")
    };
    listed.iter().map(line).collect()
}

fn events(listed: &[Listed]) -> String {
    listed.iter().map(|one| format!("{}\n", one.object)).collect()
}
