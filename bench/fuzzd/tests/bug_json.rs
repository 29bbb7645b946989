#[path = "../../bodies/bug_json.rs"]
mod body;

#[fuzzd::test]
fn bug_json(data: &[u8]) {
    body::run(data);
}
