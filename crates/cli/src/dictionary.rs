//! Dictionary files: tokens that fuzzing may put into inputs.
//!
//! Owns the syntax shared by libFuzzer and AFL. Must not read files.
//!
//! One token a line: `"value"`, `name="value"` or `name@level="value"`; the level is not used. In a
//! value, `\\`, `\"` and `\xNN` stand for one byte each (`\n`, `\r` and `\t` are taken as well).
//! Empty lines and lines that start with `#` say nothing.

/// Tokens of one dictionary: what a worker takes from the person.
pub(crate) const DICTIONARY_TOKENS_MAX: usize = 1_024;

/// A line that is not of the syntax.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct DictionaryError {
    /// Number of the line, from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// There is no value in quotes, or no quote at its end.
    #[error("expected name=\"value\"")]
    NoValue,
    /// Something other than a comment follows the value.
    #[error("unexpected text behind the value")]
    Behind,
    /// A name has other bytes than letters, digits and `_`, `-`, `.`; or its level is no number.
    #[error("not a name: letters, digits, `_`, `-`, `.`, and perhaps @level")]
    Name,
    /// An unknown escape.
    #[error("unknown escape: use \\\\, \\\" or \\xNN")]
    Escape,
    /// A value of no bytes.
    #[error("the value is empty")]
    Empty,
    /// More tokens than are used.
    #[error("more than {DICTIONARY_TOKENS_MAX} tokens")]
    TooMany,
}

/// The tokens of a dictionary file, in its order.
pub(crate) fn parse(file: &[u8]) -> Result<Vec<Vec<u8>>, DictionaryError> {
    let mut tokens = Vec::new();
    for (number, line) in file.split(|&byte| byte == b'\n').enumerate() {
        let error = |problem| DictionaryError { line: number + 1, problem };
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if tokens.len() == DICTIONARY_TOKENS_MAX {
            return Err(error(Problem::TooMany));
        }
        tokens.push(token(line).map_err(error)?);
    }
    Ok(tokens)
}

/// The token of one line that has one.
fn token(line: &[u8]) -> Result<Vec<u8>, Problem> {
    let start = line.iter().position(|&byte| byte == b'"').ok_or(Problem::NoValue)?;
    let name = line[..start].trim_ascii();
    if !name.is_empty() {
        let name = name.strip_suffix(b"=").ok_or(Problem::NoValue)?;
        check_name(name.trim_ascii())?;
    }
    let (value, rest) = value(&line[start + 1..])?;
    let rest = rest.trim_ascii();
    if !rest.is_empty() && !rest.starts_with(b"#") {
        return Err(Problem::Behind);
    }
    if value.is_empty() { Err(Problem::Empty) } else { Ok(value) }
}

fn check_name(name: &[u8]) -> Result<(), Problem> {
    let mut parts = name.splitn(2, |&byte| byte == b'@');
    let word = parts.next().unwrap_or(name);
    let is_word = !word.is_empty()
        && word
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let is_level =
        parts.next().is_none_or(|level| !level.is_empty() && level.iter().all(u8::is_ascii_digit));
    if is_word && is_level { Ok(()) } else { Err(Problem::Name) }
}

/// The bytes up to the closing quote, and what follows it.
fn value(mut text: &[u8]) -> Result<(Vec<u8>, &[u8]), Problem> {
    let mut bytes = Vec::new();
    loop {
        let (byte, rest) = match text {
            [] => return Err(Problem::NoValue),
            [b'"', rest @ ..] => return Ok((bytes, rest)),
            [b'\\', b'x', high, low, rest @ ..] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    return Err(Problem::Escape);
                };
                (u8::try_from(high << 4 | low).unwrap_or(0), rest)
            }
            [b'\\', escaped @ (b'\\' | b'"'), rest @ ..] => (*escaped, rest),
            [b'\\', b'n', rest @ ..] => (b'\n', rest),
            [b'\\', b'r', rest @ ..] => (b'\r', rest),
            [b'\\', b't', rest @ ..] => (b'\t', rest),
            [b'\\', ..] => return Err(Problem::Escape),
            [byte, rest @ ..] => (*byte, rest),
        };
        bytes.push(byte);
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: usize, problem: Problem) -> Result<Vec<Vec<u8>>, DictionaryError> {
        Err(DictionaryError { line, problem })
    }

    #[test]
    fn all_forms_of_a_line_give_their_token() {
        let file = b"# a comment\n\n\"plain\"\r\nname=\"value\"\n  deep@12 = \"x\" # said\n";
        assert_eq!(parse(file).unwrap(), [&b"plain"[..], b"value", b"x"]);
        assert_eq!(parse(b"kw1=\"a#b=\\\"c\\\"\"").unwrap(), [b"a#b=\"c\""]);
    }

    #[test]
    fn escapes_stand_for_one_byte() {
        assert_eq!(
            parse(br#"magic="\x89PNG\x0D\x0a\\\"\xFF\n""#).unwrap(),
            [b"\x89PNG\r\n\\\"\xff\n"]
        );
    }

    #[test]
    fn an_empty_file_has_no_tokens() {
        assert_eq!(parse(b"").unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(parse(b"# nothing").unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn errors_name_the_line_and_what_is_wrong() {
        let cases = [
            (&b"a=b"[..], Problem::NoValue),
            (b"\"open", Problem::NoValue),
            (b"name \"value\"", Problem::NoValue),
            (b"a=\"\\", Problem::Escape),
            (b"a=\"\\q\"", Problem::Escape),
            (b"a=\"\\x4\"", Problem::Escape),
            (b"a=\"\\x4g\"", Problem::Escape),
            (b"a=\"b\" c", Problem::Behind),
            (b"a=\"\"", Problem::Empty),
            (b"a b=\"c\"", Problem::Name),
            (b"a@x=\"c\"", Problem::Name),
            (b"a@=\"c\"", Problem::Name),
            (b"=\"c\"", Problem::Name),
        ];
        for (line, problem) in cases {
            let file = [b"# first\n\"second\"\n", line].concat();
            assert_eq!(parse(&file), error(3, problem), "{}", line.escape_ascii());
        }
        let told = DictionaryError { line: 3, problem: Problem::Escape }.to_string();
        assert_eq!(told, "line 3: unknown escape: use \\\\, \\\" or \\xNN");
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let file = "\"x\"\n".repeat(DICTIONARY_TOKENS_MAX + 1);
        assert_eq!(parse(file.as_bytes()), error(DICTIONARY_TOKENS_MAX + 1, Problem::TooMany));
        assert_eq!(
            parse(&file.as_bytes()[4..]).map(|tokens| tokens.len()),
            Ok(DICTIONARY_TOKENS_MAX)
        );
    }
}
