use super::*;

#[test]
fn bytes_that_decide_nothing_change_and_the_others_stay() {
    let input = b"GET /index.html 42 \x00\x01";
    let mut execs = 0;
    let colorized = colorize(input, 1_000, &mut |bytes| {
        execs += 1;
        u64::from(bytes.starts_with(b"GET /")) + 2 * u64::from(bytes[5..].contains(&b' '))
    });
    assert!(colorized.bytes.starts_with(b"GET /"));
    assert_eq!(colorized.bytes.len(), input.len());
    assert!(colorized.free.iter().all(|range| range.start >= 5));
    let free: usize = colorized.free.iter().map(ExactSizeIterator::len).sum();
    assert!(free >= input.len() - 7, "{colorized:?}");
    assert!(execs <= 2 * input.len());
    for (position, (new, old)) in colorized.bytes.iter().zip(input).enumerate() {
        let is_free = colorized.free.iter().any(|range| range.contains(&position));
        assert_eq!(is_free, new != old, "at {position}");
        assert_eq!(new.is_ascii_digit(), old.is_ascii_digit());
        assert_eq!(new.is_ascii_lowercase(), old.is_ascii_lowercase());
        assert_eq!(new.is_ascii_uppercase(), old.is_ascii_uppercase());
    }
}

#[test]
fn equal_inputs_are_colorized_equally() {
    let twice = [(); 2].map(|()| colorize(b"some input", 100, &mut |_| 1));
    assert_eq!(twice[0], twice[1]);
    assert_eq!(twice[0].free.first(), Some(&(0..10)));
}

#[test]
fn the_budget_is_kept() {
    for budget in 0..40 {
        let mut execs = 0;
        let input = [b'x'; 64];
        let colorized = colorize(&input, budget, &mut |bytes| {
            execs += 1;
            u64::from(bytes == input)
        });
        assert!(execs <= budget, "{execs} of {budget}");
        assert_eq!(colorized.bytes, input);
        assert_eq!(colorized.free, []);
    }
}

#[test]
fn an_input_without_a_stable_path_is_left_alone() {
    let mut path = 0;
    let colorized = colorize(b"abcdef", 100, &mut |_| {
        path += 1;
        path
    });
    assert_eq!(colorized, Colorized { bytes: b"abcdef".to_vec(), free: Vec::new() });
}

#[test]
fn an_empty_input_needs_no_execution() {
    let colorized = colorize(b"", 100, &mut |_| panic!("not called"));
    assert_eq!(colorized.free, []);
}

#[test]
fn lengths_between_values_stay() {
    use fuzzd_protocol::input;
    use fuzzd_protocol::value::ValueType;
    let memory = [3, 0, 0, 0, b'a', b'b', b'c', 7, 8];
    let fields = input::fields(&[ValueType::Bytes, ValueType::Uint16], &memory);
    let colorized = colorize_fields(&memory, &fields, 100, &mut |_| 1);
    assert_eq!(colorized.bytes[..4], memory[..4]);
    assert_eq!(colorized.free.first(), Some(&(4..9)));
}
