//! Compiler flags of the user's that cannot work together with ours, each with its reason.

use super::BuildError;
use super::config::CargoConfig;

/// A flag that cannot stay.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The flag, in its short form.
    pub(crate) flag: String,
    /// Why it cannot work.
    pub(crate) reason: &'static str,
}

/// Refuses a configuration that would build something else than fuzz tests for this machine.
pub(crate) fn check(config: &CargoConfig, host: &str) -> Result<(), BuildError> {
    if let Some((origin, targets)) = config.build_targets()
        && let Some(target) = targets.iter().find(|target| target.as_str() != host)
    {
        let (target, host) = (target.clone(), host.to_owned());
        return Err(BuildError::OtherTarget { origin, target, host });
    }
    for set in config.rustflags(host) {
        let found = in_flags(&set.flags).or_else(|| panic_in_flags(&set.flags));
        if let Some(Conflict { flag, reason }) = found {
            return Err(BuildError::Conflict { origin: set.origin, flag, reason });
        }
    }
    Ok(())
}

/// The first flag that contradicts instrumentation. Profiles cannot set any of these, so the
/// wrapper looks at whole compiler command lines with it.
pub(crate) fn in_flags(flags: &[String]) -> Option<Conflict> {
    joined(flags).into_iter().find_map(|flag| {
        let reason = reason_against(&flag)?;
        Some(Conflict { flag, reason })
    })
}

/// `-Cpanic=abort` among flags that were set by hand. (A profile may say so: cargo leaves it out
/// of tests.)
fn panic_in_flags(flags: &[String]) -> Option<Conflict> {
    let flag = joined(flags)
        .into_iter()
        .find(|flag| matches!(flag.as_str(), "-Cpanic=abort" | "-Cpanic=immediate-abort"))?;
    Some(Conflict { flag, reason: "a worker goes on after a panic, so panics have to unwind" })
}

fn reason_against(flag: &str) -> Option<&'static str> {
    let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
    let is_off = matches!(value, "off" | "no" | "n" | "0" | "false");
    match name {
        "-Cinstrument-coverage" if !is_off => {
            Some("two kinds of coverage instrumentation do not fit into one executable")
        }
        "-Cpasses" => Some("the compiler takes one list of passes, and fuzzd sets it"),
        "-Cllvm-args" if value.contains("sanitizer-coverage") => {
            Some("fuzzd sets the sanitizer coverage itself")
        }
        "-Zsanitizer" | "-Csanitizer" => {
            Some("the runtime does not work together with sanitizers yet")
        }
        "-Zcodegen-backend" if value != "llvm" => Some("only LLVM can instrument"),
        "-Clinker-plugin-lto" if !is_off => {
            Some("the instrumentation happens before the linker, one unit at a time")
        }
        _ => None,
    }
}

/// The flags with `-C x`, `--codegen x` and `--codegen=x` in the form `-Cx`, and `_` as `-`.
fn joined(flags: &[String]) -> Vec<String> {
    let mut joined = Vec::new();
    let mut rest = flags.iter();
    while let Some(flag) = rest.next() {
        let (kind, body) = match flag.as_str() {
            "-C" | "--codegen" => ("-C", rest.next().map_or("", String::as_str)),
            "-Z" => ("-Z", rest.next().map_or("", String::as_str)),
            other => match other.strip_prefix("--codegen=").or(other.strip_prefix("-C")) {
                Some(body) => ("-C", body),
                None => match other.strip_prefix("-Z") {
                    Some(body) => ("-Z", body),
                    None => continue,
                },
            },
        };
        let (name, value) = body.split_once('=').map_or((body, None), |(n, v)| (n, Some(v)));
        let name = name.replace('_', "-");
        joined.push(match value {
            Some(value) => format!("{kind}{name}={value}"),
            None => format!("{kind}{name}"),
        });
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn contradicting_flags_are_found_in_every_spelling() {
        for (text, flag) in [
            ("-Cinstrument-coverage", "-Cinstrument-coverage"),
            ("-C instrument_coverage", "-Cinstrument-coverage"),
            ("--codegen=instrument-coverage=all", "-Cinstrument-coverage=all"),
            ("-O --codegen passes=x", "-Cpasses=x"),
            ("-Zsanitizer=address", "-Zsanitizer=address"),
            ("-Z sanitizer=address", "-Zsanitizer=address"),
            ("-Cllvm-args=-sanitizer-coverage-level=1", ""),
            ("-Clinker-plugin-lto", "-Clinker-plugin-lto"),
        ] {
            let found = in_flags(&flags(text)).expect(text);
            assert!(flag.is_empty() || found.flag == flag, "{text}: {}", found.flag);
        }
    }

    #[test]
    fn common_flags_are_respected() {
        for text in [
            "-Ctarget-cpu=native -Clink-arg=-fuse-ld=mold -Dwarnings",
            "-C instrument-coverage=off --cfg tokio_unstable",
            "-Cpanic=abort",
            "-Cllvm-args=-inline-threshold=3 -Ctarget-feature=+crt-static",
        ] {
            assert_eq!(in_flags(&flags(text)), None, "{text}");
        }
        assert!(panic_in_flags(&flags("-C panic=abort")).is_some());
    }
}
