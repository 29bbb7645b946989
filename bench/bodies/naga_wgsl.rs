//! Shaders in WGSL, as far as naga's own form of a module.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = std::hint::black_box(naga::front::wgsl::parse_str(text));
    }
}
