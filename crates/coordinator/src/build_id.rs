//! The identity of a build: what coverage is valid for.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};

/// An executable as it was when the session began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Build {
    /// SHA-256 of the file, in hexadecimal.
    pub(crate) id: String,
    file: FileIdentity,
}

/// What changes when a file is replaced or written to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl FileIdentity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl Build {
    /// Reads the whole file: not for the event loop.
    pub(crate) fn of(program: &Path) -> io::Result<Self> {
        let mut opened = File::open(program)?;
        let file = FileIdentity::of(&opened.metadata()?);
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match opened.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => digest.update(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let id = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, file })
    }

    /// Whether there is another program at `path` now. One that cannot be read is not another one:
    /// starting it fails with the better reason. Reads the file only if it looks different.
    pub(crate) fn was_replaced(&self, path: &Path) -> bool {
        match std::fs::metadata(path) {
            Ok(metadata) if FileIdentity::of(&metadata) != self.file => {
                Self::of(path).is_ok_and(|now| now.id != self.id)
            }
            Ok(_) | Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sha_256_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program");
        std::fs::write(&path, b"abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Build::of(&path).unwrap().id, expected);
        assert!(Build::of(&directory.path().join("none")).is_err());
    }

    #[test]
    fn only_another_content_is_another_build() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program");
        std::fs::write(&path, b"abc").unwrap();
        let build = Build::of(&path).unwrap();
        assert!(!build.was_replaced(&path));
        let copy = directory.path().join("copy");
        std::fs::write(&copy, b"abc").unwrap();
        std::fs::rename(&copy, &path).unwrap();
        assert!(!build.was_replaced(&path), "written anew, and the same");
        std::fs::write(&copy, b"abd").unwrap();
        std::fs::rename(&copy, &path).unwrap();
        assert!(build.was_replaced(&path));
        std::fs::remove_file(&path).unwrap();
        assert!(!build.was_replaced(&path), "starting it says more");
    }
}
