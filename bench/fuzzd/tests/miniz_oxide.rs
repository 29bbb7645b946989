#[path = "../../bodies/miniz_oxide.rs"]
mod body;

#[fuzzd::test]
fn miniz_oxide(data: &[u8]) {
    body::run(data);
}
