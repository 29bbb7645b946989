//! The worker task against real processes: `scripted_worker` does what its script says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{Epoch, WorkerId};
use fuzzd_core::schedule::Profile;
use fuzzd_core::session::{
    Call, Death, Event, Outcome, PlanItem, Reply, StopRequestKind, Work, WorkerEvent,
};
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::value::ValueType;
use tokio::sync::mpsc;

use crate::options::TargetSpec;
use crate::process::Spawner;
use crate::scripted_worker::{MUTATED, stubborn, target};
use crate::shared::TestMemories;
use crate::worker::pool::Pool;
use crate::worker::target::{WorkerSettings, WorkerTarget};
use crate::worker::watch::WatchLimits;

const BASE: &[u8] = b"base";
const EXECS_MAX: u64 = 10;
const SLOT: WorkerId = WorkerId(0);
/// Far beyond what any step takes, on a machine however busy.
const PATIENCE: Duration = Duration::from_secs(60);

mod plans;
mod stops;

struct Bench {
    pool: Pool,
    events: mpsc::Receiver<Event>,
    target: Arc<WorkerTarget>,
}

impl Bench {
    fn new(spec: TargetSpec) -> Self {
        Self::with_limits(spec, PATIENCE, 0, PATIENCE)
    }

    fn with_limits(
        spec: TargetSpec,
        input_timeout: Duration,
        rss_limit_bytes: u64,
        ping_deadline: Duration,
    ) -> Self {
        let limits = WatchLimits { input_timeout, rss_limit_bytes };
        Self::start(spec, WorkerSettings { ping_deadline, ..settings(limits) }, None)
    }

    fn start(
        spec: TargetSpec,
        settings: WorkerSettings,
        memories: Option<Arc<TestMemories>>,
    ) -> Self {
        let (pool, events) = Pool::start(1, settings);
        let types = vec![ValueType::Bytes];
        let words = Arc::default();
        let target =
            Arc::new(WorkerTarget { spec, types, build: None, memories, words, room: 0.into() });
        let mut bench = Self { pool, events, target };
        bench.pool.spawn(SLOT, Epoch(1), bench.target.clone());
        bench
    }

    async fn ready(spec: TargetSpec) -> Self {
        let mut bench = Self::new(spec);
        bench.wait_ready().await;
        bench
    }

    async fn wait_ready(&mut self) {
        let event = self.next().await;
        assert!(matches!(event, WorkerEvent::Ready { counters: 16, .. }), "{event:?}");
    }

    async fn next(&mut self) -> WorkerEvent {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        let script = &self.target.spec.name;
        assert!(event.is_ok(), "nothing happens with the script {script}");
        let Event::Worker { worker, epoch, event } = event.expect("in time").expect("an event")
        else {
            panic!("a task only sends worker events");
        };
        assert_eq!((worker, epoch), (SLOT, Epoch(1)));
        event
    }

    fn call(&mut self, work: Work) {
        let (coverage, ignore) = (vec![(2, 1)], Arc::default());
        let call = Call { input: BASE.into(), work, coverage, ignore };
        self.pool.call(SLOT, Epoch(1), call);
    }

    fn stop(&mut self, how: StopRequestKind) {
        self.pool.stop(SLOT, Epoch(1), how);
    }

    async fn reply(&mut self, work: Work) -> Reply {
        self.call(work);
        match self.next().await {
            WorkerEvent::Replied(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    async fn death(&mut self, work: Work) -> Death {
        self.call(work);
        match self.next().await {
            WorkerEvent::Died(death) => death,
            other => panic!("{other:?}"),
        }
    }

    async fn stopped(&mut self) -> u64 {
        match self.next().await {
            WorkerEvent::Stopped { execs } => execs,
            other => panic!("{other:?}"),
        }
    }

    /// Nothing more is told, and the task ends.
    async fn close(mut self) {
        let closed = self.pool.close(PATIENCE);
        let (rest, ()) = tokio::join!(self.events.recv(), closed);
        assert!(rest.is_none(), "{rest:?}");
    }
}

fn settings(limits: WatchLimits) -> WorkerSettings {
    WorkerSettings {
        spawner: Spawner::of_process().unwrap(),
        limits,
        ping_deadline: PATIENCE,
        capacity: 4096,
        input_bytes_max: 1024,
        finds_at_end: false,
        go_seed: None,
    }
}

fn fuzz() -> Work {
    fuzz_up_to(EXECS_MAX)
}

fn fuzz_up_to(execs_max: u64) -> Work {
    let item = |entry| PlanItem { entry, weight: 1, is_new: false };
    let plan = (0..3).map(item).collect();
    Work::Fuzz {
        execs_max,
        time_max: None,
        rng_seed: 1,
        plan,
        len_max: None,
        profile: Profile::Default,
    }
}

#[tokio::test]
async fn calls_are_answered_as_the_core_understands_them() {
    let mut bench = Bench::ready(target("good")).await;
    let reply = bench.reply(Work::Execute).await;
    assert_eq!((reply.execs, reply.execs_other), (0, 1));
    assert!(matches!(reply.outcome, Outcome::Passed { coverage } if coverage == [(1, 2)]));
    let reply = bench.reply(fuzz()).await;
    assert_eq!((reply.execs, reply.execs_other), (1, 0));
    assert!(matches!(reply.outcome, Outcome::Nothing));
    let keep = vec![(1, 2)];
    let work = Work::MinimizeFind { keep, execs_max: 9, time_max: Some(Duration::from_secs(1)) };
    let reply = bench.reply(work).await;
    assert_eq!((reply.execs, reply.execs_other), (0, 4));
    let Outcome::Minimized { input, coverage } = reply.outcome else { panic!("{reply:?}") };
    assert_eq!((&*input, &coverage[..]), (&b"small"[..], &[(1, 2)][..]));
    let work = Work::MinimizeFailure {
        signature: Signature(1),
        by_fork: false,
        search: None,
        execs_max: 9,
        time_max: None,
    };
    let reply = bench.reply(work).await;
    assert!(matches!(reply.outcome, Outcome::Minimized { input, .. } if *input == *b"small"));
    bench.stop(StopRequestKind::Ladder);
    assert_eq!(bench.stopped().await, 0);
    bench.close().await;
}

#[tokio::test]
async fn finds_failures_and_rejections_come_with_their_input() {
    let mut bench = Bench::ready(target("find")).await;
    let reply = bench.reply(fuzz()).await;
    let Outcome::Find { input, coverage } = reply.outcome else { panic!("{reply:?}") };
    assert_eq!((&*input, &coverage[..]), (MUTATED, &[(3, 1), (7, 8)][..]));
    let mut bench = Bench::ready(target("err")).await;
    let reply = bench.reply(fuzz()).await;
    let Outcome::Failed { input, failure } = reply.outcome else { panic!("{reply:?}") };
    assert_eq!((&*input, failure.kind), (MUTATED, FailureKind::Error));
    assert_eq!(failure.message, "it does not add up");
    let mut bench = Bench::ready(target("rejects")).await;
    assert!(matches!(bench.reply(Work::Execute).await.outcome, Outcome::Rejected));
    let mut bench = Bench::ready(target("lies")).await;
    assert_eq!(bench.reply(fuzz()).await.execs, EXECS_MAX);
}

#[tokio::test]
async fn every_death_is_told_with_its_cause_and_its_input() {
    let cases = [
        ("abort", FailureKind::Abort, ""),
        ("exit_0", FailureKind::Exit(0), ""),
        ("panic_abort", FailureKind::Panic, ""),
        ("sigkill", FailureKind::ForeignSignal(9), ""),
        ("sigsegv", FailureKind::Signal(11), ""),
        ("half_line_then_abort", FailureKind::Abort, ""),
        ("stdout_flood", FailureKind::Abort, "flood over"),
        ("grandchild", FailureKind::Abort, "grandchild"),
    ];
    for (script, kind, details) in cases {
        let mut bench = Bench::ready(target(script)).await;
        let Death { failure, input, execs, execs_other } = bench.death(fuzz()).await;
        assert_eq!(failure.kind, kind, "{script}: {failure:?}");
        assert_eq!(input.as_deref(), Some(MUTATED), "{script}");
        assert_eq!((execs, execs_other), (1, 0), "{script}");
        assert!(failure.details.contains(details), "{script}: {}", failure.details);
        check_special(script, &failure).await;
        bench.close().await;
    }
}

async fn check_special(script: &str, failure: &Failure) {
    if script == "panic_abort" {
        assert_eq!(failure.message, "byte 7 is odd");
        assert!(failure.location.contains("scripted_worker.rs:"), "{}", failure.location);
    }
    if script == "grandchild" {
        let pid = failure.details.split("grandchild ").nth(1).unwrap();
        let pid: u32 = pid.split_whitespace().next().unwrap().parse().unwrap();
        wait_until_gone(pid).await;
    }
}

/// The group was killed before the leader was reaped; the kernel needs a moment for it.
async fn wait_until_gone(pid: u32) {
    let end = Instant::now() + PATIENCE;
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            return;
        }
        assert!(Instant::now() < end, "process {pid} lives on: {stat}");
        tick.tick().await;
    }
}

#[tokio::test]
async fn the_input_of_a_death_is_known_whatever_the_target_did_to_the_memory() {
    let mut bench = Bench::ready(target("overwrites_length")).await;
    assert_eq!(bench.death(fuzz()).await.input.as_deref(), Some(BASE));
    let mut bench = Bench::ready(target("abort")).await;
    let death = bench.death(Work::Execute).await;
    assert_eq!(death.input.as_deref(), Some(BASE));
    assert_eq!((death.execs, death.execs_other), (0, 1));
    let mut bench = Bench::ready(target("dies_before_execution")).await;
    let death = bench.death(fuzz()).await;
    assert_eq!((death.input, death.execs), (None, 0));
}

#[tokio::test]
async fn a_hang_and_too_much_memory_are_deaths_with_their_input() {
    let timeout = Duration::from_millis(300);
    let mut bench = Bench::with_limits(target("hang"), timeout, 0, PATIENCE);
    bench.wait_ready().await;
    let death = bench.death(fuzz()).await;
    assert_eq!(death.failure.kind, FailureKind::Timeout);
    assert_eq!(death.input.as_deref(), Some(MUTATED));
    bench.close().await;

    let mut bench = Bench::with_limits(target("eats_memory"), PATIENCE, 100 << 20, PATIENCE);
    bench.wait_ready().await;
    let death = bench.death(fuzz()).await;
    assert_eq!(death.failure.kind, FailureKind::OutOfMemory);
    assert_eq!(death.input.as_deref(), Some(MUTATED));
    bench.close().await;
}

#[tokio::test]
async fn misbehaviour_is_a_reply_and_no_death() {
    let cases = [
        ("garbage", "not one"),
        ("endless_line", "longer than the limit"),
        ("two_lines", "more than one line"),
        ("bad_coverage", "counter 99"),
        ("internal_err", "out of order"),
        ("closes_fuzz_out", "closed a pipe"),
    ];
    for (script, expected) in cases {
        let mut bench = Bench::ready(target(script)).await;
        let reply = bench.reply(fuzz()).await;
        let Outcome::Misbehaved { reason, input } = reply.outcome else { panic!("{reply:?}") };
        assert!(reason.contains(expected), "{script}: {reason}");
        assert_eq!(reply.execs, 1, "{script}");
        assert_eq!(input.as_deref(), Some(MUTATED), "{script}");
        bench.stop(StopRequestKind::Kill);
        assert_eq!(bench.stopped().await, 0, "{script}");
        bench.close().await;
    }
    let timeout = Duration::from_millis(300);
    let mut bench = Bench::with_limits(target("half_line_then_waits"), timeout, 0, PATIENCE);
    bench.wait_ready().await;
    let outcome = bench.reply(fuzz()).await.outcome;
    assert!(matches!(outcome, Outcome::Misbehaved { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_worker_that_does_not_come_up_says_why_and_is_no_death() {
    let short = Duration::from_millis(300);
    let cases = [
        (target("dies_before_ping"), "libmissing.so", PATIENCE),
        (target("dies_before_ping"), "exit status 3", PATIENCE),
        (target("go"), "not supported yet", PATIENCE),
        (target("silent"), "did not answer Ping within 300ms", short),
        (TargetSpec { program: "/nonexistent".into(), ..target("good") }, "/nonexistent", PATIENCE),
    ];
    for (spec, expected, ping_deadline) in cases {
        let mut bench = Bench::with_limits(spec, PATIENCE, 0, ping_deadline);
        let event = bench.next().await;
        let WorkerEvent::StartFailed { reason } = event else { panic!("{event:?}") };
        assert!(reason.contains(expected), "{reason}");
        bench.close().await;
    }
}

#[tokio::test]
async fn an_end_while_idle_blames_no_input() {
    let mut bench = Bench::ready(target("exits_when_idle")).await;
    let event = bench.next().await;
    let WorkerEvent::Died(Death { failure, input: None, .. }) = event else { panic!("{event:?}") };
    assert_eq!(failure.kind, FailureKind::Exit(0));
    bench.stop(StopRequestKind::Kill);
    assert_eq!(bench.stopped().await, 0, "a stop is answered whatever was before");
    bench.close().await;

    let mut bench = Bench::new(target("talks_when_idle"));
    // Both lines of it may arrive at once: then it never was ready.
    match bench.next().await {
        WorkerEvent::Ready { .. } => {
            let event = bench.next().await;
            let WorkerEvent::Died(Death { failure, input: None, .. }) = event else {
                panic!("{event:?}")
            };
            assert_eq!(failure.kind, FailureKind::Protocol);
        }
        WorkerEvent::StartFailed { reason } => assert!(reason.contains("more than one line")),
        other => panic!("{other:?}"),
    }
    bench.close().await;

    let mut bench = Bench::ready(target("exits_after_reply")).await;
    assert!(matches!(bench.reply(fuzz()).await.outcome, Outcome::Nothing));
    let event = bench.next().await;
    assert!(matches!(event, WorkerEvent::Died(Death { input: None, execs: 0, .. })), "{event:?}");
    bench.close().await;
}
