//! From the end of a process to a failure.
//!
//! Owns the table of causes. It is given the exit status, what was done to the process from
//! outside, and the tail of its output. Must not be asked about ends that a stop caused: those are
//! no failures. The coordinator uses it for workers that died, a worker for children it forked: so
//! the same death has the same signature for both.

use std::time::Duration;

use crate::failure::Failure;
use crate::panic_text::{failed_allocation, last_panic, stack_overflowed};
use crate::signature::FailureKind;

/// How a process ended, as the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// `exit(status)`.
    Exited(i32),
    /// Ended by this signal.
    Signaled(i32),
    /// Somebody else reaped it (the coordinator was started with SIGCHLD ignored).
    Unknown,
}

/// Why a process ended, as far as whoever started it had a hand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// No hand at all.
    Itself,
    /// Killed because no execution ended for this long.
    Hung {
        /// The per-input timeout.
        timeout: Duration,
        /// The worker said that the fuzz test was running.
        is_running: bool,
    },
    /// Killed because no execution ended for long: somebody has stopped it with this signal.
    Stopped(i32),
    /// Killed because of its resident memory.
    Memory {
        /// The limit, in bytes.
        limit: u64,
        /// What was seen, in bytes.
        seen: u64,
    },
    /// Killed because it broke the protocol.
    Misbehaved(String),
}

impl Cause {
    /// No execution ended for this long; `stopped_by` says whether the process could have gone on.
    #[must_use]
    pub fn of_hang(timeout: Duration, is_running: bool, stopped_by: Option<i32>) -> Self {
        stopped_by.map_or(Self::Hung { timeout, is_running }, Self::Stopped)
    }
}

/// The newest output of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputTail {
    /// Standard error; what is not UTF-8 was replaced.
    pub stderr: String,
    /// Standard output, as above.
    pub stdout: String,
}

/// Status of a Rust process whose main thread panicked.
const RUST_PANIC_STATUS: i32 = 101;

const SIGKILL: i32 = 9;

/// What happened. The message depends on the cause alone, never on output that varies, so that
/// equal deaths have equal signatures.
#[must_use]
pub fn classify(status: ExitStatus, cause: &Cause, output: &OutputTail) -> Failure {
    // A process that ended by itself while our kill was on its way has its own story.
    let is_ours = matches!(status, ExitStatus::Signaled(SIGKILL) | ExitStatus::Unknown);
    match cause {
        Cause::Hung { timeout, is_running } if is_ours => {
            let whom = if *is_running { "" } else { " (between two executions)" };
            let message = format!("no execution ended within {timeout:?}{whom}");
            plain(FailureKind::Timeout, &message, output)
        }
        Cause::Stopped(signal) if is_ours => {
            let (name, _) = signal_class(*signal);
            let message = format!("stopped by {name}, sent from outside, and never continued");
            plain(FailureKind::ForeignSignal(*signal), &message, output)
        }
        Cause::Memory { limit, seen } if is_ours => {
            let (limit, seen) = (limit >> 20, seen >> 20);
            let message = format!("resident memory of {seen} MB is above the limit of {limit} MB");
            plain(FailureKind::OutOfMemory, &message, output)
        }
        Cause::Misbehaved(reason) if is_ours => plain(FailureKind::Protocol, reason, output),
        Cause::Itself
        | Cause::Hung { .. }
        | Cause::Stopped(_)
        | Cause::Memory { .. }
        | Cause::Misbehaved(_) => by_itself(status, output),
    }
}

fn by_itself(status: ExitStatus, output: &OutputTail) -> Failure {
    match status {
        ExitStatus::Exited(RUST_PANIC_STATUS) => panic_or(output, || {
            plain(FailureKind::Exit(RUST_PANIC_STATUS), "exited with status 101", output)
        }),
        ExitStatus::Exited(status) => {
            plain(FailureKind::Exit(status), &format!("exited with status {status}"), output)
        }
        ExitStatus::Signaled(signal) => by_signal(signal, output),
        ExitStatus::Unknown => {
            plain(FailureKind::Protocol, "ended, and its exit status was lost", output)
        }
    }
}

fn by_signal(signal: i32, output: &OutputTail) -> Failure {
    let stderr = &output.stderr;
    let (name, class) = signal_class(signal);
    let can_be_overflow = matches!(name, "SIGABRT" | "SIGSEGV" | "SIGBUS");
    if can_be_overflow && stack_overflowed(stderr) {
        return plain(FailureKind::StackOverflow, "the stack overflowed", output);
    }
    match class {
        SignalClass::Abort => {
            if let Some(line) = failed_allocation(stderr) {
                return plain(FailureKind::OutOfMemory, line, output);
            }
            panic_or(output, || plain(FailureKind::Abort, "aborted (SIGABRT)", output))
        }
        SignalClass::Own => plain(FailureKind::Signal(signal), &format!("ended by {name}"), output),
        SignalClass::Foreign => {
            let message = format!("killed by {name}");
            plain(FailureKind::ForeignSignal(signal), &message, output)
        }
    }
}

enum SignalClass {
    /// SIGABRT.
    Abort,
    /// The kernel sends it for what the process itself did.
    Own,
    /// Only a sender sends it: a person, a service manager, the OOM killer.
    Foreign,
}

fn signal_class(signal: i32) -> (&'static str, SignalClass) {
    match signal {
        6 => ("SIGABRT", SignalClass::Abort),
        4 => ("SIGILL", SignalClass::Own),
        5 => ("SIGTRAP", SignalClass::Own),
        7 => ("SIGBUS", SignalClass::Own),
        8 => ("SIGFPE", SignalClass::Own),
        11 => ("SIGSEGV", SignalClass::Own),
        13 => ("SIGPIPE", SignalClass::Own),
        31 => ("SIGSYS", SignalClass::Own),
        1 => ("SIGHUP", SignalClass::Foreign),
        2 => ("SIGINT", SignalClass::Foreign),
        3 => ("SIGQUIT", SignalClass::Foreign),
        9 => ("SIGKILL", SignalClass::Foreign),
        10 => ("SIGUSR1", SignalClass::Foreign),
        12 => ("SIGUSR2", SignalClass::Foreign),
        14 => ("SIGALRM", SignalClass::Foreign),
        15 => ("SIGTERM", SignalClass::Foreign),
        19 => ("SIGSTOP", SignalClass::Foreign),
        20 => ("SIGTSTP", SignalClass::Foreign),
        21 => ("SIGTTIN", SignalClass::Foreign),
        22 => ("SIGTTOU", SignalClass::Foreign),
        24 => ("SIGXCPU", SignalClass::Foreign),
        25 => ("SIGXFSZ", SignalClass::Foreign),
        _ => ("another signal", SignalClass::Foreign),
    }
}

fn panic_or(output: &OutputTail, otherwise: impl FnOnce() -> Failure) -> Failure {
    last_panic(&output.stderr).map_or_else(otherwise, |panic| {
        Failure::new(FailureKind::Panic, &panic.location, &panic.message, &details(output))
    })
}

fn plain(kind: FailureKind, message: &str, output: &OutputTail) -> Failure {
    Failure::new(kind, "", message, &details(output))
}

/// The output as the details of a failure.
#[must_use]
pub fn details(output: &OutputTail) -> String {
    let mut details = String::new();
    let stdout = without_banner(&output.stdout);
    for (name, text) in [("stderr", output.stderr.as_str()), ("stdout", stdout)] {
        if !text.trim().is_empty() {
            details.push_str("--- end of ");
            details.push_str(name);
            details.push_str(" ---\n");
            details.push_str(text.trim_end());
            details.push('\n');
        }
    }
    details
}

/// The output without what the test harness itself prints before the first test.
fn without_banner(stdout: &str) -> &str {
    let Some(rest) = stdout.strip_prefix("\nrunning 1 test\ntest ") else { return stdout };
    rest.split_once(" ... ").map_or("", |(_, output)| output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: ExitStatus, cause: &Cause, stderr: &str) -> FailureKind {
        let output = OutputTail { stderr: stderr.into(), stdout: String::new() };
        classify(status, cause, &output).kind
    }

    const PANIC: &str = "thread 'main' panicked at src/lib.rs:7:9:\nboom\n";

    #[test]
    fn the_banner_of_the_harness_is_not_the_targets_output() {
        assert_eq!(without_banner("\nrunning 1 test\ntest a::b ... hello\n"), "hello\n");
        assert_eq!(without_banner("\nrunning 1 test\ntest a::b ... "), "");
        assert_eq!(without_banner("running late"), "running late");
    }

    #[test]
    fn ends_of_its_own_making() {
        use ExitStatus::{Exited, Signaled, Unknown};
        let overflow = "thread 'main' has overflowed its stack\nfatal runtime error\n";
        let cases = [
            (Exited(0), "", FailureKind::Exit(0)),
            (Exited(3), PANIC, FailureKind::Exit(3)),
            (Exited(101), PANIC, FailureKind::Panic),
            (Exited(101), "", FailureKind::Exit(101)),
            (Signaled(6), "", FailureKind::Abort),
            (Signaled(6), PANIC, FailureKind::Panic),
            (Signaled(6), overflow, FailureKind::StackOverflow),
            (Signaled(11), overflow, FailureKind::StackOverflow),
            (Signaled(9), overflow, FailureKind::ForeignSignal(9)),
            (Signaled(6), "memory allocation of 9 bytes failed\n", FailureKind::OutOfMemory),
            (Signaled(11), PANIC, FailureKind::Signal(11)),
            (Signaled(15), "", FailureKind::ForeignSignal(15)),
            (Signaled(64), "", FailureKind::ForeignSignal(64)),
            (Unknown, "", FailureKind::Protocol),
        ];
        for (status, stderr, expected) in cases {
            assert_eq!(kind(status, &Cause::Itself, stderr), expected, "{status:?} {stderr}");
        }
        for signal in [4, 5, 7, 8, 11, 13, 31] {
            assert_eq!(kind(Signaled(signal), &Cause::Itself, ""), FailureKind::Signal(signal));
        }
        for signal in [1, 2, 3, 9, 10, 12, 14, 15] {
            let foreign = FailureKind::ForeignSignal(signal);
            assert_eq!(kind(Signaled(signal), &Cause::Itself, ""), foreign);
        }
    }

    #[test]
    fn our_kill_counts_only_if_it_ended_the_process() {
        let hung = Cause::Hung { timeout: Duration::from_secs(10), is_running: true };
        let memory = Cause::Memory { limit: 2 << 30, seen: 3 << 30 };
        assert_eq!(kind(ExitStatus::Signaled(9), &hung, ""), FailureKind::Timeout);
        assert_eq!(kind(ExitStatus::Signaled(9), &memory, ""), FailureKind::OutOfMemory);
        let stopped = Cause::Stopped(19);
        assert_eq!(kind(ExitStatus::Signaled(9), &stopped, ""), FailureKind::ForeignSignal(19));
        assert_eq!(kind(ExitStatus::Signaled(11), &hung, ""), FailureKind::Signal(11));
        assert_eq!(kind(ExitStatus::Exited(0), &memory, ""), FailureKind::Exit(0));
    }

    #[test]
    fn equal_deaths_have_equal_signatures_whatever_was_printed() {
        let death = |stderr: &str, seen| {
            let output = OutputTail { stderr: stderr.into(), stdout: "x".into() };
            let cause = Cause::Memory { limit: 2 << 30, seen };
            classify(ExitStatus::Signaled(9), &cause, &output)
        };
        let (one, other) = (death("a", 3 << 30), death("b", 5 << 30));
        assert_eq!(one.signature(), other.signature());
        assert!(one.details.contains("end of stderr ---\na\n"), "{}", one.details);
    }

    #[test]
    fn a_panic_brings_its_place_and_message() {
        let output = OutputTail { stderr: PANIC.into(), stdout: String::new() };
        let failure = classify(ExitStatus::Signaled(6), &Cause::Itself, &output);
        assert_eq!(
            (failure.location.as_str(), failure.message.as_str()),
            ("src/lib.rs:7:9", "boom")
        );
    }
}
