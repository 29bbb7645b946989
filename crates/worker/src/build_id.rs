//! The build id that the linker wrote into this executable.
//!
//! Owns reading the GNU note of a 64-bit little-endian ELF file. It names the build for people;
//! nothing depends on it, so a file of another kind has none and no error is worth telling.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::limits::NOTE_BYTES_MAX;

const ELF_64_LITTLE_ENDIAN: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
const PROGRAM_HEADER_BYTES: usize = 56;
const PT_NOTE: u32 = 4;
const NT_GNU_BUILD_ID: u32 = 3;

/// The build id of this process's executable in hexadecimal, empty if there is none.
pub(crate) fn of_this_process() -> String {
    let id = File::open("/proc/self/exe").ok().and_then(|mut file| read(&mut file).ok().flatten());
    id.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The build id of an ELF file.
fn read(file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; 64];
    file.read_exact(&mut header)?;
    if !header.starts_with(&ELF_64_LITTLE_ENDIAN) {
        return Ok(None);
    }
    let (table, entries) = (u64_at(&header, 32), u16_at(&header, 56));
    for entry in 0..u64::from(entries) {
        let offset = entry * PROGRAM_HEADER_BYTES as u64;
        let Some(at) = table.checked_add(offset) else { break };
        let mut segment = [0; PROGRAM_HEADER_BYTES];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut segment)?;
        let bytes = u64_at(&segment, 32);
        if u32_at(&segment, 0) != PT_NOTE || bytes > NOTE_BYTES_MAX as u64 {
            continue;
        }
        file.seek(SeekFrom::Start(u64_at(&segment, 8)))?;
        let mut notes = Vec::new();
        file.by_ref().take(bytes).read_to_end(&mut notes)?;
        if let Some(id) = in_notes(&notes) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The build id among the notes of one segment: each has three words (bytes of the name, bytes of
/// the content, type), the name and the content, both padded to words.
fn in_notes(mut notes: &[u8]) -> Option<Vec<u8>> {
    while notes.len() >= 12 {
        let (name_bytes, bytes, kind) =
            (u32_at(notes, 0) as usize, u32_at(notes, 4) as usize, u32_at(notes, 8));
        let content_at = 12usize.checked_add(name_bytes.checked_next_multiple_of(4)?)?;
        let content = notes.get(content_at..content_at.checked_add(bytes)?)?;
        if kind == NT_GNU_BUILD_ID && notes[12..].starts_with(b"GNU\0") {
            return Some(content.to_vec());
        }
        notes = notes.get(content_at + bytes.checked_next_multiple_of(4)?..)?;
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn note(name: &[u8], kind: u32, content: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for word in [name.len(), content.len(), kind as usize] {
            note.extend_from_slice(&u32::try_from(word).unwrap().to_le_bytes());
        }
        for part in [name, content] {
            note.extend_from_slice(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    fn elf(notes: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 64 + PROGRAM_HEADER_BYTES];
        file[..6].copy_from_slice(&ELF_64_LITTLE_ENDIAN);
        file[32] = 64;
        file[56] = 1;
        file[64] = 4;
        file[64 + 8] = 64 + 56;
        file[64 + 32] = u8::try_from(notes.len()).unwrap();
        file.extend_from_slice(notes);
        file
    }

    #[test]
    fn the_note_is_found_behind_others() {
        let notes = [
            note(b"GNU\0", 1, b"abi!"),
            note(b"x\0", 3, b"no"),
            note(b"GNU\0", 3, b"\x01\xab\x03"),
        ];
        assert_eq!(read(&mut Cursor::new(elf(&notes.concat()))).unwrap().unwrap(), b"\x01\xab\x03");
    }

    #[test]
    fn files_without_it_have_none() {
        assert_eq!(read(&mut Cursor::new(elf(&note(b"GNU\0", 1, b"abi!")))).unwrap(), None);
        assert_eq!(read(&mut Cursor::new(vec![0; 64])).unwrap(), None);
        assert!(read(&mut Cursor::new(b"\x7fELF")).is_err());
    }

    #[test]
    fn a_broken_note_ends_the_search() {
        for cut in 0..36 {
            let mut notes = [note(b"GNU\0", 1, b"abi!"), note(b"GNU\0", 3, b"id")].concat();
            notes.truncate(cut);
            assert_eq!(in_notes(&notes), None, "cut at {cut}");
        }
        assert_eq!(in_notes(&[0xff; 64]), None);
    }

    #[test]
    fn this_process_can_be_asked() {
        assert!(of_this_process().bytes().all(|digit| digit.is_ascii_hexdigit()));
    }
}
