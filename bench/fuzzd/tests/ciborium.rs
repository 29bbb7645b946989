#[path = "../../bodies/ciborium.rs"]
mod body;

#[fuzzd::test]
fn ciborium(data: &[u8]) {
    body::run(data);
}
