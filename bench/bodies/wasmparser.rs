//! WebAssembly: a module read and validated.
pub fn run(data: &[u8]) {
    let _ = std::hint::black_box(wasmparser::validate(data));
}
