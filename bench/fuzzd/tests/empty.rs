#[path = "../../bodies/empty.rs"]
mod body;

#[fuzzd::test]
fn empty(data: &[u8]) {
    body::run(data);
}
