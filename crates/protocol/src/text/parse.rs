//! From one line of text to one value.
//!
//! Owns: the form `type(literal)`, which literal each type takes, and the ranges. Must not: know
//! how literals are spelled beyond numbers (see [`super::lexer`] and [`super::float`]).

use super::ValueError;
use super::float;
use super::lexer::{Lexer, Token, unquote, unquote_character};
use crate::value::{Value, ValueType};

/// What stands before the parenthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// A type by its own name.
    Type(ValueType),
    /// `byte`: an `uint8` that may also be written as a character.
    Byte,
    /// `math.Float32frombits`.
    Float32Bits,
    /// `math.Float64frombits`.
    Float64Bits,
}

/// What stands between the parentheses.
#[derive(Debug, Clone, Copy)]
struct Argument<'a> {
    /// An operator before the literal. Only `-` has its meaning; `Inf` takes every other for `+`.
    sign: Option<char>,
    token: Token<'a>,
}

/// The value of a line without surrounding blanks.
pub(super) fn value(line: &str) -> Result<Value, ValueError> {
    // Go's scanner refuses both anywhere in its source, also inside literals and comments; but a
    // byte order mark may begin it, and to Go every line is a source of its own.
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    if line.contains(['\0', '\u{feff}']) {
        return Err(ValueError::MustBeEscaped);
    }
    let mut lexer = Lexer::new(line);
    let head = head(&mut lexer)?;
    expect(&mut lexer, '(')?;
    let argument = argument(&mut lexer)?;
    let mut last = lexer.next()?;
    // Go's parser reads a variadic call and does not ask further.
    if last == Token::Ellipsis {
        last = lexer.next()?;
    }
    if last == Token::Punctuation(',') {
        last = lexer.next()?;
    }
    if last != Token::Punctuation(')') || lexer.next()? != Token::End {
        return Err(ValueError::Form);
    }
    match head {
        Head::Type(value_type) => typed(value_type, argument),
        Head::Byte => byte(argument),
        Head::Float32Bits => {
            let bits = unsigned(argument).and_then(|bits| u32::try_from(bits).ok());
            let value = bits.map(|bits| Value::Float32(f32::from_bits(bits)));
            value.ok_or(ValueError::NotOfType(ValueType::Float32))
        }
        Head::Float64Bits => {
            let bits = unsigned(argument).and_then(|bits| u64::try_from(bits).ok());
            let value = bits.map(|bits| Value::Float64(f64::from_bits(bits)));
            value.ok_or(ValueError::NotOfType(ValueType::Float64))
        }
    }
}

fn head(lexer: &mut Lexer<'_>) -> Result<Head, ValueError> {
    match lexer.next()? {
        Token::Punctuation('[') => {
            expect(lexer, ']')?;
            match lexer.next()? {
                Token::Identifier("byte") => Ok(Head::Type(ValueType::Bytes)),
                Token::Identifier(other) => Err(ValueError::UnknownType(format!("[]{other}"))),
                _ => Err(ValueError::Form),
            }
        }
        Token::Identifier("math") => {
            expect(lexer, '.')?;
            match lexer.next()? {
                Token::Identifier("Float32frombits") => Ok(Head::Float32Bits),
                Token::Identifier("Float64frombits") => Ok(Head::Float64Bits),
                Token::Identifier(other) => Err(ValueError::UnknownType(format!("math.{other}"))),
                _ => Err(ValueError::Form),
            }
        }
        Token::Identifier("byte") => Ok(Head::Byte),
        Token::Identifier(name) => ValueType::from_name(name)
            .map(Head::Type)
            .ok_or_else(|| ValueError::UnknownType(name.to_owned())),
        _ => Err(ValueError::Form),
    }
}

fn expect(lexer: &mut Lexer<'_>, punctuation: char) -> Result<(), ValueError> {
    let is_there = lexer.next()? == Token::Punctuation(punctuation);
    if is_there { Ok(()) } else { Err(ValueError::Form) }
}

fn argument<'a>(lexer: &mut Lexer<'a>) -> Result<Argument<'a>, ValueError> {
    match lexer.next()? {
        Token::Punctuation(sign @ ('-' | '+' | '!' | '^' | '&' | '~')) => {
            Ok(Argument { sign: Some(sign), token: lexer.next()? })
        }
        Token::Arrow => Ok(Argument { sign: Some('<'), token: lexer.next()? }),
        token => Ok(Argument { sign: None, token }),
    }
}

fn typed(value_type: ValueType, argument: Argument<'_>) -> Result<Value, ValueError> {
    let refused = ValueError::NotOfType(value_type);
    let value = match value_type {
        ValueType::Bytes => bytes(argument)?.map(Value::Bytes),
        ValueType::String => bytes(argument)?.map(Value::String),
        ValueType::Bool => match (argument.sign, argument.token) {
            (None, Token::Identifier("true")) => Some(Value::Bool(true)),
            (None, Token::Identifier("false")) => Some(Value::Bool(false)),
            _ => None,
        },
        ValueType::Rune => rune(argument)?,
        ValueType::Int8 => signed(argument).map(Value::Int8),
        ValueType::Int16 => signed(argument).map(Value::Int16),
        ValueType::Int32 => signed(argument).map(Value::Int32),
        ValueType::Int64 => signed(argument).map(Value::Int64),
        ValueType::Int => signed(argument).map(Value::Int),
        ValueType::Int128 => signed(argument).map(Value::Int128),
        ValueType::Uint8 => narrow(argument).map(Value::Uint8),
        ValueType::Uint16 => narrow(argument).map(Value::Uint16),
        ValueType::Uint32 => narrow(argument).map(Value::Uint32),
        ValueType::Uint64 => narrow(argument).map(Value::Uint64),
        ValueType::Uint => narrow(argument).map(Value::Uint),
        ValueType::Uint128 => unsigned(argument).map(Value::Uint128),
        ValueType::Float32 => match (argument.sign, argument.token) {
            (sign @ (None | Some('-')), Token::Number(literal)) => {
                float::parse_f32(sign.is_some(), literal).map(Value::Float32)
            }
            (sign, Token::Identifier(name)) => float::named_f32(sign, name).map(Value::Float32),
            _ => None,
        },
        ValueType::Float64 => match (argument.sign, argument.token) {
            (sign @ (None | Some('-')), Token::Number(literal)) => {
                float::parse_f64(sign.is_some(), literal).map(Value::Float64)
            }
            (sign, Token::Identifier(name)) => float::named_f64(sign, name).map(Value::Float64),
            _ => None,
        },
    };
    value.ok_or(refused)
}

fn bytes(argument: Argument<'_>) -> Result<Option<Vec<u8>>, ValueError> {
    match (argument.sign, argument.token) {
        (None, Token::Text(body)) => unquote(body).map(Some),
        // Go drops carriage returns from raw literals.
        (None, Token::RawText(body)) => Ok(Some(body.replace('\r', "").into_bytes())),
        _ => Ok(None),
    }
}

/// Also a number that is no character: then it is an `int32`, as it is for Go.
fn rune(argument: Argument<'_>) -> Result<Option<Value>, ValueError> {
    match (argument.sign, argument.token) {
        (None, Token::Character(body)) => Ok(Some(Value::Rune(unquote_character(body)?))),
        _ => Ok(signed::<i32>(argument).map(|number| {
            Value::Int32(number).into_type(ValueType::Rune).unwrap_or(Value::Int32(number))
        })),
    }
}

fn byte(argument: Argument<'_>) -> Result<Value, ValueError> {
    let byte = match (argument.sign, argument.token) {
        (None, Token::Character(body)) => u8::try_from(u32::from(unquote_character(body)?)).ok(),
        _ => narrow(argument),
    };
    byte.map(Value::Uint8).ok_or(ValueError::NotOfType(ValueType::Uint8))
}

fn signed<T: TryFrom<i128>>(argument: Argument<'_>) -> Option<T> {
    let Token::Number(literal) = argument.token else { return None };
    let magnitude = magnitude(literal)?;
    let number = match argument.sign {
        None => i128::try_from(magnitude).ok()?,
        Some('-') => 0i128.checked_sub_unsigned(magnitude)?,
        Some(_) => return None,
    };
    T::try_from(number).ok()
}

fn narrow<T: TryFrom<u128>>(argument: Argument<'_>) -> Option<T> {
    T::try_from(unsigned(argument)?).ok()
}

fn unsigned(argument: Argument<'_>) -> Option<u128> {
    match (argument.sign, argument.token) {
        (None, Token::Number(literal)) => magnitude(literal),
        _ => None,
    }
}

/// The number of a Go integer literal: decimal, `0x`, `0o`, `0b`, or octal after a bare `0`.
fn magnitude(literal: &str) -> Option<u128> {
    let (digits, radix) = match literal.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&literal[2..], 16),
        [b'0', b'o' | b'O', ..] => (&literal[2..], 8),
        [b'0', b'b' | b'B', ..] => (&literal[2..], 2),
        [b'0', _, ..] => (&literal[1..], 8),
        _ => (literal, 10),
    };
    // Behind a prefix one underscore may come before the first digit.
    let digits = if radix == 10 { digits } else { digits.strip_prefix('_').unwrap_or(digits) };
    let plain = float::without_underscores(digits, |digit| digit.is_digit(radix))?;
    u128::from_str_radix(&plain, radix).ok()
}
