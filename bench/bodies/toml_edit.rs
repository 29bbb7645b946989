//! TOML, read with its layout kept and written again.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(document) = text.parse::<toml_edit::DocumentMut>() {
        std::hint::black_box(document.to_string());
    }
}
