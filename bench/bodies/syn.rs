//! A file of Rust.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = std::hint::black_box(syn::parse_file(text));
    }
}
