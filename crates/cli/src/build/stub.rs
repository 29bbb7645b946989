//! The stub: empty definitions of what instrumented code calls, for everything that is linked in
//! the same build and has no runtime: binaries, examples and C libraries of the package.
//!
//! It stands at the end of the link line. A linker takes a member of an archive only for symbols
//! that are still undefined, so where our runtime is linked the stub is left out.

use std::path::{Path, PathBuf};

use super::BuildError;
use super::flags::compile;
use super::toolchain::Toolchain;

/// The library. It has no panic handler of its own: a static library would bring a second one.
pub(super) const SOURCE: &str = r"
#![no_std]
macro_rules! empty { ($($name:ident)*) => { $(#[no_mangle] pub extern fn $name() {})* } }
empty! {
    __sanitizer_cov_8bit_counters_init __sanitizer_cov_pcs_init
    __sanitizer_cov_trace_cmp1 __sanitizer_cov_trace_cmp2
    __sanitizer_cov_trace_cmp4 __sanitizer_cov_trace_cmp8
    __sanitizer_cov_trace_const_cmp1 __sanitizer_cov_trace_const_cmp2
    __sanitizer_cov_trace_const_cmp4 __sanitizer_cov_trace_const_cmp8
    __sanitizer_cov_trace_switch __sanitizer_cov_trace_pc_indir
}
#[no_mangle] pub static __sancov_should_track: u64 = 0;
";

/// The stub's archive in `directory`, compiled unless it is there.
pub(super) fn archive(directory: &Path, toolchain: &Toolchain) -> Result<PathBuf, BuildError> {
    let name = super::cargo::fingerprint(&[SOURCE, &toolchain.version]);
    let archive = directory.join(format!("libfuzzd_stub-{name}.rlib"));
    if archive.is_file() {
        return Ok(archive);
    }
    let fresh = directory.join(format!("libfuzzd_stub-{name}-{}.rlib", std::process::id()));
    let arguments = [
        "--crate-name=fuzzd_stub",
        "--crate-type=rlib",
        "--edition=2021",
        "-Copt-level=3",
        "-Cpanic=abort",
        "-Ccodegen-units=1",
    ];
    if let Err(message) = compile(&toolchain.rustc, &arguments, SOURCE, &fresh)? {
        return Err(BuildError::Stub { rustc: toolchain.rustc.clone(), message });
    }
    // Renamed into place, so that nobody ever links half of it.
    std::fs::rename(&fresh, &archive)
        .map_err(|source| BuildError::Write { path: archive.clone(), source })?;
    Ok(archive)
}
