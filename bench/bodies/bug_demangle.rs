//! rustc-demangle 0.1.5, issue 9: a multiplication overflows.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        std::hint::black_box(demangle_old::demangle(text).to_string());
    }
}
