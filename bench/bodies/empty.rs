//! One branch: what an execution costs when the target costs nothing.
pub fn run(data: &[u8]) {
    if data.first() == Some(&0xa5) {
        std::hint::black_box(data.len());
    }
}
