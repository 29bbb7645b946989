//! The text of a backtrace, without the frames of the runtime.
//!
//! Owns which frames a person wants to see: from the one that panicked to the fuzz test.

use std::backtrace::Backtrace;

use crate::limits::BACKTRACE_BYTES_MAX;

/// Symbols of frames between the hook and the code that panicked.
const PANIC_MACHINERY: [&str; 5] = [
    "std::panicking::",
    "core::panicking::",
    "rust_begin_unwind",
    "std::sys::backtrace::",
    "__rustc::",
];

/// Symbol and file of the frames that called the fuzz test. An inlined frame may have one only.
const CALLER: [&str; 2] = ["fuzzd_worker::runner::run_target", "worker/src/runner.rs"];

/// The frame of `catch_unwind`, for executables without line numbers.
const CATCH: [&str; 1] = ["__rust_try"];

/// The text of `backtrace`, cut to its limit.
pub(super) fn text(backtrace: &Backtrace) -> String {
    trim(&backtrace.to_string())
}

/// Cuts the frames of the panic machinery and of the runtime off both ends.
fn trim(all: &str) -> String {
    let frames = frames(all);
    let first = |from: usize, marks: &[&str]| {
        let position =
            frames[from..].iter().position(|frame| marks.iter().any(|mark| frame.contains(mark)));
        position.map(|position| from + position)
    };
    // Machinery of an outer panic or catch may follow further out: only the first run counts.
    let raised = first(0, &PANIC_MACHINERY).unwrap_or(0);
    let is_machinery =
        |frame: &&&str| PANIC_MACHINERY.iter().any(|mark| symbol(frame).contains(mark));
    let from = raised + frames[raised..].iter().take_while(is_machinery).count();
    let to = first(from, &CALLER).or_else(|| first(from, &CATCH)).unwrap_or(frames.len());
    let wanted = if from < to { frames[from..to].concat() } else { all.to_owned() };
    wanted[..wanted.floor_char_boundary(BACKTRACE_BYTES_MAX)].to_owned()
}

/// What stands behind the number in the first line of a frame.
fn symbol(frame: &str) -> &str {
    let line = frame.lines().next().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, symbol)| symbol)
}

/// The frames: each a line with number and symbol, and the lines with its place that follow.
fn frames(all: &str) -> Vec<&str> {
    let mut frames = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in all.split_inclusive('\n') {
        let numbered = line.trim_start().starts_with(|first: char| first.is_ascii_digit());
        if numbered && at > start {
            frames.push(&all[start..at]);
            start = at;
        }
        at += line.len();
    }
    if at > start {
        frames.push(&all[start..at]);
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "   0: fuzzd_worker::failure::keep
             at ./src/failure.rs:1:1
   1: fuzzd_worker::failure::install_hook::{{closure}}
             at ./src/failure.rs:2:1
   2: <alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call
             at /rustc/x/library/alloc/src/boxed.rs:1:1
   3: std::panicking::rust_panic_with_hook
             at /rustc/x/library/std/src/panicking.rs:841:13
   4: __rustc::rust_begin_unwind
   5: core::panicking::panic_fmt
   6: parser::inner
             at ./src/parser.rs:10:5
   7: tests::parse::{{closure}}
             at ./tests/fuzz.rs:3:1
   8: fuzzd_worker::runner::run_target
             at ./src/runner.rs:2:1
   9: std::panicking::try
  10: main
";

    #[test]
    fn only_the_frames_of_the_target_are_kept() {
        let expected = "   6: parser::inner
             at ./src/parser.rs:10:5
   7: tests::parse::{{closure}}
             at ./tests/fuzz.rs:3:1
";
        assert_eq!(trim(SAMPLE), expected);
    }

    #[test]
    fn a_text_of_another_shape_is_kept_whole() {
        assert_eq!(trim("unsupported backtrace"), "unsupported backtrace");
        assert_eq!(trim(""), "");
    }

    #[test]
    fn a_long_backtrace_is_cut_at_a_character() {
        let deep: String = (0..5000).map(|frame| format!("{frame:4}: parser::größe\n")).collect();
        let text = trim(&deep);
        assert!(text.len() <= BACKTRACE_BYTES_MAX && text.len() > BACKTRACE_BYTES_MAX - 4);
    }
}
