#[path = "../../bodies/syn.rs"]
mod body;

#[fuzzd::test]
fn syn(data: &[u8]) {
    body::run(data);
}
