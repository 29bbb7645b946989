#[path = "../../bodies/sqlparser.rs"]
mod body;

#[fuzzd::test]
fn sqlparser(data: &[u8]) {
    body::run(data);
}
