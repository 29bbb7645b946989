use std::sync::atomic::Ordering::Relaxed;

use super::*;

#[test]
fn every_level_gives_every_counter_its_class() {
    let line: &'static Line = Box::leak(Box::new([const { AtomicU8::new(0) }; LINE]));
    for level in [Level::Portable, Level::detect()] {
        for counter in 0..=255 {
            line.iter().for_each(|cell| cell.store(counter, Relaxed));
            assert_eq!(level.next_hit(std::slice::from_ref(line), 0).is_some(), counter != 0);
            let mut hot = Vec::new();
            level.pass(&[LiveLine { cells: line, first: 0 }], &[0; LINE], &mut hot);
            let all = (0..64).map(|index| (index, class_of(counter)));
            assert_eq!(hot, all.filter(|feature| feature.1 != 0).collect::<Vec<_>>());
            assert_eq!(words_of(line), [0; 8]);
        }
    }
}

#[test]
fn every_level_finds_a_hit_wherever_it_is() {
    let cells: &'static [AtomicU8] = Box::leak((0..11 * LINE).map(|_| AtomicU8::new(0)).collect());
    let (lines, _) = cells.as_chunks::<LINE>();
    for level in [Level::Portable, Level::detect()] {
        assert_eq!(level.next_hit(lines, 0), None);
        assert_eq!(level.next_hit(lines, 12), None);
        for (at, cell) in cells.iter().enumerate() {
            cell.store(1, Relaxed);
            for from in 0..=at / LINE {
                assert_eq!(level.next_hit(lines, from), Some(at / LINE));
            }
            assert_eq!(level.next_hit(lines, at / LINE + 1), None);
            cell.store(0, Relaxed);
        }
    }
}
