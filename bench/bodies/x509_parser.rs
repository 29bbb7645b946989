//! Certificates: X.509 in DER, with its extensions.
pub fn run(data: &[u8]) {
    if let Ok((_, certificate)) = x509_parser::parse_x509_certificate(data) {
        for extension in certificate.extensions() {
            std::hint::black_box(extension.parsed_extension());
        }
        std::hint::black_box((certificate.subject().to_string(), certificate.validity()));
    }
}
