use std::sync::Barrier;

use super::*;

/// An address in the program.
fn place(offset: usize) -> usize {
    std::ptr::from_ref(&ANCHOR).addr() + offset
}

fn drained(log: &Log) -> Vec<Record> {
    let mut records = Vec::new();
    log.drain(&mut records);
    records
}

#[test]
fn records_come_back_in_order_and_once() {
    static LOG: Log = Log::new();
    LOG.start(3, 0);
    LOG.integer(10, 4, true, 1000, 2000);
    LOG.switch(11, 2, 700, 600, 800);
    LOG.memory(12, b"content-length", b"transfer-encod");
    let memory = |left: &[u8], right: &[u8]| Kind::Memory {
        left: Bytes64::new(left),
        right: Bytes64::new(right),
    };
    let expected = [
        Record {
            pc: 10,
            kind: Kind::Integer { width: 4, is_const: true, left: 1000, right: 2000 },
        },
        Record { pc: 11, kind: Kind::Switch { width: 2, value: 700, below: 600, above: 800 } },
        Record { pc: 12, kind: memory(b"content-length", b"transfer-encod") },
    ];
    assert_eq!(drained(&LOG), expected);
    assert_eq!(drained(&LOG), []);
    LOG.start(3, 0);
    assert_eq!(drained(&LOG), []);
}

#[test]
fn what_leads_nowhere_is_dropped() {
    static LOG: Log = Log::new();
    LOG.start(9, 0);
    let address = 0x7fff_1234_5678;
    LOG.integer(1, 8, false, 1000, 1000);
    LOG.integer(1, 8, false, 200, 100);
    LOG.integer(1, 8, false, address, address + 8);
    LOG.integer(1, 8, true, 0, address);
    LOG.integer(1, 4, true, 0, 0xffff_ffff);
    // Whether the input is empty.
    LOG.integer(1, 8, true, 0, 9);
    LOG.integer(1, 8, false, 9, 0);
    LOG.switch(1, 1, 5, 4, 6);
    LOG.switch(1, 4, 5000, 5000, 5000);
    LOG.memory(1, b"same", b"same");
    LOG.memory(1, b"a", b"b");
    assert_eq!(drained(&LOG), []);

    LOG.integer(1, 8, true, 20, 9);
    LOG.switch(1, 8, 9, 9, 44);
    LOG.switch(1, 8, 9, 4, 14);
    LOG.integer(1, 8, true, 0x6162_6364_6566, 1);
    LOG.integer(1, 8, false, 200, u64::MAX);
    assert_eq!(drained(&LOG).len(), 5, "lengths of the input, and constants like addresses");

    LOG.start(0, 0);
    LOG.switch(1, 8, 0, 0, 44);
    assert_eq!(drained(&LOG).len(), 1, "the length of an empty input, and another one");
    LOG.start(9, LENGTH_SLACK);
    LOG.integer(1, 8, true, 0, 9);
    let records = drained(&LOG);
    assert_eq!(records.len(), 1, "the empty input may solve something");
    assert!(records[0].is_only_to_solve(9));
}

#[test]
fn one_place_cannot_fill_the_log() {
    static LOG: Log = Log::new();
    for _ in 0..3 {
        LOG.start(0, 0);
        for number in 0..1000 {
            LOG.integer(place(77), 4, false, 5000 + number, 1);
        }
        LOG.integer(place(78), 4, false, 5000, 1);
        let records = drained(&LOG);
        assert_eq!(records.len(), 17);
        assert_eq!(
            records[15].kind,
            Kind::Integer { width: 4, is_const: false, left: 5015, right: 1 }
        );
        assert_eq!(records[16].pc, place(78));
    }
}

#[test]
fn without_places_other_constants_are_other_places() {
    static LOG: Log = Log::new();
    LOG.start(0, 0);
    for number in 0..100 {
        LOG.integer(0, 4, true, 5000, number);
        LOG.integer(0, 4, true, 6000, number);
    }
    assert_eq!(drained(&LOG).len(), 32);
}

#[test]
fn the_log_is_bounded_and_starts_again() {
    static LOG: Log = Log::new();
    for _ in 0..3 {
        LOG.start(0, 0);
        for number in 1..=2 * COMPARE_RECORDS_MAX {
            LOG.integer(place(number * 16), 4, false, 5000, 1);
        }
        let count = drained(&LOG).len();
        assert!((COMPARE_RECORDS_MAX * 9 / 10..=COMPARE_RECORDS_MAX).contains(&count), "{count}");
    }
}

#[test]
fn threads_write_at_once_without_losing_or_mixing_records() {
    static LOG: Log = Log::new();
    const THREADS: usize = 4;
    const EACH: usize = 300;
    for _ in 0..20 {
        LOG.start(0, 0);
        let together = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for thread in 1..=THREADS {
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    for number in 0..EACH {
                        let side = [u8::try_from(thread).unwrap(); 64];
                        LOG.memory(place(thread << 20 | number << 4), &side, &[0; 64]);
                    }
                });
            }
        });
        let records = drained(&LOG);
        assert!(records.len() <= THREADS * EACH);
        // Two threads may want the same cell of the table at once; one of them then looks further.
        assert!(records.len() >= THREADS * EACH * 9 / 10, "{}", records.len());
        for record in records {
            let Kind::Memory { left, .. } = record.kind else { panic!("{record:?}") };
            let thread = u8::try_from((record.pc - place(0)) >> 20).unwrap();
            assert!(left.iter().all(|byte| *byte == thread), "{record:?}");
        }
    }
}
