//! Reading Rust's own last words from the tail of standard error.
//!
//! Owns the forms in which the standard library prints panics and fatal errors. Must not decide
//! what they mean for a death (see `death`): text is easily forged or stale.

/// The message of a panic as it was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PanicText {
    /// `file:line:column`.
    pub(crate) location: String,
    /// May have several lines.
    pub(crate) message: String,
}

const MARK: &str = "panicked at ";

/// The last panic in `text`, in the present form (location first, message on the next lines) or in
/// the one before Rust 1.73 (message in quotes, then the location).
pub(crate) fn last_panic(text: &str) -> Option<PanicText> {
    // What follows a panic may be its consequence only ("panic in a function that cannot unwind").
    let start = text.match_indices(MARK).map(|(start, _)| start).filter(|&start| {
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        text[line_start..start].starts_with("thread ")
    });
    let panics: Vec<PanicText> =
        start.filter_map(|start| parse(&text[start + MARK.len()..])).collect();
    let is_cause = |panic: &&PanicText| !is_consequence(&panic.message);
    panics.iter().rev().find(is_cause).or(panics.last()).cloned()
}

/// `memory allocation of 123 bytes failed`, as the standard library aborts with.
pub(crate) fn failed_allocation(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| {
        line.strip_prefix("memory allocation of ")
            .and_then(|rest| rest.split_once(" bytes failed"))
            .is_some_and(|(bytes, _)| {
                !bytes.is_empty() && bytes.bytes().all(|b| b.is_ascii_digit())
            })
    })
}

/// Whether the standard library's guard page was hit.
pub(crate) fn stack_overflowed(text: &str) -> bool {
    text.lines().any(|line| {
        line.trim_start().starts_with("thread ") && line.ends_with("has overflowed its stack")
    }) || text.contains("AddressSanitizer: stack-overflow")
}

fn is_consequence(message: &str) -> bool {
    message.starts_with("panic in a function that cannot unwind")
        || message.starts_with("panic in a destructor during cleanup")
}

fn parse(rest: &str) -> Option<PanicText> {
    let first = rest.lines().next()?;
    if let Some(quoted) = rest.strip_prefix('\'')
        && let Some((message, location)) = parse_old(quoted)
    {
        return Some(PanicText { location, message });
    }
    let location = first.strip_suffix(':').unwrap_or(first);
    if !is_location(location) {
        return None;
    }
    let lines = rest.lines().skip(1);
    let message: Vec<&str> = lines.take_while(|line| !is_after_message(line)).collect();
    let message = message.join("\n").trim_end().to_owned();
    Some(PanicText { location: location.to_owned(), message })
}

/// `message', src/lib.rs:1:2`; the message may hold quotes and line ends.
fn parse_old(quoted: &str) -> Option<(String, String)> {
    quoted.match_indices("', ").find_map(|(end, mark)| {
        let location = quoted[end + mark.len()..].lines().next()?;
        is_location(location).then(|| (quoted[..end].to_owned(), location.to_owned()))
    })
}

/// `file:line:column`.
fn is_location(text: &str) -> bool {
    let mut parts = text.rsplitn(3, ':');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let numbers = parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number);
    let is_file = |file: &str| !file.is_empty() && !file.contains(['\'', '"']);
    numbers && parts.next().is_some_and(is_file)
}

fn is_after_message(line: &str) -> bool {
    line.starts_with("note: run with `RUST_BACKTRACE")
        || line.starts_with("note: Some details are omitted")
        || line.starts_with("stack backtrace:")
        || line.starts_with("thread '")
        || line.starts_with("thread caused non-unwinding panic")
        || line.starts_with("fatal runtime error:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panic(text: &str) -> Option<(String, String)> {
        last_panic(text).map(|panic| (panic.location, panic.message))
    }

    #[test]
    fn both_forms_of_the_standard_library_are_read() {
        let cases = [
            ("thread 'main' panicked at src/lib.rs:10:5:\nboom 1\n", "src/lib.rs:10:5", "boom 1"),
            ("thread 'main' (123) panicked at a b/c.rs:1:2:\nx", "a b/c.rs:1:2", "x"),
            ("thread 'main' panicked at 'boom', src/lib.rs:10:5\n", "src/lib.rs:10:5", "boom"),
            (
                "thread '<unnamed>' panicked at 'it's, bad\n', x', src/a.rs:1:9\nnote: run with",
                "src/a.rs:1:9",
                "it's, bad\n', x",
            ),
            (
                "noise\nthread 'a' panicked at /x/y.rs:3:4:\nassertion failed\n  left: 1\n \
                 right: 2\nnote: run with `RUST_BACKTRACE=1`\nmore",
                "/x/y.rs:3:4",
                "assertion failed\n  left: 1\n right: 2",
            ),
            (
                "thread 'm' panicked at C:\\a\\b.rs:7:1:\nw\nstack backtrace:\n 0: f",
                "C:\\a\\b.rs:7:1",
                "w",
            ),
        ];
        for (text, location, message) in cases {
            assert_eq!(panic(text), Some((location.into(), message.into())), "{text}");
        }
    }

    #[test]
    fn the_cause_counts_not_its_consequence() {
        let text = "thread 'm' panicked at src/a.rs:1:1:\nfirst\nthread 'm' panicked at \
                    src/b.rs:2:2:\nsecond\nthread 'm' panicked at \
                    library/core/src/panicking.rs:225:5:\npanic in a function that cannot \
                    unwind\nstack backtrace:\n";
        assert_eq!(panic(text), Some(("src/b.rs:2:2".into(), "second".into())));
    }

    #[test]
    fn text_that_is_no_panic_is_none() {
        for text in [
            "",
            "panicked at ",
            "it panicked at src/a.rs:1:1:\nx",
            "thread 'm' panicked at \n",
            "thread 'm' panicked at nowhere",
        ] {
            assert_eq!(panic(text), None, "{text}");
        }
    }

    #[test]
    fn fatal_errors_are_told_by_their_own_lines() {
        assert!(stack_overflowed("\nthread 'main' has overflowed its stack\nfatal runtime error"));
        assert!(stack_overflowed("thread 'main' (77) has overflowed its stack\n"));
        assert!(!stack_overflowed("input says: has overflowed its stack"));
        assert!(failed_allocation("x\nmemory allocation of 99 bytes failed\n").is_some());
        assert!(failed_allocation("memory allocation of many bytes failed").is_none());
    }
}
