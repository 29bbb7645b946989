use super::*;

const SENT: &[u8] = b"go test fuzz v1\n[]byte(\"hello\")\nint(5)\n";

fn header(count: i64) -> Header {
    let (rand_state, rand_inc) = Pcg::seeded(123, 1).save();
    Header { count, rand_state, rand_inc, ..Header::default() }
}

fn memory(header: Header, value: &[u8]) -> Memory<'_> {
    Memory { header, value, capacity: 4096 }
}

fn fuzz(count: i64) -> Result<Running, RebuildError> {
    running(Call::Fuzz, SENT, memory(header(count), SENT))
}

#[test]
fn before_the_first_execution_nothing_runs() {
    for call in [Call::Warmup, Call::Fuzz, Call::Minimize(0)] {
        assert_eq!(running(call, SENT, memory(header(0), SENT)), Ok(Running::Nothing));
    }
}

#[test]
fn a_warm_up_runs_what_was_sent() {
    let sent = text::decode(SENT).unwrap();
    let warm_up = running(Call::Warmup, SENT, memory(header(1), SENT));
    assert_eq!(warm_up, Ok(Running::Input(sent)));
}

#[test]
fn a_chain_has_five_mutations_from_one_state() {
    let mut generator = Pcg::seeded(123, 1);
    let mut chain = Candidate::new(text::decode(SENT).unwrap(), 4096).unwrap();
    for count in 1..=CHAINED_MUTATIONS {
        chain.mutate(&mut generator).unwrap();
        assert_eq!(fuzz(count), Ok(Running::Input(chain.values())), "execution {count}");
        assert_eq!(fuzz(count), fuzz(count + CHAINED_MUTATIONS), "the header has the new state");
    }
}

#[test]
fn a_death_while_minimizing_shows_the_raw_parameter() {
    let raw = Header { raw_in_mem: true, ..header(7) };
    let Ok(Running::Input(values)) = running(Call::Minimize(0), SENT, memory(raw, b"he")) else {
        panic!("an input was running");
    };
    assert_eq!(text::encode(&values), b"go test fuzz v1\n[]byte(\"he\")\nint(5)\n");
}

#[test]
fn the_check_before_minimizing_runs_what_was_sent() {
    // The flag is set before the first candidate is written.
    for raw_in_mem in [false, true] {
        let header = Header { raw_in_mem, ..header(1) };
        let check = running(Call::Minimize(0), SENT, memory(header, SENT));
        assert_eq!(check, Ok(Running::Input(text::decode(SENT).unwrap())), "{raw_in_mem}");
    }
}

#[test]
fn after_an_answer_the_memory_has_what_minimizing_came_to() {
    let smaller = b"go test fuzz v1\n[]byte(\"h\")\nint(5)\n";
    for written in [SENT, smaller] {
        let answered = running(Call::Minimize(0), SENT, memory(header(7), written));
        assert_eq!(answered, Ok(Running::Input(text::decode(written).unwrap())));
    }
}

#[test]
fn an_answer_that_changed_more_than_the_parameter_is_an_error() {
    let others: [&[u8]; 3] = [
        b"go test fuzz v1\n[]byte(\"h\")\nint(6)\n",
        b"go test fuzz v1\nstring(\"h\")\nint(5)\n",
        b"go test fuzz v1\n[]byte(\"h\")\n",
    ];
    for written in others {
        let answered = running(Call::Minimize(0), SENT, memory(header(7), written));
        assert_eq!(answered, Err(RebuildError::Overwritten));
    }
    let answered = running(Call::Minimize(0), SENT, memory(header(7), b"h"));
    assert!(matches!(answered, Err(RebuildError::Written(_))), "{answered:?}");
}

#[test]
fn a_memory_that_no_go_worker_leaves_is_an_error() {
    assert_eq!(fuzz(-1), Err(RebuildError::Count(-1)));
    let even = Header { rand_inc: 0, ..header(1) };
    assert!(matches!(running(Call::Fuzz, SENT, memory(even, SENT)), Err(RebuildError::State(_))));
    assert_eq!(
        running(Call::Fuzz, SENT, memory(header(1), b"something else")),
        Err(RebuildError::Overwritten)
    );
    for index in [1, 2] {
        assert_eq!(
            running(Call::Minimize(index), SENT, memory(header(1), SENT)),
            Err(RebuildError::Parameter(index))
        );
    }
    let one = b"go test fuzz v1\n[]byte(\"hello\")\n";
    let small = Memory { capacity: 104, ..memory(header(1), one) };
    assert!(matches!(running(Call::Fuzz, one, small), Err(RebuildError::Mutate(_))));
}

#[test]
fn the_largest_count_is_an_execution_like_any_other() {
    assert_eq!(fuzz(i64::MAX), fuzz(i64::MAX % CHAINED_MUTATIONS));
}
