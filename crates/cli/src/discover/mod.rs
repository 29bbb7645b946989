//! Which fuzz tests there are, what they are called, and which of them were asked for.

pub(crate) mod marker;
pub(crate) mod select;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::build::TestExecutable;
use crate::limits::EXECUTABLE_BYTES_MAX;

use self::marker::Marker;

/// Why there is nothing to fuzz.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiscoverError {
    /// An executable that was just built, or named, cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The executable.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Not an executable of any use.
    #[error("{}: {problem}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// No member of the workspace depends on fuzzd.
    #[error("no package of this workspace depends on fuzzd")]
    NoDependency,
    /// `-p` names something else than a member.
    #[error("there is no package {name} in this workspace{}", nearest(near))]
    UnknownPackage {
        /// What was asked for.
        name: String,
        /// Names that look like it.
        near: Vec<String>,
    },
    /// `-p` names a member that does not depend on fuzzd.
    #[error("package {name} does not depend on fuzzd")]
    NotDependent {
        /// The package.
        name: String,
    },
    /// Packages that depend on fuzzd, and no fuzz test in them.
    #[error("there is no fuzz test in {packages}")]
    NoTests {
        /// Where was looked.
        packages: String,
    },
    /// No fuzz test has the name.
    #[error("there is no fuzz test {name}{}", nearest(near))]
    UnknownTest {
        /// What was asked for.
        name: String,
        /// Names that look like it.
        near: Vec<String>,
    },
    /// A program has fuzz tests, and none with the name.
    #[error("{} has no fuzz test {name}; it has {}", path.display(), tests.join(", "))]
    NotAnnounced {
        /// The program.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// Names that the program announces.
        tests: Vec<String>,
    },
    /// Several fuzz tests end in the name.
    #[error("{name} may be any of {}", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The fuzz tests.
        candidates: Vec<String>,
    },
    /// A glob that is not one.
    #[error("{pattern} is not a pattern: {problem}")]
    Pattern {
        /// What was asked for.
        pattern: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

fn nearest(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

impl DiscoverError {
    /// What to do about it, if there is something to say.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::NoDependency | Self::NotDependent { .. } => Some(
                "add fuzzd to its [dev-dependencies], and to tests/fuzz.rs:\n    \
                 #[fuzzd::test]\n    fn parse(data: &[u8]) { let _ = my_crate::parse(data); }"
                    .to_owned(),
            ),
            Self::NoTests { .. } => Some(
                "write one in tests/fuzz.rs, or in a module with #[cfg(test)]:\n    \
                 #[fuzzd::test]\n    fn parse(data: &[u8]) { let _ = my_crate::parse(data); }"
                    .to_owned(),
            ),
            Self::UnknownTest { .. } => Some("fuzzd list shows all of them".to_owned()),
            Self::Ambiguous { .. } => Some("write more of the name".to_owned()),
            Self::Unusable { .. }
            | Self::NotAnnounced { .. }
            | Self::Read { .. }
            | Self::UnknownPackage { .. }
            | Self::Pattern { .. } => None,
        }
    }
}

/// One fuzz test of a Cargo workspace.
#[derive(Debug, Clone)]
pub(crate) struct FuzzTest {
    /// What people call it; unique in the workspace.
    pub(crate) name: String,
    /// What libtest calls it.
    pub(crate) test_path: String,
    /// Go names of its parameter types.
    pub(crate) types: Vec<String>,
    /// Where it is written.
    pub(crate) file: String,
    /// See `file`.
    pub(crate) line: u32,
    pub(crate) executable: TestExecutable,
    /// Its inputs that are kept with the code.
    pub(crate) testdata: PathBuf,
}

/// The fuzz tests in the given executables. With `several_packages`, names start with the package.
pub(crate) fn discover(
    executables: &[TestExecutable],
    several_packages: bool,
) -> Result<Vec<FuzzTest>, DiscoverError> {
    let mut found = Vec::new();
    for executable in executables {
        let crate_name = executable.target.replace('-', "_");
        for marker in scan_file(&executable.path)? {
            // A library's own fuzz tests do not run in another executable that links it.
            if marker.crate_name() == crate_name {
                found.push((executable.clone(), marker));
            }
        }
    }
    Ok(name_all(found, several_packages))
}

/// The fuzz tests described in one file.
pub(crate) fn scan_file(path: &Path) -> Result<Vec<Marker>, DiscoverError> {
    let failed = |source| DiscoverError::Read { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > EXECUTABLE_BYTES_MAX {
        let problem = format!("larger than {EXECUTABLE_BYTES_MAX} bytes");
        return Err(DiscoverError::Unusable { path: path.to_owned(), problem });
    }
    Ok(marker::scan(&std::fs::read(path).map_err(failed)?))
}

/// Gives each fuzz test its name: the test path, behind the target where two targets of a package
/// have the same path, behind the package where several packages have fuzz tests.
fn name_all(found: Vec<(TestExecutable, Marker)>, several_packages: bool) -> Vec<FuzzTest> {
    let mut uses: HashMap<(String, String), usize> = HashMap::new();
    for (executable, marker) in &found {
        *uses.entry((executable.package.id.clone(), marker.test_path())).or_default() += 1;
    }
    let mut tests: Vec<FuzzTest> = found
        .into_iter()
        .map(|(executable, marker)| {
            let test_path = marker.test_path();
            let key = (executable.package.id.clone(), test_path.clone());
            let is_alone = uses.get(&key).is_none_or(|uses| *uses == 1);
            let in_package = if is_alone {
                test_path.clone()
            } else {
                format!("{}.{test_path}", executable.target)
            };
            let directory = in_package.replace("::", ".");
            let name = if several_packages {
                format!("{}.{in_package}", executable.package.name)
            } else {
                in_package
            };
            FuzzTest {
                name,
                test_path,
                types: marker.types,
                file: marker.file,
                line: marker.line,
                testdata: executable.package.root.join("testdata/fuzz").join(directory),
                executable,
            }
        })
        .collect();
    tests.sort_by(|one, other| one.name.cmp(&other.name));
    tests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::FuzzPackage;

    fn executable(package: &str, target: &str) -> TestExecutable {
        TestExecutable {
            path: PathBuf::from("/target").join(target),
            package: FuzzPackage {
                id: package.to_owned(),
                name: package.to_owned(),
                version: "0.1.0".to_owned(),
                root: PathBuf::from("/src").join(package),
            },
            target: target.to_owned(),
            target_option: "--lib".to_owned(),
            library_path: Vec::new(),
        }
    }

    fn marker(module_path: &str, function: &str) -> Marker {
        marker::scan(&marker::text(module_path, function, "[]byte", 1)).remove(0)
    }

    fn names(tests: &[FuzzTest]) -> Vec<(&str, &str)> {
        tests.iter().map(|test| (test.name.as_str(), test.testdata.to_str().unwrap())).collect()
    }

    #[test]
    fn a_name_is_the_test_path() {
        let tests = name_all(vec![(executable("p", "p"), marker("p::tests::deep", "one"))], false);
        assert_eq!(names(&tests), [("tests::deep::one", "/src/p/testdata/fuzz/tests.deep.one")]);
        assert_eq!(tests[0].test_path, "tests::deep::one");
    }

    #[test]
    fn two_targets_with_one_path_are_told_apart() {
        let found = vec![
            (executable("p", "fuzz_a"), marker("fuzz_a", "one")),
            (executable("p", "fuzz_b"), marker("fuzz_b", "one")),
            (executable("p", "fuzz_b"), marker("fuzz_b", "two")),
        ];
        assert_eq!(
            names(&name_all(found, false)),
            [
                ("fuzz_a.one", "/src/p/testdata/fuzz/fuzz_a.one"),
                ("fuzz_b.one", "/src/p/testdata/fuzz/fuzz_b.one"),
                ("two", "/src/p/testdata/fuzz/two"),
            ]
        );
    }

    #[test]
    fn the_packages_of_a_workspace_are_told_apart() {
        let found = vec![
            (executable("p", "fuzz"), marker("fuzz", "one")),
            (executable("q", "fuzz"), marker("fuzz", "one")),
        ];
        assert_eq!(
            names(&name_all(found, true)),
            [("p.one", "/src/p/testdata/fuzz/one"), ("q.one", "/src/q/testdata/fuzz/one")]
        );
    }
}
