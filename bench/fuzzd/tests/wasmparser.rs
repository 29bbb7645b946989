#[path = "../../bodies/wasmparser.rs"]
mod body;

#[fuzzd::test]
fn wasmparser(data: &[u8]) {
    body::run(data);
}
