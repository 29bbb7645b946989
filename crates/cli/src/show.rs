//! Asks a fuzz test how it prints an input: its own `Debug` forms, made in a process of their own.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::limits::{SHOW_TIME, SHOWN_OUTPUT_BYTES_MAX};
use crate::planned::Planned;

/// Set to the path of an input: the test executable prints it on stderr and runs nothing.
const SHOW_ENV: &str = "FUZZD_SHOW";

/// The readable form of the input in `file`; `None` if the target does not give one in time.
pub(crate) async fn readable(target: &Planned, file: &Path) -> Option<String> {
    let mut command = Command::new(&target.program);
    command.args(&target.arguments).current_dir(&target.directory);
    command.envs(target.environment.iter().map(|(name, value)| (name, value)));
    command.env_remove(fuzzd_protocol::WORKER_ENV).env(SHOW_ENV, file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // Dropping the child ends it, also after the time is over.
    let mut child = command.process_group(0).kill_on_drop(true).spawn().ok()?;
    let limit = u64::try_from(SHOWN_OUTPUT_BYTES_MAX).unwrap_or(u64::MAX);
    let mut stderr = child.stderr.take()?.take(limit);
    let told = timeout(SHOW_TIME, async {
        let mut bytes = Vec::new();
        stderr.read_to_end(&mut bytes).await.ok()?;
        // Who writes more than the limit is not waited for.
        drop(stderr);
        let status = child.wait().await.ok()?;
        status.success().then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned())
    });
    told.await.ok().flatten().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn target(script: &str) -> Planned {
        Planned {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            ..samples::plan().targets.remove(0)
        }
    }

    async fn shown(script: &str) -> Option<String> {
        readable(&target(script), Path::new("/input")).await
    }

    #[tokio::test]
    async fn the_target_says_it_on_stderr() {
        assert_eq!(shown("echo x; echo $FUZZD_SHOW >&2").await.as_deref(), Some("/input"));
    }

    #[tokio::test]
    async fn a_target_that_fails_hangs_or_floods_says_nothing() {
        assert_eq!(shown("echo no >&2; exit 1").await, None);
        assert_eq!(shown("exec sleep 100").await, None);
        assert_eq!(shown("exec yes >&2").await, None);
    }
}
