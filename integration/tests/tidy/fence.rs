//! Where `unsafe` may stand, and that it says why.

use crate::source::RustFile;
use crate::{Rule, Violation};

/// Folders and files that may hold `unsafe`.
const ALLOWED: &[&str] = &[
    "crates/shm/src/",
    "crates/worker/src/counters.rs",
    // Reads the table of addresses, and code, of the target.
    "crates/worker/src/counters/functions.rs",
    "crates/worker/src/simd.rs",
    // Vector loads and stores.
    "crates/worker/src/simd/avx2.rs",
    "crates/worker/src/hooks.rs",
    // The exported C functions: callbacks and `memcmp`.
    "crates/worker/src/hooks/",
    "crates/worker/src/signal.rs",
    // Forks, and watches the child.
    "crates/worker/src/fork.rs",
    "crates/worker/src/fork/",
    // Calls `memcmp` of the C library beside ours.
    "crates/worker/benches/counters.rs",
];

/// The one file of the coordinator that may: it starts processes.
const SPAWN: (&str, &str) = ("crates/coordinator/src/", "/spawn.rs");

pub(crate) fn violations(files: &[RustFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut spawn_files = Vec::new();
    for file in files {
        let lines: Vec<usize> =
            (0..file.code.len()).filter(|line| has_unsafe(file, *line)).collect();
        if lines.is_empty() {
            continue;
        }
        if file.path.starts_with(SPAWN.0) && file.path.ends_with(SPAWN.1) {
            spawn_files.push(file.path.clone());
        } else if !ALLOWED.iter().any(|allowed| file.is_below(allowed)) {
            found.push(violation(Rule::Fence, file, lines[0], "unsafe is not allowed here"));
        }
        for line in lines {
            // An exported name does nothing by itself.
            let is_name = file.code[line].trim().starts_with("#[unsafe(");
            if !is_name && !says_why(file, line) {
                found.push(violation(Rule::Safety, file, line, "unsafe without `// SAFETY:`"));
            }
        }
    }
    for path in spawn_files.iter().skip(1) {
        let text = format!("{path}: one file of the coordinator may spawn, this is another");
        found.push(Violation { rule: Rule::Fence, place: path.clone(), text });
    }
    found
}

fn violation(rule: Rule, file: &RustFile, line: usize, what: &str) -> Violation {
    let text = format!("{}:{}: {what}", file.path, line + 1);
    Violation { rule, place: file.path.clone(), text }
}

/// Whether the keyword stands on this line; `unsafe_code` and the like are other words.
fn has_unsafe(file: &RustFile, line: usize) -> bool {
    let code = &file.code[line];
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices("unsafe").any(|(at, word)| {
        let before = code[..at].chars().last().is_some_and(is_part);
        let after = code[at + word.len()..].chars().next().is_some_and(is_part);
        !before && !after && !is_function_type(&code[at..])
    })
}

/// `unsafe extern "C" fn(` is a type: nothing happens there.
fn is_function_type(code: &str) -> bool {
    let words: Vec<&str> = code.split_whitespace().collect();
    words.iter().take(4).any(|word| word.starts_with("fn("))
}

/// Whether the comment above the statement, or on the line itself, gives the reason.
fn says_why(file: &RustFile, line: usize) -> bool {
    let is_reason = |text: &str| text.contains("SAFETY:") || text.contains("# Safety");
    if is_reason(&file.raw[line]) {
        return true;
    }
    for above in (0..line).rev() {
        if is_reason(&file.raw[above]) {
            return true;
        }
        let raw = file.raw[above].trim();
        let code = file.code[above].trim();
        let is_comment = raw.starts_with("//") || raw.starts_with("#[");
        let is_statement_before = code.ends_with([';', '{', '}']);
        if raw.is_empty() || (!is_comment && is_statement_before) {
            return false;
        }
    }
    false
}
