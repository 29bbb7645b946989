//! How long a test waits, and for what.

use std::time::Duration;

/// For an event that must come. Generous: on a loaded machine everything takes its time.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// For a program to be built, from nothing.
pub const BUILD_DEADLINE: Duration = Duration::from_secs(1_200);

/// From the first signal to the end of a session (a promise).
pub const STOP_MAX: Duration = Duration::from_secs(3);

/// From the second signal to the end of a session: it does not wait for any worker.
pub const KILL_MAX: Duration = Duration::from_millis(1_500);

/// From the death of the coordinator to the death of its direct children (a promise).
pub const ORPHAN_MAX: Duration = Duration::from_secs(1);
