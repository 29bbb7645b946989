//! Every bound of the command line, with its unit and its reason.

use std::time::Duration;

/// Longest input, in bytes, unless `--max-len` says otherwise.
pub(crate) const INPUT_BYTES_DEFAULT: usize = 1 << 20;

/// Largest executable that is searched for fuzz tests, in bytes: it is read into memory.
pub(crate) const EXECUTABLE_BYTES_MAX: u64 = 4 << 30;

/// Longest description of one fuzz test inside an executable, in bytes.
pub(crate) const MARKER_BYTES_MAX: usize = 4 * 1024;

/// Largest file that `replay` reads, in bytes.
pub(crate) const REPLAY_FILE_BYTES_MAX: u64 = 1 << 30;

/// Notices of the coordinator that wait to be rendered.
pub(crate) const NOTICES_MAX: usize = 1_024;

/// What a minimization of corpora tells, waiting to be printed; it waits when that is full.
pub(crate) const CMIN_NEWS_MAX: usize = 64;

/// Stop requests on their way to the coordinator: a graceful one and an immediate one.
pub(crate) const STOPS_MAX: usize = 2;

/// Lines and blocks that wait for a slow terminal or pipe; further ones are dropped and counted.
pub(crate) const OUTPUT_QUEUE_MAX: usize = 4_096;

/// Queue length from which on status lines are dropped, so that bugs still find room.
pub(crate) const OUTPUT_QUEUE_STATUS_MAX: usize = 64;

/// How long the end of the program waits for somebody to read what was written.
pub(crate) const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// Time between two status lines where they cannot be rewritten in place.
pub(crate) const STATUS_LINE_INTERVAL: Duration = Duration::from_secs(3);

/// Bytes of an input that are shown; the rest is in its file.
pub(crate) const SHOWN_INPUT_BYTES_MAX: usize = 256;

/// Characters of one message that are shown.
pub(crate) const SHOWN_MESSAGE_CHARS_MAX: usize = 1_000;

/// Frames of a backtrace that are shown.
pub(crate) const SHOWN_FRAMES_MAX: usize = 12;

/// Characters of the symbol of one frame that are shown.
pub(crate) const SHOWN_SYMBOL_CHARS_MAX: usize = 100;

/// Lines of other details that are shown.
pub(crate) const SHOWN_DETAILS_LINES_MAX: usize = 24;

/// Bytes of the output of a command that is shown when the command failed.
pub(crate) const SHOWN_OUTPUT_BYTES_MAX: usize = 4 * 1024;

/// How long a target may take to print one input in a readable form.
pub(crate) const SHOW_TIME: Duration = Duration::from_secs(2);

/// Inputs that targets print at the same time; further bugs are shown with their bytes only.
pub(crate) const SHOWS_MAX: usize = 4;

/// Results of `replay` that wait to be rendered.
pub(crate) const REPLAY_RESULTS_MAX: usize = 64;

/// Names offered in the place of one that does not exist.
pub(crate) const SUGGESTIONS_MAX: usize = 3;

/// Names of fuzz tests that are listed where the one that was asked for is not among them.
pub(crate) const NAMES_SHOWN_MAX: usize = 20;

/// How long a build that nobody used is kept.
pub(crate) const BUILD_UNUSED_MAX: Duration = Duration::from_hours(30 * 24);
