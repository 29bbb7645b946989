//! What a Go test binary says of itself.
//!
//! Owns: telling one from other executables, its fuzz tests and whether it is instrumented, all
//! read from the file, and words of its code ([`words`]); and, where the file does not say, asking
//! the binary ([`list`]). Must not: start it otherwise. Parameter types stand nowhere in the file
//! that can be relied on: [`crate::harvest`].
//!
//! Sources: `debug/buildinfo` for the build information, `cmd/go/internal/load/test.go` for the
//! table `main.fuzzTargets`, `cmd/link/internal/ld/data.go` for the section of the counters
//! (Go 1.27.3).

mod build_info;
mod list;
mod table;
mod words;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use object::read::{Object, ObjectSection, ReadCache};

pub use self::list::{ListError, list};
pub use self::words::words;

/// Section of the 8-bit counters, which only `-d=libfuzzer` makes (`go test -c -fuzz=.`).
const COUNTERS_SECTION: &str = ".go.fuzzcntrs";

/// What ends the import path of the main package of a test binary.
const TEST_SUFFIX: &str = ".test";

/// A Go test binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoTestBinary {
    /// Import path of the package under test, such as `net/netip`.
    pub package: String,
    /// The release that built it, such as `go1.27.3`.
    pub go_version: String,
    /// Its fuzz tests in the order of the source. `None`: the file does not say (it was stripped,
    /// or is position-independent); [`list`] asks.
    pub fuzz_tests: Option<Vec<String>>,
    /// Bytes of the section of counters, which may be rounded up: a first snapshot has the number.
    /// `None`: built without `-fuzz`, so its workers tell no coverage.
    pub counter_bytes: Option<u64>,
}

/// An executable that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// The file cannot be opened.
    #[error("read {path}: {source}", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is built by Go for a system whose layout of the shared memory we do not know.
    #[error("{path} is a Go binary of 32 bits or with big-endian words; only 64-bit little-endian \
             ones can be driven", path = .0.display())]
    WordSize(PathBuf),
}

/// Looks at an executable. `None`: it is no Go test binary, or no ELF file.
pub fn inspect(path: &Path) -> Result<Option<GoTestBinary>, BinaryError> {
    let open = |source| BinaryError::Open { path: path.to_owned(), source };
    let file = ReadCache::new(File::open(path).map_err(open)?);
    let Ok(file) = object::File::parse(&file) else { return Ok(None) };
    let Some(info) = build_info::read(&file) else { return Ok(None) };
    let Some(package) = info.main_package.strip_suffix(TEST_SUFFIX) else { return Ok(None) };
    if !file.is_64() || !file.is_little_endian() {
        return Err(BinaryError::WordSize(path.to_owned()));
    }
    Ok(Some(GoTestBinary {
        package: package.to_owned(),
        go_version: info.go_version,
        fuzz_tests: table::fuzz_tests(&file),
        counter_bytes: file.section_by_name(COUNTERS_SECTION).map(|section| section.size()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_of_another_language_is_no_go_test_binary() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(inspect(&own).unwrap(), None);
    }

    #[test]
    fn a_text_file_is_no_go_test_binary() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert_eq!(inspect(&path).unwrap(), None);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = inspect(Path::new("/no/such/x.test")).unwrap_err();
        assert!(error.to_string().starts_with("read /no/such/x.test: "), "{error}");
    }
}
