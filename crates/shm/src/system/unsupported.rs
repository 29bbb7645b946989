//! A system without shared memory: every way in refuses, so nothing else can be reached.

use std::io;
use std::marker::PhantomData;

use memmap2::MmapRaw;

use crate::error::ShmError;

/// A descriptor that cannot exist on this system.
#[derive(Debug)]
pub enum OwnedFd {}

/// A borrowed descriptor that cannot exist on this system.
#[derive(Debug)]
pub struct BorrowedFd<'a>(OwnedFd, PhantomData<&'a OwnedFd>);

/// Always refuses on this system.
///
/// # Errors
/// Always.
pub fn take_inherited_fd(_number: i32) -> Result<OwnedFd, ShmError> {
    Err(ShmError::Unsupported)
}

pub(crate) fn create(_len: usize) -> Result<(OwnedFd, MmapRaw), ShmError> {
    Err(ShmError::Unsupported)
}

pub(crate) fn create_reserved(_len: usize) -> Result<(OwnedFd, MmapRaw), ShmError> {
    Err(ShmError::Unsupported)
}

pub(crate) fn is_sealed_for_readers(fd: &OwnedFd) -> Result<bool, ShmError> {
    match *fd {}
}

pub(crate) fn map_read_only(fd: &OwnedFd, _len: usize) -> io::Result<MmapRaw> {
    match *fd {}
}

pub(crate) fn file_bytes(fd: &OwnedFd) -> Result<u64, ShmError> {
    match *fd {}
}

pub(crate) fn map(fd: &OwnedFd, _len: usize) -> io::Result<MmapRaw> {
    match *fd {}
}

pub(crate) fn borrow(fd: &OwnedFd) -> BorrowedFd<'_> {
    match *fd {}
}
