//! What a lost task leaves to be said.

use super::*;
use crate::process::Spawner;
use crate::scripted_worker::target;
use crate::worker::watch::WatchLimits;

const SLOT: WorkerId = WorkerId(0);
const EPOCH: Epoch = Epoch(1);
const PATIENCE: Duration = Duration::from_secs(60);

fn pool() -> (Pool, mpsc::Receiver<Event>) {
    let settings = WorkerSettings {
        spawner: Spawner::of_process().unwrap(),
        limits: WatchLimits { input_timeout: PATIENCE, rss_limit_bytes: 0 },
        ping_deadline: PATIENCE,
        capacity: 4096,
        input_bytes_max: 1024,
        finds_at_end: false,
        go_seed: None,
    };
    Pool::start(1, settings)
}

fn hanging() -> Arc<WorkerTarget> {
    let types = vec![fuzzd_protocol::value::ValueType::Bytes];
    let (spec, room, words) = (target("hang"), 0.into(), Arc::default());
    Arc::new(WorkerTarget { spec, types, build: None, memories: None, words, room })
}

async fn next(events: &mut mpsc::Receiver<Event>) -> WorkerEvent {
    let event = tokio::time::timeout(PATIENCE, events.recv()).await;
    let Some(Event::Worker { event, .. }) = event.expect("in time") else {
        panic!("a worker event is awaited");
    };
    event
}

/// Ends the task as a panic would.
async fn lose_task(pool: &mut Pool) -> Option<WorkerEvent> {
    pool.tasks.abort_all();
    let lost = tokio::time::timeout(PATIENCE, pool.task_lost()).await.expect("in time")?;
    pool.observe(&lost);
    let Event::Worker { worker: SLOT, epoch: EPOCH, event } = lost else { panic!("{lost:?}") };
    Some(event)
}

#[tokio::test]
async fn a_task_lost_in_a_call_is_misbehaviour_and_the_slot_works_on() {
    let (mut pool, mut events) = pool();
    pool.spawn(SLOT, EPOCH, hanging());
    let ready = next(&mut events).await;
    assert!(matches!(ready, WorkerEvent::Ready { .. }), "{ready:?}");
    let (coverage, ignore) = (Vec::new(), Arc::default());
    let work = fuzzd_core::session::Work::Execute;
    pool.call(SLOT, EPOCH, Call { input: Arc::default(), work, coverage, ignore });
    let event = lose_task(&mut pool).await.expect("a reply is awaited");
    let WorkerEvent::Replied(Reply { outcome: Outcome::Misbehaved { .. }, .. }) = event else {
        panic!("{event:?}")
    };
    pool.stop(SLOT, EPOCH, StopRequestKind::Kill);
    assert!(matches!(next(&mut events).await, WorkerEvent::Stopped { execs: 0 }));
    pool.spawn(SLOT, Epoch(2), hanging());
    let ready = next(&mut events).await;
    assert!(matches!(ready, WorkerEvent::Ready { .. }), "{ready:?}");
    drop(events);
    pool.close(PATIENCE).await;
}

#[tokio::test]
async fn whatever_is_awaited_of_a_lost_task_is_answered() {
    let (mut pool, _events) = pool();
    assert!(lose_task(&mut pool).await.is_none(), "nothing is awaited");
    pool.handles[0].awaited = Awaited::Ready(EPOCH);
    let event = lose_task(&mut pool).await;
    assert!(matches!(event, Some(WorkerEvent::StartFailed { .. })), "{event:?}");
    pool.handles[0].awaited = Awaited::Idle(EPOCH);
    let event = lose_task(&mut pool).await;
    assert!(matches!(event, Some(WorkerEvent::Died(Death { input: None, .. }))), "{event:?}");
    pool.handles[0].awaited = Awaited::Stopped(EPOCH);
    let event = lose_task(&mut pool).await;
    assert!(matches!(event, Some(WorkerEvent::Stopped { execs: 0 })), "{event:?}");
    assert_eq!(pool.handles[0].awaited, Awaited::Nothing);
    assert_eq!(pool.lost_tasks, 4);
}
