//! semver 0.11.0, issue 227: an unwrapped `None` in a version requirement.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = semver_old::VersionReq::parse(text);
    }
}
