//! The descriptions of fuzz tests that lie in an executable as text.
//!
//! `#[fuzzd::test]` puts one into the executable for each fuzz test: nothing has to be run to know
//! what there is. The form is, without the spaces,
//! `\x01fuzzd-test\x02 1 \x1f module path \x1f function \x1f types \x1f file \x1f line \x04`.

use memchr::memmem;

use crate::limits::MARKER_BYTES_MAX;

/// The form this program understands.
const VERSION: &str = "1";

/// One fuzz test, as its macro saw it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Marker {
    /// With the name of the crate: `my_crate::tests`.
    pub(crate) module_path: String,
    pub(crate) function: String,
    /// Go names of the parameter types.
    pub(crate) types: Vec<String>,
    pub(crate) file: String,
    pub(crate) line: u32,
}

impl Marker {
    /// The name libtest knows it by: the module path without the crate, then the function.
    pub(crate) fn test_path(&self) -> String {
        match self.module_path.split_once("::") {
            Some((_, modules)) => format!("{modules}::{}", self.function),
            None => self.function.clone(),
        }
    }

    /// The name of the crate it was compiled in.
    pub(crate) fn crate_name(&self) -> &str {
        self.module_path.split("::").next().unwrap_or_default()
    }
}

/// All fuzz tests described in `executable`, each once, in the order of their places.
pub(crate) fn scan(executable: &[u8]) -> Vec<Marker> {
    // Put together here, so that this very program does not contain it.
    let prefix = [&[1_u8][..], b"fuzzd", b"-test", &[2]].concat();
    let mut markers: Vec<Marker> = memmem::find_iter(executable, &prefix)
        .filter_map(|start| {
            let rest = &executable[start + prefix.len()..];
            let rest = &rest[..rest.len().min(MARKER_BYTES_MAX)];
            let end = rest.iter().position(|byte| *byte == 4)?;
            parse(std::str::from_utf8(&rest[..end]).ok()?)
        })
        .collect();
    markers.sort_by(|one, other| {
        (&one.file, one.line, &one.function).cmp(&(&other.file, other.line, &other.function))
    });
    markers.dedup();
    markers
}

/// The text between prefix and end.
fn parse(text: &str) -> Option<Marker> {
    let fields: Vec<&str> = text.split('\u{1f}').collect();
    let [VERSION, module_path, function, types, file, line] = fields[..] else {
        return None;
    };
    let is_path = |text: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '#'))
    };
    if !is_path(module_path) || !is_path(function) {
        return None;
    }
    Some(Marker {
        module_path: module_path.to_owned(),
        function: function.to_owned(),
        types: types.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        file: file.to_owned(),
        line: line.parse().ok()?,
    })
}

#[cfg(test)]
pub(crate) fn text(module_path: &str, function: &str, types: &str, line: u32) -> Vec<u8> {
    let fields = format!("1\u{1f}{module_path}\u{1f}{function}\u{1f}{types}\u{1f}a.rs\u{1f}{line}");
    [&[1][..], b"fuzzd", b"-test", &[2], fields.as_bytes(), &[4]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_tests_are_found_among_other_bytes() {
        let mut executable = vec![0xff; 100];
        executable.extend(text("app::tests", "second", "string,uint32", 9));
        executable.extend([1; 3]);
        executable.extend(text("app::tests", "first", "[]byte", 3));
        executable.extend(text("app::tests", "first", "[]byte", 3));
        let found = scan(&executable);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].test_path(), "tests::first");
        assert_eq!((found[0].crate_name(), found[0].line), ("app", 3));
        assert_eq!(found[1].types, ["string", "uint32"]);
    }

    #[test]
    fn a_test_at_the_root_of_its_crate_has_a_short_path() {
        let found = scan(&text("fuzz", "parse", "[]byte", 1));
        assert_eq!(found[0].test_path(), "parse");
    }

    #[test]
    fn broken_descriptions_are_passed_over() {
        let whole = text("app", "first", "[]byte", 3);
        for end in 0..whole.len() {
            assert_eq!(scan(&whole[..end]), [], "{end}");
        }
        assert_eq!(scan(&text("app", "evil name\u{1b}[0m", "[]byte", 3)), []);
        assert_eq!(scan(&text("app", "x", &"y".repeat(MARKER_BYTES_MAX), 3)), []);
        let other_version: Vec<u8> =
            String::from_utf8(whole).unwrap().replace("\u{2}1\u{1f}", "\u{2}2\u{1f}").into_bytes();
        assert_eq!(scan(&other_version), []);
    }
}
