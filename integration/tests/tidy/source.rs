//! The files that are checked, and Rust code with its comments and texts blanked out.
//!
//! Owns: what counts as code. A full parser would know more; this knows enough because all code
//! is formatted by rustfmt.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing written by hand, or nothing of this project.
const SKIPPED: &[&str] = &["target", ".git", ".fuzzd", "__pycache__", "node_modules"];

/// Endings of files that people read.
const TEXT: &[&str] = &["rs", "md", "toml", "json", "py", "sh", "txt", "yml", "yaml", "c", "h"];

/// One Rust file.
pub(crate) struct RustFile {
    /// Relative to the root of the repository.
    pub(crate) path: String,
    /// Its lines as they are.
    pub(crate) raw: Vec<String>,
    /// Its lines with comments and the content of texts replaced by spaces.
    pub(crate) code: Vec<String>,
    /// Which lines are test code.
    pub(crate) is_test: Vec<bool>,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the integration package lies in the root").to_owned()
}

/// Every Rust file of the workspace and of the demo. The fixtures are targets that misbehave: what
/// they do is what the rules forbid.
pub(crate) fn rust_files() -> Vec<RustFile> {
    let mut paths = Vec::new();
    for folder in ["crates", "integration/src", "integration/tests", "demo"] {
        walk(&root().join(folder), &mut paths);
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.sort();
    assert!(paths.len() > 20, "only {} Rust files below {}", paths.len(), root().display());
    let mut files: Vec<RustFile> = paths.iter().map(|path| RustFile::read(path)).collect();
    let stems: Vec<String> = files.iter().flat_map(RustFile::test_only_modules).collect();
    for file in &mut files {
        let is_below = |stem: &String| file.path.starts_with(&format!("{stem}/"));
        if stems.iter().any(|stem| file.path == format!("{stem}.rs") || is_below(stem)) {
            file.is_test.fill(true);
        }
    }
    files
}

/// Every text file of the repository, as path and content.
pub(crate) fn text_files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    paths.sort();
    let is_text = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let parent = path.parent().and_then(Path::file_name);
        extension.is_some_and(|extension| TEXT.contains(&extension))
            || parent.is_some_and(|parent| parent == "scripts" || parent == ".ci")
    };
    let mut files = Vec::new();
    for path in paths.iter().filter(|path| is_text(path)) {
        // A file that is not UTF-8 is a test vector.
        if let Ok(text) = fs::read_to_string(path) {
            files.push((relative(path), text));
        }
    }
    files
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    // A folder that does not exist (yet) has no files.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !is_skipped => walk(&path, found),
            Ok(kind) if kind.is_file() => found.push(path),
            Ok(_) | Err(_) => {}
        }
    }
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

impl RustFile {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()));
        Self::new(relative(path), &text)
    }

    fn new(path: String, text: &str) -> Self {
        let raw: Vec<String> = text.lines().map(str::to_owned).collect();
        let code: Vec<String> = blank(text).lines().map(str::to_owned).collect();
        let is_test = test_lines(&path, &code);
        Self { path, raw, code, is_test }
    }

    /// The modules in files of their own that only tests see, as paths without `.rs`.
    fn test_only_modules(&self) -> Vec<String> {
        let path = Path::new(&self.path);
        let parent = path.parent().unwrap_or(path);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let folder = match &*stem {
            "lib" | "main" | "mod" => parent.to_owned(),
            stem => parent.join(stem),
        };
        let is_test = |line: &String| line.trim() == "#[cfg(test)]";
        let declarations = self.code.windows(2).filter(|lines| is_test(&lines[0]));
        let names = declarations.filter_map(|lines| {
            let declaration = lines[1].trim().strip_suffix(';')?;
            let (_, name) = declaration.rsplit_once("mod ")?;
            Some(folder.join(name).to_string_lossy().into_owned())
        });
        names.collect()
    }

    /// Whether it is this file, or lies below this folder.
    pub(crate) fn is_below(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

/// Marks what only tests see: files in `tests`, `benches` and `integration`, files named
/// `tests.rs`, and modules behind `#[cfg(test)]`.
fn test_lines(path: &str, code: &[String]) -> Vec<bool> {
    let is_whole = path.starts_with("integration/")
        || path.contains("/tests/")
        || path.contains("/benches/")
        || path.ends_with("/tests.rs");
    let mut marks = vec![is_whole; code.len()];
    let mut index = 0;
    while index < code.len() {
        if code[index].trim() != "#[cfg(test)]" {
            index += 1;
            continue;
        }
        let end = end_of_item(code, index + 1);
        for mark in &mut marks[index..=end] {
            *mark = true;
        }
        index = end + 1;
    }
    marks
}

/// The last line of the item that starts at line `start`.
pub(crate) fn end_of_item(code: &[String], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut brackets = 0_isize;
    for (index, line) in code.iter().enumerate().skip(start) {
        for character in line.chars() {
            match character {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets -= 1,
                '{' => depth += 1,
                '}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && brackets == 0 {
                        return index;
                    }
                }
                ';' if depth == 0 && brackets == 0 => return index,
                _ => {}
            }
        }
    }
    code.len().saturating_sub(1)
}

/// The text with comments and the content of texts replaced by spaces, line for line.
fn blank(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut index = 0;
    while index < characters.len() {
        let (end, keeps) = token(&characters, index);
        for character in &characters[index..end] {
            out.push(if keeps || *character == '\n' { *character } else { ' ' });
        }
        index = end;
    }
    out
}

/// The end of the token at `start`, and whether it is code.
fn token(text: &[char], start: usize) -> (usize, bool) {
    let at = |offset: usize| text.get(start + offset).copied().unwrap_or('\0');
    match (at(0), at(1)) {
        ('/', '/') => (find(text, start, &['\n']), false),
        ('/', '*') => (end_of_block_comment(text, start), false),
        ('"', _) => (end_of_text(text, start), false),
        ('\'', '\\') => (find(text, start + 3, &['\'']) + 1, false),
        ('\'', _) if at(2) == '\'' => (start + 3, false),
        (first, _) if first.is_alphanumeric() || first == '_' => word(text, start),
        _ => (start + 1, true),
    }
}

/// A word, or a raw text: `r`, `br` and `cr` may open one.
fn word(text: &[char], start: usize) -> (usize, bool) {
    let mut end = start;
    while end < text.len() && (text[end].is_alphanumeric() || text[end] == '_') {
        end += 1;
    }
    let name: String = text[start..end].iter().collect();
    if !matches!(name.as_str(), "r" | "br" | "cr") {
        return (end, true);
    }
    let mut hashes = 0;
    while text.get(end + hashes) == Some(&'#') {
        hashes += 1;
    }
    if text.get(end + hashes) != Some(&'"') {
        return (end, true);
    }
    let mut close = end + hashes + 1;
    while close < text.len() {
        let is_end = text[close] == '"'
            && text[close + 1..].iter().take(hashes).filter(|mark| **mark == '#').count() == hashes;
        if is_end {
            return (close + 1 + hashes, false);
        }
        close += 1;
    }
    (text.len(), false)
}

fn find(text: &[char], start: usize, wanted: &[char]) -> usize {
    let mut end = start.min(text.len());
    while end < text.len() && !wanted.contains(&text[end]) {
        end += 1;
    }
    end
}

fn end_of_text(text: &[char], start: usize) -> usize {
    let mut end = start + 1;
    while end < text.len() && text[end] != '"' {
        end += if text[end] == '\\' { 2 } else { 1 };
    }
    (end + 1).min(text.len())
}

fn end_of_block_comment(text: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut end = start;
    while end < text.len() {
        match (text[end], text.get(end + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                end += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                end += 2;
                if depth == 0 {
                    return end;
                }
            }
            _ => end += 1,
        }
    }
    end
}

#[test]
fn comments_and_texts_are_blanked() {
    let text = "let a = \"x // {\"; // { y\nlet b = r#\"\"{\"#; /* { */ let c = '{'; 'a: loop {}";
    let blanked = blank(text);
    assert_eq!(blanked.matches('{').count(), 1, "{blanked}");
    assert_eq!(blanked.len(), text.len());
    assert!(blanked.contains("let c =") && blanked.contains("'a: loop {}"));
}

#[test]
fn modules_for_tests_may_have_their_own_files() {
    let text = "#[cfg(test)]\npub(crate) mod fake;\nmod real;\n";
    let file = RustFile::new("crates/x/src/lib.rs".to_owned(), text);
    assert_eq!(file.test_only_modules(), ["crates/x/src/fake"]);
}

#[test]
fn test_modules_are_told_from_code() {
    let text = "fn a() {\n}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
    let file = RustFile::new("crates/x/src/lib.rs".to_owned(), text);
    assert_eq!(file.is_test, [false, false, true, true, true, true, false]);
}
