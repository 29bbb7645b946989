//! Panics of threads other than the one that runs the fuzz test.
//!
//! Owns how much of them is printed, and what is known of the last one. A fuzz test that joins its
//! threads often carries such a panic on (`resume_unwind`); that does not come to the hook again,
//! and without its place two bugs with one message would be one.

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::{message_of, print};
use crate::limits::OTHER_PANICS_PRINTED_MAX;

/// Panics that the hook of before may still print in this call: it may take a backtrace of each.
static PRINTED_LEFT: AtomicU32 = AtomicU32::new(OTHER_PANICS_PRINTED_MAX);

/// Message and place of the last panic.
static LAST: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Before the executions of a call.
pub(super) fn begin_call() {
    PRINTED_LEFT.store(OTHER_PANICS_PRINTED_MAX, Relaxed);
}

/// The hook, on a thread that does not run the fuzz test.
pub(super) fn note(
    info: &PanicHookInfo<'_>,
    is_fatal: bool,
    previous: &dyn Fn(&PanicHookInfo<'_>),
) {
    let one_less = |left: u32| left.checked_sub(1);
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let message = message_of(info);
    if is_fatal || PRINTED_LEFT.try_update(Relaxed, Relaxed, one_less).is_ok() {
        previous(info);
    } else {
        print(&format!("panicked at {location}:\n{message}\n"));
    }
    // A hook must not wait or panic, whatever happens.
    if let Ok(mut last) = LAST.try_lock() {
        *last = Some((message.to_owned(), location));
    }
}

/// The place of the last panic, if it had this message.
pub(super) fn take_location(message: &str) -> Option<String> {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    last.take_if(|(text, _)| text == message).map(|(_, location)| location)
}
