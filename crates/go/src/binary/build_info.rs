//! The build information that Go puts into every executable.
//!
//! Owns: its inline form (Go 1.18 and later; older releases cannot fuzz). Source:
//! `readRawBuildInfo` in `debug/buildinfo/buildinfo.go` (Go 1.27.3). The bytes come from a file:
//! nothing is believed.
//!
//! ```text
//! 0        14         15      16       32
//! | magic  | pointer  | flags | unused | length | Go release | length | information |
//! ```

use object::read::{Object, ObjectSection, ReadRef};

use crate::limits::BUILD_INFO_BYTES_MAX;

const SECTION: &str = ".go.buildinfo";
const MAGIC: &[u8] = b"\xff Go buildinf:";
const FLAGS_AT: usize = 15;
const INLINE: u8 = 2;
const HEADER_BYTES: usize = 32;

/// Bytes before and after the information, so that tools find it in memory.
const SENTINEL_BYTES: usize = 16;

/// Bytes of a LEB128 number of 64 bits.
const VARINT_BYTES_MAX: usize = 10;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct BuildInfo {
    pub(super) go_version: String,
    /// Import path of the main package; of a test binary it ends with `.test`.
    pub(super) main_package: String,
}

pub(super) fn read<'data, R: ReadRef<'data>>(file: &object::File<'data, R>) -> Option<BuildInfo> {
    let section = file.section_by_name(SECTION)?;
    let bytes = section.size().min(BUILD_INFO_BYTES_MAX);
    parse(section.data_range(section.address(), bytes).ok()??)
}

fn parse(bytes: &[u8]) -> Option<BuildInfo> {
    if !bytes.starts_with(MAGIC) || bytes.get(FLAGS_AT)? & INLINE == 0 {
        return None;
    }
    let mut rest = bytes.get(HEADER_BYTES..)?;
    let go_version = str::from_utf8(text(&mut rest)?).ok()?.to_owned();
    let information = text(&mut rest)?;
    let end = information.len().checked_sub(SENTINEL_BYTES)?;
    let information = str::from_utf8(information.get(SENTINEL_BYTES..end)?).ok()?;
    let main_package = information.lines().find_map(|line| line.strip_prefix("path\t"))?.to_owned();
    Some(BuildInfo { go_version, main_package })
}

/// A length and so many bytes, taken off the front.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut length = 0_u64;
    let mut at = 0;
    loop {
        let byte = *rest.get(at).filter(|_| at < VARINT_BYTES_MAX)?;
        length |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(at).ok()?)?;
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let end = at.checked_add(usize::try_from(length).ok()?)?;
    let text = rest.get(at..end)?;
    *rest = &rest[end..];
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(version: &[u8], information: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([8, INLINE]);
        bytes.resize(HEADER_BYTES, 0);
        bytes.push(u8::try_from(version.len()).unwrap());
        bytes.extend_from_slice(version);
        bytes.push(u8::try_from(information.len() + 2 * SENTINEL_BYTES).unwrap());
        bytes.extend([0; SENTINEL_BYTES]);
        bytes.extend_from_slice(information.as_bytes());
        bytes.extend([0; SENTINEL_BYTES]);
        bytes
    }

    #[test]
    fn release_and_package_are_read() {
        let info = parse(&example(b"go1.27.3", "path\tnet/netip.test\nmod\tstd\t\t\n")).unwrap();
        assert_eq!(info.go_version, "go1.27.3");
        assert_eq!(info.main_package, "net/netip.test");
    }

    #[test]
    fn whatever_is_cut_off_or_overwritten_is_refused_without_panic() {
        let whole = example(b"go1.27.3", "path\tnet/netip.test\n");
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), None, "{end} bytes");
        }
        for at in HEADER_BYTES..whole.len() {
            let mut changed = whole.clone();
            changed[at] = 0xff;
            // Some bytes are part of the names; what must not happen is a panic.
            drop(parse(&changed));
        }
    }
}
