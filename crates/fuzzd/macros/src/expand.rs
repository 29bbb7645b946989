//! The expansion: an ordinary `#[test]` of the same name around the user's function.
//!
//! Owns: the generated code. Must not: generate code with branches or loops of its own where the
//! runtime can do the work, since all of it is instrumented together with the user's crate.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, Ident, Result};

use crate::attribute::Attribute;
use crate::function::FuzzFunction;
use crate::parameter::{Kind, Parameter};

/// Expands `#[fuzzd::test(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let attribute: Attribute = syn::parse2(attribute)?;
    let item = syn::parse2(item.clone()).map_err(|error| {
        let text = format!("`#[fuzzd::test]` goes on a function: {error}");
        Error::new(item.span(), text)
    })?;
    let function = FuzzFunction::new(item)?;
    let private = match &attribute.crate_path {
        Some(path) => quote!(#path::__private),
        None => quote!(::fuzzd::__private),
    };
    let seeds = seeds(attribute.seeds.as_ref(), &function.parameters)?;
    Ok(Expansion { function, private, seeds }.tokens())
}

struct Expansion {
    function: FuzzFunction,
    /// The path of the runtime's module for generated code.
    private: TokenStream,
    /// Statements that add the seeds to `__fuzzd_seeds`.
    seeds: TokenStream,
}

impl Expansion {
    fn tokens(&self) -> TokenStream {
        let private = &self.private;
        let item = &self.function.item;
        let (visibility, name) = (&item.vis, &item.sig.ident);
        let attributes = &self.function.test_attributes;
        let mut own = item.clone();
        own.vis = syn::Visibility::Inherited;
        let (description, run, seeds) = (self.description(), self.run(), &self.seeds);
        // The full path of `test`: a user who wrote `use fuzzd::test` must not get the attribute
        // expanded again.
        quote! {
            #[::core::prelude::v1::test]
            #(#attributes)*
            #visibility fn #name() {
                #own
                fn __fuzzd_run(__fuzzd_input: &[u8]) -> #private::Verdict {
                    #run
                }
                fn __fuzzd_seeds(__fuzzd_seeds: &mut #private::Seeds) {
                    #seeds
                }
                static __FUZZD_TEST: #private::FuzzTest = #description;
                #private::run(&__FUZZD_TEST)
            }
        }
    }

    /// The static that describes the fuzz test to the runtime.
    fn description(&self) -> TokenStream {
        let private = &self.private;
        let name = self.function.item.sig.ident.to_string();
        let texts: Vec<_> = self.function.parameters.iter().map(|p| p.kind.text()).collect();
        let texts = texts.join(",");
        let variants =
            self.function.parameters.iter().map(|p| format_ident!("{}", p.kind.variant()));
        let parameters = self.function.parameters.iter().map(|p| self.parameter(p));
        quote! {
            #private::FuzzTest {
                marker: ::core::concat!(
                    "\u{1}fuzzd-test\u{2}1\u{1f}", ::core::module_path!(), "\u{1f}", #name,
                    "\u{1f}", #texts, "\u{1f}", ::core::file!(), "\u{1f}", ::core::line!(),
                    "\u{4}",
                ),
                module: ::core::module_path!(),
                name: #name,
                file: ::core::file!(),
                build: #private::Build {
                    manifest_dir: ::core::option_env!("CARGO_MANIFEST_DIR"),
                    package: ::core::option_env!("CARGO_PKG_NAME"),
                    bin: ::core::option_env!("CARGO_BIN_NAME"),
                    test_tmpdir: ::core::option_env!("CARGO_TARGET_TMPDIR"),
                },
                types: &[#(#private::ValueType::#variants),*],
                parameters: &[#(#parameters),*],
                run: __fuzzd_run,
                seeds: __fuzzd_seeds,
            }
        }
    }

    fn parameter(&self, parameter: &Parameter) -> TokenStream {
        let private = &self.private;
        let (name, ty, ty_text) = (&parameter.name, &parameter.ty, parameter.type_text());
        let debug = match parameter.kind {
            Kind::Arbitrary => quote_spanned! {at(parameter.span())=>
                ::core::option::Option::Some({
                    fn __fuzzd_debug(__fuzzd_bytes: &[u8]) -> #private::show::Shown {
                        // The first trait in it that fits wins: `Debug` if the type has it.
                        use #private::show::*;
                        match #private::arbitrary::<#ty>(__fuzzd_bytes) {
                            ::core::option::Option::Some(__fuzzd_value) => {
                                (&Show(&__fuzzd_value)).show()
                            }
                            ::core::option::Option::None => Shown::Rejected,
                        }
                    }
                    __fuzzd_debug
                })
            },
            Kind::ByteSlice | Kind::ByteVec | Kind::Str | Kind::String | Kind::Scalar(_) => {
                quote!(::core::option::Option::None)
            }
        };
        quote! {
            #private::Parameter { name: #name, ty: #ty_text, debug: #debug }
        }
    }

    /// The body of the function that runs the fuzz test on one input in memory form.
    fn run(&self) -> TokenStream {
        let private = &self.private;
        if let [parameter] = self.function.parameters.as_slice() {
            match parameter.kind {
                Kind::ByteSlice => return self.call(&[quote!(__fuzzd_input)]),
                Kind::Str => {
                    let call = self.call(&[quote!(__fuzzd_text)]);
                    return quote!(#private::with_text(__fuzzd_input, |__fuzzd_text| { #call }));
                }
                Kind::Arbitrary => {
                    let value = self.arbitrary(parameter, &quote!(__fuzzd_input));
                    let call = self.call(&[value]);
                    return call;
                }
                Kind::ByteVec | Kind::String | Kind::Scalar(_) => {}
            }
        }
        let names: Vec<Ident> =
            (0..self.function.parameters.len()).map(|n| format_ident!("__fuzzd_{n}")).collect();
        let takes = self.function.parameters.iter().map(|parameter| match parameter.kind {
            Kind::ByteSlice | Kind::Arbitrary => format_ident!("take_slice"),
            Kind::ByteVec => format_ident!("take_bytes"),
            Kind::Str => format_ident!("take_text"),
            Kind::String => format_ident!("take_string"),
            Kind::Scalar(scalar) => format_ident!("take_{}", scalar.rust),
        });
        let arguments: Vec<TokenStream> = names
            .iter()
            .zip(&self.function.parameters)
            .map(|(name, parameter)| match parameter.kind {
                Kind::Str => quote!(&#name),
                Kind::ByteSlice | Kind::ByteVec | Kind::String | Kind::Scalar(_) => {
                    quote!(#name)
                }
                Kind::Arbitrary => self.arbitrary(parameter, &quote!(#name)),
            })
            .collect();
        let call = self.call(&arguments);
        quote! {
            let mut __fuzzd_arguments =
                #private::Arguments::new(__FUZZD_TEST.types, __fuzzd_input);
            #(let #names = __fuzzd_arguments.#takes();)*
            #call
        }
    }

    /// An expression that builds the argument or leaves the function with `Reject`.
    fn arbitrary(&self, parameter: &Parameter, bytes: &TokenStream) -> TokenStream {
        let (private, ty) = (&self.private, &parameter.ty);
        quote_spanned! {at(parameter.span())=>
            match #private::arbitrary::<#ty>(#bytes) {
                ::core::option::Option::Some(__fuzzd_value) => __fuzzd_value,
                ::core::option::Option::None => return #private::Verdict::Reject,
            }
        }
    }

    fn call(&self, arguments: &[TokenStream]) -> TokenStream {
        let private = &self.private;
        let signature = &self.function.item.sig;
        let name = &signature.ident;
        if self.function.returns_unit {
            return quote! {
                #name(#(#arguments),*);
                #private::Verdict::Pass
            };
        }
        quote_spanned! {at(signature.output.span())=>
            #private::IntoVerdict::into_verdict(#name(#(#arguments),*))
        }
    }
}

/// The statements that add every seed.
fn seeds(seeds: Option<&Expr>, parameters: &[Parameter]) -> Result<TokenStream> {
    let Some(expression) = seeds else { return Ok(TokenStream::new()) };
    match expression {
        Expr::Array(array) => {
            let statements: Vec<_> =
                array.elems.iter().map(|seed| one_seed(seed, parameters)).collect::<Result<_>>()?;
            Ok(quote!(#(#statements)*))
        }
        other => {
            let pattern = seed_pattern(parameters.len());
            let pushes = pushes(parameters, at(other.span()));
            Ok(quote_spanned! {at(other.span())=>
                for __fuzzd_seed in #other {
                    match __fuzzd_seed { #pattern => { #pushes } }
                }
            })
        }
    }
}

fn one_seed(seed: &Expr, parameters: &[Parameter]) -> Result<TokenStream> {
    let wanted = parameters.len();
    if wanted > 1 {
        match seed {
            Expr::Tuple(tuple) if tuple.elems.len() == wanted => {}
            Expr::Tuple(tuple) => {
                let found = tuple.elems.len();
                let text = format!(
                    "this seed has {found} values, but the fuzz test takes {wanted} arguments"
                );
                return Err(Error::new_spanned(seed, text));
            }
            Expr::Lit(_) => {
                let text = format!(
                    "the fuzz test takes {wanted} arguments: write each seed as a tuple of \
                     {wanted} values"
                );
                return Err(Error::new_spanned(seed, text));
            }
            // Any other expression may well have the type of a tuple.
            _ => {}
        }
    }
    let pattern = seed_pattern(wanted);
    let pushes = pushes(parameters, at(seed.span()));
    // A `match`, because it keeps temporaries of the seed's expression alive.
    Ok(quote_spanned!(at(seed.span())=> match #seed { #pattern => { #pushes } }))
}

fn seed_pattern(count: usize) -> TokenStream {
    let names = (0..count).map(seed_name);
    if count == 1 { quote!(#(#names)*) } else { quote!((#(#names),*)) }
}

fn seed_name(index: usize) -> Ident {
    format_ident!("__fuzzd_seed_{index}")
}

fn pushes(parameters: &[Parameter], span: Span) -> TokenStream {
    let pushes = parameters.iter().enumerate().map(|(index, parameter)| {
        let value = seed_name(index);
        match parameter.kind {
            Kind::ByteSlice | Kind::ByteVec | Kind::Arbitrary => quote_spanned! {span=>
                __fuzzd_seeds.push_bytes(::core::convert::AsRef::<[u8]>::as_ref(&#value));
            },
            Kind::Str | Kind::String => quote_spanned! {span=>
                __fuzzd_seeds.push_string(::core::convert::AsRef::<str>::as_ref(&#value));
            },
            Kind::Scalar(scalar) => {
                let push = format_ident!("push_{}", scalar.rust);
                quote_spanned!(span=> __fuzzd_seeds.#push(#value);)
            }
        }
    });
    quote! {
        #(#pushes)*
        __fuzzd_seeds.end_seed();
    }
}

/// Points errors at `span`, while names are those of the generated code, also when a macro of the
/// user wrote the tokens at `span`.
fn at(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}
