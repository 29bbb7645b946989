//! Signals to the coordinator: the first asks for a graceful end, the second for an immediate one.
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
}

impl StopSignal {
    /// The exit status by convention: 128 and the number of the signal.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
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
    },
    /// Nowhere: for tests, and for callers with a way of their own.
    Noop,
}

impl SignalSource {
    /// From now on SIGINT and SIGTERM no longer end the process. Must be called in a runtime.
    ///
    /// # Errors
    /// The system refuses to have its signals handled.
    pub fn system() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self::System { interrupt, terminate })
    }

    /// The next signal; never comes from [`SignalSource::Noop`]. Cancel-safe.
    pub async fn next(&mut self) -> StopSignal {
        match self {
            Self::System { interrupt, terminate } => tokio::select! {
                Some(()) = interrupt.recv() => StopSignal::Interrupt,
                Some(()) = terminate.recv() => StopSignal::Terminate,
                else => std::future::pending().await,
            },
            Self::Noop => std::future::pending().await,
        }
    }
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
        // A full queue holds an earlier request that says the same.
        if let Err(TrySendError::Closed(_)) = stops.try_send(request) {
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
        drop(requests);
        assert!(tasks.join_next().await.unwrap().is_ok());
    }
}
