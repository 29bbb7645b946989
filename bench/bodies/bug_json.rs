//! json 0.12.4, json-rust issue 193: arithmetic on an exponent overflows.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(value) = json_old::parse(text) else { return };
    let numbers = (value.as_f64(), value.as_u64(), value.as_i64(), value.as_fixed_point_u64(2));
    std::hint::black_box((numbers, value.pretty(2)));
}
