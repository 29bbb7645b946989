//! Compression: deflate with a zlib header, then raw, at most 64 KiB of output.
use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};

const LIMIT: usize = 64 << 10;

pub fn run(data: &[u8]) {
    let _ = std::hint::black_box(decompress_to_vec_zlib_with_limit(data, LIMIT));
    let _ = std::hint::black_box(decompress_to_vec_with_limit(data, LIMIT));
}
