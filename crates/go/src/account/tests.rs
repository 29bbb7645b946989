use super::*;

const CAUGHT: &str = "--- FAIL: FuzzPanic (0.00s)
    testing.go:2078: panic: runtime error: index out of range [5] with length 1
        goroutine 24 [running]:
        runtime/debug.Stack()
        \t/go/src/runtime/debug/stack.go:26 +0x9b
        testing.tRunner.func1()
        \t/go/src/testing/testing.go:2078 +0x1b0
        panic({0x85dbc0?, 0x3e43f0f10048?})
        \t/go/src/runtime/panic.go:859 +0x125
        example.com/p.helper(...)
        \t/home/me/p/p_test.go:5
        example.com/p.FuzzPanic.func1(0x0?, {0x3e43f0e9e378?, 0x5, 0x48c253?})
        \t/home/me/p/p_test.go:8 +0x90
";

const DIED: &str = "a line of the target
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]

goroutine 25 [running]:
example.com/p.helper(...)
\t/home/me/p/p_test.go:5
example.com/p.FuzzGo.func1.1()
\t/home/me/p/p_test.go:10 +0x2b
created by example.com/p.FuzzGo.func1 in goroutine 24
\t/home/me/p/p_test.go:10 +0xd8
";

fn told(account: &Account) -> (Sort, &str, &str) {
    (account.sort, &account.location, &account.message)
}

#[test]
fn the_last_word_of_a_failed_test_counts() {
    let text = "--- FAIL: FuzzFatal (0.00s)\n    p_test.go:7: note\n    p_test.go:9: very bad 5\n\
                \x20       in two lines\n";
    let account = of_error(text);
    assert_eq!(told(&account), (Sort::Failed, "p_test.go:9", "very bad 5\nin two lines"));
}

#[test]
fn failures_of_subtests_and_without_words_are_understood() {
    let text = "--- FAIL: FuzzSub (0.00s)\n    --- FAIL: FuzzSub/sub (0.00s)\n        \
                p_test.go:18: in sub\n";
    assert_eq!(told(&of_error(text)), (Sort::Failed, "p_test.go:18", "in sub"));
    let account = of_error("--- FAIL: FuzzFail (0.00s)\n");
    assert_eq!(told(&account), (Sort::Failed, "", NO_MESSAGE));
    let account = of_error("--- FAIL: FuzzFail (0.00s)\n    p_test.go:3:\n");
    assert_eq!(told(&account), (Sort::Failed, "p_test.go:3", ""));
    assert_eq!(told(&of_error("fuzzing died")), (Sort::Failed, "", "fuzzing died"));
}

#[test]
fn a_caught_panic_is_where_the_users_code_panicked() {
    let expected = (
        Sort::Panicked,
        "/home/me/p/p_test.go:5",
        "runtime error: index out of range [5] with length 1",
    );
    assert_eq!(told(&of_error(CAUGHT)), expected);
}

#[test]
fn a_test_that_leaves_its_goroutine_is_where_it_left() {
    let text = CAUGHT
        .replace("panic: runtime error: index out of range [5] with length 1", LEFT)
        .replace("panic({0x85dbc0?, 0x3e43f0f10048?})", "runtime.Goexit()");
    assert_eq!(told(&of_error(&text)), (Sort::Panicked, "/home/me/p/p_test.go:5", LEFT));
}

#[test]
fn a_message_of_several_lines_is_whole() {
    let text = CAUGHT.replace("with length 1\n", "with\n        length 1\n");
    let message = of_error(&text).message;
    assert_eq!(message, "runtime error: index out of range [5] with\nlength 1");
}

#[test]
fn a_death_is_read_from_standard_error() {
    let account = of_death(DIED).unwrap();
    assert_eq!(
        (account.sort, account.location.as_str()),
        (Sort::Panicked, "/home/me/p/p_test.go:5")
    );
    assert!(account.message.starts_with("runtime error: invalid memory address"), "{account:?}");
    assert!(DIED[account.starts_at..].starts_with("panic: "));
    assert_eq!(of_death("only words\npanicked\n"), None);
}

#[test]
fn fatal_errors_of_the_runtime_have_their_sorts() {
    let sort = |text: &str| {
        let account = of_death(text).unwrap();
        (account.sort, account.location)
    };
    let overflow = "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack \
                    overflow\n\nruntime stack:\nruntime.throw({0x64f0a8?})\n\t/go/a.go:1\n";
    assert_eq!(sort(overflow), (Sort::StackOverflow, String::new()));
    let memory = "fatal error: runtime: out of memory\n\ngoroutine 1 [running]:\n";
    assert_eq!(sort(memory), (Sort::OutOfMemory, String::new()));
    let deadlock = "panic: deadlocked!\n\ngoroutine 21 [running]:\nx.y()\n\t/go/a.go:1\n";
    assert_eq!(sort(deadlock), (Sort::TimedOut, String::new()));
    let map = "fatal error: concurrent map writes\n\ngoroutine 14 [running]:\n\
               internal/runtime/maps.fatal({0x651bc0?, 0x0?})\n\t/go/panic.go:1195 +0x18\n\
               example.com/p.FuzzMap.func1.1()\n\t/home/me/p/p_test.go:16 +0x49\n";
    assert_eq!(sort(map), (Sort::Panicked, "/home/me/p/p_test.go:16".to_owned()));
}

#[test]
fn a_signal_is_told_with_the_code_that_was_running() {
    let text = "words\nSIGABRT: abort\nPC=0x7fedf0761eec m=0 sigcode=18446744073709551610\n\
                signal arrived during cgo execution\n\n\
                goroutine 6 gp=0x11fd0a5141e0 m=0 mp=0x703760 [syscall]:\n\
                runtime.cgocall(0x556000, 0x11fd0a4d4f28)\n\t/go/cgocall.go:167 +0x4b fp=0x1\n\
                p._Cfunc_boom(0x1)\n\t_cgo_gotypes.go:48 +0x3a fp=0x11fd0a4d4f28 sp=0x1\n\
                p.Boom(...)\n\t/home/me/p/p.go:5\n";
    let account = of_death(text).unwrap();
    assert_eq!(told(&account), (Sort::Signaled(6), "/home/me/p/p.go:5", "SIGABRT: abort"));
    assert!(text[account.starts_at..].starts_with("SIGABRT"));
    let idle = "SIGILL: illegal instruction\nPC=0x1 m=0\n\ngoroutine 0 [idle]:\nruntime.futex()\n\
                \t/go/sys.s:5\n\ngoroutine 1 [select]:\np.Wait()\n\t/home/me/p/p.go:9\n";
    assert_eq!(of_death(idle).unwrap().location, "", "that one only waits");
    let sent = text.replace("sigcode=18446744073709551610", "sigcode=0");
    assert_eq!(told(&of_death(&sent).unwrap()), (Sort::Signaled(6), "", "SIGABRT: abort"));
    assert_eq!(of_death("SIGABRT: abort\nsays the target\n"), None);
    assert_eq!(of_death("SIGQUIT: quit\nPC=0x1 m=0\n"), None, "that is asked for");
}

#[test]
fn the_list_of_goroutines_is_found_behind_other_output() {
    assert_eq!(dump_start("SIGQUIT: quit\nPC=0x4\n"), Some(0));
    assert_eq!(dump_start("x\nSIGQUIT: quit\n"), Some(2));
    assert_eq!(dump_start("x SIGQUIT: quit\n"), None);
}
