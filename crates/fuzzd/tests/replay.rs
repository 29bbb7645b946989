//! What `cargo test` of a fuzz test reports, checked by running this very executable again: the
//! fuzz tests below only misbehave when `FUZZD_FIXTURE` is set. Their inputs are in
//! `testdata/fuzz/misbehaves` and `testdata/fuzz/replay.misbehaves`.

use std::io::Write as _;
use std::process::{Command, Output};
use std::sync::OnceLock;

const FIXTURE_ENV: &str = "FUZZD_FIXTURE";

fn is_fixture() -> bool {
    std::env::var_os(FIXTURE_ENV).is_some()
}

#[fuzzd::test]
fn misbehaves(data: &[u8]) -> Result<fuzzd::Corpus, String> {
    if !is_fixture() {
        return Ok(fuzzd::Corpus::Keep);
    }
    match data {
        b"pass" => {}
        b"reject" => return Ok(fuzzd::Corpus::Reject),
        b"panic" => panic!("two lines\nof a message"),
        b"panic-by-index" => drop(vec![0; 3][data.len()]),
        b"error" => return Err("no such thing".to_owned()),
        b"abort" => std::process::abort(),
        b"overflow" => drop(overflow(1)),
        b"segfault" => {
            // The handler of the standard library takes the first one for a false alarm.
            let own = rustix::process::getpid();
            while rustix::process::kill_process(own, rustix::process::Signal::SEGV).is_ok() {}
        }
        b"exit-0" => std::process::exit(0),
        b"exit-3" => std::process::exit(3),
        b"hang" => loop {
            std::thread::park();
        },
        b"memory" => fill_memory(),
        b"flood" => flood(),
        // The process it leaves behind holds the output pipes open.
        b"leave-process" => drop(Command::new("sleep").arg("60").spawn().unwrap()),
        other => panic!("unknown word {:?}", other.escape_ascii().to_string()),
    }
    Ok(fuzzd::Corpus::Keep)
}

#[expect(unconditional_recursion, reason = "the stack is to overflow")]
fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 128]);
    overflow(depth + 1) + frame[7]
}

fn fill_memory() -> ! {
    let memory = std::hint::black_box(vec![1_u8; 400 << 20]);
    loop {
        std::thread::park();
        std::hint::black_box(&memory);
    }
}

fn flood() {
    let line = "x".repeat(1 << 10);
    for _ in 0..2_000 {
        writeln!(std::io::stdout(), "{line}").expect("stdout is drained");
        writeln!(std::io::stderr(), "{line}").expect("stderr is drained");
    }
}

#[fuzzd::test(seeds = [1, 2, 3])]
fn seeds_fail(number: u16) {
    assert!(!is_fixture() || number == 1, "number {number}");
}

mod nested {
    /// Its testdata was written by hand: `testdata/fuzz/nested.typed`.
    #[fuzzd::test]
    fn typed(name: String, number: u32) {
        assert_eq!((name.as_str(), number), ("wide \"one\"", 7));
        assert!(!crate::is_fixture(), "reached");
    }
}

#[fuzzd::test]
#[ignore = "shows that the attribute has its meaning"]
fn ignored(_data: &[u8]) {}

fn rerun(arguments: &[&str], environment: &[(&str, &str)]) -> (Output, String) {
    let output = Command::new(std::env::current_exe().expect("it is running"))
        .args(arguments)
        .args(["--exact", "--test-threads=1"])
        .envs(environment.iter().copied())
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("it runs again");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output, text)
}

#[track_caller]
fn check_listed(text: &str, file: &str, words: &str) {
    let listed = text
        .lines()
        .skip_while(|line| line.trim() != file)
        .skip(1)
        .take_while(|line| line.starts_with("    "))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(listed.contains(words), "{file} is not listed with {words:?} in:\n{text}");
}

/// The output of one run on all inputs. It waits for one that hangs, so it is made once.
fn listing() -> &'static str {
    static LISTING: OnceLock<String> = OnceLock::new();
    LISTING.get_or_init(|| {
        let limits = [(FIXTURE_ENV, "1"), ("FUZZD_TIMEOUT", "5s"), ("FUZZD_RSS_LIMIT", "200")];
        let (output, text) = rerun(&["misbehaves"], &limits);
        assert_eq!(output.status.code(), Some(101), "{text}");
        text
    })
}

#[test]
fn every_failing_file_is_listed_with_its_reason() {
    let text = listing();
    assert!(text.contains("fuzz test `misbehaves` fails on 11 of 15 inputs"), "{text}");
    let file = |name: &str| format!("testdata/fuzz/misbehaves/{name}");
    check_listed(text, &file("panic"), "panicked at crates/fuzzd/tests/replay.rs:");
    check_listed(text, &file("panic"), "two lines\n    of a message");
    check_listed(text, &file("panic-by-index"), "the len is 3 but the index is 14");
    check_listed(text, &file("error"), "returned an error: \"no such thing\"");
    check_listed(text, &file("abort"), "killed by SIGABRT");
    check_listed(text, &file("overflow"), "stack overflow");
    check_listed(text, &file("segfault"), "killed by SIGSEGV");
    check_listed(text, &file("exit-0"), "exited with code 0 before the fuzz test returned");
    check_listed(text, &file("exit-3"), "exited with code 3");
    check_listed(text, &file("hang"), "hung: still running after 5s");
    check_listed(text, &file("memory"), "out of memory");
    check_listed(text, "testdata/fuzz/replay.misbehaves/of-this-target", "two lines");
    for ignored in ["not-an-input", ".hidden", "of-another-target", "misbehaves/pass\n", "flood"] {
        assert!(!text.contains(ignored), "{ignored} is listed in:\n{text}");
    }
}

#[test]
fn a_listed_file_has_its_input_and_the_command_to_run_it() {
    let text = listing();
    let file = "testdata/fuzz/misbehaves/abort";
    check_listed(text, file, "input data: &[u8] = b\"abort\" (5 bytes)");
    let command = format!(
        "run it: FUZZD_REPLAY={file} cargo test -p fuzzd --test replay -- misbehaves --exact"
    );
    check_listed(text, file, &command);
}

#[test]
fn failing_seeds_are_all_listed() {
    let (output, text) = rerun(&["seeds_fail"], &[(FIXTURE_ENV, "1")]);
    assert_eq!(output.status.code(), Some(101), "{text}");
    assert!(text.contains("`seeds_fail` fails on 2 of 3 inputs"), "{text}");
    check_listed(&text, "seed 2 in the code", "panicked: number 2");
    check_listed(&text, "seed 3 in the code", "input number: u16 = 3");
}

#[test]
fn testdata_of_a_nested_fuzz_test_lies_under_its_path() {
    let (_, text) = rerun(&["nested::typed"], &[(FIXTURE_ENV, "1")]);
    let file = "testdata/fuzz/nested.typed/written-by-hand";
    check_listed(&text, file, "reached");
    check_listed(&text, file, "input name: String = \"wide \\\"one\\\"\" (10 bytes)");
    check_listed(&text, file, "number: u32 = 7");
    check_listed(&text, file, "-- nested::typed --exact");
}

#[test]
fn passing_prints_nothing() {
    let (output, text) = rerun(&["misbehaves", "seeds_fail", "--nocapture"], &[]);
    assert!(output.status.success(), "{text}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr, "", "stderr of a passing run");
    let words: Vec<&str> = text.split_whitespace().take(9).collect();
    assert_eq!(words.join(" "), "running 2 tests test misbehaves ... ok test seeds_fail");
}

#[test]
fn replay_variable_runs_one_file_in_this_process() {
    let run = |file: &str| {
        let file = format!("testdata/fuzz/misbehaves/{file}");
        rerun(&["misbehaves", "--nocapture"], &[(FIXTURE_ENV, "1"), ("FUZZD_REPLAY", &file)])
    };
    let (output, text) = run("panic");
    assert_eq!(output.status.code(), Some(101), "{text}");
    assert!(text.contains("data: &[u8] = b\"panic\" (5 bytes)"), "{text}");
    assert!(text.contains("of a message"), "{text}");
    let (output, text) = run("exit-3");
    assert_eq!(output.status.code(), Some(3), "{text}");
    let (output, text) = run("error");
    assert!(text.contains("fuzz test `misbehaves` failed: \"no such thing\""), "{text}");
    assert_eq!(output.status.code(), Some(101), "{text}");
    let (output, text) = run("pass");
    assert!(output.status.success(), "{text}");
    let (output, text) = run("no-such-file");
    assert_eq!(output.status.code(), Some(101), "{text}");
    assert!(text.contains("no-such-file: cannot be read"), "{text}");
}

#[test]
fn show_variable_prints_the_input_and_runs_nothing() {
    let show = |name: &str, file: &str| {
        let file = format!("testdata/fuzz/{file}");
        rerun(&[name, "--nocapture"], &[(FIXTURE_ENV, "1"), ("FUZZD_SHOW", &file)])
    };
    let (output, text) = show("misbehaves", "misbehaves/abort");
    assert!(output.status.success(), "{text}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "data: &[u8] = b\"abort\" (5 bytes)\n");
    let (output, text) = show("nested::typed", "misbehaves/abort");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("not an input in the text form"), "{text}");
}

#[test]
fn a_meaningless_limit_fails_the_test_and_is_named() {
    let (output, text) = rerun(&["seeds_fail"], &[("FUZZD_TIMEOUT", "soon")]);
    assert_eq!(output.status.code(), Some(101), "{text}");
    assert!(text.contains("invalid value 'soon' for FUZZD_TIMEOUT: it does not start"), "{text}");
}

#[test]
fn an_ignored_fuzz_test_is_skipped() {
    let (output, text) = rerun(&["ignored"], &[]);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 ignored"), "{text}");
}

#[test]
fn the_executable_holds_the_marker_of_every_fuzz_test() {
    let executable = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    // Put together here, so that this test does not find itself.
    let unit = '\u{1f}';
    for (module, name, types) in [
        ("replay", "misbehaves", "[]byte"),
        ("replay", "seeds_fail", "uint16"),
        ("replay::nested", "typed", "string,uint32"),
    ] {
        let marker = ["1", module, name, types, file!(), ""].join(&unit.to_string());
        let marker = format!("\u{1}fuzzd-{}\u{2}{marker}", "test");
        let found = executable.windows(marker.len()).filter(|part| *part == marker.as_bytes());
        assert_eq!(found.count(), 1, "{marker:?}");
    }
}
