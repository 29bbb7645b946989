//! The table of fuzz tests in the data of a test binary.
//!
//! Owns: finding and reading `main.fuzzTargets`, a slice of `testing.InternalFuzzTarget` (a string
//! and a function) that `go test` generates. The bytes come from a file: nothing is believed, and
//! anything strange means that the file does not say.

use object::read::{Object, ObjectSection, ObjectSymbol, ReadRef};

use crate::limits::{FUZZ_TESTS_MAX, NAME_BYTES_MAX};

const SYMBOL: &str = "main.fuzzTargets";

/// What every name of a fuzz test starts with.
const PREFIX: &str = "Fuzz";

/// Bytes of a string and a pointer to a function.
const ENTRY_BYTES: u64 = 24;

pub(super) fn fuzz_tests<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
) -> Option<Vec<String>> {
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(SYMBOL))?;
    let (table, count) = slice(file, symbol.address())?;
    // An empty table has an address too: without one, the file waits to be relocated.
    if table == 0 || count > FUZZ_TESTS_MAX {
        return None;
    }
    let name = |index: u64| {
        let (address, length) = slice(file, table.checked_add(index * ENTRY_BYTES)?)?;
        let bytes = at(file, address, Some(length).filter(|&length| length <= NAME_BYTES_MAX)?)?;
        let name = str::from_utf8(bytes).ok()?;
        name.starts_with(PREFIX).then(|| name.to_owned())
    };
    (0..count).map(name).collect()
}

/// Pointer and length at the start of a slice or a string.
fn slice<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    address: u64,
) -> Option<(u64, u64)> {
    let (pointer, length) = at(file, address, 16)?.split_at(8);
    let word = |bytes: &[u8]| Some(u64::from_le_bytes(bytes.try_into().ok()?));
    Some((word(pointer)?, word(length)?))
}

/// Bytes as they lie in memory when the program starts.
fn at<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    address: u64,
    bytes: u64,
) -> Option<&'data [u8]> {
    file.sections().find_map(|section| {
        let is_inside = section.address() != 0
            && address >= section.address()
            && address - section.address() < section.size();
        if !is_inside {
            return None;
        }
        section.data_range(address, bytes).ok().flatten()
    })
}
