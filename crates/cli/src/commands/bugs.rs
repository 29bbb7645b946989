//! `fuzzd bugs`: what was found, from the state directory alone.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use fuzzd_coordinator::store::{BugInputs, StoredBug};
use fuzzd_protocol::text;
use serde_json::{Value, json};

use crate::args::{BugsAction, BugsArgs};
use crate::build::workspace;
use crate::error::CliError;
use crate::exit::Exit;
use crate::invocation::replay_file;
use crate::output::print;
use crate::places::state_directory;
use crate::render::crash::{details, shown_input};
use crate::render::json::encoded;
use crate::render::summary::columns;
use crate::render::{escape, format};
use crate::session;

/// Characters of a message in a table.
const TABLE_MESSAGE_CHARS_MAX: usize = 60;

/// Carries out `fuzzd bugs`.
pub(crate) fn bugs(arguments: &BugsArgs) -> Result<Exit, CliError> {
    let state = state(arguments)?;
    let bugs = session::bugs(&state)?;
    match &arguments.action {
        None | Some(BugsAction::List) if arguments.json => {
            print(&bugs.iter().map(|bug| format!("{}\n", object(bug))).collect::<String>());
        }
        None | Some(BugsAction::List) => print(&table(&bugs)),
        Some(BugsAction::Show { signature }) => {
            let here = std::env::current_dir().unwrap_or_default();
            let place = Place { here, manifest_path: arguments.manifest_path.as_deref() };
            for bug in chosen(&bugs, signature)? {
                let inputs = session::bug_inputs(&state, &bug.test, bug.signature)?;
                print(&match arguments.json {
                    true => detailed(bug, &inputs),
                    false => shown(bug, &inputs, &place),
                });
            }
        }
    }
    Ok(Exit::Fine)
}

/// Where the person is.
struct Place<'a> {
    /// Paths below it are shown without it.
    here: PathBuf,
    /// As it was given.
    manifest_path: Option<&'a Path>,
}

fn state(arguments: &BugsArgs) -> Result<PathBuf, CliError> {
    if let Some(state) = &arguments.state {
        return Ok(state.clone());
    }
    let root = workspace::root(arguments.manifest_path.as_deref())?;
    let root = root.or_else(|| std::env::current_dir().ok()).unwrap_or_default();
    Ok(state_directory(None, &root))
}

/// The bugs with this signature or beginning of one: the same place can fail in several tests.
fn chosen<'a>(bugs: &'a [StoredBug], beginning: &str) -> Result<Vec<&'a StoredBug>, CliError> {
    let matching = |bug: &&StoredBug| bug.signature.to_string().starts_with(beginning);
    let chosen: Vec<&StoredBug> = bugs.iter().filter(matching).collect();
    let mut signatures: Vec<String> = chosen.iter().map(|bug| bug.signature.to_string()).collect();
    signatures.sort();
    signatures.dedup();
    match signatures.len() {
        1 => Ok(chosen),
        0 => {
            let problem = format!("there is no bug {beginning}");
            Err(CliError::usage(problem, "fuzzd bugs lists all of them"))
        }
        _ => {
            let problem = format!("{beginning} may be any of {}", signatures.join(", "));
            Err(CliError::usage(problem, "write more of the signature"))
        }
    }
}

fn table(bugs: &[StoredBug]) -> String {
    if bugs.is_empty() {
        return "no bugs\n".to_owned();
    }
    let head = ["bug", "status", "kind", "fuzz test", "seen", "message"];
    let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).to_vec()];
    for bug in bugs {
        let message = escape::cut(&escape::line(&bug.message), TABLE_MESSAGE_CHARS_MAX);
        rows.push(vec![
            bug.signature.to_string(),
            bug.status.name().to_owned(),
            bug.kind.name(),
            escape::line(&bug.test),
            bug.count.to_string(),
            message,
        ]);
    }
    columns(&rows, usize::MAX)
}

fn shown(bug: &StoredBug, inputs: &BugInputs, place: &Place<'_>) -> String {
    let mut text = format!("bug {}\n", bug.signature);
    let mut field = |label: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a string does not fail.
            writeln!(text, "  {label:<12}{value}").unwrap_or_default();
        }
    };
    field("status", bug.status.name());
    field("fuzz test", &escape::line(&bug.test));
    field("kind", &bug.kind.name());
    field("message", &escape::line(bug.message.trim_end()));
    field("location", &escape::line(&format::short_place(&bug.location, &place.here)));
    field("reproduced", &format!("{} of {}", bug.reproduced, bug.runs));
    let times = format::counted(usize::try_from(bug.count).unwrap_or(usize::MAX), "time");
    field("seen", &format!("{times}, first {}", age(bug.first_seen)));
    let size = usize::try_from(bug.size).unwrap_or(usize::MAX);
    field("size", &format::counted(size, "byte"));
    for (position, line) in input_lines(&inputs.shown).iter().enumerate() {
        field(if position == 0 { "input" } else { "" }, line);
    }
    if let Some(path) = &bug.path {
        let path = format::short_path(path, &place.here).to_string_lossy();
        field("file", &escape::line(&path));
        field("replay", &replay_file(place.manifest_path, &bug.test, &path));
    }
    field("originals", &inputs.originals.len().to_string());
    text.push_str(&details(&bug.details, &place.here));
    text
}

/// The content of a file: its values if it is text, else its bytes.
fn input_lines(file: &[u8]) -> Vec<String> {
    match text::decode(file) {
        Ok(_) => String::from_utf8_lossy(file).lines().skip(1).map(escape::line).collect(),
        Err(_) => shown_input(&[], file),
    }
}

fn age(time: SystemTime) -> String {
    match SystemTime::now().duration_since(time) {
        Ok(age) => format!("{} ago", format::duration(age)),
        Err(_) => "in the future".to_owned(),
    }
}

fn object(bug: &StoredBug) -> Value {
    let unix_ms = |time: SystemTime| time.duration_since(UNIX_EPOCH).map(format::milliseconds).ok();
    json!({
        "signature": bug.signature.to_string(),
        "status": bug.status.name(),
        "kind": bug.kind.name(),
        "message": bug.message,
        "location": bug.location,
        "test": bug.test,
        "path": bug.path.as_ref().map(|path| path.to_string_lossy()),
        "reproduced": bug.reproduced,
        "runs": bug.runs,
        "count": bug.count,
        "size": bug.size,
        "first_seen_ms": unix_ms(bug.first_seen),
        "last_seen_ms": unix_ms(bug.last_seen),
    })
}

fn detailed(bug: &StoredBug, inputs: &BugInputs) -> String {
    let mut object = object(bug);
    object["details"] = bug.details.as_str().into();
    object["input"] = encoded(&inputs.shown).into();
    object["originals"] = inputs.originals.iter().map(|bytes| encoded(bytes)).collect();
    format!("{object}\n")
}
