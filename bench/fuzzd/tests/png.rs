#[path = "../../bodies/png.rs"]
mod body;

#[fuzzd::test]
fn png(data: &[u8]) {
    body::run(data);
}
