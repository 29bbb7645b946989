//! What is known of the program under examination, and what every check needs.
//!
//! Owns: the facts (dialect, types, counters, inputs), and calls that mean the same in both
//! dialects. Must not judge single rules.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_go::coverage as go_coverage;
use fuzzd_go::rebuild::{self, Running};
use fuzzd_protocol::message::{FailureInfo, FuzzCall, FuzzReply, MinimizeCall, PingReply};
use fuzzd_protocol::value::ValueType;
use fuzzd_protocol::{caps, input, sparse};

use super::limits::{CALM_MAX_LENS, ROOM_BYTES, START_DEADLINE};
use super::noted::Noted;
use super::subject::{Answer, Equipment, Starter, Subject};
use super::{
    Checked, ConformanceError, ConformanceOptions, DISTURBED, Trouble, WorkerDialect, ensure,
    failed, not_applicable,
};
use crate::limits::COUNTERS_MAX;
use crate::process::Spawner;

mod search;

/// Index and class of counters that were hit.
pub(super) type Features = Vec<(u32, u8)>;

/// Everything known of the program.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) dialect: WorkerDialect,
    pub(super) ping: PingReply,
    pub(super) types: Vec<ValueType>,
    /// 0: not instrumented.
    pub(super) counters: usize,
    /// An input that passes.
    pub(super) base: Option<Vec<u8>>,
    /// An input with coverage that `base` does not have, and that coverage.
    pub(super) find: Option<(Vec<u8>, Features)>,
    /// An input that fails.
    pub(super) failing: Option<Vec<u8>>,
    /// An input that ends the process.
    pub(super) deadly: Option<Vec<u8>>,
}

/// See the module.
pub(super) struct Bench {
    pub(super) starter: Starter,
    pub(super) facts: Facts,
    pub(super) noted: Rc<RefCell<Noted>>,
}

impl Bench {
    /// Starts the program for the first time and finds out what it is.
    pub(super) fn learn(
        options: &ConformanceOptions,
        spawner: Spawner,
    ) -> Result<Self, ConformanceError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let noted = Rc::new(RefCell::new(Noted::default()));
        let target = options.target.clone();
        let starter = Starter { target, spawner, runtime, noted: Rc::clone(&noted) };
        let ping = first_answer(&starter)?;
        let is_native = ping.caps.iter().any(|cap| cap == caps::INPUT_IN_MEMORY);
        let dialect = if is_native { WorkerDialect::Native } else { WorkerDialect::Go };
        let types = ping.types.iter().filter_map(|name| ValueType::from_name(name)).collect();
        let counters = ping.counters.and_then(|counters| usize::try_from(counters).ok());
        let counters = counters.filter(|&counters| counters <= COUNTERS_MAX).unwrap_or(0);
        let (base, find, failing, deadly) = (None, None, None, None);
        let facts = Facts { dialect, ping, types, counters, base, find, failing, deadly };
        let mut bench = Self { starter, facts, noted };
        let given = |path: &Option<std::path::PathBuf>, bench: &Self| {
            path.as_deref().map(|path| bench.read(path)).transpose()
        };
        bench.facts.failing = given(&options.failing, &bench)?;
        bench.facts.deadly = given(&options.deadly, &bench)?;
        let input = given(&options.input, &bench)?;
        match bench.find_base(input).and_then(|()| bench.search(options.search_time)) {
            Ok(()) | Err(Trouble::NotApplicable(_) | Trouble::Disturbed) => {}
            // The checks will meet it again, and say which rule it breaks.
            Err(Trouble::Failed(what)) => tracing::debug!(what, "the search broke off"),
            Err(Trouble::Broken(error)) => return Err(error),
        }
        Ok(bench)
    }

    /// An input from a file, as it lies in memory.
    fn read(&self, path: &Path) -> Result<Vec<u8>, ConformanceError> {
        let file = std::fs::read(path).map_err(|error| error.to_string());
        let value = file.and_then(|file| match self.facts.dialect {
            WorkerDialect::Go => Ok(file),
            WorkerDialect::Native => {
                input::from_file(&self.facts.types, &file).map_err(|error| error.to_string())
            }
        });
        value.map_err(|problem| ConformanceError::Input { path: path.to_owned(), problem })
    }

    /// A passing input: the one that was given, or the first that passes of some simple ones.
    fn find_base(&mut self, given: Option<Vec<u8>>) -> Checked {
        let mut subject = self.start()?;
        let candidates = match (given, self.facts.dialect) {
            (Some(input), _) => vec![input],
            (None, WorkerDialect::Native) => {
                let simple = [&b"base"[..], b"", b"0", b"{}", b"\n"];
                let types = &self.facts.types;
                simple.iter().map(|bytes| input::canonical(types, bytes)).collect()
            }
            (None, WorkerDialect::Go) => ["[]byte", "string"]
                .iter()
                .map(|name| format!("go test fuzz v1\n{name}(\"base\")\n").into_bytes())
                .collect(),
        };
        for candidate in candidates {
            match subject.try_fuzz(&candidate, warm_up())? {
                Answer::Reply(reply) if reply.err.is_empty() && reply.internal_err.is_empty() => {
                    if let Some(snapshot) = &reply.coverage_data {
                        self.facts.counters = snapshot.len();
                    }
                    self.facts.base = Some(candidate);
                    return Ok(());
                }
                Answer::Reply(_) => {}
                Answer::Died(_) => subject = self.start()?,
            }
        }
        Ok(())
    }

    // ---- processes ----

    /// What a worker of this dialect is given by default.
    pub(super) fn equipment(&self) -> Equipment<'static> {
        let has_control = self.facts.dialect == WorkerDialect::Native;
        Equipment { room: ROOM_BYTES, has_control, shared: None }
    }

    /// A process that has answered `Ping`.
    pub(super) fn start(&self) -> Checked<Subject> {
        self.start_with(self.equipment())
    }

    pub(super) fn start_with(&self, equipment: Equipment<'_>) -> Checked<Subject> {
        let mut subject = self.starter.start(equipment)?;
        subject.ping()?;
        Ok(subject)
    }

    /// Whether the worker announced this.
    pub(super) fn has(&self, cap: &str) -> bool {
        self.facts.ping.caps.iter().any(|announced| announced == cap)
    }

    /// The rule is about a capability.
    pub(super) fn needs(&self, cap: &str) -> Checked {
        if self.has(cap) { Ok(()) } else { not_applicable(format!("{cap} is not announced")) }
    }

    // ---- inputs ----

    pub(super) fn base(&self) -> Checked<Vec<u8>> {
        let base = self.facts.base.clone();
        base.map_or_else(|| not_applicable("no input that passes is known: give --input"), Ok)
    }

    /// An input that fails, and its signature.
    pub(super) fn failing(&self) -> Checked<Vec<u8>> {
        let failing = self.facts.failing.clone();
        failing.map_or_else(
            || not_applicable("no input that fails is known: give --failing, or more --search"),
            Ok,
        )
    }

    pub(super) fn deadly(&self) -> Checked<Vec<u8>> {
        let deadly = self.facts.deadly.clone();
        deadly.map_or_else(
            || not_applicable("no input that ends the process is known: give --deadly"),
            Ok,
        )
    }

    /// An input with more coverage than `base`.
    pub(super) fn find(&self) -> Checked<(Vec<u8>, Features)> {
        self.needs_counters()?;
        self.facts.find.clone().map_or_else(
            || not_applicable("the search found no input with coverage of its own"),
            Ok,
        )
    }

    pub(super) fn needs_counters(&self) -> Checked {
        if self.facts.counters > 0 { Ok(()) } else { not_applicable("it has no counters") }
    }

    /// The input that a worker of either dialect executes, or did last, in a call on `sent`.
    pub(super) fn executed(&self, subject: &Subject, sent: &[u8]) -> Checked<Vec<u8>> {
        self.running(subject, rebuild::Call::Fuzz, sent)
    }

    /// The same for any call.
    pub(super) fn running(
        &self,
        subject: &Subject,
        call: rebuild::Call,
        sent: &[u8],
    ) -> Checked<Vec<u8>> {
        let value = subject.value()?;
        if self.facts.dialect == WorkerDialect::Native {
            return Ok(value);
        }
        let (header, capacity) = (subject.header(), subject.capacity());
        match rebuild::running(call, sent, rebuild::Memory { header, value: &value, capacity }) {
            Ok(Running::Input(values)) => Ok(fuzzd_go::text::encode(&values)),
            Ok(Running::Nothing) => failed("its count is 0: it has executed nothing"),
            Err(error) => failed(format!("the input cannot be rebuilt: {error}")),
        }
    }

    // ---- coverage ----

    /// The snapshot of a reply, in the form of its dialect.
    pub(super) fn snapshot(&self, reply: &FuzzReply) -> Checked<Option<Features>> {
        self.features(reply.coverage_sparse.as_deref(), reply.coverage_data.as_deref())
    }

    pub(super) fn features(
        &self,
        in_sparse: Option<&[u8]>,
        in_dense: Option<&[u8]>,
    ) -> Checked<Option<Features>> {
        let counters = self.facts.counters;
        match self.facts.dialect {
            WorkerDialect::Native => {
                let decoded = in_sparse.map(|bytes| sparse::decode(bytes, counters)).transpose();
                decoded.or_else(|error| failed(format!("CoverageSparse: {error}")))
            }
            WorkerDialect::Go => {
                let known = Some(counters).filter(|&counters| counters > 0);
                let decoded = in_dense.map(|bytes| go_coverage::features(bytes, known)).transpose();
                decoded.or_else(|error| failed(format!("CoverageData: {error}")))
            }
        }
    }

    /// Tells a worker of these features, before anything else in the call.
    pub(super) fn tell(&self, call: &mut FuzzCall, features: &[(u32, u8)]) {
        match self.facts.dialect {
            WorkerDialect::Native => call.coverage_delta = Some(sparse::encode(features)),
            WorkerDialect::Go => {
                call.coverage_data = Some(go_coverage::dense(features, self.facts.counters));
            }
        }
    }

    /// Tells a worker of all there is: nothing is new to it then.
    pub(super) fn tell_all(&self, call: &mut FuzzCall) {
        let indices = 0..u32::try_from(self.facts.counters).unwrap_or(u32::MAX);
        let all: Features = indices.map(|index| (index, u8::MAX)).collect();
        if !all.is_empty() {
            self.tell(call, &all);
        }
    }

    pub(super) fn keep(&self, call: &mut MinimizeCall, features: &[(u32, u8)]) {
        match self.facts.dialect {
            WorkerDialect::Native => call.keep_sparse = Some(sparse::encode(features)),
            WorkerDialect::Go => {
                call.keep_coverage = Some(go_coverage::dense(features, self.facts.counters));
            }
        }
    }

    /// The seed of a call; a worker of the Go dialect has its own.
    pub(super) fn seed(&self, seed: u64) -> Option<u64> {
        (self.facts.dialect == WorkerDialect::Native).then_some(seed)
    }

    // ---- calls ----

    /// Tests with a Fuzz call that no failure of the fuzz test ends, in some tries.
    pub(super) fn calmly<T>(
        &self,
        call: &FuzzCall,
        test: impl Fn(FuzzCall) -> Checked<T>,
    ) -> Checked<T> {
        for (seed, max_len) in (1..).zip(CALM_MAX_LENS) {
            let is_native = self.facts.dialect == WorkerDialect::Native;
            let max_len = max_len.filter(|_| is_native);
            match test(FuzzCall { seed: self.seed(seed), max_len, ..call.clone() }) {
                Err(Trouble::Disturbed) => {}
                tested => return tested,
            }
        }
        Err(Trouble::Disturbed)
    }

    /// Such a call on the passing input, in a new process.
    pub(super) fn calm(
        &self,
        equipment: Equipment<'_>,
        call: &FuzzCall,
    ) -> Checked<(Subject, FuzzReply)> {
        let base = self.base()?;
        self.calmly(call, |call| {
            let mut subject = self.start_with(equipment)?;
            let reply = subject.fuzz(&base, call)?;
            if !reply.err.is_empty() {
                return Err(Trouble::Disturbed);
            }
            ensure(reply.internal_err.is_empty(), || {
                format!("InternalErr {:?}", reply.internal_err)
            })?;
            Ok((subject, reply))
        })
    }
}

/// One execution.
pub(super) fn warm_up() -> FuzzCall {
    FuzzCall { warmup: true, limit: 1, ..FuzzCall::default() }
}

/// The signature of what a reply tells.
pub(super) fn signature(err: &str, failure: Option<&FailureInfo>) -> Signature {
    match failure {
        None => Signature::of(FailureKind::Error, "", err),
        Some(info) => {
            let kind = FailureKind::from_name(&info.kind).unwrap_or(FailureKind::Error);
            let message = if info.message.is_empty() { err } else { &info.message };
            Signature::of(kind, &info.location, message)
        }
    }
}

/// Whether each of the features is among the others.
pub(super) fn has_all(hit: &[(u32, u8)], wanted: &[(u32, u8)]) -> bool {
    wanted.iter().all(|&(index, bits)| {
        let at = hit.binary_search_by_key(&index, |feature| feature.0);
        at.is_ok_and(|at| hit[at].1 & bits == bits)
    })
}

/// The answer to the first call: without one there is nothing to check.
fn first_answer(starter: &Starter) -> Result<PingReply, ConformanceError> {
    let equipment = Equipment { room: ROOM_BYTES, has_control: true, shared: None };
    let asked = starter.start(equipment).and_then(|mut subject| subject.ping());
    asked.map_err(|trouble| match trouble {
        Trouble::Failed(what) | Trouble::NotApplicable(what) => ConformanceError::NotStarted(
            format!("its first Ping, with {START_DEADLINE:?} to start: {what}"),
        ),
        Trouble::Disturbed => ConformanceError::NotStarted(DISTURBED.to_owned()),
        Trouble::Broken(error) => error,
    })
}
