use super::*;

const TYPES: &[ValueType] = &[ValueType::String, ValueType::Bytes, ValueType::Int64];

type Holds<'h> = &'h dyn Fn(&[u8]) -> bool;

/// What one worker comes to, and the executions that takes.
fn alone(types: &[ValueType], input: &[u8], holds: Holds<'_>) -> (Vec<u8>, u64) {
    let mut executions = 0;
    let walked = walk(types, input, &WHOLE, &mut |candidate| {
        executions += 1;
        if holds(candidate) { Judgement::Holds } else { Judgement::Fails }
    });
    assert!(walked.report.done);
    assert_eq!(walked.report.until, executions, "each candidate is judged once");
    (walked.smallest.expect("the input holds"), executions)
}

/// A search shared by `parts` workers, each of which judges `window` candidates a round. Gives the
/// smallest, and the executions that no two of them do at the same time.
fn shared(
    types: &[ValueType],
    input: &[u8],
    (parts, window): (u32, u64),
    holds: Holds<'_>,
) -> (Vec<u8>, u64) {
    let (mut from, mut held, mut one_by_one) = (1, vec![0], 1);
    for _round in 0..10_000 {
        let mut slowest = 0;
        let walks: Vec<Walked> = (0..parts)
            .map(|part| {
                let part = SearchPart { from, held: held.clone(), part, parts };
                assert!(is_sound(&part));
                let mut executions = 0;
                let walked = walk(types, input, &part, &mut |candidate| {
                    if executions == window {
                        return Judgement::Stop;
                    }
                    executions += 1;
                    if holds(candidate) { Judgement::Holds } else { Judgement::Fails }
                });
                slowest = executions.max(slowest);
                walked
            })
            .collect();
        one_by_one += slowest;
        let first = walks.iter().filter_map(|walked| walked.report.held.first()).min();
        if let Some(first) = first {
            held.push(*first);
            from = first + 1;
        } else {
            from = walks.iter().map(|walked| walked.report.until).min().expect("some part");
            if walks.iter().all(|walked| walked.report.done) {
                return (walks[0].smallest.clone().expect("it held"), one_by_one);
            }
        }
    }
    panic!("the search does not end");
}

fn count(input: &[u8], wanted: u8) -> usize {
    input.iter().filter(|byte| **byte == wanted).count()
}

#[test]
fn workers_that_share_a_search_come_to_what_one_would() {
    let text = b"let (a, b) = (f(x), [1, 2, {3}]); // and so on, and so on";
    let cases: [(&[ValueType], Vec<u8>, Holds<'_>); 3] = [
        (&[ValueType::Bytes], text.to_vec(), &|input| {
            count(input, b'(') > 1 && count(input, b'(') == count(input, b')')
        }),
        (&[ValueType::Bytes], text.to_vec(), &|input| input.len() > 20 && input[3] != b'0'),
        (
            TYPES,
            fuzzd_protocol::input::canonical(
                TYPES,
                &[&[9; 8][..], &[9, 0, 0, 0], &text[..]].concat(),
            ),
            &|input| count(input, b'a') > 2 && count(input, b'(') > 1,
        ),
    ];
    for (types, input, holds) in cases {
        let (expected, executions) = alone(types, &input, holds);
        for parts in 1..=8 {
            for window in [1, 2, 7] {
                let (smallest, one_by_one) = shared(types, &input, (parts, window), holds);
                assert_eq!(smallest, expected, "{parts} parts, {window} at once");
                if parts == 4 && window == 1 {
                    let gain = (executions, one_by_one);
                    assert!(one_by_one * 2 < executions, "it takes less time: {gain:?}");
                }
            }
        }
    }
}

#[test]
fn a_search_goes_on_where_another_worker_left_it() {
    let holds = |input: &[u8]| count(input, b'x') >= 2;
    let input = b"..x..x.x..";
    let (expected, executions) = alone(&[ValueType::Bytes], input, &holds);
    let (mut part, mut all, mut smallest) = (WHOLE.clone(), 0, input.to_vec());
    while let Walked { smallest: Some(held), report } =
        walk(&[ValueType::Bytes], input, &part, &mut {
            let mut left = 5;
            let all = &mut all;
            move |candidate| {
                if left == 0 {
                    return Judgement::Stop;
                }
                (left, *all) = (left - 1, *all + 1);
                if holds(candidate) { Judgement::Holds } else { Judgement::Fails }
            }
        })
    {
        smallest = held;
        part.held.extend(report.held);
        part.from = report.until;
        if report.done {
            break;
        }
    }
    assert_eq!((smallest, all), (expected, executions), "nothing is run twice");
}

#[test]
fn an_input_that_does_not_hold_ends_the_search() {
    let walked = walk(&[ValueType::Bytes], b"input", &WHOLE, &mut |_| Judgement::Fails);
    assert_eq!(walked.smallest, None);
    assert_eq!(walked.report, SearchReport { until: 1, held: Vec::new(), done: true });
    let walked = walk(&[ValueType::Bytes], b"input", &WHOLE, &mut |_| Judgement::Stop);
    assert_eq!(walked.report, SearchReport::default());
}

#[test]
fn parts_that_cannot_be_are_known() {
    let part =
        |from, held: &[u64], part, parts| SearchPart { from, held: held.into(), part, parts };
    assert!(is_sound(&WHOLE));
    assert!(is_sound(&part(9, &[0, 4, 8], 1, 2)));
    for unsound in [
        part(9, &[0], 2, 2),
        part(9, &[0], 0, 0),
        part(9, &[0, 9], 0, 1),
        part(9, &[0, 4, 4], 0, 1),
        part(9, &[0, 5, 4], 0, 1),
        part(9, &[1], 0, 1),
        part(9, &[], 0, 1),
        part(0, &[], 1, 2),
        part(u64::MAX, &(0..5000).collect::<Vec<u64>>(), 0, 1),
    ] {
        assert!(!is_sound(&unsound), "{unsound:?}");
    }
}
