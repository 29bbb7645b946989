#[path = "../../bodies/lz4_flex.rs"]
mod body;

#[fuzzd::test]
fn lz4_flex(data: &[u8]) {
    body::run(data);
}
