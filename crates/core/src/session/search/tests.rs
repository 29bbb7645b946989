use super::*;

const SIGNATURE: Signature = Signature(7);
const SECOND: Duration = Duration::from_secs(1);

fn input(bytes: &[u8]) -> Input {
    Input::from(bytes)
}

fn judged(bytes: &[u8], held: &[u64], until: u64) -> Judged {
    Judged { input: input(bytes), held: held.into(), until, is_done: false }
}

/// A search whose start was judged, with slow candidates.
fn search(execs: u64) -> Search {
    let mut search = Search::new(input(b"a long input"), false, execs, Some(SECOND));
    let (job, ..) = search.take(SIGNATURE, 4).expect("it is new");
    let spent = job.spent(1, Duration::from_millis(2), Duration::ZERO);
    assert!(search.settle(&spent));
    assert_eq!(
        search.judged(&spent, judged(b"a long input", &[0], 1), SECOND / 2),
        Progress::GoesOn
    );
    search
}

/// The parts of the next round.
fn round(search: &mut Search, members: usize) -> Vec<(SearchJob, SearchPart)> {
    let parts = std::iter::from_fn(|| search.take(SIGNATURE, members));
    parts.map(|(job, _, part)| (job, part)).collect()
}

fn answer(search: &mut Search, job: SearchJob, execs: u64, judged: Judged) -> Progress {
    let spent = job.spent(execs, Duration::from_millis(2 * execs), Duration::ZERO);
    assert!(search.settle(&spent));
    search.judged(&spent, judged, Duration::ZERO)
}

#[test]
fn the_start_is_judged_by_one_worker() {
    let mut search = Search::new(input(b"start"), true, 100, None);
    let parts = round(&mut search, 4);
    assert_eq!(parts.len(), 1);
    let (job, part) = &parts[0];
    assert_eq!((part.from, part.held.len(), part.part, part.parts), (0, 0, 0, 1));
    assert_eq!(job.execs_max(), 100);
}

#[test]
fn the_first_candidate_that_held_counts_and_the_rest_is_thrown_away() {
    let mut search = search(1_000);
    let parts = round(&mut search, 3);
    let froms: Vec<(u64, u32, u32)> =
        parts.iter().map(|(_, p)| (p.from, p.part, p.parts)).collect();
    assert_eq!(froms, [(1, 0, 3), (1, 1, 3), (1, 2, 3)]);
    assert_eq!(answer(&mut search, parts[2].0, 1, judged(b"short", &[3], 4)), Progress::GoesOn);
    assert_eq!(answer(&mut search, parts[1].0, 1, judged(b"longer", &[2], 3)), Progress::GoesOn);
    assert_eq!(
        answer(&mut search, parts[0].0, 1, judged(b"a long input", &[], 4)),
        Progress::GoesOn
    );
    assert_eq!(&*search.best, b"longer", "the lowest number, not the shortest");
    let (_, part) = &round(&mut search, 2)[0];
    assert_eq!((part.from, &part.held[..]), (3, &[0, 2][..]));
}

#[test]
fn while_nothing_holds_each_round_is_longer() {
    let mut search = search(1_000);
    let mut windows = Vec::new();
    let mut from = 1;
    for _ in 0..8 {
        let parts = round(&mut search, 2);
        let window = parts[0].0.execs_max();
        windows.push(window);
        assert_eq!(parts[0].1.from, from);
        from += 2 * window;
        for (job, part) in &parts {
            let until = from + u64::from(part.part);
            let nothing = judged(b"a long input", &[], until);
            assert_eq!(answer(&mut search, *job, window, nothing), Progress::GoesOn);
        }
    }
    assert_eq!(windows, [1, 2, 4, 8, 16, 32, 64, 64]);
}

#[test]
fn what_a_slow_part_did_not_come_to_is_next() {
    let mut search = search(1_000);
    let parts = round(&mut search, 2);
    answer(&mut search, parts[0].0, 1, judged(b"a long input", &[], 3));
    answer(&mut search, parts[1].0, 0, judged(b"a long input", &[], 2));
    assert_eq!(round(&mut search, 2)[0].1.from, 2);
}

#[test]
fn a_search_is_over_when_all_parts_are_done_and_none_held() {
    let mut search = search(1_000);
    let done = |until| Judged { is_done: true, ..judged(b"a long input", &[], until) };
    let parts = round(&mut search, 2);
    assert_eq!(answer(&mut search, parts[0].0, 1, done(4)), Progress::GoesOn);
    assert_eq!(answer(&mut search, parts[1].0, 1, done(4)), Progress::Ended);
}

#[test]
fn executions_are_handed_out_exactly() {
    for execs in [2, 3, 11, 50] {
        let mut search = search(execs);
        let (mut used, mut from) = (1, 1);
        loop {
            let parts = round(&mut search, 4);
            let handed: u64 = parts.iter().map(|(job, _)| job.execs_max()).sum();
            assert!(used + handed <= execs, "{handed} more than {used} of {execs}");
            used += handed;
            from += handed;
            let answers = parts.iter().map(|(job, _)| {
                answer(&mut search, *job, job.execs_max(), judged(b"a long input", &[], from))
            });
            if answers.last() == Some(Progress::Ended) {
                break;
            }
        }
        assert_eq!(used, execs);
    }
}

#[test]
fn an_answer_of_a_round_before_is_too_late() {
    let mut search = search(1_000);
    let parts = round(&mut search, 2);
    search.go_on_by_fork();
    let (job, _) = round(&mut search, 2)[0].clone();
    let late = parts[0].0.spent(1, SECOND, Duration::ZERO);
    assert!(!search.settle(&late), "its executions count, its answer does not");
    assert!(search.settle(&job.spent(1, SECOND, Duration::ZERO)));
}

#[test]
fn what_cannot_be_ends_the_search_with_what_is_known() {
    for (held, until) in [(&[4, 3][..], 9), (&[0], 2), (&[9], 9), (&[], 0)] {
        let mut search = search(1_000);
        let (job, _) = round(&mut search, 1)[0].clone();
        assert_eq!(answer(&mut search, job, 1, judged(b"lie", held, until)), Progress::Ended);
        assert_eq!(&*search.best, b"a long input");
    }
    let mut search = search(1_000);
    let (job, _) = round(&mut search, 1)[0].clone();
    let nothing = judged(b"a long input", &[], 1);
    assert_eq!(answer(&mut search, job, 0, nothing), Progress::Ended, "it does not get on");
}

#[test]
fn too_many_numbers_start_a_search_anew() {
    let mut search = search(10_000);
    let (job, _) = round(&mut search, 1)[0].clone();
    let held: Vec<u64> = (1..=SEARCH_HELD_MAX as u64).collect();
    let until = held.len() as u64 + 1;
    assert_eq!(answer(&mut search, job, until, judged(b"short", &held, until)), Progress::GoesOn);
    let (_, start, part) = search.take(SIGNATURE, 1).expect("it goes on");
    assert_eq!((&*start, part.from, &part.held[..]), (&b"short"[..], 1, &[0][..]));
}

#[test]
fn a_search_ends_with_its_time() {
    let mut search = search(1_000);
    let (job, _) = round(&mut search, 1)[0].clone();
    let spent = job.spent(1, SECOND, Duration::ZERO);
    assert!(search.settle(&spent));
    assert_eq!(search.judged(&spent, judged(b"short", &[1], 2), SECOND), Progress::Ended);
    assert_eq!(&*search.best, b"short");
}
