#[path = "../../bodies/regex_syntax.rs"]
mod body;

#[fuzzd::test]
fn regex_syntax(data: &[u8]) {
    body::run(data);
}
