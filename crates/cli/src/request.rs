//! What the words for targets mean: packages of Go, executables, names of fuzz tests.
//!
//! Owns the grammar that all commands share. Looks only at what there is of that path; what is in
//! an executable is `plan`'s matter.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::go::PackageRequest;

/// The targets of one command line, by their kind.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// Executables.
    pub(crate) programs: Vec<Program>,
    /// Packages of Go, to be built.
    pub(crate) packages: Vec<PackageRequest>,
    /// Names, ends of names and globs of fuzz tests of the Cargo workspace.
    pub(crate) names: Vec<String>,
}

impl Requests {
    /// Tells the kinds apart.
    pub(crate) fn of(requests: &[OsString]) -> Self {
        let mut sorted = Self::default();
        for request in requests {
            if let Some(package) = PackageRequest::of(request) {
                sorted.packages.push(package);
            } else if let Some(program) = as_program(request) {
                sorted.programs.push(program);
            } else {
                sorted.names.push(request.to_string_lossy().into_owned());
            }
        }
        sorted
    }

    /// Whether the Cargo workspace is meant, too: without any target, all of it is.
    pub(crate) fn has_workspace(&self) -> bool {
        !self.names.is_empty() || (self.programs.is_empty() && self.packages.is_empty())
    }
}

/// A path to an executable, and the name behind its last colon.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) request: OsString,
    pub(crate) path: PathBuf,
    pub(crate) name: Option<String>,
}

/// A request with a slash, or one that is a file, is a program.
fn as_program(request: &OsStr) -> Option<Program> {
    let bytes = request.as_bytes();
    let has_slash = bytes.contains(&b'/');
    let whole = Path::new(request);
    let program =
        |path: &Path, name| Program { request: request.to_owned(), path: path.to_owned(), name };
    if whole.is_file() {
        return Some(program(whole, None));
    }
    // A name has colons of its own (`tests::parse`), and so may a path.
    let colons = (0..bytes.len()).filter(|&index| bytes[index] == b':');
    let parts = colons.map(|colon| {
        let path = PathBuf::from(OsString::from_vec(bytes[..colon].to_vec()));
        (path, String::from_utf8_lossy(&bytes[colon + 1..]).into_owned())
    });
    let mut parts = parts.filter(|(_, name)| !name.contains('/'));
    let named = parts.clone().find(|(path, _)| path.is_file()).or_else(|| parts.next());
    match named {
        Some((path, name)) if has_slash || path.is_file() => Some(program(&path, Some(name))),
        Some(_) | None => has_slash.then(|| program(whole, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_programs_and_names_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("worker");
        std::fs::write(&file, "x").unwrap();
        let path = file.to_str().unwrap();
        let program = as_program(OsStr::new(path)).unwrap();
        assert_eq!((program.path, program.name), (file.clone(), None));
        let program = as_program(OsStr::new(&format!("{path}:Fuzz"))).unwrap();
        assert_eq!((&program.path, program.name.as_deref()), (&file, Some("Fuzz")));
        let program = as_program(OsStr::new(&format!("{path}:tests::parse"))).unwrap();
        assert_eq!((program.path, program.name.as_deref()), (file, Some("tests::parse")));
        assert_eq!(as_program(OsStr::new("./gone")).unwrap().path, Path::new("./gone"));
        for name in ["parse", "tests::parse", "parse_*", "a:b"] {
            assert_eq!(as_program(OsStr::new(name)), None, "{name}");
        }
    }
}
