//! CBOR, read and written again.
use ciborium::de::from_reader_with_recursion_limit;

pub fn run(data: &[u8]) {
    if let Ok(value) = from_reader_with_recursion_limit::<ciborium::Value, _>(data, 32) {
        let mut again = Vec::new();
        let _ = ciborium::into_writer(&value, &mut again);
        std::hint::black_box(again);
    }
}
