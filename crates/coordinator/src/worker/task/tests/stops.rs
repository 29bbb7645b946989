//! Stops, in every state of a process.

use super::*;

#[tokio::test]
async fn a_stop_during_a_call_is_never_a_death() {
    for how in [StopRequestKind::Ladder, StopRequestKind::Kill] {
        for spec in [target("hang"), stubborn("hang")] {
            let mut bench = Bench::ready(spec).await;
            bench.call(fuzz());
            let started = Instant::now();
            bench.stop(how);
            // Whether the execution had begun is a race; it is never more than was allowed.
            assert!(bench.stopped().await <= 1);
            assert!(started.elapsed() < Duration::from_secs(30));
            bench.close().await;
        }
    }
}

#[tokio::test]
async fn a_graceful_stop_brings_the_last_reply_home() {
    let mut bench = Bench::ready(stubborn("long_call")).await;
    bench.call(fuzz_up_to(u64::MAX));
    bench.stop(StopRequestKind::Ladder);
    match bench.next().await {
        WorkerEvent::Replied(reply) => {
            assert!(reply.execs > 0);
            assert_eq!(bench.stopped().await, 0);
        }
        // The stop came before the call was read.
        WorkerEvent::Stopped { execs } => assert_eq!(execs, 0),
        other => panic!("{other:?}"),
    }
    bench.close().await;
}

#[tokio::test]
async fn a_worker_that_ignores_everything_is_killed_and_a_late_kill_hurries() {
    let mut bench = Bench::ready(stubborn("ignores_close")).await;
    let started = Instant::now();
    bench.stop(StopRequestKind::Ladder);
    assert_eq!(bench.stopped().await, 0);
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(2), "closing, then SIGINT, then SIGKILL: {took:?}");
    bench.close().await;

    let mut bench = Bench::ready(stubborn("ignores_close")).await;
    bench.stop(StopRequestKind::Ladder);
    bench.stop(StopRequestKind::Kill);
    let started = Instant::now();
    assert_eq!(bench.stopped().await, 0);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    bench.close().await;
}

#[tokio::test]
async fn a_stop_while_starting_is_answered_by_stopped_alone() {
    for how in [StopRequestKind::Ladder, StopRequestKind::Kill] {
        let mut bench = Bench::new(target("silent"));
        bench.stop(how);
        assert_eq!(bench.stopped().await, 0);
        bench.close().await;
    }
}

#[tokio::test]
async fn a_loop_that_goes_away_leaves_no_process_behind() {
    let mut bench = Bench::new(stubborn("hang"));
    let event = bench.next().await;
    let WorkerEvent::Ready { pid, .. } = event else { panic!("{event:?}") };
    bench.call(fuzz());
    drop(bench.events);
    bench.pool.close(PATIENCE).await;
    wait_until_gone(pid).await;
}
