#[path = "../../bodies/gif.rs"]
mod body;

#[fuzzd::test]
fn gif(data: &[u8]) {
    body::run(data);
}
