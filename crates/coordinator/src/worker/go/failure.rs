//! Failures of Go's fuzz tests, from what Go says of them.
//!
//! Owns which kind of failure each is. Equal failures must look the same whether a worker told them
//! or died of them: place and message come from [`fuzzd_go::account`].

use fuzzd_core::death::{Cause, ExitStatus, OutputTail, classify, details};
use fuzzd_core::failure::Failure;
use fuzzd_core::signature::FailureKind;
use fuzzd_go::account::{self, Account, Sort};

/// Go's status for a panic, a fatal error and SIGQUIT.
const GO_PANIC_STATUS: i32 = 2;

const SIGABRT: i32 = 6;

/// Of the `Err` of an answer. What the target printed is told behind it.
pub(super) fn of_error(err: &str, output: &OutputTail) -> Failure {
    let account = account::of_error(err);
    let mut text = err.trim_end().to_owned();
    text.push('\n');
    text.push_str(&details(output));
    Failure::new(kind(account.sort), &account.location, &account.message, &text)
}

/// Of the end of a process.
pub(in super::super) fn of_death(
    status: ExitStatus,
    cause: &Cause,
    output: &OutputTail,
) -> Failure {
    let from = |start: usize| {
        // The beginning says most: what comes before is about something else.
        let stderr = output.stderr[start..].to_owned();
        details(&OutputTail { stderr, stdout: output.stdout.clone() })
    };
    let ended_by_go = status == ExitStatus::Exited(GO_PANIC_STATUS);
    if let (Cause::Hung { timeout, .. }, Some(start)) =
        (cause, account::dump_start(&output.stderr).filter(|_| ended_by_go))
    {
        let message = format!("no execution ended within {timeout:?}");
        return Failure::new(FailureKind::Timeout, "", &message, &from(start));
    }
    let told = account::of_death(&output.stderr).filter(|_| match status {
        ExitStatus::Exited(status) => status == GO_PANIC_STATUS,
        // With GOTRACEBACK=crash.
        ExitStatus::Signaled(signal) => signal == SIGABRT,
        ExitStatus::Unknown => false,
    });
    match told {
        Some(Account { sort, location, message, starts_at }) => {
            Failure::new(kind(sort), &location, &message, &from(starts_at))
        }
        None => classify(status, cause, output),
    }
}

fn kind(sort: Sort) -> FailureKind {
    match sort {
        Sort::Failed => FailureKind::Error,
        Sort::Panicked => FailureKind::Panic,
        Sort::StackOverflow => FailureKind::StackOverflow,
        Sort::OutOfMemory => FailureKind::OutOfMemory,
        Sort::TimedOut => FailureKind::Timeout,
        Sort::Signaled(SIGABRT) => FailureKind::Abort,
        Sort::Signaled(signal) => FailureKind::Signal(signal),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn output(stderr: &str) -> OutputTail {
        OutputTail { stderr: stderr.into(), stdout: String::new() }
    }

    #[test]
    fn a_panic_is_the_same_bug_whether_it_was_caught_or_not() {
        let frames = "panic({0x1, 0x2})\n\t/go/src/runtime/panic.go:859 +0x125\n\
                      example.com/p.helper(...)\n\t/home/me/p/p.go:5\n";
        let caught = format!(
            "--- FAIL: FuzzX (0.00s)\n    testing.go:2078: panic: boom\n        goroutine 24 \
             [running]:\n{frames}"
        );
        let died = format!("panic: boom\n\ngoroutine 25 [running]:\n{frames}");
        let caught = of_error(&caught, &OutputTail::default());
        let died = of_death(ExitStatus::Exited(2), &Cause::Itself, &output(&died));
        assert_eq!(caught.signature(), died.signature());
        assert_eq!((died.location.as_str(), died.message.as_str()), ("/home/me/p/p.go:5", "boom"));
    }

    #[test]
    fn a_hang_brings_its_goroutines_and_other_ends_their_own_story() {
        let hung = Cause::Hung { timeout: Duration::from_secs(1), is_running: true };
        let dump = output("noise\nSIGQUIT: quit\nPC=0x491de1 m=0\n\ngoroutine 1 [running]:\n");
        let failure = of_death(ExitStatus::Exited(2), &hung, &dump);
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert!(failure.details.contains("---\nSIGQUIT: quit"), "{}", failure.details);
        let killed = of_death(ExitStatus::Signaled(9), &hung, &output(""));
        assert_eq!(killed.signature(), failure.signature(), "it did not tell them");
        let exited = of_death(ExitStatus::Exited(3), &hung, &dump);
        assert_eq!(exited.kind, FailureKind::Exit(3));
    }

    #[test]
    fn ends_without_words_of_go_are_judged_like_any() {
        let stale = output("panic: of another time\n\ngoroutine 1 [running]:\n");
        let exit = of_death(ExitStatus::Exited(3), &Cause::Itself, &stale);
        assert_eq!(exit.kind, FailureKind::Exit(3));
        let memory = Cause::Memory { limit: 1 << 20, seen: 2 << 20 };
        let killed = of_death(ExitStatus::Signaled(9), &memory, &stale);
        assert_eq!(killed.kind, FailureKind::OutOfMemory);
        let foreign = of_death(ExitStatus::Signaled(9), &Cause::Itself, &stale);
        assert_eq!(foreign.kind, FailureKind::ForeignSignal(9));
    }
}
