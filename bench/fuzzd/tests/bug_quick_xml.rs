#[path = "../../bodies/bug_quick_xml.rs"]
mod body;

#[fuzzd::test]
fn bug_quick_xml(data: &[u8]) {
    body::run(data);
}
