#[path = "../../bodies/maze.rs"]
mod body;

#[fuzzd::test]
fn maze(data: &[u8]) {
    body::run(data);
}
