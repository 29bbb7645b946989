#[path = "../../bodies/serde_json.rs"]
mod body;

#[fuzzd::test]
fn serde_json(data: &[u8]) {
    body::run(data);
}
