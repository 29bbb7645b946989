//! One bug as people see it.

use std::fmt::Write;
use std::path::Path;

use fuzzd_core::failure::Failure;
use fuzzd_core::session::BugReport;
use fuzzd_protocol::value::{Value, ValueType};
use fuzzd_protocol::{input, text};

use super::format::{counted, short_path, short_place};
use super::{Context, TestView, escape, frames, name};
use crate::limits::{SHOWN_DETAILS_LINES_MAX, SHOWN_INPUT_BYTES_MAX, SHOWN_MESSAGE_CHARS_MAX};

/// Columns of the rule above and below a bug.
const RULE_COLUMNS: usize = 80;

/// The whole block of a new bug; `shown` is its input as its target prints it.
pub(crate) fn block(
    bug: &BugReport,
    shown: Option<&str>,
    context: &Context,
    is_colored: bool,
) -> String {
    let (red, plain) = if is_colored { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let rule = "─".repeat(RULE_COLUMNS);
    let view = context.tests.get(bug.test.0);
    let test = name(&context.tests, bug.test);
    let kind = bug.failure.kind.name();
    let mut block = format!("{rule}\n{red}new bug: {kind} in {test}{plain}\n\n");
    field(&mut block, "bug", &bug.signature.to_string());
    failure_fields(&mut block, &bug.failure, &context.here);
    field(&mut block, "reproduced", &reproduced(bug));
    field(&mut block, "size", &counted(bug.input.len(), "byte"));
    let types = view.map_or(&[][..], |view| &view.types);
    for (position, line) in shown_input(types, &bug.input).iter().enumerate() {
        field(&mut block, if position == 0 { "input" } else { "" }, line);
    }
    // A slice of bytes looks the same to the target.
    let bytes = escape::bytes(&bug.input);
    for (position, line) in
        shown.filter(|shown| !shown.contains(&bytes)).into_iter().flat_map(cut_lines).enumerate()
    {
        field(&mut block, if position == 0 { "values" } else { "" }, &line);
    }
    let path = bug.path.as_ref().map(|path| short_path(path, &context.here).to_string_lossy());
    if let Some(path) = &path {
        field(&mut block, "file", &escape::line(path));
    }
    if let Some(view) = view {
        block.push_str("\n  Replay it with\n");
        for command in commands(view, path.as_deref()) {
            indented(&mut block, &command);
        }
    }
    block.push_str(&details(&bug.failure.details, &context.here));
    block.push_str(&rule);
    block.push('\n');
    block
}

/// The backtrace, or whatever else the target has left; nothing if it is nothing.
pub(crate) fn details(text: &str, here: &Path) -> String {
    let (label, lines) = match frames::lines(text, here) {
        Some(lines) => ("Backtrace", lines),
        None => ("Details", cut_lines(text)),
    };
    if lines.is_empty() {
        return String::new();
    }
    let mut block = format!("\n  {label}\n");
    for line in &lines {
        indented(&mut block, line);
    }
    block
}

/// One line for a bug: kind, test, message, file.
pub(crate) fn one_line(what: &str, bug: &BugReport, context: &Context) -> String {
    let kind = bug.failure.kind.name();
    let mut line =
        format!("{what} {}: {kind} in {}", bug.signature, name(&context.tests, bug.test));
    let message = message(&bug.failure);
    if !message.is_empty() {
        // Writing to a string does not fail.
        write!(line, ": {}", escape::cut(&message, RULE_COLUMNS)).unwrap_or_default();
    }
    if let Some(path) = &bug.path {
        write!(line, " ({})", context.path(path)).unwrap_or_default();
    }
    line.push('\n');
    line
}

fn field(block: &mut String, label: &str, value: &str) {
    // Writing to a string does not fail.
    writeln!(block, "  {label:<12}{value}").unwrap_or_default();
}

fn indented(block: &mut String, line: &str) {
    writeln!(block, "      {line}").unwrap_or_default();
}

/// Message and location of a failure, where there are any.
pub(crate) fn failure_fields(block: &mut String, failure: &Failure, here: &Path) {
    let message = message(failure);
    if !message.is_empty() {
        field(block, "message", &message);
    }
    if !failure.location.is_empty() {
        field(block, "location", &escape::line(&short_place(&failure.location, here)));
    }
}

/// The message in one line, cut.
pub(crate) fn message(failure: &Failure) -> String {
    escape::cut(&escape::line(failure.message.trim_end()), SHOWN_MESSAGE_CHARS_MAX)
}

/// How often it failed again.
pub(crate) fn reproduced(bug: &BugReport) -> String {
    match (bug.runs, bug.is_flaky) {
        (0, _) => "not tried".to_owned(),
        (runs, false) => format!("{} of {runs}", bug.reproduced),
        (runs, true) => format!("{} of {runs}: flaky", bug.reproduced),
    }
}

/// The commands that run the input again.
pub(crate) fn commands(view: &TestView, path: Option<&str>) -> Vec<String> {
    let mut commands: Vec<String> = view.cargo_test.iter().cloned().collect();
    if let (Some(test), Some(file)) = (&view.go_test, path.and_then(file_of_testdata)) {
        commands.push(format!("{test}/{}", escape::shell_word(file)));
    }
    commands.push(match path {
        Some(path) => format!("{} {}", view.replay, escape::shell_word(path)),
        None => view.replay.clone(),
    });
    commands
}

/// The name of a file that lies with the code: `go test` finds no other.
fn file_of_testdata(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    folder.contains("testdata/fuzz/").then_some(name)
}

/// The first lines of a text of the target's.
fn cut_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = escape::lines(text.trim_end())
        .map(|line| escape::cut(&line, SHOWN_MESSAGE_CHARS_MAX))
        .collect();
    if lines.len() > SHOWN_DETAILS_LINES_MAX {
        let left_out = lines.len() - SHOWN_DETAILS_LINES_MAX;
        lines.truncate(SHOWN_DETAILS_LINES_MAX);
        lines.push(format!("… {}", counted(left_out, "more line")));
    }
    lines
}

/// An input as its bytes (and as text, if it is more than ASCII), or value by value in Go's form.
pub(crate) fn shown_input(types: &[ValueType], memory: &[u8]) -> Vec<String> {
    let is_raw = matches!(types, [] | [ValueType::Bytes]);
    if is_raw {
        return shown_bytes(memory);
    }
    input::to_values(types, memory).iter().map(shown_value).collect()
}

fn shown_bytes(all: &[u8]) -> Vec<String> {
    let shown = &all[..all.len().min(SHOWN_INPUT_BYTES_MAX)];
    let rest = all.len() - shown.len();
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more bytes") };
    let mut lines = vec![format!("{}{more}", escape::bytes(shown))];
    if let Some(text) = std::str::from_utf8(all).ok().filter(|text| !text.is_ascii()) {
        let line = escape::cut(&escape::line(text), SHOWN_INPUT_BYTES_MAX);
        lines.push(format!("as text: {line}"));
    }
    lines
}

fn shown_value(value: &Value) -> String {
    let written = text::encode(std::slice::from_ref(value));
    let written = String::from_utf8_lossy(&written);
    let line = written.lines().nth(1).unwrap_or_default();
    escape::cut(&escape::line(line), SHOWN_INPUT_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn a_bug_has_all_that_is_needed_to_see_it_again() {
        let values = Some("Request {\n    method: \"GET\",\n}");
        let block = block(&samples::bug(), values, &samples::context(), false);
        insta::assert_snapshot!(block, @r#"
        ────────────────────────────────────────────────────────────────────────────────
        new bug: panic in parse_request

          bug         aa9d4783236b00ee
          message     index out of bounds: the len is 3 but the index is 7
          location    src/lib.rs:10:5
          reproduced  3 of 3
          size        5 bytes
          input       b"GET \xff"
          values      Request {
                          method: "GET",
                      }
          file        testdata/fuzz/parse_request/panic-1

          Replay it with
              cargo test parse_request
              fuzzd replay parse_request testdata/fuzz/parse_request/panic-1

          Backtrace
              my_crate::parse                           src/lib.rs:10
        ────────────────────────────────────────────────────────────────────────────────
        "#);
    }

    #[test]
    fn typed_inputs_are_shown_in_gos_form() {
        let types = [ValueType::String, ValueType::Uint32];
        let values = [Value::String(b"a\x1b\xff".to_vec()), Value::Uint32(7)];
        let memory = input::to_memory(&types, &values);
        let shown = shown_input(&types, &memory);
        assert_eq!(shown, [r#"string("a\x1b\xff")"#, "uint32(7)"]);
    }

    #[test]
    fn long_and_foreign_inputs_are_shown_in_part() {
        let shown = shown_input(&[], &vec![b'a'; SHOWN_INPUT_BYTES_MAX + 5]);
        assert!(shown[0].ends_with("aaa\" and 5 more bytes"), "{}", shown[0]);
        let shown = shown_input(&[ValueType::Bytes], "größer\u{1b}".as_bytes());
        assert_eq!(shown[1], "as text: größer\\u{1b}");
    }

    #[test]
    fn no_control_sequence_of_a_target_gets_through() {
        let mut bug = samples::bug();
        bug.failure.message = "\x1b[2J\x1b[H".to_owned();
        bug.failure.location = "\x1b]0;x\x07".to_owned();
        bug.failure.details = "one\x1b[31m\ntwo\u{9b}".to_owned();
        bug.path = Some("/tmp/\x1b[31mx".into());
        let block = block(&bug, Some("\x1b[2J"), &samples::context(), false);
        let line = one_line("known bug", &bug, &samples::context());
        assert!(!block.chars().chain(line.chars()).any(|c| c != '\n' && c.is_control()));
    }
}
