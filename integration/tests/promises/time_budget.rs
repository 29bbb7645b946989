//! `--time` ends a session in good order: its end is never somebody's failure.

use fuzzd_integration::Place;

#[test]
fn the_time_is_kept_and_the_end_is_no_failure() {
    let outcome = Place::new().zoo("empty").workers(2).args(["--time", "2s"]).to_end();
    outcome.expect_code(0);
    let finished = outcome.finished();
    assert_eq!(finished["reason"], "time");
    let elapsed = finished["elapsed_ms"].as_u64().expect("a time");
    assert!((2_000..7_000).contains(&elapsed), "{elapsed} ms instead of 2000");
    assert!(outcome.events_named("warning").is_empty(), "{}", outcome.all());
}

#[test]
fn the_time_starts_at_the_first_execution() {
    // Starting takes longer than the whole budget.
    let outcome = Place::new().zoo("slow_start").args(["--time", "500ms"]).to_end();
    outcome.expect_code(0);
    assert!(outcome.finished()["execs"].as_u64() > Some(0), "{}", outcome.all());
}

#[test]
fn many_short_runs_never_fail() {
    let place = Place::new();
    for round in 0..12 {
        let test = if round % 2 == 0 { "slow" } else { "empty" };
        let time = format!("{}ms", 40 + 37 * round);
        let run = place.zoo(test).workers(1 + round % 2);
        let outcome = run.args(["--time", &time]).to_end();
        outcome.expect_code(0);
        assert!(outcome.events_named("warning").is_empty(), "round {round}: {}", outcome.all());
        assert!(outcome.events_named("unconfirmed").is_empty(), "{}", outcome.all());
    }
    assert!(place.testdata("slow").is_empty() && place.testdata("empty").is_empty());
}

#[test]
fn an_input_that_runs_on_at_the_end_is_cut_off_without_blame() {
    let place = Place::new();
    let mut fifo = fuzzd_integration::fifo::Fifo::new(&place.path().join("fifo"));
    let run = place.zoo("hangs").args(["--time", "3s", "--timeout", "60s"]);
    let session = run.env("ZOO_FIFO", fifo.path()).start();
    fifo.wait();
    let outcome = session.wait();
    outcome.expect_code(0);
    assert!(outcome.events_named("bug").is_empty(), "{}", outcome.all());
    assert!(place.testdata("process::hangs").is_empty());
}
