//! Cutting one line of text into Go's tokens.
//!
//! Owns: what a token is (identifiers, numbers, literals, comments) and what escapes mean. Must
//! not: know types or ranges. Holds one position and no list: a hostile line costs no memory.

use super::ValueError;

/// One token; literals keep their source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Identifier(&'a str),
    /// A number that may have a point or an exponent; not yet validated.
    Number(&'a str),
    /// What stands between single quotes.
    Character(&'a str),
    /// What stands between double quotes.
    Text(&'a str),
    /// What stands between back quotes.
    RawText(&'a str),
    Punctuation(char),
    /// `<-`
    Arrow,
    /// `...`
    Ellipsis,
    End,
}

/// The tokens of one line, from left to right.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { rest: line }
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, ValueError> {
        self.skip_space()?;
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        let second = self.rest.as_bytes().get(1);
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Ok(Token::Identifier(self.take(is_word))),
            '0'..='9' => Ok(Token::Number(self.number())),
            '.' if second.is_some_and(u8::is_ascii_digit) => Ok(Token::Number(self.number())),
            '\'' => Ok(Token::Character(self.quoted('\'')?)),
            '"' => Ok(Token::Text(self.quoted('"')?)),
            '`' => {
                let body = &self.rest[1..];
                let end = body.find('`').ok_or(ValueError::Literal)?;
                self.rest = &body[end + 1..];
                Ok(Token::RawText(&body[..end]))
            }
            other => Ok(self.punctuation(other)),
        }
    }

    /// One character, or one of the longer tokens that matter here.
    fn punctuation(&mut self, first: char) -> Token<'a> {
        let long = [("<-", Token::Arrow), ("...", Token::Ellipsis)];
        for (text, token) in long {
            if let Some(rest) = self.rest.strip_prefix(text) {
                self.rest = rest;
                return token;
            }
        }
        self.rest = &self.rest[first.len_utf8()..];
        Token::Punctuation(first)
    }

    /// Skips blanks and comments, as Go's parser does inside a line.
    fn skip_space(&mut self) -> Result<(), ValueError> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
            if self.rest.starts_with("//") {
                self.rest = "";
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                let end = comment.find("*/").ok_or(ValueError::Form)?;
                self.rest = &comment[end + 2..];
            } else {
                return Ok(());
            }
        }
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|next| !belongs(next)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        token
    }

    /// A number with its point and its exponent. In `0x1e+5` the sign ends the number; in `1e+5`
    /// and `0x1p+5` it belongs to it. A second point ends it, and one behind an exponent.
    fn number(&mut self) -> &'a str {
        let bytes = self.rest.as_bytes();
        let is_hex = matches!(bytes, [b'0', b'x' | b'X', ..]);
        let starts_exponent = |byte: u8| match byte {
            b'e' | b'E' => !is_hex,
            b'p' | b'P' => is_hex,
            _ => false,
        };
        let mut end = 0;
        let mut may_have_point = true;
        while let Some(&byte) = bytes.get(end) {
            let belongs = match byte {
                b'+' | b'-' => end > 0 && starts_exponent(bytes[end - 1]),
                b'.' => may_have_point,
                other => is_word(char::from(other)),
            };
            if !belongs {
                break;
            }
            may_have_point &= byte != b'.' && !starts_exponent(byte);
            end += 1;
        }
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        token
    }

    /// What stands between this quote and its unescaped like.
    fn quoted(&mut self, quote: char) -> Result<&'a str, ValueError> {
        let body = &self.rest[1..];
        let mut from = 0;
        loop {
            let offset = body[from..].find([quote, '\\']).ok_or(ValueError::Literal)?;
            let at = from + offset;
            if body[at..].starts_with(quote) {
                self.rest = &body[at + 1..];
                return Ok(&body[..at]);
            }
            let escaped = body[at + 1..].chars().next().ok_or(ValueError::Literal)?;
            from = at + 1 + escaped.len_utf8();
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The bytes that the inside of a double-quoted literal stands for.
pub(super) fn unquote(body: &str) -> Result<Vec<u8>, ValueError> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let (escape, length) = unescape(&rest[at..], '"')?;
        match escape {
            Escape::Byte(byte) => bytes.push(byte),
            Escape::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = &rest[at + length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// The code point that the inside of a single-quoted literal stands for.
pub(super) fn unquote_character(body: &str) -> Result<char, ValueError> {
    let (character, length) = match body.chars().next() {
        None => return Err(ValueError::Literal),
        Some('\\') => match unescape(body, '\'')? {
            (Escape::Byte(byte), length) => (char::from(byte), length),
            (Escape::Character(character), length) => (character, length),
        },
        Some(character) => (character, character.len_utf8()),
    };
    if length == body.len() { Ok(character) } else { Err(ValueError::Literal) }
}

enum Escape {
    Byte(u8),
    Character(char),
}

/// The escape at the start of `text` and its length in bytes.
fn unescape(text: &str, quote: char) -> Result<(Escape, usize), ValueError> {
    let kind = text[1..].chars().next().ok_or(ValueError::Literal)?;
    let simple = |byte| Ok((Escape::Byte(byte), 2));
    match kind {
        'a' => simple(0x07),
        'b' => simple(0x08),
        'f' => simple(0x0c),
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        'v' => simple(0x0b),
        '\\' => simple(b'\\'),
        '\'' if quote == '\'' => simple(b'\''),
        '"' if quote == '"' => simple(b'"'),
        'x' => byte_escape(text, 2, 2, 16),
        '0'..='7' => byte_escape(text, 1, 3, 8),
        'u' => character_escape(text, 4),
        'U' => character_escape(text, 8),
        _ => Err(ValueError::Literal),
    }
}

fn byte_escape(
    text: &str,
    start: usize,
    digits: usize,
    radix: u32,
) -> Result<(Escape, usize), ValueError> {
    let number = escape_digits(text, start, digits, radix)?;
    let byte = u8::try_from(number).map_err(|_| ValueError::Literal)?;
    Ok((Escape::Byte(byte), start + digits))
}

fn character_escape(text: &str, digits: usize) -> Result<(Escape, usize), ValueError> {
    let number = escape_digits(text, 2, digits, 16)?;
    let character = char::from_u32(number).ok_or(ValueError::Literal)?;
    Ok((Escape::Character(character), 2 + digits))
}

fn escape_digits(text: &str, start: usize, digits: usize, radix: u32) -> Result<u32, ValueError> {
    let digits = text.get(start..start + digits).ok_or(ValueError::Literal)?;
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(ValueError::Literal);
    }
    u32::from_str_radix(digits, radix).map_err(|_| ValueError::Literal)
}
