//! What the attribute accepts, and the words in which it refuses.

use std::str::FromStr as _;

use proc_macro2::TokenStream;

use crate::expand::expand;

fn tokens(source: &str) -> TokenStream {
    TokenStream::from_str(source).expect("the test's source is made of tokens")
}

/// The expansion as text without white space, so that its layout does not matter.
fn expanded(attribute: &str, item: &str) -> String {
    let expansion = expand(tokens(attribute), tokens(item)).expect("the fuzz test is accepted");
    expansion.to_string().split_whitespace().collect()
}

fn refused(attribute: &str, item: &str) -> String {
    match expand(tokens(attribute), tokens(item)) {
        Ok(expansion) => panic!("accepted: {expansion}"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check_refused(attribute: &str, item: &str, words: &str) {
    let message = refused(attribute, item);
    assert!(message.contains(words), "{message:?} does not contain {words:?}");
}

#[track_caller]
fn check_types(arguments: &str, types: &str) {
    let text = expanded("", &format!("fn t({arguments}) {{}}"));
    let wanted = format!("\"\\u{{1f}}\",\"{types}\",\"\\u{{1f}}\"");
    assert!(text.contains(&wanted), "{wanted} is not in {text}");
}

#[test]
fn every_argument_type_gets_its_name_in_the_marker() {
    check_types("a: &[u8]", "[]byte");
    check_types("a: Vec<u8>", "[]byte");
    check_types("a: std::vec::Vec<u8>", "[]byte");
    check_types("a: &str", "string");
    check_types("a: String", "string");
    check_types("a: ::std::string::String", "string");
    check_types("a: bool, b: char", "bool,rune");
    check_types("a: u8, b: u16, c: u32, d: u64, e: u128", "uint8,uint16,uint32,uint64,uint128");
    check_types("a: i8, b: i16, c: i32, d: i64, e: i128", "int8,int16,int32,int64,int128");
    check_types("a: usize, b: isize", "uint,int");
    check_types("a: f32, b: f64", "float32,float64");
}

#[test]
fn other_types_are_built_from_bytes() {
    check_types("a: Request", "[]byte");
    check_types("a: Vec<u16>, b: u8", "[]byte,uint8");
    check_types("a: my::String", "[]byte");
    check_types("(a, b): (u8, String)", "[]byte");
    check_types("a: [u8; 4]", "[]byte");
    check_types("a: Option<&str>", "[]byte");
}

#[test]
fn the_test_has_the_name_of_the_function_and_keeps_its_visibility() {
    let text = expanded("", "pub(crate) fn parse(mut data: Vec<u8>) { data.clear() }");
    assert!(text.contains("#[::core::prelude::v1::test]pub(crate)fnparse(){"), "{text}");
    assert!(text.contains("fnparse(mutdata:Vec<u8>){data.clear()}"), "{text}");
}

#[test]
fn one_byte_slice_is_passed_on_without_a_copy() {
    let text = expanded("", "fn t(data: &[u8]) {}");
    let shim = "fn__fuzzd_run(__fuzzd_input:&[u8])->::fuzzd::__private::Verdict\
                {t(__fuzzd_input);::fuzzd::__private::Verdict::Pass}";
    assert!(text.contains(shim), "{text}");
}

#[test]
fn crate_key_names_the_runtime() {
    let text = expanded("crate = crate::renamed", "fn t(data: &[u8]) {}");
    assert!(text.contains("crate::renamed::__private::run(&__FUZZD_TEST)"), "{text}");
    assert!(!text.contains("::fuzzd::"), "{text}");
}

#[test]
fn attributes_about_the_test_move_to_it_and_others_stay() {
    let text = expanded("", "#[ignore = \"slow\"] #[cfg(unix)] #[inline] fn t(a: u8) {}");
    let test = "#[::core::prelude::v1::test]#[ignore=\"slow\"]#[cfg(unix)]fnt(){#[inline]fnt(a:u8)";
    assert!(text.contains(test), "{text}");
}

#[test]
fn a_returned_value_becomes_a_verdict() {
    let text = expanded("", "fn t(a: u8) -> Result<(), Error> { check(a) }");
    assert!(text.contains("IntoVerdict::into_verdict(t(__fuzzd_0))"), "{text}");
    let text = expanded("", "fn t(a: u8) -> () {}");
    assert!(!text.contains("into_verdict"), "{text}");
}

#[test]
fn seeds_of_several_arguments_are_tuples() {
    let text = expanded("seeds = [(\"a\", 1), PAIR]", "fn t(a: String, b: u32) {}");
    assert!(text.contains("match(\"a\",1){(__fuzzd_seed_0,__fuzzd_seed_1)=>"), "{text}");
    assert!(text.contains("matchPAIR{(__fuzzd_seed_0,__fuzzd_seed_1)=>"), "{text}");
    assert!(text.contains("__fuzzd_seeds.push_u32(__fuzzd_seed_1);"), "{text}");
    check_refused(
        "seeds = [(1, 2, 3)]",
        "fn t(a: u8, b: u8) {}",
        "3 values, but the fuzz test takes 2",
    );
    check_refused("seeds = [b\"x\"]", "fn t(a: u8, b: u8) {}", "as a tuple of 2 values");
}

#[test]
fn seeds_that_are_not_a_list_are_iterated() {
    let text = expanded("seeds = all_seeds()", "fn t(a: &str) {}");
    assert!(text.contains("for__fuzzd_seedinall_seeds()"), "{text}");
}

#[test]
fn unknown_and_repeated_keys_are_refused() {
    let item = "fn t(a: u8) {}";
    check_refused("seed = [1]", item, "unknown key `seed`: `seeds = [..]` and `crate = path`");
    check_refused("[1, 2]", item, "expected a key");
    check_refused("seeds = [], seeds = []", item, "`seeds` is given twice");
    check_refused("seeds", item, "`seeds` needs a value");
    check_refused("crate(x)", item, "`crate` needs a value");
}

#[test]
fn functions_that_cannot_be_fuzz_tests_are_refused_with_the_reason() {
    check_refused("", "fn t() {}", "takes at least one argument");
    check_refused("", "async fn t(a: u8) {}", "cannot be `async`");
    check_refused("", "unsafe fn t(a: u8) {}", "cannot be `unsafe`");
    check_refused("", "fn t(&self, a: u8) {}", "cannot take `self`");
    check_refused("", "fn t<T>(a: T) {}", "cannot be generic");
    check_refused("", "fn t<'a>(a: &'a [u8]) {}", "leave lifetimes out");
    check_refused("", "fn t(a: impl Debug) {}", "cannot be generic");
    check_refused("", "fn t(a: u8) where u8: Copy {}", "`where` clause");
    check_refused("", "struct T;", "goes on a function");
}

#[test]
fn references_that_an_input_cannot_give_are_refused() {
    check_refused("", "fn t(a: &mut [u8]) {}", "take `mut data: Vec<u8>`");
    check_refused("", "fn t(a: &'static str) {}", "leave the lifetime out");
    check_refused("", "fn t(a: &Request) {}", "take other types by value");
}

#[test]
fn attributes_that_contradict_a_fuzz_test_are_refused() {
    check_refused("", "#[should_panic] fn t(a: u8) {}", "catch_unwind");
    check_refused("", "#[test] fn t(a: u8) {}", "remove the other attribute");
    check_refused("", "#[tokio::test] fn t(a: u8) {}", "remove the other attribute");
    check_refused("", "fn t(#[cfg(x)] a: u8) {}", "cannot have attributes");
}

#[test]
fn types_are_shown_as_people_write_them() {
    let text = |arguments: &str| {
        let expansion = expand(tokens(""), tokens(&format!("fn t({arguments}) {{}}")));
        expansion.expect("the fuzz test is accepted").to_string()
    };
    assert!(text("a: &[u8]").contains("ty : \"&[u8]\""));
    assert!(text("a: Vec < My<'_, [u8;4]> >").contains("ty : \"Vec<My<'_, [u8; 4]>>\""));
}
