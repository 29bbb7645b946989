//! Who holds a state directory, as others read it. Owns its words; the lock itself is in `lock`.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::limits::LOCK_FILE_BYTES_MAX;

/// Who holds a state directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id; 0 if it has not written its name yet.
    pub pid: u32,
    /// Its command line, cut.
    pub command: String,
    /// When it took the lock, in seconds since 1970.
    pub started: u64,
}

impl Holder {
    pub(super) fn of_this_process() -> Self {
        let words: Vec<String> =
            std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let mut command = words.join(" ");
        // JSON may escape one byte as six.
        let bytes_max = usize::try_from(LOCK_FILE_BYTES_MAX / 8).unwrap_or(usize::MAX);
        command.truncate(command.floor_char_boundary(bytes_max));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { pid: std::process::id(), command, started: now.as_secs() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return formatter.write_str("another fuzzd that is just starting");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let age = now.saturating_sub(self.started);
        write!(formatter, "process {} (`{}`), started ", self.pid, self.command.escape_debug())?;
        match age {
            0..120 => write!(formatter, "{age} s ago"),
            120..7_200 => write!(formatter, "{} min ago", age / 60),
            _ => write!(formatter, "{} h ago", age / 3_600),
        }
    }
}
