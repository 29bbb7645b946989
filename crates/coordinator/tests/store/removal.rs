//! Entries that a corpus does not need are moved, never lost: whole files first, rows last.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use fuzzd_coordinator::store::{FileForm, StoredEntry};
use fuzzd_protocol::value::ValueType;

use crate::support::{Loaded, Place, TEST, entry, hash_name, tree};

const ALL: [&[u8]; 3] = [b"one", b"two", b"three"];

/// A place with three entries, each with coverage and its file.
fn filled(place: &Place) {
    let mut running = place.start();
    for bytes in ALL {
        running.commit(entry(bytes, &[(1, 1), (7, 2)]));
    }
    running.close();
    // What the first close had no time for is written by the next.
    place.start().close();
    assert_eq!(names(&place.corpus()).len(), ALL.len());
}

fn names(dir: &std::path::Path) -> BTreeSet<String> {
    let name = |(path, _): (PathBuf, Vec<u8>)| path.file_name().unwrap().to_str().unwrap().into();
    tree(dir).into_iter().map(name).collect()
}

fn removed(place: &Place) -> PathBuf {
    place.state.join("removed/module.parse")
}

fn corpus(loaded: &mut Loaded) -> Vec<StoredEntry> {
    loaded.store.corpus(TEST, 1_000).unwrap()
}

/// Takes the entries with these bytes out.
fn remove(place: &Place, bytes: &[&[u8]]) {
    let mut loaded = place.load();
    let corpus = corpus(&mut loaded);
    let gone: Vec<&StoredEntry> =
        corpus.iter().filter(|one| bytes.contains(&&one.input[..])).collect();
    assert_eq!(gone.len(), bytes.len());
    assert_eq!(loaded.store.remove_entries(TEST, &gone).unwrap(), removed(place));
}

#[test]
fn the_corpus_has_what_was_measured_and_neither_seeds_nor_testdata() {
    let mut place = Place::new();
    filled(&place);
    place.seeds = vec![vec![b"seed".to_vec()]];
    fs::create_dir_all(place.testdata()).unwrap();
    fs::write(place.testdata().join("file"), "testdata").unwrap();
    let mut loaded = place.load();
    let entries = corpus(&mut loaded);
    let inputs: Vec<&[u8]> = entries.iter().map(|one| &one.input[..]).collect();
    assert_eq!(inputs, ALL);
    assert_eq!(entries[0].coverage.as_deref(), Some(&[(1, 1), (7, 2)][..]));
    assert_eq!(entries[2].file_bytes, 5);
    loaded.store.keep_coverage(TEST, &[(entries[1].id, vec![(9, 4), (3, 1)])]).unwrap();
    let entries = corpus(&mut loaded);
    assert_eq!(entries[1].coverage.as_deref(), Some(&[(3, 1), (9, 4)][..]), "brought in order");
}

#[test]
fn what_is_removed_lies_aside_and_is_not_loaded_again() {
    let place = Place::new();
    filled(&place);
    remove(&place, &[b"one", b"three"]);
    assert_eq!(names(&place.corpus()), [hash_name(b"two")].into());
    assert_eq!(names(&removed(&place)), [hash_name(b"one"), hash_name(b"three")].into());
    assert_eq!(place.load().inputs(), [b"two"]);
    fs::rename(removed(&place).join(hash_name(b"one")), place.corpus().join("back")).unwrap();
    assert_eq!(place.load().inputs(), [&b"two"[..], b"one"], "a file that is put back is loaded");
}

#[test]
fn files_with_names_of_their_own_and_entries_without_a_file_are_moved_as_well() {
    let place = Place::new();
    filled(&place);
    let named = place.corpus().join("from-a-colleague");
    fs::rename(place.corpus().join(hash_name(b"one")), &named).unwrap();
    fs::write(place.corpus().join("twin"), "one").unwrap();
    fs::remove_file(place.corpus().join(hash_name(b"two"))).unwrap();
    remove(&place, &[b"one", b"two"]);
    let aside = ["from-a-colleague".to_owned(), "twin".to_owned(), hash_name(b"two")];
    assert_eq!(names(&removed(&place)), aside.into());
    assert_eq!(place.load().inputs(), [b"three"]);
}

#[test]
fn an_entry_that_its_file_reads_back_otherwise_does_not_come_back() {
    // A boolean is true in 255 ways in memory, and in one in a file.
    let place = Place::with_types(&[ValueType::Bool]);
    let mut running = place.start();
    running.commit(entry(&[7], &[(1, 1)]));
    running.close();
    place.start().close();
    assert_eq!(names(&place.corpus()).len(), 1);
    remove(&place, &[&[7]]);
    assert_eq!((place.load().inputs().len(), names(&removed(&place)).len()), (0, 1));
}

#[test]
fn what_lies_aside_already_is_not_doubled_and_not_overwritten() {
    let place = Place::new();
    filled(&place);
    fs::create_dir_all(removed(&place)).unwrap();
    fs::write(removed(&place).join(hash_name(b"one")), "one").unwrap();
    fs::write(removed(&place).join(hash_name(b"two")), "another").unwrap();
    remove(&place, &[b"one", b"two"]);
    let contents: Vec<Vec<u8>> = tree(&removed(&place)).into_iter().map(|file| file.1).collect();
    assert_eq!(contents.len(), 3, "{contents:?}");
    for content in [&b"one"[..], b"two", b"another"] {
        assert!(contents.iter().any(|one| one == content), "{contents:?}");
    }
}

#[test]
fn cut_off_before_the_rows_go_nothing_was_removed() {
    let place = Place::new();
    filled(&place);
    // All files were moved, and then the process was killed.
    fs::create_dir_all(removed(&place)).unwrap();
    for name in names(&place.corpus()) {
        fs::rename(place.corpus().join(&name), removed(&place).join(&name)).unwrap();
    }
    assert_eq!(place.load().inputs(), ALL);
    place.start().close();
    assert_eq!(names(&place.corpus()).len(), ALL.len(), "the files are written again");
    remove(&place, &[b"two"]);
    assert_eq!(place.load().inputs(), [&b"one"[..], b"three"]);
    assert_eq!(names(&removed(&place)).len(), ALL.len(), "each lies aside once");
}

#[test]
fn a_directory_that_cannot_be_written_keeps_everything_where_it_is() {
    let place = Place::new();
    filled(&place);
    fs::write(place.state.join("removed"), "a file in the way").unwrap();
    let before = tree(&place.corpus());
    let mut loaded = place.load();
    let entries = corpus(&mut loaded);
    let gone: Vec<&StoredEntry> = entries.iter().collect();
    let error = loaded.store.remove_entries(TEST, &gone).unwrap_err();
    assert!(error.to_string().contains("removed"), "{error}");
    assert_eq!(tree(&place.corpus()), before);
    drop(loaded);
    assert_eq!(place.load().inputs(), ALL);
}

#[test]
fn copies_have_the_form_and_the_names_of_the_corpus() {
    for form in [FileForm::Native, FileForm::Go] {
        let mut place = Place::new();
        place.tests[0].form = form;
        filled(&place);
        let before = tree(&place.state.join("corpus"));
        let mut loaded = place.load();
        let entries = corpus(&mut loaded);
        let some: Vec<&StoredEntry> = entries.iter().take(2).collect();
        let into = place.dir.path().join("some/where");
        loaded.store.copy_entries(TEST, &some, &into).unwrap();
        let copies = tree(&into);
        assert_eq!(copies.len(), 2);
        for (path, bytes) in copies {
            let same = place.corpus().join(path.file_name().unwrap());
            assert_eq!(fs::read(same).unwrap(), bytes);
        }
        assert_eq!(tree(&place.state.join("corpus")), before);
    }
}

#[test]
fn a_file_that_was_cut_off_beside_what_was_removed_does_not_stand_for_an_entry() {
    let place = Place::new();
    filled(&place);
    fs::create_dir_all(removed(&place)).unwrap();
    // As a power cut leaves it in the middle of a removal of an entry that has no file.
    fs::write(removed(&place).join(hash_name(b"one")), "").unwrap();
    let mut loaded = place.load();
    let entries = corpus(&mut loaded);
    fs::remove_file(place.corpus().join(hash_name(b"one"))).unwrap();
    let gone: Vec<&StoredEntry> = entries.iter().filter(|one| &one.input[..] == b"one").collect();
    loaded.store.remove_entries(TEST, &gone).unwrap();
    let contents: BTreeSet<Vec<u8>> =
        tree(&removed(&place)).into_iter().map(|file| file.1).collect();
    assert_eq!(contents, [b"".to_vec(), b"one".to_vec()].into());
}

#[test]
fn what_is_removed_from_a_corpus_of_the_user_is_removed_from_that_of_the_state_too() {
    let mut place = Place::new();
    filled(&place);
    place.corpus_dir = Some(place.dir.path().join("users"));
    remove(&place, &[b"one"]);
    place.corpus_dir = None;
    assert_eq!(place.load().inputs(), [&b"two"[..], b"three"]);
    assert_eq!(names(&removed(&place)), [hash_name(b"one")].into());
}

#[test]
fn testdata_that_was_named_as_the_corpus_is_left_alone() {
    let mut place = Place::new();
    filled(&place);
    fs::create_dir_all(place.testdata()).unwrap();
    fs::write(place.testdata().join("committed"), "one").unwrap();
    // The directory of a test below a corpus has its name; so has that below testdata.
    let parent = place.testdata().parent().unwrap().to_owned();
    place.corpus_dir = Some(parent);
    let mut loaded = place.load();
    let entries = corpus(&mut loaded);
    let gone: Vec<&StoredEntry> = entries.iter().collect();
    let error = loaded.store.remove_entries(TEST, &gone).unwrap_err();
    assert!(error.to_string().contains("is testdata"), "{error}");
    assert_eq!(fs::read(place.testdata().join("committed")).unwrap(), b"one");
}
