#[path = "../../bodies/naga_wgsl.rs"]
mod body;

#[fuzzd::test]
fn naga_wgsl(data: &[u8]) {
    body::run(data);
}
