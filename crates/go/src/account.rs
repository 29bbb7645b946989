//! What Go says of a failure: in the `Err` of an answer, or on standard error when it dies.
//!
//! Owns: the forms in which `testing` and the runtime print failures (Go 1.27.3). Must not: decide
//! what a death means (the coordinator does), or believe anything: the text may be forged.
//!
//! ```text
//! --- FAIL: FuzzX (0.00s)                     panic: runtime error: index out of range [5] …
//!     x_test.go:7: message
//!         its second line                     goroutine 25 [running]:
//!     testing.go:2078: panic: message         example.com/p.helper(...)
//!         goroutine 24 [running]:                 /home/me/p/p.go:5
//!         example.com/p.helper(...)           example.com/p.FuzzX.func1.1()
//!             /home/me/p/p.go:5                   /home/me/p/p_test.go:10 +0x2b
//! ```

#[cfg(test)]
mod tests;

/// What sort of failure a text tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The test failed by its own word: `t.Error`, `t.Fatal`, `t.Fail`.
    Failed,
    /// A panic, or a fatal error of the runtime.
    Panicked,
    /// A goroutine's stack reached its limit.
    StackOverflow,
    /// The runtime had no memory left.
    OutOfMemory,
    /// Go's own limit for one input.
    TimedOut,
    /// The process got this signal, for what it did or had done in C. Go exits with a status of its
    /// own for it.
    Signaled(i32),
}

/// A failure as Go tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What sort.
    pub sort: Sort,
    /// `file:line`, of the frame that failed or of the message; empty if there is none.
    pub location: String,
    /// The message, without place and stack.
    pub message: String,
    /// Where in the text the account begins: what comes before it is about something else.
    pub starts_at: usize,
}

/// What a failed test without a message is said to be.
const NO_MESSAGE: &str = "the test failed without a message";

const FAIL_MARK: &str = "--- FAIL: ";

/// Functions of the runtime and of the test harness: they fail for somebody else.
const FOREIGN: [&str; 7] =
    ["runtime.", "runtime/", "syscall.", "testing.", "reflect.", "internal/", "panic("];

/// What the harness says of a test that left its goroutine.
const LEFT: &str = "test executed panic(nil) or runtime.Goexit";

/// Signals that the runtime tells of and does not die of.
const SIGNALS: [(&str, i32); 7] = [
    ("SIGILL: ", 4),
    ("SIGTRAP: ", 5),
    ("SIGABRT: ", 6),
    ("SIGBUS: ", 7),
    ("SIGFPE: ", 8),
    ("SIGSEGV: ", 11),
    ("SIGSYS: ", 31),
];

/// The failure that the `Err` of an answer tells.
#[must_use]
pub fn of_error(text: &str) -> Account {
    if let Some(panic) = panic_in_error(text) {
        return panic;
    }
    let entry = text.lines().enumerate().filter_map(|(number, line)| {
        let (location, message) = log_line(line)?;
        Some((number, location, message))
    });
    let failed = |location: &str, message: String| {
        let location = location.to_owned();
        Account { sort: Sort::Failed, location, message, starts_at: 0 }
    };
    // `t.Fatal` ends the test, so what it says is the last there is.
    match entry.last() {
        Some((number, location, first)) => {
            let more = text.lines().skip(number + 1);
            let more = more.take_while(|line| !line.trim_start().starts_with(FAIL_MARK));
            let lines = std::iter::once(first).chain(more.map(str::trim));
            failed(location, lines.collect::<Vec<_>>().join("\n").trim_end().to_owned())
        }
        None if text.trim_start().starts_with(FAIL_MARK) => failed("", NO_MESSAGE.to_owned()),
        None => failed("", text.trim().to_owned()),
    }
}

/// The failure that a dying process told on standard error; `None`: it told none.
#[must_use]
pub fn of_death(stderr: &str) -> Option<Account> {
    let mut at = 0;
    let mut last = None;
    for line in stderr.split_inclusive('\n') {
        // An inner panic is indented; its cause came first.
        if let Some(message) = line.strip_prefix("panic: ") {
            last = Some((at, message, Sort::Panicked));
        } else if let Some(message) = line.strip_prefix("fatal error: ") {
            last = Some((at, message, sort_of_fatal(message.trim_end())));
        } else if let Some(signal) = signal_of(line, &stderr[at + line.len()..]) {
            last = Some((at, line, Sort::Signaled(signal)));
        }
        at += line.len();
    }
    let (starts_at, first, sort) = last?;
    let rest = &stderr[starts_at..];
    let is_stack = |line: &&str| {
        // Registers differ from one time to the next.
        is_goroutine(line) || line.starts_with("runtime stack:") || line.starts_with("PC=")
    };
    let message: Vec<&str> = std::iter::once(first.trim_end())
        .chain(rest.lines().skip(1).take_while(|line| !is_stack(line)))
        .collect();
    let message = message.join("\n").trim().to_owned();
    let sort = if message == "deadlocked!" { Sort::TimedOut } else { sort };
    let location = match sort {
        // Where a stack ends, or who asks last for memory, is chance.
        Sort::StackOverflow | Sort::OutOfMemory | Sort::TimedOut => String::new(),
        Sort::Panicked | Sort::Failed => first_own_frame(rest).unwrap_or_default(),
        // The thread that a signal from a process interrupts is chance too.
        Sort::Signaled(_) if is_from_a_process(rest) => String::new(),
        Sort::Signaled(_) => first_own_frame(first_goroutine(rest)).unwrap_or_default(),
    };
    Some(Account { sort, location, message, starts_at })
}

/// Where the goroutines begin that a process lists when it is sent SIGQUIT.
#[must_use]
pub fn dump_start(stderr: &str) -> Option<usize> {
    const MARK: &str = "SIGQUIT: quit";
    if stderr.starts_with(MARK) {
        return Some(0);
    }
    stderr.rfind("\nSIGQUIT: quit").map(|at| at + 1)
}

/// The signal that a line tells of, if the next one has the registers.
fn signal_of(line: &str, next: &str) -> Option<i32> {
    let (_, signal) = SIGNALS.iter().find(|(name, _)| line.starts_with(name))?;
    next.starts_with("PC=").then_some(*signal)
}

/// Whether the registers stand beside the code of a signal that was sent to a whole process
/// (`SI_USER` of sigaction(2)), and not to the thread that caused it.
fn is_from_a_process(text: &str) -> bool {
    let registers = text.lines().nth(1).unwrap_or_default();
    registers.split_whitespace().any(|word| word == "sigcode=0")
}

/// The stack that comes first: the others are of goroutines that had no part in it.
fn first_goroutine(text: &str) -> &str {
    let Some(start) = text.find("\ngoroutine ") else { return "" };
    let stack = &text[start + 1..];
    &stack[..stack.find("\n\n").unwrap_or(stack.len())]
}

fn sort_of_fatal(message: &str) -> Sort {
    if message == "stack overflow" {
        Sort::StackOverflow
    } else if message.contains("out of memory") || message.contains("cannot allocate memory") {
        Sort::OutOfMemory
    } else {
        Sort::Panicked
    }
}

/// A panic that the harness caught, or an end of the goroutine: behind it stands the stack.
fn panic_in_error(text: &str) -> Option<Account> {
    let mut lines = text.lines().enumerate();
    let (number, first) = lines.find_map(|(number, line)| {
        let (location, message) = log_line(line)?;
        let message =
            message.strip_prefix("panic: ").or_else(|| (message == LEFT).then_some(message))?;
        location.starts_with("testing.go:").then_some((number, message))
    })?;
    let rest: Vec<&str> = text.lines().skip(number + 1).map(str::trim_start).collect();
    let stack = rest.iter().position(|line| is_goroutine(line))?;
    let message = std::iter::once(first).chain(rest[..stack].iter().copied());
    let message = message.collect::<Vec<_>>().join("\n").trim().to_owned();
    // What runs before the panic in the stack is the harness that reports it.
    let frames = &rest[stack..];
    let is_end = |line: &&str| line.starts_with("panic(") || line.starts_with("runtime.Goexit(");
    let panicked = frames.iter().position(is_end);
    let frames = frames[panicked.unwrap_or(0)..].join("\n");
    let location = first_own_frame(&frames).unwrap_or_default();
    Some(Account { sort: Sort::Panicked, location, message, starts_at: 0 })
}

/// `    file.go:12: message`: place and message.
fn log_line(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("    ")?.trim_start();
    let (location, message) = line.split_once(": ").or_else(|| {
        line.split_once(':').and_then(|(file, rest)| {
            // An empty message leaves no space behind the colon.
            let number = rest.strip_suffix(':')?;
            Some((&line[..file.len() + 1 + number.len()], ""))
        })
    })?;
    is_place(location).then_some((location, message))
}

/// `file.go:12`.
fn is_place(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(file, line)| {
        file.ends_with(".go")
            && !file.contains(char::is_whitespace)
            && !line.is_empty()
            && line.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `goroutine 24 [running]:`.
fn is_goroutine(line: &str) -> bool {
    line.strip_prefix("goroutine ").is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit()) && rest.trim_end().ends_with(':')
    })
}

/// The place of the first frame that is neither the runtime's nor the harness's.
fn first_own_frame(stack: &str) -> Option<String> {
    let mut lines = stack.lines().peekable();
    while let Some(function) = lines.next() {
        let Some(place) = lines.peek().and_then(|line| frame_place(line)) else { continue };
        let function = function.trim_start().trim_start_matches("created by ");
        if !FOREIGN.iter().any(|foreign| function.starts_with(foreign)) {
            return Some(place.to_owned());
        }
    }
    None
}

/// The place in `/home/me/p/p.go:5 +0x2b`.
fn frame_place(line: &str) -> Option<&str> {
    let place = line.trim_start().split(" +0x").next()?.split(" fp=").next()?;
    (line.contains('/') && is_place(place)).then_some(place)
}
