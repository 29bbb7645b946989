use super::*;
use crate::compare::log::Bytes64;
use limits::TOKENS_MAX;

fn memory(pc: usize, left: &[u8], right: &[u8]) -> Record {
    let (left, right) = (Bytes64::new(left), Bytes64::new(right));
    Record { pc, kind: Kind::Memory { left, right } }
}

fn constant(pc: usize, left: u64, width: u8) -> Record {
    Record { pc, kind: Kind::Integer { width, is_const: true, left, right: 1 } }
}

fn all(tokens: &Dictionary) -> Vec<Vec<u8>> {
    (0..tokens.len()).map(|position| tokens.get(position).to_vec()).collect()
}

#[test]
fn an_empty_dictionary_gives_nothing() {
    let mut tokens = Dictionary::default();
    assert_eq!(tokens.tokens().pick(&mut Rng::new(1)), None);
    assert_eq!(tokens.get(0), b"");
    assert!(tokens.tokens().is_empty());
}

#[test]
fn tokens_are_kept_once_and_within_their_lengths() {
    let mut tokens = Dictionary::default();
    assert!(!tokens.add_user(b"x"));
    assert!(tokens.add_user(b"ab") && tokens.add_static(b"ab", 7));
    assert!(tokens.add_user(&[b'y'; 100]));
    assert_eq!(all(&tokens), [b"ab".to_vec(), vec![b'y'; 64]]);
}

#[test]
fn constants_come_in_both_byte_orders_and_small_ones_not() {
    let mut tokens = Dictionary::default();
    tokens.add_records(&[constant(1, 0x0102_0304, 4), constant(1, 77, 4)]);
    tokens.add_records(&[constant(1, u64::from(u32::MAX), 4), constant(1, u64::MAX - 3, 8)]);
    assert_eq!(
        all(&tokens),
        [vec![4, 3, 2, 1], vec![1, 2, 3, 4], vec![255; 4]],
        "-1 in 32 bits stays, -4 in 64 does not"
    );
}

#[test]
fn the_side_that_stays_is_a_constant() {
    let mut tokens = Dictionary::default();
    tokens.add_records(&[memory(1, b"aaaa", b"RIFF"), memory(2, b"zz", b"yy")]);
    assert!(tokens.tokens().is_empty(), "not known yet which side it is");
    tokens.add_records(&[memory(1, b"bbbb", b"RIFF"), memory(2, b"zz", b"yy")]);
    assert_eq!(all(&tokens), [b"RIFF"]);
}

#[test]
fn every_source_is_bounded_and_old_constants_make_room() {
    let mut tokens = Dictionary::default();
    for number in 0..5_000_u32 {
        let text = format!("{number:x}!");
        tokens.add_user(format!("u{text}").as_bytes());
        tokens.add_static(format!("s{text}").as_bytes(), 1);
        tokens.add_records(&[constant(1, 0x4_0000_0000 | u64::from(number) << 8, 8)]);
    }
    assert_eq!(tokens.len(), TOKENS_MAX);
    let newest = (0x4_0000_0000_u64 | 4_999 << 8).to_le_bytes();
    assert!(all(&tokens).contains(&newest.to_vec()));
    assert!(!all(&tokens).contains(&0x4_0000_0000_u64.to_le_bytes().to_vec()));
}

#[test]
fn partly_covered_functions_get_the_most_picks() {
    let mut tokens = Dictionary::default();
    tokens.add_static(b"never", 100);
    tokens.add_static(b"fully", 200);
    tokens.add_static(b"partly", 300);
    tokens.add_static(b"partly", 100);
    for origin in &mut tokens.origins {
        origin.functions = origin.places.iter().map(|place| Some(*place)).collect();
    }
    tokens.reweight_by(|function| match function {
        Some(100) => Reach::Never,
        Some(300) => Reach::Partly,
        _ => Reach::Fully,
    });
    let picked = tokens.tokens();
    let mut rng = Rng::new(3);
    let mut counts = [0; 3];
    for _ in 0..9_300 {
        let token = picked.pick(&mut rng).unwrap();
        counts[all(&tokens).iter().position(|other| other == token).unwrap()] += 1;
    }
    assert!((200..400).contains(&counts[0]), "{counts:?}");
    assert!((800..1_200).contains(&counts[1]), "{counts:?}");
    assert!((7_700..8_300).contains(&counts[2]), "{counts:?}");
}
