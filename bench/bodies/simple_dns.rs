//! Network: a DNS message, read and written again.
pub fn run(data: &[u8]) {
    if let Ok(packet) = simple_dns::Packet::parse(data) {
        let _ = std::hint::black_box(packet.build_bytes_vec_compressed());
    }
}
