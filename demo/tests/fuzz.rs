//! A fuzz test for each parser. `cargo test` runs them on their seeds; `fuzzd run` finds bugs.

use fuzzd::arbitrary::{self, Arbitrary};
use fuzzd_demo as demo;

#[fuzzd::test(seeds = ["1.2.3", ">=1.2, <2", "~1.2.3-alpha.1 || ^0.3"])]
fn version_requirement(text: &str) {
    // What was read can be written and read again.
    if let Some(requirement) = demo::version_requirement(text) {
        let _ = requirement.to_string();
    }
}

#[fuzzd::test(seeds = ["Hello {name}!", "{{ if found }}{count}{{ else }}none{{ endif }}"])]
fn template(text: &str) {
    demo::template_compiles(text);
}

#[fuzzd::test(seeds = ["_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"])]
fn symbol_name(symbol: &str) {
    demo::symbol_name(symbol);
}

#[fuzzd::test(seeds = [r#"{"name": "box", "sizes": [1, 2.5, -3e2]}"#, "[0.25]"])]
fn json_document(text: &str) {
    demo::json_document(text);
}

#[fuzzd::test(seeds = ["http://user:word@example.com/a/b?c#d", "ssh://host/folder/file"])]
fn web_address(address: &str) {
    demo::login(address);
}

/// A filled-in web form.
#[derive(Arbitrary, Debug)]
struct Form {
    fields: Vec<Field>,
}

#[derive(Arbitrary, Debug)]
enum Field {
    Text { name: String, value: String },
    Checkbox { name: String, is_checked: bool },
}

impl Field {
    /// As browsers send it: a checkbox only when it is checked.
    fn pair(&self) -> Option<(&str, &str)> {
        match self {
            Self::Text { name, value } => Some((name, value)),
            Self::Checkbox { name, is_checked: true } => Some((name, "on")),
            Self::Checkbox { is_checked: false, .. } => None,
        }
    }
}

/// A structured input: whatever a form holds, it is read as it was written.
#[fuzzd::test(seeds = [b"\x01\x00name\x04Alice\x05"])]
fn form_round_trip(form: Form) {
    let line = demo::write_form(form.fields.iter().filter_map(Field::pair));
    let read = demo::read_form(&line);
    let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let sent: Vec<_> = form.fields.iter().filter_map(Field::pair).collect();
    assert_eq!(read, sent, "written as {line:?}");
}
