//! Signals: SIGINT ends the worker between executions, SIGPIPE does nothing.
//!
//! Owns the handler and the flag it sets. The handler must do nothing else: it may interrupt any
//! code of the target.
//!
//! Without SA_RESTART, a read of `fuzz_in` that waits is interrupted and the server sees the flag.
//! A signal that arrives just before the read begins is not noticed by it; the coordinator closes
//! `fuzz_in` before it sends SIGINT, so the read ends all the same.

#![cfg_attr(unix, expect(unsafe_code, reason = "installing a signal handler"))]

use std::sync::atomic::AtomicBool;

/// Set by SIGINT, never cleared.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
extern "C" fn on_interrupt(_number: libc::c_int) {
    INTERRUPTED.store(true, std::sync::atomic::Ordering::Relaxed);
}

/// Installs both dispositions.
#[cfg(unix)]
pub(crate) fn install() {
    // SAFETY: an all-zero `sigaction` is valid (empty mask, no flags); the handler is
    // async-signal-safe, it stores one atomic; the calls cannot fail for these signals.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_interrupt as *const () as libc::sighandler_t;
        libc::sigaction(libc::SIGINT, &raw const action, std::ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    }
}

/// This system has no such signals: workers end when `fuzz_in` closes, or are killed.
#[cfg(not(unix))]
pub(crate) fn install() {}
