//! The arguments a fuzz test may take, told apart by how their type is written.
//!
//! Owns: the table from Rust types to the types of an input. Must not: see through type aliases;
//! a type it does not know is taken to implement `Arbitrary`.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericArgument, Ident, Pat, PathArguments, Result, Type};

/// One argument of the fuzz test.
pub(crate) struct Parameter {
    /// The name in the source; `argument 2` for a pattern.
    pub(crate) name: String,
    /// The type as written.
    pub(crate) ty: Type,
    /// How the argument is made from an input.
    pub(crate) kind: Kind,
}

/// How one argument is made from an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `&[u8]`
    ByteSlice,
    /// `Vec<u8>`
    ByteVec,
    /// `&str`
    Str,
    /// `String`
    String,
    /// A type of fixed width.
    Scalar(&'static Scalar),
    /// Any other type: built from one byte string through `arbitrary::Arbitrary`.
    Arbitrary,
}

/// A type of fixed width.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// The Rust type, also the end of the names of the runtime's functions for it.
    pub(crate) rust: &'static str,
    /// The name in the text form of an input and in the marker.
    pub(crate) text: &'static str,
    /// The variant of `ValueType`.
    pub(crate) variant: &'static str,
}

const fn scalar(rust: &'static str, text: &'static str, variant: &'static str) -> Scalar {
    Scalar { rust, text, variant }
}

/// Every type of fixed width.
pub(crate) static SCALARS: [Scalar; 16] = [
    scalar("bool", "bool", "Bool"),
    scalar("char", "rune", "Rune"),
    scalar("u8", "uint8", "Uint8"),
    scalar("i8", "int8", "Int8"),
    scalar("u16", "uint16", "Uint16"),
    scalar("i16", "int16", "Int16"),
    scalar("u32", "uint32", "Uint32"),
    scalar("i32", "int32", "Int32"),
    scalar("u64", "uint64", "Uint64"),
    scalar("i64", "int64", "Int64"),
    scalar("usize", "uint", "Uint"),
    scalar("isize", "int", "Int"),
    scalar("u128", "uint128", "Uint128"),
    scalar("i128", "int128", "Int128"),
    scalar("f32", "float32", "Float32"),
    scalar("f64", "float64", "Float64"),
];

impl Kind {
    /// The name in the text form of an input and in the marker.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::ByteSlice | Self::ByteVec | Self::Arbitrary => "[]byte",
            Self::Str | Self::String => "string",
            Self::Scalar(scalar) => scalar.text,
        }
    }

    /// The variant of `ValueType`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::ByteSlice | Self::ByteVec | Self::Arbitrary => "Bytes",
            Self::Str | Self::String => "String",
            Self::Scalar(scalar) => scalar.variant,
        }
    }
}

impl Parameter {
    /// Reads argument `index` (counted from 0).
    pub(crate) fn new(index: usize, argument: &FnArg) -> Result<Self> {
        let typed = match argument {
            FnArg::Receiver(receiver) => {
                let text = "a fuzz test is a free function and cannot take `self`";
                return Err(Error::new(receiver.self_token.span, text));
            }
            FnArg::Typed(typed) => typed,
        };
        if let Some(attribute) = typed.attrs.first() {
            let text = "an argument of a fuzz test cannot have attributes";
            return Err(Error::new_spanned(attribute, text));
        }
        let name = match &*typed.pat {
            Pat::Ident(pattern) => pattern.ident.to_string(),
            _ => format!("argument {}", index + 1),
        };
        Ok(Self { name, ty: (*typed.ty).clone(), kind: kind_of(&typed.ty)? })
    }

    /// The type as a person writes it, on one line.
    pub(crate) fn type_text(&self) -> String {
        let tokens = self.ty.to_token_stream().to_string();
        let mut text = String::new();
        let mut words = tokens.split_whitespace().peekable();
        while let Some(word) = words.next() {
            text.push_str(word);
            let is_word = |c: char| c.is_alphanumeric() || "_'".contains(c);
            let next = words.peek().and_then(|next| next.chars().next());
            let last = word.chars().next_back();
            match (last, next) {
                (Some(',' | ';'), Some(_)) => text.push(' '),
                (Some(last), Some(next)) if is_word(last) && is_word(next) => text.push(' '),
                (_, _) => {}
            }
        }
        text
    }

    /// Where errors about the type of this argument point.
    pub(crate) fn span(&self) -> Span {
        self.ty.span()
    }
}

fn kind_of(ty: &Type) -> Result<Kind> {
    match ty {
        Type::Group(group) => kind_of(&group.elem),
        Type::Paren(paren) => kind_of(&paren.elem),
        Type::Reference(reference) => {
            if reference.mutability.is_some() {
                let text = "a fuzz test cannot borrow its input mutably: take `mut data: Vec<u8>` \
                            or a `String`";
                return Err(Error::new_spanned(ty, text));
            }
            match &reference.lifetime {
                Some(lifetime) if lifetime.ident == "static" => {
                    let text = "the input does not live as long as `'static`: leave the lifetime \
                                out";
                    Err(Error::new(lifetime.span(), text))
                }
                _ => referenced_kind(ty, &reference.elem),
            }
        }
        Type::ImplTrait(_) => Err(Error::new_spanned(
            ty,
            "a fuzz test cannot be generic: name the type instead of `impl Trait`",
        )),
        Type::Path(path) if path.qself.is_none() => Ok(path_kind(&path.path)),
        _ => Ok(Kind::Arbitrary),
    }
}

fn referenced_kind(whole: &Type, inner: &Type) -> Result<Kind> {
    match inner {
        Type::Group(group) => referenced_kind(whole, &group.elem),
        Type::Paren(paren) => referenced_kind(whole, &paren.elem),
        Type::Slice(slice) if is_u8(&slice.elem) => Ok(Kind::ByteSlice),
        Type::Path(path) if path.path.is_ident("str") => Ok(Kind::Str),
        _ => Err(Error::new_spanned(
            whole,
            "of references, a fuzz test can take `&[u8]` and `&str`: take other types by value",
        )),
    }
}

/// A path is a known type when it is written as in the prelude or with its full path.
fn path_kind(path: &syn::Path) -> Kind {
    let Some(last) = path.segments.last() else { return Kind::Arbitrary };
    let mut modules = path.segments.iter().take(path.segments.len() - 1).map(|s| &s.ident);
    let full = |modules: &mut dyn Iterator<Item = &Ident>, home: &str| {
        let names: Vec<String> = modules.map(ToString::to_string).collect();
        match names.as_slice() {
            [] => path.leading_colon.is_none(),
            [root, module] => matches!(root.as_str(), "std" | "alloc" | "core") && module == home,
            _ => false,
        }
    };
    let name = last.ident.to_string();
    match &last.arguments {
        PathArguments::None if name == "String" && full(&mut modules, "string") => Kind::String,
        PathArguments::None => match SCALARS.iter().find(|scalar| scalar.rust == name) {
            Some(scalar) if full(&mut modules, "primitive") => Kind::Scalar(scalar),
            _ => Kind::Arbitrary,
        },
        PathArguments::AngleBracketed(list) if name == "Vec" && list.args.len() == 1 => {
            match list.args.first() {
                Some(GenericArgument::Type(elem)) if is_u8(elem) && full(&mut modules, "vec") => {
                    Kind::ByteVec
                }
                _ => Kind::Arbitrary,
            }
        }
        PathArguments::AngleBracketed(_) | PathArguments::Parenthesized(_) => Kind::Arbitrary,
    }
}

fn is_u8(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_u8(&group.elem),
        Type::Paren(paren) => is_u8(&paren.elem),
        Type::Path(path) => path.path.is_ident("u8"),
        _ => false,
    }
}
