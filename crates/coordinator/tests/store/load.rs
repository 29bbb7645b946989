//! What a session starts from: sources, their order, and files that are not inputs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::{CONFIRMED, Loaded, Place, TEST, entry, hash_name, tree};
use fuzzd_coordinator::store::LoadNotice;
use fuzzd_core::ids::{EntryId, Input};
use fuzzd_core::session::{Origin, Record};
use fuzzd_protocol::value::ValueType;
use rustix::fs::{CWD, FileType, Mode};

fn write(dir: &Path, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn origins(loaded: &Loaded) -> Vec<Origin> {
    loaded.configs[0].entries.iter().map(|entry| entry.origin.clone()).collect()
}

/// What a load gives, to be compared.
fn summary(loaded: &Loaded) -> String {
    format!("{:?} {:?}", loaded.configs[0].entries, loaded.configs[0].bugs)
}

#[test]
fn sources_come_in_order_and_no_input_comes_twice() {
    let mut place = Place::new();
    place.seeds[0] = vec![b"seed".to_vec(), b"seed".to_vec()];
    let second = write(place.testdata(), "b", b"testdata b");
    let first = write(place.testdata(), "a", b"testdata a");
    write(place.testdata(), "c", b"seed");
    write(place.testdata(), ".gitignore", b"hidden files are no inputs");
    let seeds = place.dir.path().join("seeds");
    let deep = write(&seeds, "one/two/three", b"deep");
    let flat = write(&seeds, "z", b"flat");
    write(&seeds, "y", b"testdata a");
    place.seeds_dirs.push(seeds.clone());
    let before = tree(&seeds);
    let mut running = place.start();
    running.commit(entry(b"found", &[]));
    running.commit(entry(b"flat", &[]));
    running.close();

    let loaded = place.load();
    let inputs = loaded.inputs();
    let expected: [&[u8]; 6] = [b"seed", b"testdata a", b"testdata b", b"flat", b"deep", b"found"];
    assert_eq!(inputs, expected);
    let expected = [
        Origin::Seed,
        Origin::Testdata(first),
        Origin::Testdata(second),
        Origin::SeedFile(flat),
        Origin::SeedFile(deep),
        Origin::Corpus,
    ];
    assert_eq!(origins(&loaded), expected);
    assert_eq!(loaded.notices, []);
    assert_eq!(tree(&seeds), before);
}

#[test]
fn two_loads_give_the_same() {
    let mut place = Place::new();
    place.seeds[0].push(b"seed".to_vec());
    write(place.testdata(), "a", b"testdata");
    let mut running = place.start();
    for number in 0..300u32 {
        running.send(entry(&number.to_be_bytes(), &[(number, 1)]));
    }
    (0..300).for_each(|_| drop(running.answer()));
    running.commit_bug(b"boom", CONFIRMED);
    running.close();
    write(&place.corpus(), "dropped-in", b"by somebody");
    let first = summary(&place.load());
    assert_eq!(summary(&place.load()), first);
    assert_eq!(summary(&place.load()), first);
}

#[test]
fn files_that_are_no_inputs_are_named_and_left_where_they_are() {
    let place = Place::with_types(&[ValueType::Uint32]);
    let good = b"go test fuzz v1\nuint32(7)\n";
    write(place.testdata(), "good", good);
    write(place.testdata(), "malformed", b"go test fuzz v1\nuint32(\n");
    write(place.testdata(), "wrong-type", b"go test fuzz v1\nstring(\"x\")\n");
    fs::create_dir(place.testdata().join("directory")).unwrap();
    let before = tree(place.testdata());
    let loaded = place.load();
    assert_eq!(loaded.inputs(), [7u32.to_le_bytes()]);
    let texts = loaded.notice_texts();
    assert_eq!(texts.len(), 3, "{texts:?}");
    for name in ["malformed", "wrong-type", "directory"] {
        assert!(texts.iter().any(|text| text.contains(name)), "{name} is named: {texts:?}");
    }
    assert_eq!(tree(place.testdata()), before);
    assert!(!place.state.join("quarantine").exists());
}

#[test]
fn links_pipes_and_oversized_files_are_not_followed_and_do_not_block() {
    let mut place = Place::new();
    let secret = write(place.dir.path(), "secret", b"secret");
    let seeds = place.dir.path().join("seeds");
    for dir in [&seeds, &place.corpus(), place.testdata()] {
        fs::create_dir_all(dir).unwrap();
        symlink(&secret, dir.join("link")).unwrap();
        symlink(dir, dir.join("loop")).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(CWD, dir.join("pipe"), FileType::Fifo, mode, 0).unwrap();
        let large = fs::File::create(dir.join("large")).unwrap();
        large.set_len(10 << 30).unwrap();
    }
    place.seeds_dirs.push(seeds);
    place.seeds_dirs.push(place.dir.path().join("not there"));
    let loaded = place.load();
    assert_eq!(loaded.inputs(), Vec::<Vec<u8>>::new());
    assert_eq!(loaded.notices.len(), 13, "{:?}", loaded.notices);
    let is_skipped = |notice: &LoadNotice| matches!(notice, LoadNotice::Skipped { .. });
    assert!(loaded.notices.iter().all(is_skipped));
}

#[test]
fn a_corpus_file_whose_content_is_not_what_its_name_says_is_set_aside_once() {
    let place = Place::new();
    let mut running = place.start();
    running.commit(entry(b"whole", &[]));
    running.commit(entry(b"", &[]));
    running.close();
    let corpus = place.corpus();
    let edited = write(&corpus, hash_name(b"whole"), b"edited");
    let torn = write(&corpus, hash_name(b"torn"), b"");
    let loaded = place.load();
    assert_eq!(loaded.inputs(), [&b"whole"[..], b""], "the empty entry is valid");
    for path in [&edited, &torn] {
        let is_it = |notice: &&LoadNotice| match notice {
            LoadNotice::SetAside { path: from, .. } => from == path,
            _ => false,
        };
        assert_eq!(loaded.notices.iter().filter(is_it).count(), 1);
        assert!(!path.exists());
    }
    let kept: Vec<_> = tree(&place.state.join("quarantine")).into_iter().map(|(_, b)| b).collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&b"edited".to_vec()));
    loaded.start().close();
    // The file of the entry is there again, and there is nothing more to tell.
    assert_eq!(fs::read(&edited).unwrap(), b"whole");
    assert_eq!(place.load().notices, []);
}

#[test]
fn a_corpus_file_that_somebody_put_there_becomes_an_entry() {
    let place = Place::with_types(&[ValueType::Bool, ValueType::Bool]);
    write(&place.corpus(), "mine", b"go test fuzz v1\nbool(true)\nbool(false)\n");
    write(&place.corpus(), "nonsense", b"nonsense");
    let loaded = place.load();
    assert_eq!(loaded.inputs(), [[1, 0]]);
    assert!(loaded.notices.contains(&LoadNotice::TakenIn {
        test: "module::parse".into(),
        entries: 1,
        crashes: 0
    }));
    drop(loaded);
    assert!(place.state.join("quarantine/module.parse/nonsense").exists());
    let loaded = place.load();
    assert_eq!((loaded.inputs(), loaded.notices), (vec![vec![1, 0]], vec![]));
}

#[test]
fn a_corpus_directory_of_the_user_is_used_and_files_with_other_names_stay() {
    let mut place = Place::with_types(&[ValueType::Bool]);
    let corpus = place.dir.path().join("my corpus");
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let theirs = write(&corpus, format!("module.parse/{sha1}"), b"from another fuzzer");
    place.corpus_dir = Some(corpus.clone());
    let mut running = place.start();
    running.commit(entry(&[1], &[]));
    running.close();
    assert!(theirs.exists());
    let text: &[u8] = b"go test fuzz v1\nbool(true)\n";
    let files = tree(&corpus);
    assert!(files.iter().any(|(_, bytes)| bytes == text), "{files:?}");
    assert!(!place.state.join("corpus").exists());
    assert_eq!(place.load().inputs(), [[1]]);
}

#[test]
fn a_seeds_directory_with_one_subdirectory_per_test_gives_each_test_its_own() {
    let mut place = Place::new();
    let mut other = place.tests[0].clone();
    other.name = "other".into();
    place.tests.push(other);
    place.seeds.push(Vec::new());
    let seeds = place.dir.path().join("seeds");
    write(&seeds, "module.parse/a", b"own");
    write(&seeds, "b", b"for all");
    place.seeds_dirs.push(seeds);
    let loaded = place.load();
    assert_eq!(loaded.inputs(), [b"own"]);
    let inputs = |input: &Input| input.to_vec();
    let second: Vec<_> = loaded.configs[1].entries.iter().map(|e| inputs(&e.input)).collect();
    assert_eq!(second, [&b"for all"[..], b"own"]);
}

#[test]
fn a_test_with_other_parameters_is_another_test() {
    let mut place = Place::new();
    let mut running = place.start();
    running.commit(entry(b"raw", &[]));
    running.commit_bug(b"boom", CONFIRMED);
    running.close();
    place.tests[0].types = vec![ValueType::Uint8];
    let loaded = place.load();
    assert_eq!(loaded.inputs(), Vec::<Vec<u8>>::new());
    assert!(loaded.configs[0].bugs.is_empty());
    drop(loaded);
    place.tests[0].types = vec![ValueType::Bytes];
    let loaded = place.load();
    assert!(loaded.inputs().contains(&b"raw".to_vec()));
    assert_eq!(loaded.configs[0].bugs.len(), 1);
}

#[test]
fn notices_are_bounded_and_the_rest_is_counted() {
    let place = Place::with_types(&[ValueType::Bool]);
    for number in 0..250 {
        write(place.testdata(), format!("bad-{number}"), b"bad");
    }
    let loaded = place.load();
    assert_eq!(loaded.notices.len(), 201);
    assert_eq!(loaded.notices.last(), Some(&LoadNotice::More { count: 50 }));
}

#[test]
fn paths_that_are_not_utf8_work_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join(OsStr::from_bytes(b"st\xff\xfe?#%ate"));
    let mut place = Place::at(dir, state, &[ValueType::Bytes]);
    let testdata = place.dir.path().join(OsStr::from_bytes(b"test\xffdata"));
    place.tests[0].testdata.clone_from(&testdata);
    let seed = write(&testdata, OsStr::from_bytes(b"\xfe"), b"seed");
    let mut running = place.start();
    running.commit(entry(b"found", &[]));
    let path = running.commit_bug(b"boom", CONFIRMED).unwrap();
    assert!(path.starts_with(&testdata));
    running.close();
    let listed = fuzzd_coordinator::store::list_bugs(&place.state).unwrap();
    assert_eq!(listed[0].path.as_ref(), Some(&path));
    let loaded = place.load();
    assert_eq!(loaded.configs[0].bugs[0].path.as_ref(), Some(&path));
    assert!(origins(&loaded).contains(&Origin::Testdata(seed)));
    assert!(loaded.inputs().contains(&b"found".to_vec()));
}

#[test]
fn an_entry_damaged_in_the_database_comes_back_from_its_file() {
    let place = Place::new();
    let mut running = place.start();
    running.commit(entry(b"precious", &[]));
    running.commit(Record::Measured {
        test: TEST,
        id: EntryId::of(b"precious"),
        coverage: vec![(1, 1)],
    });
    running.close();
    let database = rusqlite::Connection::open(place.state.join("session.db")).unwrap();
    database.execute("UPDATE entries SET input=?1", [&b"damaged!"[..]]).unwrap();
    drop(database);
    let loaded = place.load();
    assert_eq!(loaded.inputs(), [b"precious"]);
    assert_eq!(loaded.configs[0].entries[0].coverage, Some(vec![(1, 1)]));
    let kept = tree(&place.state.join("quarantine"));
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].1, b"damaged!");
    drop(loaded);
    assert_eq!(place.load().notices, []);
}
