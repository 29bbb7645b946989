use super::super::log::Bytes64;
use super::*;

fn integer(pc: usize, left: u64, right: u64) -> Record {
    Record { pc, kind: Kind::Integer { width: 4, is_const: true, left, right } }
}

#[test]
fn sides_keep_the_width_of_integers() {
    let mut table = PairTable::new();
    table.add_records(&[integer(1, 0xdead_beef, 5)]);
    let pair = table.pairs()[0];
    assert_eq!(pair.left.bytes(), 0xdead_beef_u32.to_le_bytes());
    assert_eq!(pair.right.bytes(), [5, 0, 0, 0]);
    assert!(pair.is_number && pair.is_const);
}

#[test]
fn equal_pairs_are_kept_once_whatever_their_order() {
    let mut table = PairTable::new();
    let (left, right) = (Bytes64::new(b"abc"), Bytes64::new(b"xyz"));
    table.add_records(&[
        Record { pc: 1, kind: Kind::Memory { left, right } },
        Record { pc: 2, kind: Kind::Memory { left: right, right: left } },
        Record { pc: 2, kind: Kind::Memory { left, right: left } },
    ]);
    assert_eq!(table.len(), 1);
}

#[test]
fn alike_pairs_have_one_mark_and_others_differ() {
    let side = |bytes: &[u8]| Side::new(bytes);
    let pair = |left: &[u8], right: &[u8], is_number| Pair {
        left: side(left),
        right: side(right),
        is_number,
        is_const: false,
    };
    let (long, longer) = ([7; 40], [7; 41]);
    let mut middle = long;
    middle[20] = 8;
    let pairs = [
        pair(b"a", b"b", false),
        pair(b"a", b"b", true),
        pair(b"a", b"b\0", false),
        pair(b"abcdefgh", b"x", false),
        pair(b"abcdefghi", b"x", false),
        pair(&long, b"x", false),
        pair(&longer, b"x", false),
        pair(b"key", b"word", false),
        pair(b"keyw", b"ord", false),
    ];
    for (at, one) in pairs.iter().enumerate() {
        let turned = Pair { left: one.right, right: one.left, ..*one };
        assert_eq!(one.mark(), turned.mark(), "{one:?}");
        for other in &pairs[at + 1..] {
            assert_ne!(one.mark(), other.mark(), "{one:?} {other:?}");
        }
    }
    // Marks look at both ends only: pairs that differ between have one, and are told apart.
    let (one, other) = (pair(&long, b"x", false), pair(&middle, b"x", false));
    assert_eq!(one.mark(), other.mark());
    let mut table = PairTable::new();
    [one, other, one].into_iter().for_each(|pair| table.add(1, pair));
    assert_eq!(table.len(), 2);
}

#[test]
fn a_switch_gives_its_nearest_cases() {
    let mut table = PairTable::new();
    let kind = Kind::Switch { width: 2, value: 700, below: 600, above: 800 };
    table.add_records(&[Record { pc: 1, kind }]);
    let constants: Vec<_> = table.pairs().iter().map(|pair| pair.left.bytes().to_vec()).collect();
    assert_eq!(constants, [600_u16.to_le_bytes(), 800_u16.to_le_bytes()]);
}

#[test]
fn a_loop_does_not_push_out_other_places() {
    let mut table = PairTable::new();
    table.add_records(&[integer(1, 1000, 2)]);
    let flood: Vec<Record> = (0..1000).map(|turn| integer(2, 5000 + turn, turn)).collect();
    table.add_records(&flood);
    assert_eq!(table.len(), 1 + PAIRS_PER_PC_MAX);
    assert_eq!(table.pairs()[0].left, Side::integer(1000, 4));
    assert!(table.pairs().iter().any(|pair| pair.left == Side::integer(5999, 4)), "newest stays");
}

#[test]
fn the_oldest_pair_makes_room() {
    let mut table = PairTable::new();
    let flood: Vec<Record> =
        (0..PAIRS_MAX + 3).map(|pc| integer(pc, 5000 + pc as u64, 1)).collect();
    table.add_records(&flood);
    assert_eq!(table.len(), PAIRS_MAX);
    let has = |left| table.pairs().iter().any(|pair| pair.left == Side::integer(left, 4));
    assert!(!has(5002) && has(5003) && has(5000 + PAIRS_MAX as u64 + 2));
}

#[test]
fn lengths_that_code_asks_for_are_targets() {
    let mut table = PairTable::new();
    let switch = Kind::Switch { width: 8, value: 7, below: 3, above: 14 };
    let far = Kind::Integer { width: 8, is_const: true, left: 1 << 40, right: 7 };
    table.add_lengths(
        &[integer(1, 13, 7), integer(2, 99, 8), Record { pc: 3, kind: switch }]
            .into_iter()
            .chain([Record { pc: 4, kind: far }])
            .collect::<Vec<_>>(),
        &[7],
    );
    assert_eq!(table.lengths(), [13, 3, 14]);
    assert!(table.is_empty(), "lengths are no pairs");
}

#[test]
fn picks_reach_every_pair_and_none_of_an_empty_table() {
    let mut rng = Rng::new(7);
    assert_eq!(PairTable::new().pick(&mut rng), None);
    assert_eq!(PairTable::new().pick_length(&mut rng), None);
    let mut table = PairTable::new();
    table.add_records(&[integer(1, 1000, 2), integer(2, 2000, 3), integer(3, 3000, 4)]);
    let mut seen = [false; 3];
    for _ in 0..100 {
        let pair = *table.pick(&mut rng).unwrap();
        seen[table.pairs().iter().position(|other| *other == pair).unwrap()] = true;
    }
    assert_eq!(seen, [true; 3]);
}
