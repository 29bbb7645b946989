//! Being a worker process.
//!
//! Owns what is done once per process: signals, the panic hook, the inherited descriptors, and the
//! exit status.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, INTERNAL_ERROR_EXIT, MEMORY_FD, WORKER_ENV};
use fuzzd_shm::{ReadOnlyMemory, SharedMemory, ShmError, take_inherited_fd};

use crate::comm::Pipes;
use crate::counters::Counters;
use crate::failure;
#[cfg(target_os = "linux")]
use crate::hooks;
use crate::memory::NoControl;
use crate::server::{ServeError, Server};
use crate::signal::{self, INTERRUPTED};
use crate::target::Target;

/// Whether this process was started as a worker. Then it must call [`serve`] or
/// [`serve_and_exit`] for its fuzz test, and do nothing else.
#[must_use]
pub fn is_worker() -> bool {
    std::env::var_os(WORKER_ENV).is_some_and(|value| value == "1")
}

/// Serves calls for `target`, until `fuzz_in` closes, nobody reads `fuzz_out`, SIGINT arrives (all
/// of them success), or an error that is neither the target's nor the coordinator's wish
/// ([`INTERNAL_ERROR_EXIT`], with a sentence on stderr).
///
/// To be called once per process: it takes the inherited descriptors, and sets SIGINT, SIGPIPE and
/// the panic hook.
#[inline(never)]
pub fn serve(target: &dyn Target) -> ExitCode {
    ExitCode::from(u8::try_from(status(target)).unwrap_or(u8::MAX))
}

/// [`serve`], then the end of the process with its status. For a test function: libtest would turn
/// every status into its own.
#[inline(never)]
pub fn serve_and_exit(target: &dyn Target) -> ! {
    std::process::exit(status(target))
}

fn status(target: &dyn Target) -> i32 {
    signal::install();
    #[cfg(target_os = "linux")]
    hooks::random::fix();
    failure::install_hook();
    let ended = panic::catch_unwind(AssertUnwindSafe(|| run(target)));
    signal::uninstall();
    match ended {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            failure::print(&format!("fuzzd worker: {error}\n"));
            INTERNAL_ERROR_EXIT
        }
        // The hook has printed it.
        Err(_) => INTERNAL_ERROR_EXIT,
    }
}

fn run(target: &dyn Target) -> Result<(), ServeError> {
    let mut pipes = inherited_pipes()?;
    let memory = SharedMemory::adopt(take_inherited_fd(MEMORY_FD)?)?;
    let no_control = NoControl::default();
    let shared = |fd| ReadOnlyMemory::adopt(take_inherited_fd(fd)?);
    let counters = Counters::registered();
    let region = memory.region();
    let mut server = Server::new(target, region, &no_control, counters, &INTERRUPTED, &shared)?;
    server.serve(&mut pipes)
}

#[cfg(target_os = "linux")]
fn inherited_pipes() -> Result<Pipes<'static>, ShmError> {
    let fuzz_in = std::fs::File::from(take_inherited_fd(FUZZ_IN_FD)?);
    let fuzz_out = std::fs::File::from(take_inherited_fd(FUZZ_OUT_FD)?);
    Ok(Pipes::new(fuzz_in, fuzz_out, &INTERRUPTED))
}

/// Elsewhere no descriptor can be inherited by number.
#[cfg(not(target_os = "linux"))]
fn inherited_pipes() -> Result<Pipes<'static>, ShmError> {
    let nobody = std::io::empty();
    take_inherited_fd(FUZZ_IN_FD)?;
    take_inherited_fd(FUZZ_OUT_FD)?;
    Ok(Pipes::new(nobody, nobody, &INTERRUPTED))
}
