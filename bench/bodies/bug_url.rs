//! url 2.2.0, rust-url issues 654, 656 and 692.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(url) = url_old::Url::parse(text) else { return };
    let segments = url.path_segments().map(Iterator::count);
    let _ = std::hint::black_box((segments, url.join("../x"), url.domain().map(str::len)));
}
