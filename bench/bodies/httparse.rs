//! HTTP/1: a request, a response and a chunk header out of the same bytes.
pub fn run(data: &[u8]) {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let _ = std::hint::black_box(httparse::Request::new(&mut headers).parse(data));
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let _ = std::hint::black_box(httparse::Response::new(&mut headers).parse(data));
    let _ = std::hint::black_box(httparse::parse_chunk_size(data));
}
