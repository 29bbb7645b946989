use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

/// The ring of these tests lies behind 64 other bytes.
const OFFSET: usize = 64;

fn region(data_bytes: usize) -> Region {
    Region::heap(OFFSET + DATA + data_bytes)
}

fn sides(region: &Region, data_bytes: usize) -> (RingWriter<'_>, RingReader<'_>) {
    (
        RingWriter::new(region, OFFSET, data_bytes).unwrap(),
        RingReader::new(region, OFFSET, data_bytes).unwrap(),
    )
}

#[test]
fn records_come_out_in_order_and_once() {
    let region = region(256);
    let (writer, mut reader) = sides(&region, 256);
    assert_eq!(reader.pop(99), Ok(None));
    assert!(writer.push(b"one"));
    assert!(writer.push(b""));
    assert!(writer.push(b"three"));
    assert_eq!(reader.pop(99), Ok(Some(b"one".to_vec())));
    assert_eq!(reader.pop(99), Ok(Some(Vec::new())));
    assert_eq!(reader.pop(99), Ok(Some(b"three".to_vec())));
    assert_eq!(reader.pop(99), Ok(None));
}

#[test]
fn a_full_ring_refuses_until_something_was_read() {
    let region = region(64);
    let (writer, mut reader) = sides(&region, 64);
    for record in 0..4 {
        assert!(writer.push(&[record; 12]));
    }
    assert!(!writer.push(b""));
    assert_eq!(reader.pop(99), Ok(Some(vec![0; 12])));
    assert!(!writer.push(&[4; 13]));
    assert!(writer.push(&[4; 12]));
    for record in 1..5 {
        assert_eq!(reader.pop(99), Ok(Some(vec![record; 12])));
    }
}

#[test]
fn a_record_as_large_as_the_ring_never_fits() {
    let region = region(64);
    let (writer, mut reader) = sides(&region, 64);
    assert!(!writer.push(&[1; 61]));
    assert!(writer.push(&[1; 60]));
    assert_eq!(reader.pop(60), Ok(Some(vec![1; 60])));
}

#[test]
fn a_reset_forgets_what_was_not_read() {
    let region = region(64);
    let (writer, mut reader) = sides(&region, 64);
    assert!(writer.push(b"old"));
    reader.reset();
    assert_eq!(reader.pop(99), Ok(None));
    assert!(writer.push(b"new"));
    assert_eq!(reader.pop(99), Ok(Some(b"new".to_vec())));
}

#[test]
fn another_reader_goes_on_where_one_stopped() {
    let region = region(64);
    let (writer, mut reader) = sides(&region, 64);
    assert!(writer.push(b"one") && writer.push(b"two"));
    assert_eq!(reader.pop(99), Ok(Some(b"one".to_vec())));
    let (_, again) = sides(&region, 64);
    assert_eq!(again.at(reader.position()).pop(99), Ok(Some(b"two".to_vec())));
}

#[test]
fn heads_that_cannot_be_are_errors() {
    let region = region(64);
    let (_, mut reader) = sides(&region, 64);
    for head in [72, 65, 7, u64::MAX, u64::MAX - 7, 1 << 63] {
        region.store_u64(OFFSET + HEAD, head).unwrap();
        assert_eq!(reader.pop(99), Err(RingError::Head { head, tail: 0 }));
    }
}

#[test]
fn a_head_that_went_back_is_an_error() {
    let region = region(64);
    let (writer, mut reader) = sides(&region, 64);
    assert!(writer.push(b"one") && writer.push(b"two"));
    assert!(reader.pop(99).unwrap().is_some());
    region.store_u64(OFFSET + HEAD, 0).unwrap();
    assert_eq!(reader.pop(99), Err(RingError::Head { head: 0, tail: 8 }));
}

#[test]
fn records_beyond_what_was_written_or_allowed_are_errors() {
    let region = region(64);
    let (writer, mut reader) = sides(&region, 64);
    assert!(writer.push(&[0; 4]));
    for bytes in [13_u32, 60, u32::MAX] {
        region.write(OFFSET + DATA, &bytes.to_le_bytes()).unwrap();
        let found = reader.pop(usize::MAX);
        assert_eq!(found, Err(RingError::Record { bytes, written: 8, max: usize::MAX }));
    }
    region.write(OFFSET + DATA, &4_u32.to_le_bytes()).unwrap();
    assert_eq!(reader.pop(3), Err(RingError::Record { bytes: 4, written: 8, max: 3 }));
    assert_eq!(reader.pop(4), Ok(Some(vec![0; 4])));
}

#[test]
fn a_tail_in_memory_does_not_move_the_reader() {
    let region = region(64);
    let (writer, mut reader) = sides(&region, 64);
    assert!(writer.push(b"one") && writer.push(b"two"));
    region.store_u64(OFFSET + TAIL, 8).unwrap();
    assert_eq!(reader.pop(99), Ok(Some(b"one".to_vec())));
}

#[test]
fn a_writer_whose_positions_were_overwritten_pushes_nothing() {
    let region = region(64);
    let (writer, _) = sides(&region, 64);
    for (head, tail) in [(0, 8), (72, 0), (4, 0), (u64::MAX, 0)] {
        region.store_u64(OFFSET + HEAD, head).unwrap();
        region.store_u64(OFFSET + TAIL, tail).unwrap();
        assert!(!writer.push(b"x"), "{head} {tail}");
    }
}

#[test]
fn a_ring_that_does_not_fit_is_refused() {
    let region = region(64);
    for (offset, bytes) in [(OFFSET, 128), (OFFSET, 63), (OFFSET, 0), (OFFSET, 4), (68, 32)] {
        assert!(RingWriter::new(&region, offset, bytes).is_err(), "{offset} {bytes}");
        assert!(RingReader::new(&region, offset, bytes).is_err(), "{offset} {bytes}");
    }
    assert!(RingReader::new(&region, usize::MAX - 7, 64).is_err());
}

#[derive(Debug, Clone)]
enum Step {
    Push(Vec<u8>),
    Pop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..70).prop_map(Step::Push), Just(Step::Pop)]
}

proptest! {
    /// Starting near the wrap of the positions themselves, too.
    #[test]
    fn a_ring_is_a_queue_with_room_for_so_much(
        steps in proptest::collection::vec(step(), 1..200),
        start in prop_oneof![Just(0_u64), Just(u64::MAX - 63), Just(8_u64 << 40)],
    ) {
        let region = region(128);
        region.store_u64(OFFSET + HEAD, start).unwrap();
        region.store_u64(OFFSET + TAIL, start).unwrap();
        let (writer, reader) = sides(&region, 128);
        let mut reader = reader.at(start);
        let (mut queue, mut used) = (VecDeque::new(), 0);
        for step in steps {
            match step {
                Step::Push(record) => {
                    let bytes = record_bytes(record.len() as u64);
                    prop_assert_eq!(writer.push(&record), used + bytes <= 128);
                    if used + bytes <= 128 {
                        used += bytes;
                        queue.push_back(record);
                    }
                }
                Step::Pop => {
                    let popped = reader.pop(70).unwrap();
                    used -= popped.as_ref().map_or(0, |record| record_bytes(record.len() as u64));
                    prop_assert_eq!(popped, queue.pop_front());
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic_or_read_without_end(
        bytes in proptest::collection::vec(any::<u8>(), DATA + 64),
        head in prop_oneof![0_u64..=64, any::<u64>()],
    ) {
        let region = region(64);
        region.write(OFFSET, &bytes).unwrap();
        region.store_u64(OFFSET + HEAD, head).unwrap();
        let (_, mut reader) = sides(&region, 64);
        let mut popped = 0;
        while let Ok(Some(record)) = reader.pop(48) {
            prop_assert!(record.len() <= 48);
            popped += 1;
            prop_assert!(popped <= 8);
        }
    }
}
