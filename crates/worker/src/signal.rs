//! Signals: SIGINT ends the worker between executions, SIGPIPE does nothing.
//!
//! Owns the handler and the flag it sets. The handler must do nothing else but send the signal on
//! to the thread that serves: it may interrupt any code of the target.
//!
//! Without SA_RESTART, a read of `fuzz_in` that waits is interrupted and the server sees the flag.
//! The system gives the signal to any thread, under libtest to the one that waits for the test; so
//! it is sent on. A signal that arrives just before the read begins is not noticed by it; the
//! coordinator closes `fuzz_in` before it sends SIGINT, so the read ends all the same.

#![cfg_attr(unix, expect(unsafe_code, reason = "installing a signal handler"))]

use std::sync::atomic::AtomicBool;

/// Set by SIGINT, never cleared.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::INTERRUPTED;

    /// The `pthread_t` of the thread that serves; 0: none does.
    static SERVING: AtomicU64 = AtomicU64::new(0);

    extern "C" fn on_interrupt(number: libc::c_int) {
        INTERRUPTED.store(true, Relaxed);
        // SAFETY: both functions are async-signal-safe. The serving thread has not ended: it
        // serves until the process exits, or `uninstall` has cleared its number.
        unsafe {
            let serving = SERVING.load(Relaxed);
            if serving != 0 && serving != libc::pthread_self() {
                libc::pthread_kill(serving, number);
            }
        }
    }

    /// Installs both dispositions, for a process in which this thread serves.
    pub(crate) fn install() {
        // SAFETY: an all-zero `sigaction` is valid (empty mask, no flags); the handler is
        // async-signal-safe; the calls cannot fail for these signals.
        unsafe {
            SERVING.store(libc::pthread_self(), Relaxed);
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_interrupt as *const () as libc::sighandler_t;
            libc::sigaction(libc::SIGINT, &raw const action, std::ptr::null_mut());
            libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        }
    }

    /// This thread serves no more, and may end before the process does.
    pub(crate) fn uninstall() {
        SERVING.store(0, Relaxed);
    }
}

#[cfg(unix)]
pub(crate) use unix::{install, uninstall};

/// This system has no such signals: workers end when `fuzz_in` closes, or are killed.
#[cfg(not(unix))]
pub(crate) fn install() {}

/// See [`install`].
#[cfg(not(unix))]
pub(crate) fn uninstall() {}
