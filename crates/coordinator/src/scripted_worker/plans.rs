//! Scripts of workers with plans: what they push to the ring, and what they try on the memories.

use std::io::Write;

use fuzzd_protocol::layout::ring::{DATA, FindParent, FindRecord, HEAD, TAIL};
use fuzzd_protocol::layout::{arena, map};
use fuzzd_protocol::message::{FuzzReply, PingCall, PlanStat};
use fuzzd_protocol::{ARENA_FD, MAP_FD};
use fuzzd_shm::{ReadOnlyMemory, RingWriter};

use super::*;

/// The file a worker writes when it has pushed its find, if it is to.
pub(crate) const SIGN_ENV: &str = "FUZZD_TEST_SIGN";

/// What a worker with plans was given.
pub(super) struct Shared {
    ring: usize,
    ring_bytes: usize,
    arena: ReadOnlyMemory,
    coverage: ReadOnlyMemory,
    /// Attempts to write that were refused.
    refused: Vec<&'static str>,
}

impl Shared {
    /// Takes everything that is offered.
    pub(super) fn adopt(ping: &PingCall) -> Self {
        assert!(ping.arena && ping.map, "the coordinator offers both");
        let usize_of = |number: Option<u64>| usize::try_from(number.expect("offered")).unwrap();
        let mut refused = Vec::new();
        let mut adopt = |number, name| {
            let fd = take_inherited_fd(number).expect("the coordinator passes this descriptor");
            if SharedMemory::adopt(fd.try_clone().unwrap()).is_err() {
                refused.push(name);
            }
            ReadOnlyMemory::adopt(fd).expect("it is sealed and can be read")
        };
        let (coverage, arena) = (adopt(MAP_FD, "map"), adopt(ARENA_FD, "arena"));
        let mut header = [0; 24];
        coverage.read(0, &mut header).unwrap();
        map::check(&header, coverage.len(), usize_of(Some(COUNTERS))).expect("it is the map");
        arena.read(0, &mut header).unwrap();
        arena::check(&header, arena.len()).expect("it is the arena");
        let (ring, ring_bytes) = (usize_of(ping.ring_offset), usize_of(ping.ring_bytes));
        Self { ring, ring_bytes, arena, coverage, refused }
    }

    /// Item of the arena, as text.
    fn item(&self, item: u32) -> String {
        let mut record = [0; arena::RECORD_BYTES];
        self.arena.read(arena::record_offset(item as usize), &mut record).unwrap();
        let record = arena::Record::from_bytes(&record);
        let mut data = vec![0; record.len as usize];
        self.arena.read(usize::try_from(record.offset).unwrap(), &mut data).unwrap();
        String::from_utf8(data).unwrap()
    }

    /// The first counter of some that nobody has hit, by the map.
    fn next_counter(&self) -> Option<u32> {
        let bits = map::bits_offset(usize::try_from(COUNTERS).unwrap());
        (3..8).find(|&counter| {
            let mut byte = [0];
            self.coverage.read(bits + counter as usize, &mut byte).unwrap();
            byte == [0]
        })
    }

    fn touch_all(&self) {
        let used = usize::try_from(self.arena.load_u64(arena::DATA_USED).unwrap()).unwrap();
        for page in (0..used).step_by(4096) {
            self.arena.read(arena::ARENA_DATA + page, &mut [0]).unwrap();
        }
    }
}

impl Worker {
    fn push(&self, parent: FindParent, input: &[u8], coverage: &[(u32, u8)]) {
        let mut record = Vec::new();
        let coverage = &sparse::encode(coverage);
        FindRecord { parent, flags: 0, count: 1, exec_ns: 1_000, input, coverage }
            .encode_into(&mut record);
        self.push_bytes(&record);
    }

    fn push_bytes(&self, record: &[u8]) {
        let shared = self.shared.as_ref().expect("a worker with plans");
        let ring = RingWriter::new(self.region(), shared.ring, shared.ring_bytes).unwrap();
        assert!(ring.push(record));
    }

    fn write_ring(&self, at: usize, bytes: &[u8]) {
        let shared = self.shared.as_ref().expect("a worker with plans");
        self.region().write(shared.ring + at, bytes).unwrap();
    }

    /// A Fuzz call of a script whose name begins with `plan_`.
    pub(super) fn fuzz_plan(&mut self, call: &FuzzCall) {
        let script = self.script.clone();
        let mut reply = FuzzReply { count: 1, ..FuzzReply::default() };
        self.begin_execution(true);
        match script.as_str() {
            "plan_reads_all" => return self.read_all_then_eat(reply),
            "plan_session" => return self.find_next(call, reply),
            _ => {}
        }
        if call.plan.is_empty() {
            assert_eq!(script, "plan_value");
            self.push(FindParent::Plan(0), b"base", &[(3, 1)]);
            return self.reply(&encode_line(&reply));
        }
        let last = u32::try_from(call.plan.len() - 1).unwrap();
        let item = self.shared.as_ref().unwrap().item(call.plan.last().unwrap().entry);
        self.push(FindParent::Plan(last), format!("made of {item}").as_bytes(), &[(3, 1), (7, 8)]);
        let stat = PlanStat { execs: 0, nanos: 0, finds: 0 };
        reply.plan = vec![stat; call.plan.len()];
        reply.plan[last as usize] = PlanStat { execs: 1, nanos: 1_000_000, finds: 2 };
        match script.as_str() {
            "plan_finds" => self.push(FindParent::Found(0), b"made of the first", &[(3, 2)]),
            "plan_goes_on" => reply.count = self.count_until_stopped(),
            "plan_sigkill" => signal_self("KILL"),
            "plan_hangs" => {
                let sign = std::env::var_os(SIGN_ENV).expect("the test names it");
                File::create(sign).and_then(|mut file| file.write_all(b"pushed")).unwrap();
                wait_for_ever();
            }
            "plan_head" => self.write_ring(HEAD, &u64::MAX.to_le_bytes()),
            "plan_head_back" => self.write_ring(HEAD, &4_u64.to_le_bytes()),
            "plan_head_hangs" => {
                let tail = self.shared.as_ref().unwrap().ring + TAIL;
                // The find is taken while the call goes on.
                while self.region().load_u64(tail) == Ok(0) {
                    pause(Duration::from_millis(5));
                }
                self.write_ring(HEAD, &(1_u64 << 40).to_le_bytes());
                wait_for_ever();
            }
            "plan_record" => self.push_bytes(b"hello"),
            "plan_record_length" => {
                let head = self.region().load_u64(self.shared.as_ref().unwrap().ring + HEAD);
                self.push_bytes(b"hello");
                let at = DATA + usize::try_from(head.unwrap()).unwrap();
                self.write_ring(at, &u32::MAX.to_le_bytes());
            }
            "plan_coverage" => self.push(FindParent::Plan(0), b"beyond", &[(16, 1)]),
            "plan_parent" => self.push(FindParent::Plan(last + 1), b"orphan", &[(3, 2)]),
            "plan_later_parent" => self.push(FindParent::Found(1), b"its own", &[(3, 2)]),
            "plan_large" => self.push(FindParent::Plan(0), &[7; 4097], &[(3, 2)]),
            "plan_stats" => drop(reply.plan.pop()),
            "plan_writes" => {
                let refused = self.shared.as_ref().unwrap().refused.join(", ");
                reply.internal_err = format!("refused: {refused}");
            }
            other => panic!("no script {other:?}"),
        }
        self.reply(&encode_line(&reply));
    }

    /// One find a call, as long as the map has counters left to be hit.
    fn find_next(&mut self, call: &FuzzCall, reply: FuzzReply) {
        let shared = self.shared.as_ref().unwrap();
        assert_eq!(shared.item(0), "token");
        for item in &call.plan {
            let entry = shared.item(item.entry);
            assert!(entry.starts_with("seed ") || entry.starts_with("hits "), "{entry}");
        }
        if let Some(counter) = shared.next_counter() {
            let input = format!("hits {counter}");
            self.push(FindParent::Plan(0), input.as_bytes(), &[(1, 2), (counter, 1)]);
        }
        self.reply(&encode_line(&reply));
    }

    /// Has the whole arena resident for a while; the second time it eats memory of its own.
    fn read_all_then_eat(&mut self, reply: FuzzReply) {
        if std::mem::replace(&mut self.is_second, true) {
            let mut eaten = Vec::new();
            loop {
                eaten.push(vec![1_u8; 8 << 20]);
                pause(Duration::from_millis(5));
            }
        }
        self.shared.as_ref().unwrap().touch_all();
        let end = Instant::now() + Duration::from_millis(700);
        while Instant::now() < end {
            pause(Duration::from_millis(5));
        }
        self.reply(&encode_line(&reply));
    }
}
