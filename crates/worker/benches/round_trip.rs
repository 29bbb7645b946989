//! What a call costs besides its work: a line to a worker process, and the line it answers.
//!
//! The worker is this executable, started as a coordinator would: pipes at 3 and 4, the shared
//! memory at 5. A `Ping` is the call that asks for nothing; a `Fuzz` call of one execution also
//! sets up and ends a plan of one entry. Both processes run wherever the system puts them; pin them
//! to one core (`taskset -c 0 cargo bench -p fuzzd-worker --bench round_trip`) to measure both
//! sides one after the other. A call takes about 100 ms otherwise, so 1 ms would be 1 %.

use std::hint::black_box;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::process::{Child, Command};

use command_fds::{CommandFdExt, FdMapping};
use criterion::Criterion;
use fuzzd_protocol::message::{
    Call, FuzzCall, FuzzReply, PingCall, PingReply, decode_reply, encode_line,
};
use fuzzd_protocol::value::ValueType;
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, MEMORY_FD, WORKER_ENV, layout};
use fuzzd_shm::SharedMemory;
use fuzzd_worker::{Target, Verdict};
use serde::de::DeserializeOwned;

/// Bytes of the value in memory.
const CAPACITY: usize = 1 << 20;

/// A fuzz test that does nothing.
struct Empty;

impl Target for Empty {
    fn types(&self) -> &[ValueType] {
        &[ValueType::Bytes]
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn run(&self, input: &[u8]) -> Verdict {
        black_box(input);
        Verdict::Pass
    }
}

/// A worker process and the other ends of its pipes.
struct Worker {
    child: Child,
    memory: SharedMemory,
    calls: PipeWriter,
    replies: BufReader<PipeReader>,
    line: Vec<u8>,
}

impl Worker {
    fn spawn() -> io::Result<Self> {
        let memory =
            SharedMemory::create(layout::memory_bytes(CAPACITY)).map_err(io::Error::other)?;
        let (fuzz_in, calls) = io::pipe()?;
        let (replies, fuzz_out) = io::pipe()?;
        let mapping = |parent_fd, child_fd| FdMapping { parent_fd, child_fd };
        let mut command = Command::new(std::env::current_exe()?);
        command
            .env(WORKER_ENV, "1")
            .fd_mappings(vec![
                mapping(fuzz_in.into(), FUZZ_IN_FD),
                mapping(fuzz_out.into(), FUZZ_OUT_FD),
                mapping(memory.fd().try_clone_to_owned()?, MEMORY_FD),
            ])
            .map_err(io::Error::other)?;
        let child = command.spawn()?;
        let replies = BufReader::new(replies);
        Ok(Self { child, memory, calls, replies, line: Vec::new() })
    }

    fn call<T: DeserializeOwned>(&mut self, call: &Call) -> io::Result<T> {
        self.calls.write_all(&encode_line(call))?;
        self.line.clear();
        self.replies.read_until(b'\n', &mut self.line)?;
        decode_reply(&self.line).map_err(io::Error::other)
    }

    /// Ends the worker as its coordinator would: by closing its input.
    fn end(self) -> io::Result<()> {
        let Self { mut child, calls, .. } = self;
        drop(calls);
        child.wait().map(drop)
    }
}

fn main() -> io::Result<()> {
    if fuzzd_worker::is_worker() {
        fuzzd_worker::serve_and_exit(&Empty);
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut worker = Worker::spawn()?;
    let control_offset = Some(layout::control_offset(CAPACITY) as u64);
    let hello = PingCall { proto: Some(1), control_offset, ..PingCall::default() };
    let _: PingReply = worker.call(&Call::Ping(hello))?;

    let mut group = criterion.benchmark_group("round trip");
    let empty = Call::Ping(PingCall::default());
    group.bench_function("an empty call", |bencher| {
        bencher.iter(|| worker.call::<PingReply>(&empty).expect("the worker answers"));
    });
    let one = Call::Fuzz(FuzzCall { limit: 1, seed: Some(1), ..FuzzCall::default() });
    group.bench_function("one execution", |bencher| {
        bencher.iter(|| {
            // Else each call would go on from the input that the last one made.
            let header = worker.memory.region();
            header.store_u64(layout::COUNT, 0).expect("the header is there");
            header.store_u64(layout::VALUE_LEN, 0).expect("the header is there");
            worker.call::<FuzzReply>(&one).expect("the worker answers")
        });
    });
    group.finish();
    worker.end()?;
    criterion.final_summary();
    Ok(())
}
