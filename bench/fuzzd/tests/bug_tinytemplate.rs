#[path = "../../bodies/bug_tinytemplate.rs"]
mod body;

#[fuzzd::test]
fn bug_tinytemplate(data: &[u8]) {
    body::run(data);
}
