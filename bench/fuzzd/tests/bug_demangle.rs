#[path = "../../bodies/bug_demangle.rs"]
mod body;

#[fuzzd::test]
fn bug_demangle(data: &[u8]) {
    body::run(data);
}
