//! tinytemplate 1.2.0, issue 22: a slice that begins behind its end.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = tinytemplate_old::TinyTemplate::new().add_template("t", text);
    }
}
