//! A named pipe on which a fuzz test of the zoo says that it is about to misbehave.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat, open};
use rustix::process::Pid;

use crate::limits::DEADLINE;

/// The reading end. It also holds a writing end, so that it never sees the end of the pipe.
#[derive(Debug)]
pub struct Fifo {
    path: PathBuf,
    pipe: File,
    read: Vec<u8>,
}

impl Fifo {
    /// Makes the pipe `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).expect("a named pipe can be made");
        let pipe = open(path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
            .expect("a named pipe opens");
        Self { path: path.to_owned(), pipe: File::from(pipe), read: Vec::new() }
    }

    /// For the environment variable `ZOO_FIFO`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next word: the fuzz test, and the process that runs it.
    pub fn wait(&mut self) -> (String, Pid) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                let mut words = line.split_whitespace();
                let name = words.next().expect("a name").to_owned();
                let pid = words.next().and_then(|word| word.parse().ok()).expect("a process id");
                return (name, Pid::from_raw(pid).expect("a process id is not 0"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).expect("a deadline is not far away");
            let mut fds = [PollFd::new(&self.pipe, PollFlags::IN)];
            let ready = poll(&mut fds, Some(&timeout)).expect("a pipe can be waited for");
            assert!(ready > 0, "no fuzz test has said anything");
            let mut block = [0; 4096];
            let count = self.pipe.read(&mut block).expect("a pipe can be read");
            self.read.extend_from_slice(&block[..count]);
        }
    }
}
