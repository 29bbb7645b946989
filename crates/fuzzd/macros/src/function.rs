//! The function below the attribute: what a fuzz test may look like.
//!
//! Owns: the checks of the signature, where its attributes go, and the words of every refusal.
//! Must not: generate code.

use syn::spanned::Spanned;
use syn::{Attribute, Error, ItemFn, Path, Result, ReturnType, Safety, Type};

use crate::parameter::Parameter;

/// A function that was found fit to be a fuzz test.
pub(crate) struct FuzzFunction {
    /// The function as the user wrote it, with the attributes that stay on it.
    pub(crate) item: ItemFn,
    /// Attributes that go to the generated test: whether it exists, is ignored, how it is linted.
    pub(crate) test_attributes: Vec<Attribute>,
    /// At least one.
    pub(crate) parameters: Vec<Parameter>,
    /// It returns `()`, so there is no verdict to look at.
    pub(crate) returns_unit: bool,
}

impl FuzzFunction {
    /// Checks the function and reads its arguments.
    pub(crate) fn new(mut item: ItemFn) -> Result<Self> {
        check_qualifiers(&item)?;
        check_generics(&item)?;
        if item.sig.inputs.is_empty() {
            return Err(Error::new(
                item.sig.ident.span(),
                "a fuzz test takes at least one argument, its input: \
                 for example `data: &[u8]`",
            ));
        }
        let parameters = item
            .sig
            .inputs
            .iter()
            .enumerate()
            .map(|(index, argument)| Parameter::new(index, argument))
            .collect::<Result<Vec<_>>>()?;
        let mut test_attributes = Vec::new();
        let mut own_attributes = Vec::new();
        for attribute in std::mem::take(&mut item.attrs) {
            check_attribute(&attribute)?;
            if belongs_to_test(attribute.path()) {
                test_attributes.push(attribute);
            } else {
                own_attributes.push(attribute);
            }
        }
        item.attrs = own_attributes;
        let returns_unit = match &item.sig.output {
            ReturnType::Default => true,
            ReturnType::Type(_, ty) => {
                matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty())
            }
        };
        Ok(Self { item, test_attributes, parameters, returns_unit })
    }
}

fn check_qualifiers(item: &ItemFn) -> Result<()> {
    let signature = &item.sig;
    if let Some(token) = &signature.asyncness {
        return Err(Error::new(
            token.span(),
            "a fuzz test cannot be `async`: make it an ordinary function that blocks on a runtime \
             (`tokio::runtime::Runtime::block_on`, `futures::executor::block_on`)",
        ));
    }
    match &signature.safety {
        Safety::Unsafe(token) => {
            return Err(Error::new(
                token.span(),
                "a fuzz test cannot be `unsafe`: any input must be safe to try",
            ));
        }
        Safety::Safe(_) | Safety::Default => {}
    }
    if let Some(variadic) = &signature.variadic {
        return Err(Error::new_spanned(variadic, "a fuzz test cannot be variadic"));
    }
    Ok(())
}

fn check_generics(item: &ItemFn) -> Result<()> {
    let generics = &item.sig.generics;
    if let Some(parameter) = generics.params.first() {
        return Err(Error::new_spanned(
            parameter,
            "a fuzz test cannot be generic: name its types, and leave lifetimes out",
        ));
    }
    if let Some(clause) = &generics.where_clause {
        return Err(Error::new_spanned(clause, "a fuzz test cannot have a `where` clause"));
    }
    Ok(())
}

fn check_attribute(attribute: &Attribute) -> Result<()> {
    let Some(last) = attribute.path().segments.last() else { return Ok(()) };
    if attribute.path().is_ident("should_panic") {
        return Err(Error::new_spanned(
            attribute,
            "a fuzz test cannot be `#[should_panic]`: whatever it was given, a panic is a failure. \
             To promise a panic, catch it with `std::panic::catch_unwind` and check the result",
        ));
    }
    if last.ident == "test" || last.ident == "bench" {
        return Err(Error::new_spanned(
            attribute,
            "`#[fuzzd::test]` already makes this function a test: remove the other attribute",
        ));
    }
    Ok(())
}

/// Attributes that decide about the test as a whole. Lint levels reach the function through it.
fn belongs_to_test(path: &Path) -> bool {
    const NAMES: [&str; 9] =
        ["cfg", "cfg_attr", "ignore", "doc", "allow", "expect", "warn", "deny", "forbid"];
    NAMES.iter().any(|name| path.is_ident(name))
}
