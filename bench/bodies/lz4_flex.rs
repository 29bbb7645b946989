//! Compression: one LZ4 block, at most 64 KiB of output.
const LIMIT: usize = 64 << 10;

pub fn run(data: &[u8]) {
    let _ = std::hint::black_box(lz4_flex::block::decompress(data, LIMIT));
}
