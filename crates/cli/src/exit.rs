//! Exit codes: a contract with scripts.

use std::process::ExitCode;

use fuzzd_coordinator::signals::StopSignal;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; no new bug.
    Fine,
    /// New bugs were found, or a replayed input failed.
    Failing,
    /// The command line makes no sense: also an unknown fuzz test, or none at all.
    Usage,
    /// The compiler or cargo refused.
    BuildFailed,
    /// Workers would not start, the disk is full, the state is locked or newer than this program.
    Infrastructure,
    /// The second signal ended a session at once.
    Signal(StopSignal),
}

impl Exit {
    /// The number the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failing => 1,
            Self::Usage => 2,
            Self::BuildFailed => 3,
            Self::Infrastructure => 4,
            Self::Signal(signal) => signal.exit_code(),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_shown_the_way_shells_do() {
        assert_eq!(Exit::Signal(StopSignal::Interrupt).code(), 130);
        assert_eq!(Exit::Signal(StopSignal::Terminate).code(), 143);
    }
}
