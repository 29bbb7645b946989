#[path = "../../bodies/simple_dns.rs"]
mod body;

#[fuzzd::test]
fn simple_dns(data: &[u8]) {
    body::run(data);
}
