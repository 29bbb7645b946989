#[path = "../../bodies/pulldown_cmark.rs"]
mod body;

#[fuzzd::test]
fn pulldown_cmark(data: &[u8]) {
    body::run(data);
}
