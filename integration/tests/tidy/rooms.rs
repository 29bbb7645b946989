//! Sizes: files, functions and lines, and the header of every module.

use crate::source::{RustFile, end_of_item};
use crate::{Rule, Violation};

/// Lines of one file.
const FILE_LINES_MAX: usize = 400;

/// Lines of one function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Columns of one line.
const COLUMNS_MAX: usize = 100;

pub(crate) fn violations(files: &[RustFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        sizes(file, &mut found);
        functions(file, &mut found);
    }
    found
}

fn sizes(file: &RustFile, found: &mut Vec<Violation>) {
    let path = &file.path;
    let mut add = |rule, text: String| found.push(Violation { rule, place: path.clone(), text });
    if file.raw.len() > FILE_LINES_MAX {
        add(Rule::FileLines, format!("{path} has {} lines", file.raw.len()));
    }
    for (index, line) in file.raw.iter().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            add(Rule::Columns, format!("{path}:{} has {columns} columns", index + 1));
        }
    }
    // Unit tests belong to the room they lie in; its header speaks for them.
    if path.ends_with("/tests.rs") {
        return;
    }
    let first = file.raw.iter().find(|line| !line.trim().is_empty() && !line.starts_with("#!"));
    if !first.is_some_and(|line| line.starts_with("//!")) {
        add(Rule::ModuleHeader, format!("{path} does not start with `//!` and what it owns"));
    } else if first.is_some_and(|line| line.contains("under construction")) {
        add(Rule::ModuleHeader, format!("{path} is under construction"));
    }
}

fn functions(file: &RustFile, found: &mut Vec<Violation>) {
    for (start, line) in file.code.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let end = end_of_item(&file.code, start);
        let lines = end - start + 1;
        if lines > FUNCTION_LINES_MAX {
            found.push(Violation {
                rule: Rule::FunctionLines,
                place: format!("{}:{name}", file.path),
                text: format!("{}:{}: fn {name} has {lines} lines", file.path, start + 1),
            });
        }
    }
}

/// The name of the function whose signature starts on this line of code.
fn function_name(line: &str) -> Option<&str> {
    let position = line.find("fn ")?;
    let is_word = line[..position].chars().last().is_none_or(|before| before == ' ');
    let name = line[position + 3..].split(['(', '<']).next()?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_word && is_name).then_some(name)
}

#[test]
fn functions_are_found() {
    assert_eq!(function_name("    pub(crate) const fn at(self) -> u8 {"), Some("at"));
    assert_eq!(function_name("fn all<T: Copy>("), Some("all"));
    assert_eq!(function_name("    run: fn (u8),"), None);
    assert_eq!(function_name("type Run = fn(&[u8]);"), None);
}
