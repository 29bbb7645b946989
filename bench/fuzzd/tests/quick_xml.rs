#[path = "../../bodies/quick_xml.rs"]
mod body;

#[fuzzd::test]
fn quick_xml(data: &[u8]) {
    body::run(data);
}
