//! Spawning, from one thread that lives as long as the coordinator.
//!
//! The kernel sends the parent-death signal when the *thread* that spawned a child ends, so a pool
//! of threads would kill workers at random. This is the one file of the crate with unsafe code.
//!
//! What a child gets: descriptors 3, 4 and 5, for a worker of a run 6 and 7 too, a null standard
//! input, pipes as standard output and error, a process group of its own, SIGKILL when the
//! coordinator dies, and no core dumps. Everything else the coordinator has open is closed on exec.

#![expect(unsafe_code, reason = "a hook between fork and exec, and a descriptors by number")]

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};

use command_fds::{CommandFdExt, FdMapping};
use fuzzd_protocol::{ARENA_FD, FUZZ_IN_FD, FUZZ_OUT_FD, MAP_FD, MEMORY_FD};
use rustix::io::{Errno, FdFlags};
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};

use crate::build_id::Build;
use crate::limits::SPAWN_QUEUE;
use crate::options::TargetSpec;
use crate::process::child::Child;
use crate::shared::SharedFds;

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpawnError {
    /// The system refused.
    #[error("start {program}: {source}", program = .program.display())]
    Start {
        /// The executable.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its coverage would be taken for that of the build the session began with.
    #[error("{path} was replaced since the session began; stop and run again", path = .0.display())]
    Replaced(PathBuf),
    /// No pipe or descriptor could be made.
    #[error("prepare the pipes of a worker: {0}")]
    Pipes(io::Error),
    /// The kernel has no pidfd.
    #[error("watch a worker by pidfd: {0} (Linux 5.4 or newer is needed)")]
    Pidfd(io::Error),
    /// The spawner thread could not be started, or has ended.
    #[error("the thread that starts workers is gone")]
    NoSpawner,
}

/// What to start.
#[derive(Debug)]
pub(crate) struct SpawnRequest {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: PathBuf,
    memory: OwnedFd,
    shared: Option<SharedFds>,
    build: Option<Arc<Build>>,
}

impl SpawnRequest {
    /// A worker of `target` that gets `memory` as its descriptor 5.
    pub(crate) fn worker(target: &TargetSpec, memory: OwnedFd) -> Self {
        let mut env = target.env.clone();
        env.push((fuzzd_protocol::WORKER_ENV.into(), "1".into()));
        Self {
            program: target.program.clone(),
            args: target.args.clone(),
            env,
            cwd: target.cwd.clone(),
            memory,
            shared: None,
            build: None,
        }
    }

    /// The same, but only if the executable is still this one.
    pub(crate) fn of_build(self, build: Option<Arc<Build>>) -> Self {
        Self { build, ..self }
    }

    /// The same, with the memories all workers of its fuzz test share as descriptors 6 and 7.
    pub(crate) fn with_shared(self, shared: Option<SharedFds>) -> Self {
        Self { shared, ..self }
    }
}

/// A process that was started, with our ends of its pipes.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) child: Child,
    pub(crate) fuzz_in: OwnedFd,
    pub(crate) fuzz_out: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

type Answer = oneshot::Sender<Result<Spawned, SpawnError>>;

/// What the spawner thread is asked for.
enum Job {
    Worker(Box<SpawnRequest>, Answer),
    /// Any other program; who asks waits in a thread of its own.
    Program(Box<Command>, SyncSender<io::Result<process::Child>>),
}

/// Starts a program that is no worker: it ends with the coordinator, too. Waits for the spawner, so
/// it must not be called in the runtime.
pub(crate) fn spawn_program(command: Command) -> io::Result<process::Child> {
    let gone = || io::Error::other(SpawnError::NoSpawner);
    let spawner = Spawner::of_process().map_err(io::Error::other)?;
    let (answer, answered) = sync_channel(1);
    let job = Job::Program(Box::new(command), answer);
    spawner.requests.blocking_send(job).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}

/// The way to the spawner thread. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Spawner {
    requests: mpsc::Sender<Job>,
}

impl Spawner {
    /// The spawner of this process. Its thread is started by the first caller and never ends.
    pub(crate) fn of_process() -> Result<Self, SpawnError> {
        static SPAWNER: OnceLock<Option<Spawner>> = OnceLock::new();
        SPAWNER.get_or_init(Self::start).clone().ok_or(SpawnError::NoSpawner)
    }

    /// Starts a process. If the caller goes away before the answer, the process is killed.
    pub(crate) async fn spawn(&self, request: SpawnRequest) -> Result<Spawned, SpawnError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Worker(Box::new(request), answer);
        self.requests.send(job).await.map_err(|_| SpawnError::NoSpawner)?;
        answered.await.map_err(|_| SpawnError::NoSpawner)?
    }

    fn start() -> Option<Self> {
        let (requests, queue) = mpsc::channel(SPAWN_QUEUE);
        let thread = std::thread::Builder::new().name("fuzzd-spawner".into());
        thread.spawn(move || serve(queue)).ok()?;
        Some(Self { requests })
    }
}

fn serve(mut queue: mpsc::Receiver<Job>) {
    let _reserved = reserve_low_descriptors();
    let birth = Arc::new(Birth { inherited: inherited_descriptors(), files: raise_file_limit() });
    while let Some(job) = queue.blocking_recv() {
        match job {
            // Nobody waits any more: dropping the process kills it.
            Job::Worker(request, answer) => drop(answer.send(spawn(*request, birth.clone()))),
            Job::Program(mut command, answer) => {
                prepare_child(&mut command, birth.clone(), MEMORY_FD);
                // Whoever asked waits for the answer.
                drop(answer.send(command.spawn()));
            }
        }
    }
}

/// What the coordinator was born with, as far as it matters to its children.
#[derive(Debug)]
struct Birth {
    /// See [`inherited_descriptors`].
    inherited: Vec<RawFd>,
    /// The limit of open files, if it was raised: a target may count on the one it knows.
    files: Option<Rlimit>,
}

/// Lets the coordinator open as many files as it may: each worker takes some eight of them, and the
/// usual limit is there for programs of another kind. Returns the limit before.
fn raise_file_limit() -> Option<Rlimit> {
    let before = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    rustix::process::setrlimit(Resource::Nofile, raised).ok()?;
    Some(before)
}

/// Descriptors the coordinator itself was started with, beyond the standard ones: a build system's
/// pipes, a service manager's sockets. Ours are all closed on exec from the start.
fn inherited_descriptors() -> Vec<RawFd> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|&number| number > MEMORY_FD).collect()
}

/// Keeps the numbers 3 to 7 taken in the coordinator. Otherwise a pipe of `Command` itself could
/// get one of them, and would be replaced by the child's descriptor of that number.
fn reserve_low_descriptors() -> Vec<File> {
    let mut reserved = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        if file.as_raw_fd() > ARENA_FD {
            break;
        }
        reserved.push(file);
    }
    reserved
}

fn spawn(request: SpawnRequest, birth: Arc<Birth>) -> Result<Spawned, SpawnError> {
    if request.build.is_some_and(|build| build.was_replaced(&request.program)) {
        return Err(SpawnError::Replaced(request.program));
    }
    let (call_reader, fuzz_in) = io::pipe().map_err(SpawnError::Pipes)?;
    let (fuzz_out, reply_writer) = io::pipe().map_err(SpawnError::Pipes)?;
    let (stdout, stdout_writer) = io::pipe().map_err(SpawnError::Pipes)?;
    let (stderr, stderr_writer) = io::pipe().map_err(SpawnError::Pipes)?;
    let mut command = Command::new(&request.program);
    command
        .args(&request.args)
        .envs(request.env)
        .current_dir(&request.cwd)
        .stdin(Stdio::null())
        .stdout(stdout_writer)
        .stderr(stderr_writer)
        .process_group(0);
    let mapping = |parent_fd, child_fd| FdMapping { parent_fd, child_fd };
    let mut mappings = vec![
        mapping(call_reader.into(), FUZZ_IN_FD),
        mapping(reply_writer.into(), FUZZ_OUT_FD),
        mapping(request.memory, MEMORY_FD),
    ];
    if let Some(SharedFds { map, arena }) = request.shared {
        mappings.extend([mapping(map, MAP_FD), mapping(arena, ARENA_FD)]);
    }
    let last = mappings.iter().map(|mapping| mapping.child_fd).fold(MEMORY_FD, RawFd::max);
    command.fd_mappings(mappings).expect("the numbers differ");
    prepare_child(&mut command, birth, last);
    let child = start(&mut command, request.program)?;
    // The child's ends of the pipes are closed with `command`.
    let (fuzz_in, fuzz_out) = (fuzz_in.into(), fuzz_out.into());
    Ok(Spawned { child, fuzz_in, fuzz_out, stdout: stdout.into(), stderr: stderr.into() })
}

fn start(command: &mut Command, program: PathBuf) -> Result<Child, SpawnError> {
    let mut child = command.spawn().map_err(|source| SpawnError::Start { program, source })?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.expect("the kernel's process ids are positive and fit an i32");
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        // `std::process::Child` neither kills nor reaps when it is dropped.
        Ok(pidfd) => Ok(Child::new(pid, pidfd)),
        Err(error) => {
            drop(child.kill().and_then(|()| child.wait()));
            Err(SpawnError::Pidfd(error.into()))
        }
    }
}

/// Makes the end of `child` something to wait for. Must be called in a runtime.
pub(crate) fn watch_end(child: Child) -> io::Result<AsyncFd<Child>> {
    // SAFETY: the descriptor must be the same and stay open as long as the registration lives. It
    // is the pidfd that `child` owns; `Child` never replaces or closes it before it is dropped,
    // and `AsyncFd` owns `child` and deregisters first.
    let watched = unsafe { AsyncFd::register_with_interest(child, Interest::READABLE) };
    Ok(watched?)
}

/// Loads the child at the same addresses as every other process of its program: numbers that it
/// derives from addresses and compares are the same then, so that a run with a seed repeats. Where
/// that is not permitted (in some containers) they vary.
fn keep_addresses() {
    /// Asks for the persona instead of setting it.
    const ASK: libc::c_ulong = 0xffff_ffff;
    // SAFETY: the call takes a number, touches no memory, and is one system call.
    let persona = unsafe { libc::personality(ASK) };
    if let Ok(persona) = libc::c_ulong::try_from(persona) {
        let fixed = persona | libc::ADDR_NO_RANDOMIZE.cast_unsigned() as libc::c_ulong;
        // SAFETY: as above.
        unsafe { libc::personality(fixed) };
    }
}

/// SIGKILL for the child when this thread ends, which it does with the process only; no core dumps;
/// the limit of open files it would have had; fixed addresses; and nothing open behind the `last`
/// descriptor that is for it.
fn prepare_child(command: &mut Command, birth: Arc<Birth>, last: RawFd) {
    let parent = rustix::process::getpid();
    let hook = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // If the parent died before that line, no signal will come.
        if rustix::process::getppid() != Some(parent) {
            return Err(Errno::SRCH.into());
        }
        keep_addresses();
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        rustix::process::setrlimit(Resource::Core, none)?;
        if let Some(files) = birth.files {
            rustix::process::setrlimit(Resource::Nofile, files)?;
        }
        for &number in birth.inherited.iter().filter(|&&number| number > last) {
            // SAFETY: the number is only handed to `fcntl` in the forked child, which answers EBADF
            // if it is not open; nothing is read, written or closed through it.
            let fd = unsafe { BorrowedFd::borrow_raw(number) };
            match rustix::io::fcntl_setfd(fd, FdFlags::CLOEXEC) {
                Ok(()) | Err(Errno::BADF) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    };
    // SAFETY: the hook runs in the forked child, where only async-signal-safe work is allowed. It
    // makes system calls, allocates and frees nothing and takes no lock; what it captured is a
    // number and `Birth`, shared and not dropped before exec.
    unsafe { command.pre_exec(hook) };
}
