//! Words of the code under test: its string constants, as its instructions name them.
//!
//! Owns: finding them in x86-64 code of Go's compiler. String constants lie in the read-only data
//! one behind the other, without ends; only the code says how long each is. It is read as bytes,
//! not decoded: a few words that are none do no harm, and whatever is strange is passed over. Must
//! not: believe any address.
//!
//! ```text
//!   lea rax, [rip+…]      mov ebx, 14          "Content-Length", where 14 bytes are text
//!   cmp dword [rcx], "POST"                    short ones stand in the instruction itself
//! ```

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use object::read::{Object, ObjectSection, ObjectSymbol, ReadCache, ReadRef};
use object::{Architecture, SymbolKind};

use crate::limits::{WORD_BYTES_MAX, WORDS_MAX};

/// How far from the address of a string its length is looked for, in bytes of code.
const NEAR: usize = 24;

/// Elements of an import path that name a repository.
const REPOSITORY_ELEMENTS: usize = 3;

/// Words in the code of a package and of its neighbours in the same repository, sorted. None if the
/// file cannot be read, has no symbols, or is of another machine.
#[must_use]
pub fn words(path: &Path, package: &str) -> Vec<Vec<u8>> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let file = ReadCache::new(file);
    let Ok(file) = object::File::parse(&file) else { return Vec::new() };
    if file.architecture() != Architecture::X86_64 {
        return Vec::new();
    }
    find(&file, &own_prefix(package)).into_iter().collect()
}

fn find<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    prefix: &str,
) -> BTreeSet<Vec<u8>> {
    let section = |name: &str| {
        let section = file.section_by_name(name)?;
        Some((section.address(), section.data().ok()?))
    };
    let (Some(code), Some(data)) = (section(".text"), section(".rodata")) else {
        return BTreeSet::new();
    };
    let mut words = BTreeSet::new();
    for symbol in file.symbols() {
        let is_own = symbol.kind() == SymbolKind::Text
            && symbol.name().is_ok_and(|name| name.starts_with(prefix));
        let start = symbol.address().checked_sub(code.0).filter(|_| is_own);
        let range = start.and_then(|start| {
            let start = usize::try_from(start).ok()?;
            let end = start.checked_add(usize::try_from(symbol.size()).ok()?)?;
            Some((start, code.1.get(start..end)?))
        });
        let Some((start, function)) = range else { continue };
        let address = code.0.wrapping_add(start as u64);
        scan(function, address, data, &mut words);
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    words
}

/// What the names of functions begin with that belong to the target.
fn own_prefix(package: &str) -> String {
    let is_hosted = package.split('/').next().is_some_and(|first| first.contains('.'));
    if is_hosted {
        let elements: Vec<&str> = package.split('/').take(REPOSITORY_ELEMENTS).collect();
        return elements.join("/");
    }
    package.to_owned()
}

fn scan(function: &[u8], address: u64, data: (u64, &[u8]), words: &mut BTreeSet<Vec<u8>>) {
    let mut add = |word: &[u8]| {
        if is_word(word) {
            words.insert(word.to_vec());
        }
    };
    for at in 0..function.len() {
        match function[at..] {
            // lea register, [rip + offset]
            [0x48 | 0x4c, 0x8d, modrm, a, b, c, d, ..] if modrm & 0xc7 == 5 => {
                let offset = i64::from(i32::from_le_bytes([a, b, c, d]));
                let next = address.wrapping_add(at as u64 + 7);
                let start = next.wrapping_add_signed(offset).checked_sub(data.0);
                let start = start.and_then(|start| usize::try_from(start).ok());
                let text = start.and_then(|start| data.1.get(start..)).unwrap_or_default();
                let length = length_in(&function[at + 7..function.len().min(at + 7 + NEAR)])
                    .or_else(|| length_in(&function[at.saturating_sub(NEAR)..at]));
                if let Some(word) = length.and_then(|length| text.get(..length)) {
                    add(word);
                }
            }
            // cmp word [register], constant, and with a short offset
            [0x66, 0x81, modrm, a, b, ..] if modrm & 0xf8 == 0x38 => add(&[a, b]),
            [0x66, 0x81, modrm, _, a, b, ..] if modrm & 0xf8 == 0x78 => add(&[a, b]),
            // cmp dword …
            [0x81, modrm, a, b, c, d, ..] if modrm & 0xf8 == 0x38 => add(&[a, b, c, d]),
            [0x81, modrm, _, a, b, c, d, ..] if modrm & 0xf8 == 0x78 => add(&[a, b, c, d]),
            // mov register, constant of eight bytes, which is compared
            [0x48 | 0x49, opcode, a, b, c, d, e, f, g, h, ..] if opcode & 0xf8 == 0xb8 => {
                add(&[a, b, c, d, e, f, g, h]);
            }
            _ => {}
        }
    }
}

/// The first `mov register, constant` that can be the length of a word.
fn length_in(code: &[u8]) -> Option<usize> {
    code.windows(5).find_map(|window| match window {
        [opcode, a, b, c, d] if opcode & 0xf8 == 0xb8 => {
            let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?;
            (2..=WORD_BYTES_MAX).contains(&length).then_some(length)
        }
        _ => None,
    })
}

fn is_word(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &[u8], data: &[u8]) -> Vec<Vec<u8>> {
        let mut words = BTreeSet::new();
        scan(code, 0x1000, (0x2000, data), &mut words);
        words.into_iter().collect()
    }

    #[test]
    fn constants_are_found_with_their_length_before_or_behind() {
        // lea rax, [rip + 0x1001 + …]; mov ebx, 3
        let mut code = vec![0x48, 0x8d, 0x05];
        code.extend((0x2001_u32 - 0x1007).to_le_bytes());
        code.extend([0xbb, 3, 0, 0, 0]);
        assert_eq!(found(&code, b"xGETy"), [b"GET"]);
        let mut code = vec![0xb9, 4, 0, 0, 0, 0x48, 0x8d, 0x1d];
        code.extend((0x2001_u32 - 0x100c).to_le_bytes());
        assert_eq!(found(&code, b"xGETy"), [b"GETy"]);
    }

    #[test]
    fn short_words_stand_in_the_code() {
        let code = [0x81, 0x38, b'P', b'O', b'S', b'T', 0x66, 0x81, 0x78, 4, b'O', b'K'];
        assert_eq!(found(&code, b""), [b"OK".to_vec(), b"POST".to_vec()]);
        assert_eq!(found(&[0x81, 0x38, 1, 2, 3, 4], b""), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn strange_code_is_passed_over() {
        let far = [0x48, 0x8d, 0x05, 0xff, 0xff, 0xff, 0x7f, 0xbb, 3, 0, 0, 0];
        for end in 0..far.len() {
            assert_eq!(found(&far[..end], b"GET"), Vec::<Vec<u8>>::new());
        }
        assert_eq!(words(Path::new("/no/such/x.test"), "x"), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_repository_is_known_by_its_first_elements() {
        assert_eq!(own_prefix("github.com/a/b/c/d"), "github.com/a/b");
        assert_eq!(own_prefix("net/netip"), "net/netip");
    }
}
