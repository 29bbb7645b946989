//! What the tests of the store share: a state directory in a temporary place, and a running store
//! that is spoken to as a session speaks to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fuzzd_coordinator::store::{FileForm, LoadNotice, Store, StoreError, StoreHandle, StoreTest};
use fuzzd_core::coverage::Feature;
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{CommitToken, EntryId, Input, TestIndex};
use fuzzd_core::session::{Event, Record, TestConfig, Verdict};
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::value::ValueType;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;

/// No answer takes longer than this, on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The only test of most tests.
pub(crate) const TEST: TestIndex = TestIndex(0);

/// A place with a state directory and a testdata directory, and the sources of a load.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) state: PathBuf,
    pub(crate) tests: Vec<StoreTest>,
    pub(crate) seeds: Vec<Vec<Vec<u8>>>,
    pub(crate) seeds_dirs: Vec<PathBuf>,
    pub(crate) corpus_dir: Option<PathBuf>,
}

impl Place {
    /// One test that takes raw bytes.
    pub(crate) fn new() -> Self {
        Self::with_types(&[ValueType::Bytes])
    }

    pub(crate) fn with_types(types: &[ValueType]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        Self::at(dir, state, types)
    }

    pub(crate) fn at(dir: TempDir, state: PathBuf, types: &[ValueType]) -> Self {
        let test = StoreTest {
            name: "module::parse".into(),
            types: types.to_vec(),
            build_id: "build 1".into(),
            counters: 1_000,
            testdata: dir.path().join("package/testdata/fuzz/module.parse"),
            form: FileForm::Native,
            inputs: None,
        };
        let (tests, seeds) = (vec![test], vec![Vec::new()]);
        Self { dir, state, tests, seeds, seeds_dirs: Vec::new(), corpus_dir: None }
    }

    pub(crate) fn testdata(&self) -> &Path {
        &self.tests[0].testdata
    }

    pub(crate) fn corpus(&self) -> PathBuf {
        self.state.join("corpus/module.parse")
    }

    /// Opens and loads.
    pub(crate) fn load(&self) -> Loaded {
        self.try_load().unwrap()
    }

    pub(crate) fn try_load(&self) -> Result<Loaded, StoreError> {
        let mut store = Store::open(&self.state)?;
        let mut notices = Vec::new();
        let (seeds, corpus) = (self.seeds.clone(), self.corpus_dir.as_deref());
        let configs = store.load(&self.tests, seeds, &self.seeds_dirs, corpus, &mut notices)?;
        Ok(Loaded { store, configs, notices })
    }

    /// Opens, loads and starts.
    pub(crate) fn start(&self) -> Running {
        self.load().start()
    }
}

/// A store that was opened and loaded.
pub(crate) struct Loaded {
    pub(crate) store: Store,
    pub(crate) configs: Vec<TestConfig>,
    pub(crate) notices: Vec<LoadNotice>,
}

impl Loaded {
    pub(crate) fn start(self) -> Running {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (sender, answers) = tokio::sync::mpsc::channel(1_024);
        let handle = self.store.start(sender).unwrap();
        Running { runtime, handle, answers, next: 0 }
    }

    /// The inputs of the first test, in order.
    pub(crate) fn inputs(&self) -> Vec<Vec<u8>> {
        self.configs[0].entries.iter().map(|entry| entry.input.to_vec()).collect()
    }

    pub(crate) fn notice_texts(&self) -> Vec<String> {
        self.notices.iter().map(ToString::to_string).collect()
    }
}

/// A running store.
pub(crate) struct Running {
    runtime: Runtime,
    handle: StoreHandle,
    answers: Receiver<Event>,
    next: u64,
}

impl Running {
    /// Queues a record.
    pub(crate) fn send(&mut self, record: Record) -> CommitToken {
        self.try_send(record).expect("the queue has room")
    }

    /// Queues a record, or gets it back.
    pub(crate) fn try_send(&mut self, record: Record) -> Result<CommitToken, Record> {
        self.next += 1;
        let token = CommitToken(self.next);
        self.handle.try_commit(token, record).map(|()| token)
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> Event {
        let answers = &mut self.answers;
        let next =
            self.runtime.block_on(async { tokio::time::timeout(DEADLINE, answers.recv()).await });
        next.expect("an answer in time").expect("the store thread is alive")
    }

    /// Queues a record and takes its answer: the path, or the reason for the failure.
    pub(crate) fn try_commit(&mut self, record: Record) -> Result<Option<PathBuf>, String> {
        let sent = self.send(record);
        match self.answer() {
            Event::Stored { token, path } if token == sent => Ok(path),
            Event::StoreFailed { token, reason } if token == sent => Err(reason),
            other => panic!("not the answer to {sent:?}: {other:?}"),
        }
    }

    pub(crate) fn commit(&mut self, record: Record) -> Option<PathBuf> {
        self.try_commit(record).unwrap()
    }

    /// A crash and its verdict.
    pub(crate) fn commit_bug(&mut self, input: &[u8], verdict: Verdict) -> Option<PathBuf> {
        self.commit(crash(input));
        self.commit(bug(input, verdict))
    }

    pub(crate) fn close(self) {
        self.runtime.block_on(async {
            tokio::time::timeout(DEADLINE, self.handle.close()).await.expect("closed in time");
        });
    }
}

pub(crate) const CONFIRMED: Verdict = Verdict::Confirmed { reproduced: 3, runs: 3 };

pub(crate) fn entry(bytes: &[u8], coverage: &[Feature]) -> Record {
    let input = Input::from(bytes);
    let (id, coverage) = (EntryId::of(bytes), coverage.to_vec());
    Record::Entry { test: TEST, id, input, parent: None, coverage }
}

pub(crate) fn failure() -> Failure {
    Failure::new(FailureKind::Panic, "src/lib.rs:10:5", "index out of range", "backtrace")
}

pub(crate) fn signature() -> Signature {
    failure().signature()
}

pub(crate) fn crash(bytes: &[u8]) -> Record {
    let failure = failure();
    let signature = failure.signature();
    Record::Crash { test: TEST, signature, input: Input::from(bytes), failure, is_doubtful: false }
}

pub(crate) fn bug(bytes: &[u8], verdict: Verdict) -> Record {
    Record::Bug { test: TEST, signature: signature(), input: Input::from(bytes), verdict }
}

/// The name of a file of the state.
pub(crate) fn hash_name(bytes: &[u8]) -> String {
    EntryId::of(bytes).to_string()
}

/// Name and content of all files below `dir`, sorted; directories are not named.
pub(crate) fn tree(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(dir) else { return files };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            files.push((path, content));
        }
    }
    files.sort();
    files
}
