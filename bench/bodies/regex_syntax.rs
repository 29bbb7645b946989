//! Regular expressions: syntax tree and its translation, nesting and sizes bounded.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parser = regex_syntax::ParserBuilder::new().nest_limit(30).build();
    let _ = std::hint::black_box(parser.parse(text));
}
