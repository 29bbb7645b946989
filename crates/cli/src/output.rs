//! The way out: one thread writes to stdout and stderr, so that a slow or closed reader never
//! holds up a session.
//!
//! Order is kept over both streams, so that on a terminal a bug never lands in a status line.
//! A stream whose reader is gone is written to no more; everything else goes on.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::JoinHandle;

use crate::limits::{OUTPUT_GRACE, OUTPUT_QUEUE_MAX, OUTPUT_QUEUE_STATUS_MAX};
use crate::render::Line;

/// Says on stderr why the program ends. Nobody is left to tell when that fails.
pub(crate) fn complain(problem: &str, help: Option<&str>) {
    let mut text = format!("error: {}\n", harmless(problem));
    if let Some(help) = help {
        text.push_str(&format!("help: {}\n", harmless(help)));
    }
    std::io::stderr().write_all(text.as_bytes()).unwrap_or_default();
}

/// Says on stderr what a person should know of a command that goes on.
pub(crate) fn warn(message: &str) {
    let text = format!("warning: {}\n", harmless(message));
    std::io::stderr().write_all(text.as_bytes()).unwrap_or_default();
}

/// Writes the result of a command to stdout. A reader that is gone has seen enough.
pub(crate) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).unwrap_or_default();
}

/// Lines stay lines, everything else that steers a terminal does not.
fn harmless(text: &str) -> String {
    crate::render::escape::lines(text).collect::<Vec<_>>().join("\n")
}

/// Lines on their way to the person or script.
#[derive(Debug)]
pub(crate) struct Output {
    lines: SyncSender<Line>,
    waiting: Arc<AtomicUsize>,
    dropped: usize,
    done: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Output {
    /// Starts the thread that writes to the two streams.
    pub(crate) fn start(
        stdout: impl Write + Send + 'static,
        stderr: impl Write + Send + 'static,
    ) -> std::io::Result<Self> {
        let (lines, queue) = mpsc::sync_channel(OUTPUT_QUEUE_MAX);
        let (finished, done) = mpsc::sync_channel(1);
        let waiting = Arc::new(AtomicUsize::new(0));
        let waiting_there = Arc::clone(&waiting);
        let thread = std::thread::Builder::new().name("output".to_owned()).spawn(move || {
            let mut streams = Streams::new(stdout, stderr);
            for line in &queue {
                streams.write(line);
                waiting_there.fetch_sub(1, Relaxed);
            }
            streams.clear_status();
            // The receiver may have given up waiting.
            finished.send(()).unwrap_or_default();
        })?;
        Ok(Self { lines, waiting, dropped: 0, done, thread })
    }

    /// Hands lines over without ever waiting. Where nobody reads, the queue is full one day: then
    /// lines are dropped and counted, status lines first.
    pub(crate) fn send(&mut self, lines: Vec<Line>) {
        for line in lines {
            let is_status = matches!(line, Line::Status(_));
            if is_status && self.waiting.load(Relaxed) >= OUTPUT_QUEUE_STATUS_MAX {
                continue;
            }
            self.waiting.fetch_add(1, Relaxed);
            match self.lines.try_send(line) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.waiting.fetch_sub(1, Relaxed);
                    self.dropped += 1;
                }
            }
        }
    }

    /// Waits, but not for ever, until everything is written; how many lines were dropped.
    pub(crate) fn finish(self) -> usize {
        drop(self.lines);
        if self.done.recv_timeout(OUTPUT_GRACE).is_ok() {
            // It has ended by itself; a panic of its own was already printed.
            self.thread.join().unwrap_or_default();
        }
        self.dropped
    }
}

/// The two streams, and whether the cursor stands behind a status.
struct Streams<O, E> {
    stdout: Option<O>,
    stderr: Option<E>,
    has_status: bool,
}

impl<O: Write, E: Write> Streams<O, E> {
    fn new(stdout: O, stderr: E) -> Self {
        Self { stdout: Some(stdout), stderr: Some(stderr), has_status: false }
    }

    fn write(&mut self, line: Line) {
        self.clear_status();
        match line {
            Line::Out(text) => put(&mut self.stdout, &text),
            Line::Err(text) => put(&mut self.stderr, &text),
            Line::Status(text) => {
                put(&mut self.stderr, &text);
                self.has_status = true;
            }
        }
    }

    fn clear_status(&mut self) {
        if std::mem::take(&mut self.has_status) {
            put(&mut self.stderr, "\r\x1b[K");
        }
    }
}

/// Writes if somebody still reads.
fn put(stream: &mut Option<impl Write>, text: &str) {
    if let Some(writer) = stream {
        let written = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
        if written.is_err() {
            *stream = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind, Result};
    use std::sync::Mutex;

    /// What was written, in order, by both streams.
    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            Err(Error::from(ErrorKind::BrokenPipe))
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    /// A reader that does not read until its sender is dropped.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.0.recv().unwrap_or_default();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_status_gives_way_to_what_follows() {
        let screen = Screen::default();
        let mut output = Output::start(screen.clone(), screen.clone()).unwrap();
        output.send(vec![Line::Status("one".into()), Line::Status("two".into())]);
        output.send(vec![Line::Out("bug\n".into()), Line::Err("note\n".into())]);
        assert_eq!(output.finish(), 0);
        let written = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written, "one\r\x1b[Ktwo\r\x1b[Kbug\nnote\n");
    }

    #[test]
    fn a_closed_stdout_does_not_silence_stderr() {
        let screen = Screen::default();
        let mut output = Output::start(Closed, screen.clone()).unwrap();
        output.send(vec![
            Line::Out("a\n".into()),
            Line::Out("b\n".into()),
            Line::Err("c\n".into()),
        ]);
        output.finish();
        assert_eq!(screen.0.lock().unwrap().as_slice(), b"c\n");
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nobody_up() {
        let (reader, stuck) = mpsc::channel();
        let mut output = Output::start(Stuck(stuck), Screen::default()).unwrap();
        for _ in 0..OUTPUT_QUEUE_MAX * 2 {
            output.send(vec![Line::Out("x\n".into()), Line::Status("s".into())]);
        }
        drop(reader);
        assert!(output.finish() > 0);
    }
}
