#[path = "../../bodies/bug_semver.rs"]
mod body;

#[fuzzd::test]
fn bug_semver(data: &[u8]) {
    body::run(data);
}
