//! What kills its process is minimized as well: to the smallest input with the same signature.

use fuzzd_integration::Place;

/// Runs a fuzz test of the zoo with a long seed that makes it misbehave; its smallest input is one
/// byte.
fn check(test: &str, kind: &str, arguments: &[&str]) {
    let place = Place::new();
    let seeds = place.path().join("seeds");
    std::fs::create_dir(&seeds).expect("a folder of seeds");
    let long: Vec<u8> =
        b"!".iter().chain(b"what does not matter".repeat(20).iter()).copied().collect();
    std::fs::write(seeds.join("long"), &long).expect("a seed");
    let run = place.zoo(test).args(["--seeds"]).args([seeds]).args(arguments.iter().copied());
    let mut session = run.start();
    let bug = session.wait_for("bug");
    let minimized = session.wait_for("bug_minimized");
    session.signal(rustix::process::Signal::INT);
    let outcome = session.wait();
    outcome.expect_code(1);
    assert_eq!(bug["kind"], kind, "{}", outcome.all());
    assert_eq!(minimized["signature"], bug["signature"], "{}", outcome.all());
    assert_eq!(minimized["size"], 1, "{}", outcome.all());
    assert_eq!(minimized["path"], bug["path"], "one file for one bug: {}", outcome.all());
    let path = bug["path"].as_str().expect("a bug has a file");
    assert_eq!(std::fs::read(path).expect("the file of a bug can be read"), b"!");
}

deaths! {
    aborts: "abort";
    segfaults: "signal-11";
    overflows_stack: "stack-overflow";
    exits_zero: "exit-0";
    exits_three: "exit-3";
    kills_itself: "killed-9";
    allocates_too_much: "oom";
    eats_memory: "oom", "--rss-limit", "64";
    hangs: "timeout", "--timeout", "100ms";
}
