#[path = "../../bodies/httparse.rs"]
mod body;

#[fuzzd::test]
fn httparse(data: &[u8]) {
    body::run(data);
}
