//! Numbers as people read them.

use std::path::Path;
use std::time::Duration;

/// A path below `here` without it; any other path as it is.
pub(crate) fn short_path<'a>(path: &'a Path, here: &Path) -> &'a Path {
    path.strip_prefix(here).ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path)
}

/// A place in a source file: in a registry from the crate on, in the standard library from its
/// crate on, relative to `here` or to the package.
pub(crate) fn short_place(place: &str, here: &Path) -> String {
    let behind = |mark: &str, levels: usize| {
        let (_, rest) = place.split_once(mark)?;
        rest.splitn(levels + 1, '/').nth(levels)
    };
    behind("/registry/src/", 1)
        .or_else(|| behind("/git/checkouts/", 0))
        .or_else(|| behind("/rustc/", 2))
        .or_else(|| place.strip_prefix("./"))
        .map_or_else(|| short_path(Path::new(place), here).display().to_string(), str::to_owned)
}

/// Whole seconds in Go's form: `9s`, `23m9s`, `1h0m5s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// A rate without its fraction, `0` for nonsense.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second.is_finite() && per_second > 0.0 { format!("{per_second:.0}") } else { "0".into() }
}

/// `count` with its noun: `1 bug`, `2 bugs`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Whole milliseconds, as much as fits.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_gos_form() {
        for (seconds, shown) in [(0, "0s"), (59, "59s"), (1389, "23m9s"), (3605, "1h0m5s")] {
            assert_eq!(duration(Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn places_are_as_short_as_they_can_be() {
        let here = Path::new("/home/me/w");
        for (place, shown) in [
            (
                "/c/registry/src/index.crates.io-1949/semver-0.11.0/src/a.rs:3:1",
                "semver-0.11.0/src/a.rs:3:1",
            ),
            ("/rustc/59807616/library/core/src/option.rs:1016:21", "core/src/option.rs:1016:21"),
            ("/c/git/checkouts/x-91/22ab/src/lib.rs:1", "x-91/22ab/src/lib.rs:1"),
            ("./src/lib.rs:8:52", "src/lib.rs:8:52"),
            ("/home/me/w/a/src/lib.rs:1:2", "a/src/lib.rs:1:2"),
            ("/elsewhere/lib.rs:1:2", "/elsewhere/lib.rs:1:2"),
            ("src/lib.rs:10:5", "src/lib.rs:10:5"),
            ("", ""),
        ] {
            assert_eq!(short_place(place, here), shown);
        }
        assert_eq!(short_path(here, here), here);
    }

    #[test]
    fn nonsense_rates_are_zero() {
        assert_eq!(
            (rate(f64::NAN), rate(-1.0), rate(1234.6)),
            ("0".into(), "0".into(), "1235".into())
        );
    }
}
