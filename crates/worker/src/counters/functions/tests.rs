use super::*;

fn place(pc: usize, is_entry: bool) -> Place {
    Place { pc, flags: usize::from(is_entry) }
}

#[test]
fn functions_have_their_counters_and_end_where_the_next_one_starts() {
    let first = [
        place(0x5000, true),
        place(0x5010, false),
        place(0x9000, false),
        place(0x2000, true),
        place(0x2004, false),
    ];
    let second = [place(0x5100, true)];
    let functions = Functions::over(&[(0, &first), (100, &second)]);
    assert_eq!(functions.len(), 3);
    assert_eq!(functions.starts(), [(0, 1), (3, 1), (100, 1)]);
    let all: Vec<_> = (0..3).filter_map(|at| functions.get(at)).cloned().collect();
    let expected = [
        Function { entry: 0x5000, code: 0x5000..0x5100, counters: 0..3 },
        Function { entry: 0x2000, code: 0x2000..0x3000, counters: 3..5 },
        Function { entry: 0x5100, code: 0x5100..0x6000, counters: 100..101 },
    ];
    assert_eq!(all, expected);
    let of = |pc| functions.of_pc(pc);
    assert_eq!([of(0x50ff), of(0x5100), of(0x2fff)], [Some(0), Some(2), Some(1)]);
    assert_eq!([of(0), of(0x1fff), of(0x3000), of(0x6000)], [None; 4]);
    assert_eq!(functions.get(3), None);
    assert!(functions.code(0).is_empty(), "there is no code behind a table made up");
}

#[test]
fn code_is_bounded() {
    let far = FUNCTION_CODE_BYTES_MAX * 3;
    let places = [place(0x10_0000, true), place(0x10_0000 + far, false)];
    let functions = Functions::over(&[(0, &places)]);
    assert_eq!(functions.get(0).map(|f| f.code.clone()), Some(0x10_0000..0x10_1000));
    let near = 0x10_0000 + FUNCTION_CODE_BYTES_MAX - 1;
    let places = [place(0x10_0000, true), place(near, false)];
    let functions = Functions::over(&[(0, &places)]);
    assert_eq!(functions.get(0).map(|f| f.code.len()), Some(FUNCTION_CODE_BYTES_MAX));
}

#[test]
fn tables_without_functions_have_none() {
    assert_eq!(Functions::over(&[]).len(), 0);
    let functions = Functions::over(&[(0, &[place(1, false)]), (1, &[])]);
    assert_eq!((functions.len(), functions.of_pc(1)), (0, None));
}

#[test]
fn partly_covered_is_entered_but_not_all_of_it() {
    let places = [place(16, true), place(20, false), place(32, true)];
    let functions = Functions::over(&[(0, &places)]);
    let mut seen = Seen::new(3);
    let partly = |seen: &Seen| [0, 1, 2].map(|at| functions.is_partly_covered(seen, at));
    assert_eq!(partly(&seen), [false; 3]);
    seen.merge(&[(0, 1), (2, 1)]);
    assert_eq!(partly(&seen), [true, false, false]);
    seen.merge(&[(1, 4)]);
    assert_eq!(partly(&seen), [false; 3]);
}

#[test]
fn a_function_of_this_program_has_readable_code() {
    let entry = a_function_of_this_program_has_readable_code as *const () as usize;
    let places = [place(entry, true)];
    let functions = Functions { is_mapped: true, ..Functions::over(&[(0, &places)]) };
    let code = functions.code(0);
    assert!(!code.is_empty() && code.len() <= 4096);
    assert!(code.iter().any(|byte| *byte != 0));
}
