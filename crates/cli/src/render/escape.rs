//! Text from targets, made harmless: whatever a fuzz test prints or panics with, no control
//! sequence of it reaches a terminal.

use std::fmt::Write;

/// `text` in one line: line ends, tabs and control characters are shown as escapes.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut shown, character);
    }
    shown
}

/// `text` line by line, each one harmless.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(line)
}

/// Bytes as a Rust byte string, with the quotes: `b"GET \xff"`.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    format!("b\"{}\"", bytes.escape_ascii())
}

/// The first `characters_max` characters of `text`, with `…` for the rest.
pub(crate) fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A word of a command line, quoted for a shell where that is needed. Control characters are
/// written in the `$'…'` form, so that the line can be pasted.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if !word.chars().any(is_dangerous) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for character in word.chars() {
        match character {
            '\'' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            other if is_dangerous(other) => {
                for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a string does not fail.
                    write!(quoted, "\\x{byte:02x}").unwrap_or_default();
                }
            }
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

fn push(shown: &mut String, character: char) {
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        other if is_dangerous(other) => {
            // Writing to a string does not fail.
            write!(shown, "\\u{{{:x}}}", u32::from(other)).unwrap_or_default();
        }
        other => shown.push(other),
    }
}

/// Characters that steer a terminal, hide themselves, or change the order of others.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        for evil in ["\x1b[2J", "\x1b]0;title\x07", "\u{9b}31m", "a\rb", "\x7f", "\u{202e}abc"] {
            let shown = line(evil);
            assert!(shown.chars().all(|c| !is_dangerous(c)), "{shown:?}");
            assert!(shown.contains('\\'));
        }
        for byte in 0..=255_u8 {
            assert!(bytes(&[byte]).bytes().all(|shown| (0x20..0x7f).contains(&shown)));
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(line("größer – 日本"), "größer – 日本");
        assert_eq!(bytes(b"a\xff\"\n"), r#"b"a\xff\"\n""#);
        assert_eq!(cut("größer", 3), "grö…");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn commands_can_be_pasted() {
        assert_eq!(shell_word("tests::a"), "tests::a");
        assert_eq!(shell_word("my dir/it's"), r"'my dir/it'\''s'");
        assert_eq!(shell_word("a\x1b'"), r"$'a\x1b\''");
        assert_eq!(shell_word(""), "''");
    }
}
