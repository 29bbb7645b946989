//! The file through which the shim tells what it was given.
//!
//! Owns: its form, writing and reading, and the bounds of both. A record is one byte for the kind,
//! eight for the length (little-endian) and the text. The writer may be killed at any moment: a
//! record that is cut off ends the file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
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
/// In place of the record for which there was no room.
const TOO_MANY: u8 = b'm';
const HEAD_BYTES: usize = 9;

/// How much a file may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Seeds.
    pub(super) seeds: usize,
    /// Bytes of all records with their heads.
    pub(super) bytes: u64,
}

/// Those of every harvest.
pub(super) const BOUNDS: Bounds = Bounds { seeds: SEEDS_MAX, bytes: SEED_BYTES_MAX };

impl Bounds {
    /// What is left behind one more record with a text of so many bytes; `None` if it has no room.
    fn behind(self, kind: u8, length: u64) -> Option<Self> {
        let seeds = if kind == WARMUP { self.seeds.checked_sub(1)? } else { self.seeds };
        let bytes = self.bytes.checked_sub(length.checked_add(HEAD_BYTES as u64)?)?;
        Some(Self { seeds, bytes })
    }
}

/// More seeds than a harvest takes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("more seeds than are taken")]
pub(super) struct TooMany;

/// Appends records to the file.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    left: Bounds,
}

impl Writer {
    pub(super) fn new(path: &Path, bounds: Bounds) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, left: bounds })
    }

    /// Appends one, in one write. An error if there is no room for it, which the file then says
    /// too.
    pub(super) fn add(&mut self, record: &Record) -> io::Result<()> {
        let (kind, text) = match record {
            Record::Warmup(text) => (WARMUP, text),
            Record::Fuzz(text) => (FUZZ, text),
        };
        let Some(left) = self.left.behind(kind, text.len() as u64) else {
            self.append(TOO_MANY, &[])?;
            return Err(io::Error::other(TooMany));
        };
        self.left = left;
        self.append(kind, text)
    }

    fn append(&mut self, kind: u8, text: &[u8]) -> io::Result<()> {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text);
        self.file.write_all(&bytes)
    }
}

/// Every complete record, none if the file was never made; [`TooMany`] if the writer had more, or
/// anyone wrote more than the writer may.
pub(super) fn read(path: &Path, bounds: Bounds) -> io::Result<Result<Vec<Record>, TooMany>> {
    match File::open(path) {
        Ok(file) => split(BufReader::new(file), bounds),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ok(Vec::new())),
        Err(error) => Err(error),
    }
}

fn split(mut file: impl Read, mut left: Bounds) -> io::Result<Result<Vec<Record>, TooMany>> {
    let mut records = Vec::new();
    loop {
        let Some(head) = up_to(&mut file, HEAD_BYTES as u64)? else { return Ok(Ok(records)) };
        let (kind, length) = (head[0], &head[1..]);
        let length = u64::from_le_bytes(length.try_into().expect("the head has nine bytes"));
        match left.behind(kind, length) {
            Some(behind) if kind != TOO_MANY => left = behind,
            Some(_) | None => return Ok(Err(TooMany)),
        }
        let Some(text) = up_to(&mut file, length)? else { return Ok(Ok(records)) };
        records.push(match kind {
            WARMUP => Record::Warmup(text),
            FUZZ => Record::Fuzz(text),
            _ => return Ok(Ok(records)),
        });
    }
}

/// So many bytes; `None` if there are fewer.
fn up_to(file: &mut impl Read, length: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 == length).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<Record> {
        vec![
            Record::Warmup(b"one".to_vec()),
            Record::Warmup(Vec::new()),
            Record::Fuzz(b"two".to_vec()),
        ]
    }

    /// Bytes of the file with the examples.
    const ALL: u64 = 6 + 3 * HEAD_BYTES as u64;

    /// What comes back of the examples, and whether all could be written.
    fn through_a_file(bounds: Bounds) -> (Result<Vec<Record>, TooMany>, bool) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("seeds");
        let mut writer = Writer::new(&path, bounds).unwrap();
        let is_written = examples().iter().all(|record| writer.add(record).is_ok());
        (read(&path, bounds).unwrap(), is_written)
    }

    #[test]
    fn what_was_written_is_read() {
        for bounds in [BOUNDS, Bounds { seeds: 2, bytes: ALL }] {
            assert_eq!(through_a_file(bounds), (Ok(examples()), true), "{bounds:?}");
        }
    }

    #[test]
    fn one_seed_or_byte_too_many_is_known_to_both() {
        for bounds in [Bounds { seeds: 1, ..BOUNDS }, Bounds { bytes: ALL - 1, ..BOUNDS }] {
            assert_eq!(through_a_file(bounds), (Err(TooMany), false), "{bounds:?}");
        }
    }

    #[test]
    fn a_file_that_is_cut_off_ends_before() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("seeds");
        let mut writer = Writer::new(&path, BOUNDS).unwrap();
        for record in examples() {
            writer.add(&record).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            let some = split(&bytes[..end], BOUNDS).unwrap().unwrap();
            assert!(some.len() < 3 && examples().starts_with(&some), "{end} bytes");
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_not_taken_beyond_the_bounds() {
        let endless = io::repeat(WARMUP);
        assert_eq!(split(endless, BOUNDS).unwrap(), Err(TooMany), "a length beyond everything");
        let empty_seeds = [WARMUP, 0, 0, 0, 0, 0, 0, 0, 0].repeat(3);
        let bounds = Bounds { seeds: 2, ..BOUNDS };
        assert_eq!(split(empty_seeds.as_slice(), bounds).unwrap(), Err(TooMany));
    }

    #[test]
    fn without_a_file_there_are_no_records() {
        assert_eq!(read(Path::new("/no/such/file"), BOUNDS).unwrap(), Ok(Vec::new()));
    }
}
