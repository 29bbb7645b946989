//! Work that waits for the disk, before the session begins.
//!
//! Each piece gets a thread of its own and not one of the runtime's: a runtime waits for its
//! threads when it ends, and a person who stops a long load must not.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// Runs `work` on a thread of its own. If the caller goes away, the work is left to itself: to the
/// disk it looks as if the process was killed, which everything here survives.
///
/// # Errors
/// There is no thread, or the work panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (sender, done) = oneshot::channel();
    let run = move || drop(sender.send(work()));
    thread::Builder::new().name("fuzzd-load".into()).spawn(run)?;
    done.await.map_err(|_| io::Error::other("a thread of fuzzd failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_brings_its_result_and_a_panic_is_an_error() {
        assert_eq!(blocking(|| 7).await.unwrap(), 7);
        assert!(blocking(|| -> i32 { panic!("on purpose") }).await.is_err());
    }

    #[test]
    fn a_runtime_that_ends_does_not_wait_for_it() {
        let (begin, begun) = std::sync::mpsc::channel();
        let (_never, forever) = std::sync::mpsc::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.spawn(blocking(move || {
            begin.send(()).unwrap();
            assert!(forever.recv().is_err(), "left to itself for good");
        }));
        runtime.block_on(tokio::task::yield_now());
        begun.recv().unwrap();
        drop(runtime);
    }
}
