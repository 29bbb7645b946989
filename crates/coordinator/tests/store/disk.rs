//! Disks that refuse: nothing is half-written, nothing is lost silently, and it goes on by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fuzzd_coordinator::store::{Store, StoreError, list_bugs};
use fuzzd_core::ids::EntryId;
use fuzzd_core::session::{Record, Verdict};
use fuzzd_protocol::value::ValueType;

use crate::support::{CONFIRMED, Place, TEST, bug, crash, entry, hash_name, tree};

/// A small file system of its own, unmounted at the end.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts it below `dir`, if this process may.
    fn mount(dir: &Path, options: &str) -> Option<Self> {
        let path = dir.join("small");
        fs::create_dir(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&path);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        if !is_mounted {
            println!("skipped: cannot mount a tmpfs here");
            return None;
        }
        Some(Self { path })
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options]).arg(&self.path).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("-l").arg(&self.path).status();
        assert!(status.unwrap().success() || std::thread::panicking());
    }
}

#[test]
fn a_full_disk_fails_whole_records_and_works_again_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), "size=2m") else { return };
    let ballast = disk.path.join("ballast");
    let mut place =
        Place::at(tempfile::tempdir().unwrap(), disk.path.join("state"), &[ValueType::Bytes]);
    place.tests[0].testdata = disk.path.join("testdata");
    let mut running = place.start();
    running.commit(entry(b"before", &[]));
    fs::write(&ballast, vec![0; 1 << 20]).unwrap();
    let mut stored: Vec<Vec<u8>> = vec![b"before".to_vec()];
    let mut refused = Vec::new();
    for number in 0..200u32 {
        let bytes: Vec<u8> = number.to_le_bytes().repeat(4_000);
        match running.try_commit(entry(&bytes, &[])) {
            Ok(_) => stored.push(bytes),
            Err(reason) => {
                assert!(reason.contains("no space left"), "{reason}");
                refused.push(bytes);
            }
        }
        if refused.len() == 3 {
            break;
        }
    }
    assert_eq!(refused.len(), 3, "2 MiB were filled");
    let large = vec![1; 100_000];
    assert!(running.try_commit(crash(&large)).unwrap_err().contains("no space left"));
    // Another handle on the same files sees nothing of what was refused.
    assert_eq!(list_bugs(&place.state).unwrap(), []);

    fs::remove_file(&ballast).unwrap();
    for bytes in refused {
        running.commit(entry(&bytes, &[]));
        stored.push(bytes);
    }
    let path = running.commit_bug(&large, CONFIRMED).unwrap();
    assert_eq!(fs::read(path).unwrap(), large);
    running.close();
    assert!(stored.len() > 4);
    let loaded = place.load();
    assert_eq!(loaded.inputs()[1..], stored, "all that was answered, in order, and no more");
    assert_eq!(loaded.notices, []);
}

#[test]
fn a_disk_that_is_full_at_the_start_is_a_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), "size=64k") else { return };
    let space = 64 << 10;
    fs::write(disk.path.join("ballast"), vec![0; space - 8_192]).unwrap();
    let state = disk.path.join("state");
    let error = Store::open(&state).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
    assert!(error.to_string().contains(state.to_str().unwrap()), "{error}");
}

#[test]
fn a_read_only_disk_is_a_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), "ro") else { return };
    let error = Store::open(&disk.path.join("state")).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains("read-only"), "{error}");
}

#[test]
fn a_disk_that_becomes_read_only_and_writable_again_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), "size=8m") else { return };
    let place =
        Place::at(tempfile::tempdir().unwrap(), disk.path.join("package"), &[ValueType::Bytes]);
    let mut place = Place { state: place.dir.path().join("state"), ..place };
    place.tests[0].testdata = disk.path.join("testdata");
    let mut running = place.start();
    disk.remount("ro");
    let path = running.commit_bug(b"boom boom", CONFIRMED).unwrap();
    assert!(path.starts_with(place.state.join("crashes")), "{path:?}");
    assert_eq!(fs::read(&path).unwrap(), b"boom boom");
    assert_eq!(list_bugs(&place.state).unwrap()[0].path.as_ref(), Some(&path));
    disk.remount("rw");
    let path = running.commit(bug(b"bo", Verdict::Minimized)).unwrap();
    assert!(path.starts_with(place.testdata()), "{path:?}");
    running.close();
}

#[test]
fn a_crash_is_kept_in_the_state_when_testdata_cannot_be_written() {
    let mut place = Place::new();
    let file = place.dir.path().join("file");
    fs::write(&file, b"in the way").unwrap();
    place.tests[0].testdata = file.join("testdata");
    let mut running = place.start();
    let path = running.commit_bug(b"boom", CONFIRMED).unwrap();
    running.close();
    assert!(path.starts_with(place.state.join("crashes")), "{path:?}");
    assert_eq!(fs::read(&path).unwrap(), b"boom");
    let bugs = place.load().configs.remove(0).bugs;
    assert_eq!((bugs[0].is_pending, bugs[0].path.as_ref()), (false, Some(&path)));
}

#[test]
fn a_corpus_directory_that_cannot_be_written_does_not_stop_commits() {
    let mut place = Place::new();
    let file = place.dir.path().join("file");
    fs::write(&file, b"in the way").unwrap();
    place.corpus_dir = Some(file.join("corpus"));
    let mut running = place.start();
    running.commit(entry(b"one", &[]));
    running.commit(entry(b"two", &[]));
    running.close();
    place.corpus_dir = None;
    place.start().close();
    assert_eq!(tree(&place.corpus()).len(), 2, "written where it is possible now");
}

#[test]
fn a_file_is_set_aside_also_from_another_file_system() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), "size=1m") else { return };
    let mut place = Place::new();
    let torn = disk.path.join("module.parse").join(hash_name(b"whole"));
    fs::create_dir_all(torn.parent().unwrap()).unwrap();
    fs::write(&torn, b"torn").unwrap();
    place.corpus_dir = Some(disk.path.clone());
    assert_eq!(place.load().notices.len(), 1);
    assert!(!torn.exists());
    assert_eq!(tree(&place.state.join("quarantine"))[0].1, b"torn");
}

#[test]
fn a_state_that_was_removed_under_a_session_is_said_so() {
    let place = Place::new();
    let mut running = place.start();
    running.commit(entry(b"one", &[]));
    // After this answer no file is being written.
    running.commit(Record::Measured { test: TEST, id: EntryId::of(b"one"), coverage: Vec::new() });
    fs::remove_dir_all(&place.state).unwrap();
    let reason = running.try_commit(entry(b"two", &[])).unwrap_err();
    assert!(reason.contains("removed or replaced"), "{reason}");
    running.close();
}

#[test]
fn a_known_bug_whose_file_is_missing_gets_it_as_soon_as_testdata_can_be_written() {
    let place = Place::new();
    // A file in the way of the directory: nobody can write there.
    let package = place.dir.path().join("package");
    fs::write(&package, b"in the way").unwrap();
    let mut running = place.start();
    let kept = running.commit_bug(b"boom", CONFIRMED).expect("it is kept in the state");
    running.close();
    let crashes = place.state.join("crashes");
    assert!(kept.starts_with(&crashes), "{kept:?}");
    let mut running = place.start();
    assert_eq!(running.commit_bug(b"boom", Verdict::Known), Some(kept), "no better place yet");
    running.close();
    fs::remove_file(&package).unwrap();
    // Now it can be written; then somebody removes it, with the bug still there.
    for _ in 0..2 {
        let mut running = place.start();
        let path = running.commit_bug(b"boom", Verdict::Known).expect("it has a place");
        running.close();
        assert!(path.starts_with(place.testdata()), "{path:?}");
        assert_eq!(fs::read(&path).unwrap(), b"boom");
        let bugs = place.load().configs.remove(0).bugs;
        assert_eq!((&*bugs[0].input, bugs[0].path.as_ref()), (&b"boom"[..], Some(&path)));
        fs::remove_file(&path).unwrap();
    }
}
