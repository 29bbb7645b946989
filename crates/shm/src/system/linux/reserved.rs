//! What a memory for readers refuses, asked of the system as a hostile worker would.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{MprotectFlags, mprotect};

use crate::limits::MEMORY_BYTES_MAX;
use crate::system::OwnedFd;
use crate::{ReadOnlyMemory, SharedMemory, ShmError};

fn pair(len: usize) -> (SharedMemory, OwnedFd) {
    let memory = SharedMemory::create_reserved(len).unwrap();
    let fd = memory.fd().try_clone_to_owned().unwrap();
    (memory, fd)
}

#[test]
fn a_reader_sees_what_the_maker_writes_later() {
    let (memory, fd) = pair(10_000);
    let reader = ReadOnlyMemory::adopt(fd).unwrap();
    assert_eq!((reader.len(), reader.is_empty()), (10_000, false));
    memory.region().write(9_995, b"hello").unwrap();
    memory.region().store_u64(64, 7).unwrap();
    memory.region().store_u32(4, 8).unwrap();
    let mut bytes = [0; 5];
    reader.read(9_995, &mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");
    assert_eq!((reader.load_u64(64), reader.load_u32(4)), (Ok(7), Ok(8)));
}

#[test]
fn accesses_outside_and_words_that_are_not_aligned_are_refused() {
    let (_memory, fd) = pair(100);
    let reader = ReadOnlyMemory::adopt(fd).unwrap();
    assert!(reader.read(96, &mut [0; 5]).is_err());
    assert!(reader.read(usize::MAX, &mut [0; 2]).is_err());
    assert!(reader.read(100, &mut []).is_ok());
    assert!(reader.load_u64(96).is_err());
    assert!(reader.load_u64(4).is_err());
    assert!(reader.load_u32(2).is_err());
    assert!(reader.load_u32(96).is_ok());
}

#[test]
fn nobody_else_can_map_or_write_it() {
    let (memory, fd) = pair(8192);
    let file = File::from(fd);
    // Through the descriptor as it is, and through one opened anew for writing.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let again = OpenOptions::new().read(true).write(true).open(path);
    for file in [&file].into_iter().chain(again.as_ref().ok()) {
        let refused = MmapOptions::new().len(8192).map_raw(file).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(Errno::PERM.raw_os_error()));
        let refused = file.try_clone().unwrap().write(b"x").unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(Errno::PERM.raw_os_error()));
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        assert_eq!(rustix::fs::fallocate(file, hole, 0, 4096), Err(Errno::PERM));
        assert!(file.set_len(4096).is_err());
        assert!(file.set_len(16_384).is_err());
    }
    memory.region().write(0, b"still ours").unwrap();
}

#[test]
fn a_mapping_for_reading_cannot_be_made_writable() {
    let (_memory, fd) = pair(4096);
    let map: MmapRaw = MmapOptions::new().len(4096).map_raw_read_only(&fd).unwrap();
    // SAFETY: the mapping is ours and lives; more access to it harms nothing.
    let refused = unsafe {
        mprotect(map.as_mut_ptr().cast(), 4096, MprotectFlags::READ | MprotectFlags::WRITE)
    };
    assert_eq!(refused, Err(Errno::ACCESS));
}

#[test]
fn a_reserved_memory_takes_room_only_where_it_was_written() {
    let (memory, _fd) = pair(1 << 30);
    memory.region().write(1 << 29, &[1; 5000]).unwrap();
    let blocks = rustix::fs::fstat(memory.fd()).unwrap().st_blocks;
    assert!((1..=4096).contains(&(blocks * 512 / 4096)), "{blocks} blocks are allocated");
}

#[test]
fn a_memory_that_could_shrink_or_be_written_is_not_adopted_for_reading() {
    let open = |seals| {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = rustix::fs::memfd_create("partly sealed", flags).unwrap();
        rustix::fs::ftruncate(&fd, 4096).unwrap();
        rustix::fs::fcntl_add_seals(&fd, seals).unwrap();
        ReadOnlyMemory::adopt(fd)
    };
    for seals in [SealFlags::empty(), SealFlags::SHRINK, SealFlags::FUTURE_WRITE] {
        assert!(matches!(open(seals), Err(ShmError::NotSealed)), "{seals:?}");
    }
    assert!(open(SealFlags::SHRINK | SealFlags::WRITE).is_ok());
    let plain = SharedMemory::create(4096).unwrap().fd().try_clone_to_owned().unwrap();
    assert!(matches!(ReadOnlyMemory::adopt(plain), Err(ShmError::NotSealed)));
    let file = OwnedFd::from(File::open("/proc/self/exe").unwrap());
    assert!(matches!(ReadOnlyMemory::adopt(file), Err(ShmError::NotSealed)));
}

#[test]
fn a_reserved_memory_of_no_or_too_many_bytes_is_refused() {
    for len in [0, MEMORY_BYTES_MAX + 1] {
        let error = SharedMemory::create_reserved(len).unwrap_err();
        assert!(matches!(error, ShmError::Length { .. }), "{error}");
    }
}

#[test]
fn only_a_memory_that_was_given_lends_a_part() {
    let memory = SharedMemory::create(4096).unwrap();
    let refused = memory.region().exclusive(0, 8).err();
    assert_eq!(refused, Some(crate::ExclusiveError::NotAdopted));
    let given = SharedMemory::adopt(memory.fd().try_clone_to_owned().unwrap()).unwrap();
    given.region().exclusive(40, 8).unwrap().copy_from_slice(b"together");
    let mut bytes = [0; 8];
    memory.region().read(40, &mut bytes).unwrap();
    assert_eq!(&bytes, b"together");
}
