//! Signals to the coordinator: the first asks for a graceful end, the second for an immediate one.
//! A terminal that is closed (SIGHUP) only ever asks for a graceful one.
//!
//! Owns the translation and remembers which signal came. Must not stop anything itself.

use std::io;

use fuzzd_core::session::StopRequest;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

/// A signal that asks for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
}

impl StopSignal {
    /// The exit status by convention: 128 and the number of the signal.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::HangUp => 129,
        }
    }
}

/// Where signals come from.
#[derive(Debug)]
pub enum SignalSource {
    /// The operating system.
    System {
        /// SIGINT.
        interrupt: Signal,
        /// SIGTERM.
        terminate: Signal,
        /// SIGHUP; `None` under `nohup`, which asks for it to be ignored.
        hang_up: Option<Signal>,
    },
    /// Nowhere: for tests, and for callers with a way of their own.
    Noop,
}

impl SignalSource {
    /// From now on SIGINT, SIGTERM and SIGHUP no longer end the process. Must be called in a
    /// runtime.
    ///
    /// # Errors
    /// The system refuses to have its signals handled.
    pub fn system() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        let hang_up = SignalKind::hangup();
        let is_ignored = is_ignored(hang_up.as_raw_value());
        let hang_up = if is_ignored { None } else { Some(signal(hang_up)?) };
        Ok(Self::System { interrupt, terminate, hang_up })
    }

    /// The next signal; never comes from [`SignalSource::Noop`]. Cancel-safe.
    pub async fn next(&mut self) -> StopSignal {
        match self {
            Self::System { interrupt, terminate, hang_up } => tokio::select! {
                Some(()) = interrupt.recv() => StopSignal::Interrupt,
                Some(()) = terminate.recv() => StopSignal::Terminate,
                Some(()) = next_of(hang_up) => StopSignal::HangUp,
                else => std::future::pending().await,
            },
            Self::Noop => std::future::pending().await,
        }
    }
}

async fn next_of(signal: &mut Option<Signal>) -> Option<()> {
    signal.as_mut()?.recv().await
}

/// Whether whoever started this process asked for a signal to be ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_in_mask(&status, signal)
}

fn is_in_mask(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let bit = u32::try_from(signal - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
    mask & bit.unwrap_or(0) != 0
}

/// Turns signals into stop requests for [`crate::run`], for as long as somebody takes them. The
/// newest signal is put into `last`.
pub async fn forward(
    mut source: SignalSource,
    stops: mpsc::Sender<StopRequest>,
    last: watch::Sender<Option<StopSignal>>,
) {
    let mut request = StopRequest::Graceful;
    loop {
        let signal = tokio::select! {
            signal = source.next() => signal,
            () = stops.closed() => return,
        };
        last.send_replace(Some(signal));
        let asked = match signal {
            StopSignal::Interrupt | StopSignal::Terminate => request,
            // Shell and kernel both send it when a terminal is closed: twice is no more than once.
            StopSignal::HangUp => StopRequest::Graceful,
        };
        // A full queue holds an earlier request that says the same.
        if let Err(TrySendError::Closed(_)) = stops.try_send(asked) {
            return;
        }
        request = StopRequest::Immediate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal as RawSignal, getpid, kill_process};

    #[tokio::test]
    async fn the_first_signal_is_graceful_and_the_second_is_not() {
        // These tests may themselves run under `nohup`.
        let hears_hang_up = !is_ignored(SignalKind::hangup().as_raw_value());
        let source = SignalSource::system().unwrap();
        let (stops, mut requests) = mpsc::channel(4);
        let (last, seen) = watch::channel(None);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(forward(source, stops, last));
        kill_process(getpid(), RawSignal::INT).unwrap();
        assert_eq!(requests.recv().await, Some(StopRequest::Graceful));
        assert_eq!(*seen.borrow(), Some(StopSignal::Interrupt));
        kill_process(getpid(), RawSignal::TERM).unwrap();
        assert_eq!(requests.recv().await, Some(StopRequest::Immediate));
        assert_eq!(seen.borrow().map(StopSignal::exit_code), Some(143));
        if hears_hang_up {
            kill_process(getpid(), RawSignal::HUP).unwrap();
            assert_eq!(requests.recv().await, Some(StopRequest::Graceful), "it never urges");
            assert_eq!(seen.borrow().map(StopSignal::exit_code), Some(129));
        }
        drop(requests);
        assert!(tasks.join_next().await.unwrap().is_ok());
    }

    #[test]
    fn what_nohup_ignores_is_seen_in_the_mask() {
        let status = "Name:\tfuzzd\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert!(is_in_mask(status, 1) && is_in_mask(status, 13));
        assert!(!is_in_mask(status, 2) && !is_in_mask(status, 64));
        assert!(!is_in_mask("", 1) && !is_in_mask(status, 0));
    }
}
