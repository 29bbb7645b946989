//! The `#[fuzzd::test]` attribute. Users reach it through the `fuzzd` crate, which documents it.
//!
//! Owns: reading the attribute and the function below it, the words of every error about them,
//! and the expansion. Must not: depend on the `fuzzd` crate or know how a fuzz test is run; the
//! expansion only names items of `fuzzd::__private`.

mod attribute;
mod expand;
mod function;
mod parameter;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a function a fuzz test.
///
/// The function takes one or more arguments, which are the input. `cargo test` runs it on its
/// seeds and on every file of its `testdata` directory; `cargo fuzzd run` looks for inputs that
/// make it fail.
///
/// Keys, all optional:
///
/// - `seeds = [..]`: inputs to start from. One argument: its value (anything that is
///   `AsRef<[u8]>` for bytes and for types that implement `Arbitrary`, anything that is
///   `AsRef<str>` for text). Several arguments: a tuple. An expression that is not written as a
///   list is iterated.
/// - `crate = path`: where the `fuzzd` crate is, when it is not `::fuzzd`.
///
/// The documentation of the `fuzzd` crate has the rules and examples.
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(attribute.into(), item.into())
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}
