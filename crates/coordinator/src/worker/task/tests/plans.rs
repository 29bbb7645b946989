//! Plans and finds, from workers that keep to the protocol and from some that do not.

use std::path::Path;
use std::time::Duration;

use fuzzd_core::session::{Abilities, Found, FoundParent, PlanUse};

use super::*;
use crate::limits::WATCH_TICK;
use crate::scripted_worker::plans::SIGN_ENV;
use crate::worker::ping::PingError;

const NO_LIMITS: WatchLimits = WatchLimits { input_timeout: PATIENCE, rss_limit_bytes: 0 };

/// Of a fuzz test with three published entries.
fn memories() -> TestMemories {
    let memories = TestMemories::create(16, &[]).unwrap();
    for (index, entry) in [(0, "zero"), (1, "one"), (2, "two")] {
        memories.publish_entry(index, entry.as_bytes());
    }
    memories.publish_coverage(&[(5, 4)]);
    memories
}

fn bench(script: &str, finds_at_end: bool) -> Bench {
    let settings = WorkerSettings { finds_at_end, ..settings(NO_LIMITS) };
    Bench::start(target(script), settings, Some(Arc::new(memories())))
}

async fn ready(script: &str, finds_at_end: bool) -> Bench {
    let mut bench = bench(script, finds_at_end);
    let event = bench.next().await;
    assert!(
        matches!(event, WorkerEvent::Ready { can: Abilities { has_plans: true, .. }, .. }),
        "{event:?}"
    );
    bench
}

/// The finds of a call, and what ended it.
async fn until_end(bench: &mut Bench) -> (Vec<Found>, WorkerEvent) {
    let mut finds = Vec::new();
    loop {
        match bench.next().await {
            WorkerEvent::Found(found) => finds.push(found),
            other => return (finds, other),
        }
    }
}

#[tokio::test]
async fn finds_come_before_the_reply_with_their_parents() {
    for finds_at_end in [false, true] {
        let mut bench = ready("plan_finds", finds_at_end).await;
        bench.call(fuzz());
        let (finds, end) = until_end(&mut bench).await;
        let WorkerEvent::Replied(reply) = end else { panic!("{end:?}") };
        assert!(matches!(reply.outcome, Outcome::Nothing));
        let told: Vec<_> = finds.iter().map(|find| (&*find.input, find.parent)).collect();
        let expected = [
            (&b"made of two"[..], FoundParent::Plan(2)),
            (&b"made of the first"[..], FoundParent::Found(0)),
        ];
        assert_eq!(told, expected);
        assert_eq!(finds[0].coverage, [(3, 1), (7, 8)]);
        assert_eq!(reply.plan.len(), 3);
        let ms = Duration::from_millis;
        assert!(reply.plan[2].elapsed <= ms(1) && reply.plan[0] == PlanUse::default());
        // The ring is empty again for the next call.
        bench.call(fuzz());
        assert_eq!(until_end(&mut bench).await.0.len(), 2);
        bench.stop(StopRequestKind::Ladder);
        bench.stopped().await;
        bench.close().await;
    }
}

#[tokio::test]
async fn finds_are_told_while_the_call_goes_on_or_at_its_end() {
    let mut bench = ready("plan_goes_on", false).await;
    bench.call(fuzz_up_to(u64::MAX));
    let event = bench.next().await;
    assert!(matches!(event, WorkerEvent::Found(_)), "{event:?}");
    bench.stop(StopRequestKind::Ladder);
    let (finds, _) = until_end(&mut bench).await;
    assert!(finds.is_empty());

    let mut bench = ready("plan_goes_on", true).await;
    bench.call(fuzz_up_to(u64::MAX));
    let early = tokio::time::timeout(Duration::from_millis(400), bench.events.recv()).await;
    assert!(early.is_err(), "nothing depends on the clock: {early:?}");
    bench.stop(StopRequestKind::Ladder);
    assert_eq!(until_end(&mut bench).await.0.len(), 1);
}

#[tokio::test]
async fn a_find_of_a_worker_that_is_killed_right_after_it_is_kept() {
    let mut bench = ready("plan_sigkill", false).await;
    bench.call(fuzz());
    let (finds, end) = until_end(&mut bench).await;
    assert_eq!(finds.len(), 1);
    assert_eq!(&*finds[0].input, b"made of two");
    let WorkerEvent::Died(death) = end else { panic!("{end:?}") };
    assert_eq!(death.failure.kind, FailureKind::ForeignSignal(9));
    bench.close().await;
}

#[tokio::test]
async fn a_find_before_a_stop_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let sign = folder.path().join("pushed");
    let mut spec = target("plan_hangs");
    spec.env.push((SIGN_ENV.into(), sign.clone().into()));
    let settings = WorkerSettings { finds_at_end: true, ..settings(NO_LIMITS) };
    let mut bench = Bench::start(spec, settings, Some(Arc::new(memories())));
    assert!(matches!(
        bench.next().await,
        WorkerEvent::Ready { can: Abilities { has_plans: true, .. }, .. }
    ));
    bench.call(fuzz());
    wait_for(&sign).await;
    bench.stop(StopRequestKind::Kill);
    let (finds, end) = until_end(&mut bench).await;
    assert_eq!(finds.len(), 1);
    assert!(matches!(end, WorkerEvent::Stopped { .. }), "{end:?}");
    bench.close().await;
}

/// Waits for the file by which the scripted worker says that it pushed its find.
async fn wait_for(sign: &Path) {
    let (end, mut tick) = (Instant::now() + PATIENCE, tokio::time::interval(WATCH_TICK));
    while !sign.exists() {
        assert!(Instant::now() < end, "nothing was pushed");
        tick.tick().await;
    }
}

#[tokio::test]
async fn a_lying_worker_misbehaves_and_what_it_told_before_is_kept() {
    let cases = [
        // Without a head nothing in the ring can be found again.
        ("plan_head", 0, "head of the ring"),
        ("plan_head_back", 0, "head of the ring"),
        ("plan_record", 1, "no room for its header"),
        ("plan_record_length", 1, "in the ring"),
        ("plan_coverage", 1, "counter 16"),
        ("plan_parent", 1, "as its parent"),
        ("plan_later_parent", 1, "as its parent"),
        ("plan_large", 1, "its memory has room for"),
        ("plan_stats", 1, "items of a plan"),
    ];
    for (script, kept, says) in cases {
        let mut bench = ready(script, true).await;
        bench.call(fuzz());
        let (finds, end) = until_end(&mut bench).await;
        assert_eq!(finds.len(), kept, "{script}");
        let WorkerEvent::Replied(Reply { outcome, .. }) = end else { panic!("{script}: {end:?}") };
        let Outcome::Misbehaved { reason, .. } = outcome else { panic!("{script}: {outcome:?}") };
        assert!(reason.contains(says), "{script}: {reason}");
        bench.stop(StopRequestKind::Kill);
        bench.stopped().await;
        bench.close().await;
    }
}

#[tokio::test]
async fn a_ring_that_is_damaged_while_the_call_goes_on_ends_the_worker() {
    let mut bench = ready("plan_head_hangs", false).await;
    bench.call(fuzz());
    let (finds, end) = until_end(&mut bench).await;
    assert_eq!(finds.len(), 1);
    let WorkerEvent::Replied(Reply { outcome, .. }) = end else { panic!("{end:?}") };
    assert!(matches!(outcome, Outcome::Misbehaved { .. }), "{outcome:?}");
}

#[tokio::test]
async fn entries_without_room_are_worked_on_as_the_value_in_memory() {
    let memories = Some(Arc::new(TestMemories::create(16, &[]).unwrap()));
    let mut bench = Bench::start(target("plan_value"), settings(NO_LIMITS), memories);
    assert!(matches!(
        bench.next().await,
        WorkerEvent::Ready { can: Abilities { has_plans: true, .. }, .. }
    ));
    bench.call(fuzz());
    let (finds, end) = until_end(&mut bench).await;
    assert_eq!((&*finds[0].input, finds[0].parent), (BASE, FoundParent::Plan(0)));
    let WorkerEvent::Replied(reply) = end else { panic!("{end:?}") };
    assert!(reply.plan.is_empty());
}

#[tokio::test]
async fn a_worker_without_plans_is_ready_with_the_same_memories() {
    let mut bench = bench("find", false);
    let event = bench.next().await;
    assert!(
        matches!(event, WorkerEvent::Ready { can: Abilities { has_plans: false, .. }, .. }),
        "{event:?}"
    );
    let reply = bench.reply(fuzz()).await;
    assert!(matches!(reply.outcome, Outcome::Find { .. }) && reply.plan.is_empty());
}

/// The worker of this script says in an error what it could write to.
#[tokio::test]
async fn what_workers_share_cannot_be_written_by_them() {
    let mut bench = ready("plan_writes", false).await;
    bench.call(fuzz());
    let (_, end) = until_end(&mut bench).await;
    let WorkerEvent::Replied(Reply { outcome, .. }) = end else { panic!("{end:?}") };
    let Outcome::Misbehaved { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("refused: map, arena"), "{reason}");
}

#[tokio::test]
async fn a_worker_of_the_go_dialect_is_refused_before_any_of_it() {
    let mut bench = bench("go", false);
    let event = bench.next().await;
    let WorkerEvent::StartFailed { reason } = event else { panic!("{event:?}") };
    assert!(reason.contains(&PingError::GoDialect.to_string()), "{reason}");
}

#[tokio::test]
async fn memory_shared_by_workers_is_not_counted_against_one() {
    let memories = TestMemories::create(16, &[]).unwrap();
    for index in 0..3 {
        memories.publish_entry(index, &vec![1; 64 << 20]);
    }
    let limits = WatchLimits { input_timeout: PATIENCE, rss_limit_bytes: 128 << 20 };
    let spec = target("plan_reads_all");
    let mut bench = Bench::start(spec, settings(limits), Some(Arc::new(memories)));
    assert!(matches!(
        bench.next().await,
        WorkerEvent::Ready { can: Abilities { has_plans: true, .. }, .. }
    ));
    bench.call(fuzz());
    let (_, end) = until_end(&mut bench).await;
    let WorkerEvent::Replied(reply) = end else { panic!("{end:?}") };
    assert!(matches!(reply.outcome, Outcome::Nothing), "{reply:?}");
    bench.call(fuzz());
    let (_, end) = until_end(&mut bench).await;
    let WorkerEvent::Died(death) = end else { panic!("{end:?}") };
    assert_eq!(death.failure.kind, FailureKind::OutOfMemory, "what it eats itself counts");
}
