//! Build directories that nobody uses any more.
//!
//! Owns: the stamp in each build directory, which says when it was last used and, by a lock on it,
//! that somebody uses it now; and the removal of old ones. Must not: touch anything but directories
//! that builds have made, follow a symbolic link, or let a build fail.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::limits::BUILD_UNUSED_MAX;

/// A file in each build directory. Its time of modification is that of the last use.
const STAMP: &str = "fuzzd-used";

/// Keeps a build directory from being removed for as long as it lives, in any process.
#[derive(Debug)]
pub(crate) struct InUse {
    /// Locked; `None` where the file system has no locks.
    _stamp: Option<File>,
}

/// Says that `directory` is used from now on.
pub(super) fn in_use(directory: &Path) -> InUse {
    let stamp = std::fs::create_dir_all(directory).and_then(|()| {
        let stamp = File::create(directory.join(STAMP))?;
        stamp.set_modified(SystemTime::now())?;
        stamp.lock_shared()?;
        Ok(stamp)
    });
    InUse { _stamp: stamp.ok() }
}

/// Removes the build directories in `top` that were not used for [`BUILD_UNUSED_MAX`], except
/// `current`. What cannot be removed stays: it is in nobody's way.
pub(super) fn remove_unused(top: &Path, current: &Path) {
    let Ok(entries) = std::fs::read_dir(top) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_build = entry.file_name().to_str().is_some_and(is_key)
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_build && path != current && is_unused(&path, BUILD_UNUSED_MAX) {
            std::fs::remove_dir_all(&path).ok();
        }
    }
}

/// Names of build directories: see `fingerprint`.
fn is_key(name: &str) -> bool {
    name.len() == 16 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether nobody uses `directory` now, nor has for `limit`. One without a stamp gets it.
fn is_unused(directory: &Path, limit: Duration) -> bool {
    let path = directory.join(STAMP);
    let Ok(metadata) = std::fs::symlink_metadata(&path) else {
        File::create_new(&path).ok();
        return false;
    };
    let age = metadata.modified().ok().and_then(|used| used.elapsed().ok());
    if !metadata.is_file() || age.is_none_or(|age| age < limit) {
        return false;
    }
    let Ok(stamp) = File::open(&path) else { return false };
    match stamp.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "0123456789abcdef";
    const OTHER: &str = "fedcba9876543210";

    /// A build directory that was used `age` ago.
    fn used(top: &Path, name: &str, age: Duration) {
        std::fs::create_dir_all(top.join(name).join("deps")).unwrap();
        let stamp = File::create(top.join(name).join(STAMP)).unwrap();
        stamp.set_modified(SystemTime::now().checked_sub(age).unwrap()).unwrap();
    }

    fn is_there(top: &Path, name: &str) -> bool {
        top.join(name).symlink_metadata().is_ok()
    }

    #[test]
    fn only_old_builds_are_removed_and_never_the_current_one() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path();
        let old = BUILD_UNUSED_MAX + Duration::from_secs(60);
        used(top, OLD, old);
        used(top, OTHER, BUILD_UNUSED_MAX.checked_sub(Duration::from_secs(60)).unwrap());
        used(top, "aaaaaaaaaaaaaaaa", old);
        used(top, "not-a-key", old);
        remove_unused(top, &top.join("aaaaaaaaaaaaaaaa"));
        assert!(!is_there(top, OLD));
        assert!(is_there(top, OTHER), "it was used lately");
        assert!(is_there(top, "aaaaaaaaaaaaaaaa"), "it is the current one");
        assert!(is_there(top, "not-a-key"), "it is somebody else's");
    }

    #[test]
    fn a_build_in_use_stays_however_old_it_is() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path();
        let user = in_use(&top.join(OLD));
        let stamp = File::options().write(true).open(top.join(OLD).join(STAMP)).unwrap();
        stamp.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        drop(stamp);
        remove_unused(top, &top.join(OTHER));
        assert!(is_there(top, OLD));
        drop(user);
        remove_unused(top, &top.join(OTHER));
        assert!(!is_there(top, OLD));
    }

    #[test]
    fn a_build_without_a_stamp_gets_its_time() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join(OLD)).unwrap();
        remove_unused(top.path(), &top.path().join(OTHER));
        assert!(top.path().join(OLD).join(STAMP).is_file());
    }

    #[test]
    fn symbolic_links_are_not_followed() {
        let elsewhere = tempfile::tempdir().unwrap();
        let top = tempfile::tempdir().unwrap();
        let old = BUILD_UNUSED_MAX * 2;
        used(elsewhere.path(), OTHER, old);
        std::fs::write(elsewhere.path().join("kept"), "").unwrap();
        // A link in the place of a build, and one inside of a build.
        std::os::unix::fs::symlink(elsewhere.path().join(OTHER), top.path().join(OTHER)).unwrap();
        used(top.path(), OLD, old);
        std::os::unix::fs::symlink(elsewhere.path(), top.path().join(OLD).join("link")).unwrap();
        remove_unused(top.path(), Path::new("/none"));
        assert!(!is_there(top.path(), OLD));
        assert!(is_there(top.path(), OTHER) && is_there(elsewhere.path(), OTHER));
        assert!(elsewhere.path().join("kept").is_file());
    }
}
