//! Images: every frame of a PNG, checksums not looked at, at most 1 MiB of pixels.
const LIMIT: usize = 1 << 20;

pub fn run(data: &[u8]) {
    let mut options = png::DecodeOptions::default();
    options.set_ignore_checksums(true);
    let mut decoder = png::Decoder::new_with_options(std::io::Cursor::new(data), options);
    decoder.set_limits(png::Limits { bytes: LIMIT });
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let Ok(mut reader) = decoder.read_info() else { return };
    let Some(size) = reader.output_buffer_size().filter(|size| *size <= LIMIT) else { return };
    let mut pixels = vec![0; size];
    for _ in 0..4 {
        if reader.next_frame(&mut pixels).is_err() {
            return;
        }
    }
}
