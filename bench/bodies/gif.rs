//! Images: the first frames of a GIF, with LZW, at most 1 MiB of pixels.
const LIMIT: u64 = 1 << 20;

pub fn run(data: &[u8]) {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    if let Some(limit) = std::num::NonZeroU64::new(LIMIT) {
        options.set_memory_limit(gif::MemoryLimit::Bytes(limit));
    }
    let Ok(mut decoder) = options.read_info(data) else { return };
    for _ in 0..4 {
        match decoder.read_next_frame() {
            Ok(Some(frame)) => {
                std::hint::black_box(frame.buffer.len());
            }
            Ok(None) | Err(_) => return,
        }
    }
}
