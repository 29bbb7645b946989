#[path = "../../bodies/object_elf.rs"]
mod body;

#[fuzzd::test]
fn object_elf(data: &[u8]) {
    body::run(data);
}
