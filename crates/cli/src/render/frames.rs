//! The backtrace of a failure as people want it: from what failed down to the fuzz test.
//!
//! Owns which frames are shown, and how long their paths are. Must not lose anything: a text of
//! another shape is left to the caller, and events for scripts have it whole.

use std::path::Path;

use super::escape;
use super::format::{counted, short_place};
use crate::limits::{SHOWN_FRAMES_MAX, SHOWN_SYMBOL_CHARS_MAX};

/// Symbols as wide as this have their place in one column.
const SYMBOL_COLUMNS: usize = 40;

/// Where symbols of the standard library and of the panic machinery begin.
const STANDARD: [&str; 6] =
    ["core::", "std::", "alloc::", "__rustc", "rust_begin_unwind", "rust_panic"];

/// Crates of the runtime: whatever calls from there is not the user's.
const RUNTIME: [&str; 2] = ["fuzzd::", "fuzzd_worker::"];

/// The file of the runtime that calls back into generated code. An inlined frame has no crate.
const RUNTIME_FILE: &str = "fuzzd/src/arguments.rs:";

/// What every generated function is called.
const GENERATED: &str = "__fuzzd_";

/// One frame.
#[derive(Debug, PartialEq, Eq)]
struct Frame<'a> {
    symbol: &'a str,
    /// `file:line:column`.
    place: Option<&'a str>,
}

impl Frame<'_> {
    fn is_standard(&self) -> bool {
        let symbol = self.symbol.trim_start_matches(['<', '&']);
        STANDARD.iter().any(|start| symbol.starts_with(start))
            || self.place.is_some_and(|place| place.starts_with("/rustc/"))
    }

    fn is_runtime(&self) -> bool {
        self.symbol.contains(GENERATED)
            || RUNTIME.iter().any(|start| self.symbol.trim_start_matches('<').starts_with(start))
            || self.place.is_some_and(|place| place.contains(RUNTIME_FILE))
    }

    fn is_closure(&self) -> bool {
        self.symbol.ends_with("{{closure}}") || self.symbol.starts_with("{closure#")
    }

    fn line(&self, here: &Path) -> String {
        let symbol = escape::cut(&escape::line(self.symbol), SHOWN_SYMBOL_CHARS_MAX);
        match self.place {
            Some(place) => {
                let place = escape::line(&short_place(place, here));
                format!("{symbol:<SYMBOL_COLUMNS$}  {place}")
            }
            None => symbol,
        }
    }
}

/// The lines of a backtrace; `None` if `text` is not one, or something else stands in it.
pub(super) fn lines(text: &str, here: &Path) -> Option<Vec<String>> {
    let all = parse(text)?;
    let frames = wanted(&all);
    let shown = frames.len().min(SHOWN_FRAMES_MAX);
    let mut lines: Vec<String> = frames[..shown].iter().map(|frame| frame.line(here)).collect();
    if shown < frames.len() {
        lines.push(format!("… {}", counted(frames.len() - shown, "more frame")));
    }
    Some(lines)
}

/// `  12: symbol`, and perhaps `  at place` below it.
fn parse(text: &str) -> Option<Vec<Frame<'_>>> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line == "stack backtrace:" {
            continue;
        }
        if let Some(place) = line.strip_prefix("at ") {
            frames.last_mut()?.place = Some(place);
            continue;
        }
        let (number, symbol) = line.split_once(": ")?;
        number.parse::<usize>().ok()?;
        frames.push(Frame { symbol, place: None });
    }
    Some(frames).filter(|frames| !frames.is_empty())
}

/// Without the machinery of the panic at the top and the runtime at the bottom; all of them if
/// nothing is left.
fn wanted<'f, 'a>(all: &'f [Frame<'a>]) -> &'f [Frame<'a>] {
    let top = all.iter().take_while(|frame| frame.is_standard()).count();
    let rest = &all[top..];
    let runtime = rest.iter().position(Frame::is_runtime);
    let mut end = runtime.unwrap_or(rest.len());
    if runtime.is_some() {
        while end > 0 && rest[end - 1].is_standard() {
            end -= 1;
        }
        // A fuzz test is a function: a closure that the runtime calls is a generated one.
        if end > 0 && rest[end - 1].is_closure() {
            end -= 1;
        }
    }
    if end == 0 { all } else { &rest[..end] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        lines(text, Path::new("/w")).expect("it is a backtrace").join("\n")
    }

    #[test]
    fn neither_the_panic_machinery_nor_the_runtime_is_shown() {
        let text = "  11: core::str::slice_error_fail_rt
  12: core::str::slice_error_fail
             at /rustc/59807616/library/core/src/str/mod.rs:69:5
  13: index<core::ops::range::RangeFrom<usize>>
             at /rustc/59807616/library/core/src/str/traits.rs:63:15
  15: slice
             at ./src/lib.rs:8:52
  16: <alloc::vec::Vec<T> as core::iter::traits::Extend>::extend
             at /rustc/59807616/library/alloc/src/vec/mod.rs:1:1
  17: serde::read
             at /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.2/src/x.rs:3:1
  18: text
             at /w/other/lib.rs:18:36
  19: {closure#0}
             at ./src/lib.rs:17:9
  20: call_once<a::text::__fuzzd_run::{closure_env#0}, (&str)>
             at /rustc/59807616/library/core/src/ops/function.rs:250:5
  21: with_text
             at /x/crates/fuzzd/src/arguments.rs:114:21
";
        insta::assert_snapshot!(shown(text), @r"
        slice                                     src/lib.rs:8:52
        <alloc::vec::Vec<T> as core::iter::traits::Extend>::extend  alloc/src/vec/mod.rs:1:1
        serde::read                               serde-1.0.2/src/x.rs:3:1
        text                                      other/lib.rs:18:36
        ");
    }

    #[test]
    fn generated_code_is_not_shown() {
        let text =
            "  10: f\n     at ./src/lib.rs:1:2\n  11: __fuzzd_run\n     at ./tests/a.rs:1:1\n";
        assert_eq!(shown(text).lines().count(), 1);
    }

    #[test]
    fn frames_are_never_all_left_out() {
        assert_eq!(shown("  1: core::option::unwrap_failed\n"), "core::option::unwrap_failed");
        assert_eq!(shown("  1: fuzzd::run::run\n"), "fuzzd::run::run");
    }

    #[test]
    fn a_deep_backtrace_is_cut() {
        let text: String = (0..SHOWN_FRAMES_MAX + 2).map(|n| format!("  {n}: f\n")).collect();
        let shown = shown(&text);
        assert_eq!(shown.lines().count(), SHOWN_FRAMES_MAX + 1);
        assert!(shown.ends_with("… 2 more frames"), "{shown}");
    }

    #[test]
    fn another_text_is_no_backtrace() {
        for text in ["", "==1==ERROR: x", "  1: f\nthread panicked", "at x", "a: b"] {
            assert_eq!(lines(text, Path::new("/w")), None, "{text}");
        }
    }
}
