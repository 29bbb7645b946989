use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use super::*;
use crate::SharedMemory;
use crate::limits::MEMORY_BYTES_MAX;

#[test]
fn both_sides_see_the_same_bytes() {
    let ours = SharedMemory::create(5000).unwrap();
    let theirs = SharedMemory::adopt(ours.fd().try_clone_to_owned().unwrap()).unwrap();
    assert_eq!(theirs.region().len(), 5000);
    ours.region().write(4990, b"hello").unwrap();
    let mut bytes = [0; 5];
    theirs.region().read(4990, &mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");
    theirs.region().add_u64(8, 7).unwrap();
    assert_eq!(ours.region().load_u64(8), Ok(7));
}

#[test]
fn a_created_memory_can_be_neither_shrunk_nor_grown_nor_unsealed() {
    let memory = SharedMemory::create(4096).unwrap();
    let file = File::from(memory.fd().try_clone_to_owned().unwrap());
    for len in [0, 4095, 4097, 1 << 20] {
        let error = file.set_len(len).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::PERM.raw_os_error()), "{len}");
    }
    let more = rustix::fs::fcntl_add_seals(memory.fd(), SealFlags::WRITE);
    assert_eq!(more, Err(rustix::io::Errno::PERM));
}

#[test]
fn a_created_memory_is_closed_on_exec_and_has_its_pages() {
    let memory = SharedMemory::create(100_000).unwrap();
    assert!(rustix::io::fcntl_getfd(memory.fd()).unwrap().contains(FdFlags::CLOEXEC));
    let blocks = rustix::fs::fstat(memory.fd()).unwrap().st_blocks;
    assert!(blocks * 512 >= 100_000, "only {blocks} blocks are allocated");
}

#[test]
fn a_memory_of_no_or_too_many_bytes_is_refused() {
    for len in [0, MEMORY_BYTES_MAX + 1] {
        let error = SharedMemory::create(len).unwrap_err();
        assert!(matches!(error, ShmError::Length { .. }), "{error}");
    }
}

#[test]
fn a_descriptor_that_is_no_file_is_not_adopted() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let error = SharedMemory::adopt(OwnedFd::from(reader)).unwrap_err();
    assert!(matches!(error, ShmError::Adopt { step: "inspect", .. }), "{error}");
}

#[test]
fn an_empty_file_is_not_adopted() {
    let fd = rustix::fs::memfd_create("empty", MemfdFlags::CLOEXEC).unwrap();
    assert!(matches!(SharedMemory::adopt(fd), Err(ShmError::Length { bytes: 0 })));
}

#[test]
fn a_plain_file_of_any_size_is_adopted() {
    let fd = rustix::fs::memfd_create("any", MemfdFlags::CLOEXEC).unwrap();
    let mut file = File::from(fd);
    file.write_all(&[7; 552]).unwrap();
    let memory = SharedMemory::adopt(file.try_clone().unwrap().into()).unwrap();
    memory.region().write(551, &[8]).unwrap();
    file.seek(SeekFrom::Start(550)).unwrap();
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).unwrap();
    assert_eq!(tail, [7, 8]);
}

#[test]
fn an_inherited_descriptor_is_taken_once() {
    // A number that the test harness does not use, made open by duplication.
    let target = 57;
    assert!(matches!(take_inherited_fd(target), Err(ShmError::FdNotOpen { number: 57, .. })));
    let source = rustix::fs::memfd_create("inherited", MemfdFlags::empty()).unwrap();
    let copy = rustix::io::fcntl_dupfd_cloexec(&source, target).unwrap();
    assert_eq!(std::os::fd::AsRawFd::as_raw_fd(&copy), target);
    rustix::io::fcntl_setfd(&copy, FdFlags::empty()).unwrap();
    std::mem::forget(copy);
    let taken = take_inherited_fd(target).unwrap();
    assert!(rustix::io::fcntl_getfd(&taken).unwrap().contains(FdFlags::CLOEXEC));
    assert!(matches!(take_inherited_fd(target), Err(ShmError::FdTaken { number: 57 })));
}

#[test]
fn numbers_that_cannot_be_inherited_are_refused() {
    for number in [-1, 0, 2, 64] {
        assert!(matches!(take_inherited_fd(number), Err(ShmError::FdNumber { .. })), "{number}");
    }
}
