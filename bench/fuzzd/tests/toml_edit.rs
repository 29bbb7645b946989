#[path = "../../bodies/toml_edit.rs"]
mod body;

#[fuzzd::test]
fn toml_edit(data: &[u8]) {
    body::run(data);
}
