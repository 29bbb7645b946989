//! The data of this process's executable, as its file has it.
//!
//! Owns reading the loaded segments of a 64-bit little-endian ELF file and the pointers in them.
//! Must not look at memory: a file that is broken or of another kind is no image, and that is no
//! error worth telling.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::limits::{HEADERS_MAX, IMAGE_BYTES_MAX, MAPS_BYTES_MAX, RELOCATIONS_MAX};

#[cfg(test)]
mod tests;

const ELF_64_LITTLE_ENDIAN: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
const HEADER_BYTES: usize = 64;
const SEGMENT_BYTES: usize = 56;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const DT_RELA: u64 = 7;
const DT_RELA_BYTES: u64 = 8;
const RELA_BYTES: usize = 24;
const R_X86_64_RELATIVE: u64 = 8;

/// One loaded segment: its address in the file's own numbering, and its bytes.
#[derive(Debug)]
struct Segment {
    address: u64,
    offset: u64,
    bytes: Vec<u8>,
}

/// The loaded segments. Addresses are those of the process.
#[derive(Debug)]
pub(super) struct Image {
    segments: Vec<Segment>,
    dynamic: Option<Range<u64>>,
    /// What the loader added to all addresses of the file.
    bias: u64,
}

impl Image {
    /// The image of this process.
    pub(super) fn of_this_process() -> Option<Self> {
        let mut file = File::open("/proc/self/exe").ok()?;
        let mut image = Self::read(&mut file).ok().flatten()?;
        let path = std::fs::read_link("/proc/self/exe").ok()?;
        let mut maps = String::new();
        let file = File::open("/proc/self/maps").ok()?;
        file.take(MAPS_BYTES_MAX).read_to_string(&mut maps).ok()?;
        let (start, offset) = first_mapping(&maps, path.to_str()?)?;
        let segment = image.segments.iter().find(|segment| {
            (segment.offset..segment.offset + segment.bytes.len() as u64).contains(&offset)
                || segment.offset & !0xfff == offset
        })?;
        let in_file = segment.address.wrapping_sub(segment.offset).wrapping_add(offset);
        image.bias = start.wrapping_sub(in_file);
        Some(image)
    }

    /// The segments of an ELF file, as if loaded where it says.
    fn read(file: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER_BYTES];
        file.read_exact(&mut header)?;
        if !header.starts_with(&ELF_64_LITTLE_ENDIAN) {
            return Ok(None);
        }
        let table = u64_at(&header, 32).unwrap_or(0);
        let entries = usize::from(header[56]) | usize::from(header[57]) << 8;
        let mut image = Self { segments: Vec::new(), dynamic: None, bias: 0 };
        let mut bytes_left = IMAGE_BYTES_MAX;
        for entry in 0..entries.min(HEADERS_MAX) {
            let Some(at) = table.checked_add((entry * SEGMENT_BYTES) as u64) else { break };
            let mut segment = [0; SEGMENT_BYTES];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut segment)?;
            let kind = u32::from_le_bytes([segment[0], segment[1], segment[2], segment[3]]);
            let field = |at| u64_at(&segment, at).unwrap_or(0);
            let (offset, address, len) = (field(8), field(16), field(32));
            if kind == PT_DYNAMIC {
                image.dynamic = Some(address..address.saturating_add(len));
            }
            let fits = usize::try_from(len).is_ok_and(|len| len <= bytes_left);
            if kind != PT_LOAD || !fits || address.checked_add(len).is_none() {
                continue;
            }
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            file.by_ref().take(len).read_to_end(&mut bytes)?;
            bytes_left -= bytes.len();
            image.segments.push(Segment { address, offset, bytes });
        }
        Ok(Some(image))
    }

    /// From `address` to the end of its segment.
    pub(super) fn from(&self, address: u64) -> Option<&[u8]> {
        let address = address.wrapping_sub(self.bias);
        self.segments.iter().find_map(|segment| {
            let at = usize::try_from(address.checked_sub(segment.address)?).ok()?;
            segment.bytes.get(at..).filter(|bytes| !bytes.is_empty())
        })
    }

    /// `len` bytes at `address`.
    pub(super) fn get(&self, address: u64, len: usize) -> Option<&[u8]> {
        self.from(address)?.get(..len)
    }

    /// The pointers in the data, as (address, what is there), by address.
    pub(super) fn pointers(&self) -> Vec<(u64, u64)> {
        let mut found: Vec<_> = self.relocations().unwrap_or_default();
        found.sort_unstable();
        found
    }

    fn relocations(&self) -> Option<Vec<(u64, u64)>> {
        let dynamic = self.dynamic.as_ref()?;
        let len = usize::try_from(dynamic.end - dynamic.start).ok()?;
        let table = self.get(dynamic.start.wrapping_add(self.bias), len)?;
        let entry = |tag| {
            let mut entries = table.chunks_exact(16).take(HEADERS_MAX);
            entries.find(|entry| u64_at(entry, 0) == Some(tag)).and_then(|entry| u64_at(entry, 8))
        };
        let len = usize::try_from(entry(DT_RELA_BYTES)?).ok()?;
        let all = self.get(entry(DT_RELA)?.wrapping_add(self.bias), len)?;
        let pointers = all.chunks_exact(RELA_BYTES).take(RELOCATIONS_MAX).filter_map(|entry| {
            let (at, kind, target) = (u64_at(entry, 0)?, u64_at(entry, 8)?, u64_at(entry, 16)?);
            let is_relative = kind == R_X86_64_RELATIVE;
            is_relative.then(|| (at.wrapping_add(self.bias), target.wrapping_add(self.bias)))
        });
        Some(pointers.collect())
    }
}

/// Start address and file offset of the first mapping of the file at `path`.
fn first_mapping(maps: &str, path: &str) -> Option<(u64, u64)> {
    let line = maps.lines().find(|line| line.ends_with(path))?;
    let mut words = line.split_ascii_whitespace();
    let start = words.next()?.split('-').next()?;
    let offset = words.nth(1)?;
    Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(offset, 16).ok()?))
}

/// Eight bytes, little-endian.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}
