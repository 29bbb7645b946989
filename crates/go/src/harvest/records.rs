//! The file through which the shim tells what it was given.
//!
//! Owns: its form, writing and reading. A record is one byte for the call, eight for the length
//! (little-endian) and the text. The writer may be killed at any moment: a record that is cut off
//! ends the file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::limits::{SEED_BYTES_MAX, SEEDS_MAX};

/// A value that the Go coordinator sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// With a `Warmup` call: a seed.
    Warmup(Vec<u8>),
    /// With the first other call.
    Fuzz(Vec<u8>),
}

const WARMUP: u8 = b'w';
const FUZZ: u8 = b'f';
const HEAD_BYTES: usize = 9;

impl Record {
    /// Appends it, in one write.
    pub(super) fn write(&self, file: &mut File) -> io::Result<()> {
        let (kind, text) = match self {
            Self::Warmup(text) => (WARMUP, text),
            Self::Fuzz(text) => (FUZZ, text),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text);
        file.write_all(&bytes)
    }
}

/// Every complete record up to the bounds; none if the file was never made.
pub(super) fn read(path: &Path) -> io::Result<Vec<Record>> {
    let mut bytes = Vec::new();
    match fs::File::open(path) {
        Ok(file) => file.take(SEED_BYTES_MAX).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(split(&bytes))
}

fn split(mut rest: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while records.len() < SEEDS_MAX
        && let Some((record, behind)) = first(rest)
    {
        records.push(record);
        rest = behind;
    }
    records
}

fn first(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let length = u64::from_le_bytes(head[1..].try_into().ok()?);
    let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    match head[0] {
        WARMUP => Some((Record::Warmup(text.to_vec()), rest)),
        FUZZ => Some((Record::Fuzz(text.to_vec()), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_up_to_where_it_is_cut_off() {
        let records = vec![
            Record::Warmup(b"one".to_vec()),
            Record::Warmup(Vec::new()),
            Record::Fuzz(b"two".to_vec()),
        ];
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("seeds");
        let mut file = File::create(&path).unwrap();
        for record in &records {
            record.write(&mut file).unwrap();
        }
        assert_eq!(read(&path).unwrap(), records);
        let bytes = fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            let some = split(&bytes[..end]);
            assert!(some.len() < records.len() && records.starts_with(&some), "{end} bytes");
        }
    }

    #[test]
    fn without_a_file_there_are_no_records() {
        assert_eq!(read(Path::new("/no/such/file")).unwrap(), []);
    }
}
