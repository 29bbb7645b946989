//! Failures of the fuzz test: catching them, and knowing them again.
//!
//! Owns the panic hook and what it keeps for the thread that runs the fuzz test. Must not decide
//! what becomes of a failure. Panics of other threads, and of the worker itself, go to the hook
//! that was there before, which prints them, as far as [`elsewhere`] lets them.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use fuzzd_core::failure::Failure;
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::message::FailureInfo;

mod backtrace;
mod elsewhere;
#[cfg(test)]
mod tests;

/// Beginnings of the messages of panics that end the process whatever catches them. What is known
/// of them must be on stderr before that.
const ABORTING: [&str; 3] = [
    "panic in a destructor during cleanup",
    "panic in a function that cannot unwind",
    "unsafe precondition(s) violated",
];

/// Stands for the message of a panic that has none.
const NO_TEXT: &str = "a panic whose payload is no text";

/// One failure of the fuzz test.
#[derive(Debug)]
pub(crate) struct Fault {
    /// What is known, without details.
    pub(crate) failure: Failure,
    /// Its identity.
    pub(crate) signature: Signature,
    backtrace: Option<Backtrace>,
}

impl Fault {
    fn new(kind: FailureKind, location: &str, message: &str) -> Self {
        let failure = Failure::new(kind, location, message, "");
        let signature = failure.signature();
        Self { failure, signature, backtrace: None }
    }

    /// The failure in words; never empty.
    pub(crate) fn summary(&self) -> String {
        let Failure { kind, location, message, .. } = &self.failure;
        match (location.is_empty(), message.is_empty()) {
            (false, _) => format!("{} at {location}: {message}", kind.name()),
            (true, false) => format!("{}: {message}", kind.name()),
            (true, true) => format!("{} without a message", kind.name()),
        }
    }

    /// The failure as it is sent. Resolving the symbols of a backtrace may take long.
    pub(crate) fn info(&self) -> FailureInfo {
        FailureInfo {
            kind: self.failure.kind.name(),
            location: self.failure.location.clone(),
            message: self.failure.message.clone(),
            details: self.backtrace.as_ref().map(backtrace::text).unwrap_or_default(),
        }
    }
}

/// What the hook keeps for one thread.
struct Kept {
    fault: Option<Box<Fault>>,
    /// The one before, of the same execution: a second panic while the first unwinds is the end.
    before: Option<Box<Fault>>,
    quiet: Vec<Signature>,
    backtraces_left: u32,
}

thread_local! {
    /// Whether this thread is inside the fuzz test.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    /// Whether `KEPT` has a fault. Looked at before each execution, so it is a plain cell.
    static HAS_FAULT: Cell<bool> = const { Cell::new(false) };
    static KEPT: RefCell<Kept> =
        const {
            RefCell::new(Kept { fault: None, before: None, quiet: Vec::new(), backtraces_left: 0 })
        };
}

/// Puts the hook in front of the one that is there, once per process.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A thread that is being torn down has no cells any more.
            if RUNNING.try_with(Cell::get).unwrap_or(false) {
                keep(info, &previous);
            } else {
                elsewhere::note(info, ends_the_process(message_of(info)), &previous);
            }
        }));
    });
}

/// Before the executions of a call: no backtrace for failures with a signature in `quiet`, and at
/// most `backtraces` for all others.
pub(crate) fn begin_call(quiet: &[Signature], backtraces: u32) {
    forget_faults();
    elsewhere::begin_call();
    KEPT.with_borrow_mut(|kept| {
        kept.quiet.clear();
        kept.quiet.extend_from_slice(quiet);
        kept.quiet.sort_unstable();
        kept.backtraces_left = backtraces;
    });
}

/// Runs `test` on this thread, and gives its result or how it panicked.
#[inline]
pub(crate) fn catch<T>(test: impl FnOnce() -> T) -> Result<T, Box<Fault>> {
    if HAS_FAULT.get() {
        forget_faults();
    }
    RUNNING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(test));
    RUNNING.set(false);
    result.map_err(of_panic)
}

/// The failure that an error of the fuzz test is.
#[cold]
pub(crate) fn of_error(text: &str) -> Box<Fault> {
    Box::new(Fault::new(FailureKind::Error, "", text))
}

/// Drops what a panic left that the fuzz test caught itself, so that it is not taken for a later
/// one.
#[cold]
fn forget_faults() {
    KEPT.with_borrow_mut(|kept| (kept.fault, kept.before) = (None, None));
    HAS_FAULT.set(false);
}

/// The failure that the hook kept. A panic that was carried on by `resume_unwind` (from another
/// thread, say) never came to the hook: its payload may have a message still.
#[cold]
fn of_panic(payload: Box<dyn Any + Send>) -> Box<Fault> {
    HAS_FAULT.set(false);
    let kept = KEPT.with_borrow_mut(|kept| {
        kept.before = None;
        kept.fault.take()
    });
    let fault = kept.unwrap_or_else(|| {
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = message.unwrap_or(NO_TEXT);
        let location = elsewhere::take_location(message).unwrap_or_default();
        Box::new(Fault::new(FailureKind::Panic, &location, message))
    });
    // The payload is a value of the target, whose drop may panic.
    if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    fault
}

/// The hook, on a thread that runs the fuzz test.
fn keep(info: &PanicHookInfo<'_>, previous: &dyn Fn(&PanicHookInfo<'_>)) {
    let message = message_of(info);
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    KEPT.with(|kept| {
        // Nothing borrows it while the fuzz test runs; a hook must not panic, whatever happens.
        let Ok(mut kept) = kept.try_borrow_mut() else { return };
        if ends_the_process(message) {
            // In the words of std, for whoever reads the output of a dead worker.
            for Fault { failure, .. } in
                [&kept.before, &kept.fault].into_iter().flatten().map(|fault| &**fault)
            {
                print(&format!("panicked at {}:\n{}\n", failure.location, failure.message));
            }
            previous(info);
        }
        let mut fault = Fault::new(FailureKind::Panic, &location, message);
        let is_quiet = kept.quiet.binary_search(&fault.signature).is_ok();
        if !is_quiet && kept.backtraces_left > 0 {
            kept.backtraces_left -= 1;
            fault.backtrace = Some(Backtrace::force_capture());
        }
        kept.before = kept.fault.replace(Box::new(fault));
        HAS_FAULT.set(true);
    });
}

/// The message of a panic.
fn message_of<'i>(info: &'i PanicHookInfo<'_>) -> &'i str {
    info.payload_as_str().unwrap_or(NO_TEXT)
}

/// Whether nothing can catch the panic with this message.
fn ends_the_process(message: &str) -> bool {
    ABORTING.iter().any(|beginning| message.starts_with(beginning))
}

/// Writes to stderr, if there is one.
pub(crate) fn print(text: &str) {
    use std::io::Write as _;
    // Nobody is left to be told if stderr cannot be written.
    drop(std::io::stderr().write_all(text.as_bytes()));
}
