#[path = "../../bodies/x509_parser.rs"]
mod body;

#[fuzzd::test]
fn x509_parser(data: &[u8]) {
    body::run(data);
}
