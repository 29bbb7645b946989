//! JSON, read and written again.
pub fn run(data: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(data) {
        std::hint::black_box(value.to_string());
    }
}
