//! Flags as libFuzzer spells them: people know them by heart, so the refusal names the flag of
//! fuzzd that does the same.

use std::ffi::OsString;

/// What to write in the place of a libFuzzer flag; `{}` stands for its value.
const SPELLINGS: &[(&str, &str)] = &[
    ("max_total_time", "--time {}s"),
    ("runs", "--execs {}"),
    ("jobs", "-j {}"),
    ("workers", "-j {}"),
    ("fork", "-j {}"),
    ("timeout", "--timeout {}s"),
    ("rss_limit_mb", "--rss-limit {}"),
    ("max_len", "--max-len {}"),
    ("seed", "--seed {}"),
    ("dict", "--dict {}"),
    ("seed_inputs", "--seeds DIR"),
    ("ignore_crashes", "nothing for 1 (fuzzd goes on after a crash), --fail-fast for 0"),
    ("ignore_ooms", "nothing for 1 (fuzzd goes on after a crash), --fail-fast for 0"),
    ("ignore_timeouts", "nothing for 1 (fuzzd goes on after a crash), --fail-fast for 0"),
    ("help", "--help"),
];

/// Flags of libFuzzer that have no counterpart; knowing them makes a better sentence.
const WITHOUT_COUNTERPART: &[&str] = &[
    "artifact_prefix",
    "cleanse_crash",
    "close_fd_mask",
    "cross_over",
    "custom_mutator",
    "detect_leaks",
    "entropic",
    "error_exitcode",
    "exact_artifact_path",
    "focus_function",
    "keep_seed",
    "len_control",
    "malloc_limit_mb",
    "merge",
    "minimize_crash",
    "mutate_depth",
    "only_ascii",
    "print_final_stats",
    "print_funcs",
    "print_pcs",
    "reload",
    "set_cover_merge",
    "shrink",
    "stop_file",
    "timeout_exitcode",
    "use_counters",
    "use_value_profile",
    "verbosity",
];

/// A sentence about the first argument that is a libFuzzer flag, `None` if there is none.
pub(crate) fn hint(arguments: &[OsString]) -> Option<String> {
    arguments
        .iter()
        .skip(1)
        .map(|argument| argument.to_string_lossy())
        .find_map(|argument| hint_for(&argument))
}

fn hint_for(argument: &str) -> Option<String> {
    let flag = argument.strip_prefix('-').filter(|flag| !flag.starts_with('-'))?;
    let (name, value) = flag.split_once('=').map_or((flag, "N"), |(name, value)| (name, value));
    if let Some((_, spelling)) = SPELLINGS.iter().find(|(known, _)| *known == name) {
        let written = spelling.replace("{}", if value.is_empty() { "N" } else { value });
        return Some(format!("{argument} is a libFuzzer flag; here it is {written}"));
    }
    WITHOUT_COUNTERPART
        .contains(&name)
        .then(|| format!("{argument} is a libFuzzer flag that fuzzd has no counterpart for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(argument: &str) -> Option<String> {
        hint(&["fuzzd".into(), "run".into(), argument.into()])
    }

    #[test]
    fn known_spellings_are_translated() {
        let told = of("-max_total_time=60").unwrap();
        assert_eq!(told, "-max_total_time=60 is a libFuzzer flag; here it is --time 60s");
        assert!(of("-runs=1000").unwrap().ends_with("--execs 1000"));
        assert!(of("-jobs=4").unwrap().ends_with("-j 4"));
        assert!(of("-workers=4").unwrap().ends_with("-j 4"));
        assert!(of("-timeout=10").unwrap().ends_with("--timeout 10s"));
        assert!(of("-rss_limit_mb=512").unwrap().ends_with("--rss-limit 512"));
        assert!(of("-merge=1").unwrap().contains("no counterpart"));
    }

    #[test]
    fn our_own_flags_are_left_alone() {
        for argument in ["-j4", "-j", "-pdemo", "--timeout=1s", "--seed", "runs=1", "-h"] {
            assert_eq!(of(argument), None, "{argument}");
        }
    }
}
