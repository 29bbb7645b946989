//! The promises of fuzzd, one file each, checked with the real binary and real workers.
//!
//! All run in one program, so that they share the build of the zoo and wait side by side. Run one
//! promise with `cargo test -p fuzzd-integration --test promises resume::`.

/// For each fuzz test of the zoo that misbehaves in some way, a test that calls the module's
/// `check` with its name, the kind of its bug, and further arguments of the run.
macro_rules! deaths {
    ($($test:ident: $kind:literal $(, $argument:literal)*;)*) => {$(
        #[test]
        fn $test() {
            check(stringify!($test), $kind, &[$($argument),*]);
        }
    )*};
}

mod bugs_command;
mod cargo_test_replay;
mod cli_errors;
mod cmin;
mod conformance;
mod coverage_guides;
mod disk_full;
mod exec_budget;
mod external_kill;
mod finds_crash;
mod interrupt_minimization;
mod keep_going;
mod minimized_deaths;
mod mixed_workspace;
mod other_languages;
mod own_worker;
mod protocol_abuse;
mod replay_command;
mod resume;
mod state_errors;
mod stdout_is_clean;
mod stop;
mod time_budget;
mod two_coordinators;
