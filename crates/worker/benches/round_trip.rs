//! What a call costs besides its work: a line to a worker process, and the line it answers.
//!
//! The worker is this executable, started as a coordinator would. A `Ping` is the call that asks
//! for nothing; a `Fuzz` call of one execution also sets up and ends a plan of one entry. Both
//! processes run wherever the system puts them; pin them to one core
//! (`taskset -c 0 cargo bench -p fuzzd-worker --bench round_trip`) to measure both sides one after
//! the other. A call takes about 100 ms otherwise, so 1 ms would be 1 %.

use std::io;

use criterion::Criterion;
use fuzzd_protocol::message::{Call, FuzzCall, PingCall, PingReply};

mod process;

use process::{Empty, Worker};

fn main() -> io::Result<()> {
    if fuzzd_worker::is_worker() {
        fuzzd_worker::serve_and_exit(&Empty);
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut worker = Worker::start()?;

    let mut group = criterion.benchmark_group("round trip");
    let empty = Call::Ping(PingCall::default());
    group.bench_function("an empty call", |bencher| {
        bencher.iter(|| worker.call::<PingReply>(&empty).expect("the worker answers"));
    });
    let one = Call::Fuzz(FuzzCall { limit: 1, seed: Some(1), ..FuzzCall::default() });
    group.bench_function("one execution", |bencher| {
        bencher.iter(|| worker.fuzz(b"", &one).expect("the worker answers"));
    });
    group.finish();
    worker.end()?;
    criterion.final_summary();
    Ok(())
}
