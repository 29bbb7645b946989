#[path = "../../bodies/bug_url.rs"]
mod body;

#[fuzzd::test]
fn bug_url(data: &[u8]) {
    body::run(data);
}
