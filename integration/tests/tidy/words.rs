//! Words that do not belong: unfinished code, I/O in the core, paths of a machine.

use crate::source::RustFile;
use crate::{Rule, Violation};

/// Code that is not done, or that fails without a reason.
const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "dbg!(", ".unwrap()"];

/// What the decision core must not use: it is told the time, and asks for everything else.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "fs::",
    "thread::",
    "env::",
    "process::",
    "Instant",
    "SystemTime",
    "tokio",
    "HashMap",
    "HashSet",
    "rusqlite",
    "rustix",
    "Mutex",
    "static mut",
    "thread_local!",
];

pub(crate) fn unfinished(files: &[RustFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        found.extend(words(file, Rule::Unfinished, UNFINISHED));
    }
    found
}

pub(crate) fn impure(files: &[RustFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_below("crates/core/src/")) {
        found.extend(words(file, Rule::PureCore, IMPURE));
    }
    found
}

/// The wanted words in the code of `file` that is not test code.
fn words(file: &RustFile, rule: Rule, wanted: &[&str]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, code) in file.code.iter().enumerate().filter(|(index, _)| !file.is_test[*index]) {
        for word in wanted.iter().filter(|word| has_word(code, word)) {
            let text = format!("{}:{}: `{word}`", file.path, index + 1);
            found.push(Violation { rule, place: file.path.clone(), text });
        }
    }
    found
}

/// Whether `word` stands in `code` and is not the end of a longer name.
fn has_word(code: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let starts_a_name = word.chars().next().is_some_and(is_part);
    let ends_a_name = word.chars().last().is_some_and(is_part);
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().last().is_some_and(is_part);
        let after = code[at + word.len()..].chars().next().is_some_and(is_part);
        !(starts_a_name && before || ends_a_name && after)
    })
}

pub(crate) fn machine_paths(files: &[(String, String)]) -> Vec<Violation> {
    // In two parts, so that this file does not find itself.
    let paths = [
        concat!("/wo", "rk/main"),
        concat!("/wo", "rk/shared"),
        concat!("../", "shared/"),
        concat!("/tmp/", "plan"),
        concat!("/ho", "me/runner"),
    ];
    let mut found = Vec::new();
    for (path, text) in files {
        for (index, line) in text.lines().enumerate() {
            if let Some(word) = paths.iter().find(|word| line.contains(**word)) {
                let text = format!("{path}:{}: `{word}`", index + 1);
                found.push(Violation { rule: Rule::MachinePath, place: path.clone(), text });
            }
        }
    }
    found
}

#[test]
fn words_are_told_from_longer_names() {
    assert!(has_word("use std::fs;", "std::fs"));
    assert!(has_word("let now = Instant::now();", "Instant"));
    assert!(!has_word("let offs::x", "fs::"));
    assert!(!has_word("struct Instantiated;", "Instant"));
    assert!(has_word("value.unwrap()", ".unwrap()"));
    assert!(!has_word("value.unwrap_or_default()", ".unwrap()"));
}
