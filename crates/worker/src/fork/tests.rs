use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::*;

/// One after the other: the children of one test would hold the descriptors of another.
pub(crate) static ALONE: Mutex<()> = Mutex::new(());

const NO_LIMITS: ChildLimits = ChildLimits { timeout: None, memory: 0 };

fn run(limits: ChildLimits, mut child: impl FnMut() -> u32) -> Result<Ended, ForkError> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Forker::new(limits).unwrap().run(&mut child, &|| false)
}

/// Past the capture of the test harness.
fn say(text: &[u8]) {
    // SAFETY: the number is that of standard error; it is not closed.
    let mut stderr = std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(2) });
    stderr.write_all(text).unwrap();
}

#[test]
fn a_child_that_lives_answers() {
    let ended = run(NO_LIMITS, || 7).unwrap();
    assert!(matches!(ended, Ended::Answered(7)), "{ended:?}");
}

#[test]
fn an_exit_is_no_answer_whatever_its_status() {
    let ended = run(NO_LIMITS, || std::process::exit(0)).unwrap();
    assert!(matches!(ended, Ended::Died { status: ExitStatus::Exited(0), .. }), "{ended:?}");
}

#[test]
fn a_flood_on_stderr_is_read_and_its_end_is_kept() {
    let ended = run(NO_LIMITS, || {
        for _ in 0..100 {
            say(&[b'x'; 10_000]);
        }
        say(b"the end");
        std::process::abort()
    });
    let Ended::Died { status, cause, stderr } = ended.unwrap() else { panic!("it died") };
    assert_eq!((status, cause), (ExitStatus::Signaled(libc::SIGABRT), Cause::Itself));
    assert_eq!(stderr.len(), STDERR_TAIL_BYTES);
    assert!(stderr.ends_with("xthe end"));
}

#[test]
fn a_child_without_end_is_killed_for_its_time() {
    let timeout = Duration::from_millis(50);
    let limits = ChildLimits { timeout: Some(timeout), memory: 0 };
    let ended = run(limits, || {
        loop {
            std::thread::park();
        }
    });
    let Ended::Died { status, cause, .. } = ended.unwrap() else { panic!("it died") };
    assert_eq!(status, ExitStatus::Signaled(libc::SIGKILL));
    assert_eq!(cause, Cause::Hung { timeout, is_running: true });
}

#[test]
fn a_child_that_eats_memory_is_killed_for_it() {
    let limits = ChildLimits { timeout: None, memory: 64 << 20 };
    let ended = run(limits, || {
        let mut eaten = Vec::new();
        while eaten.len() < 64 {
            eaten.push(std::hint::black_box(vec![1_u8; 4 << 20]));
        }
        loop {
            std::thread::park();
        }
    });
    let Ended::Died { cause: Cause::Memory { seen, .. }, .. } = ended.unwrap() else {
        panic!("it was killed for its memory")
    };
    assert!(seen > 64 << 20);
}

#[test]
fn a_stop_ends_a_child_at_once() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut child = || {
        loop {
            std::thread::park();
        }
    };
    let ended = Forker::new(NO_LIMITS).unwrap().run(&mut child, &|| true).unwrap();
    assert!(matches!(ended, Ended::Stopped), "{ended:?}");
}

#[test]
fn a_child_that_leaves_a_process_behind_is_noticed() {
    let ended = run(NO_LIMITS, || {
        // SAFETY: the grandchild only sleeps and leaves.
        if unsafe { libc::fork() } == 0 {
            // SAFETY: both are allowed after a fork. It ends long before the tests are given up.
            unsafe {
                libc::sleep(1);
                libc::_exit(0);
            }
        }
        std::process::exit(5)
    });
    assert!(matches!(ended, Err(ForkError::LeftBehind)), "{ended:?}");
}
