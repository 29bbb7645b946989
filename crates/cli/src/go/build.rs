//! Test binaries of Go packages, built with the user's own `go`.
//!
//! Owns how `go` is called: `go list` for what a request means, `go test -c -fuzz=.` for binaries
//! with coverage counters. Must not know what becomes of them. A binary keeps its place as long as
//! it stays the same, so that a session that uses it goes on.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::exit::Exit;

/// What ends a request for a package and all below it.
const ALL_BELOW: &[u8] = b"/...";

/// What the name of every fuzz test of Go begins with.
const TEST_PREFIX: &str = "Fuzz";

/// Why there are no test binaries.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GoBuildError {
    /// There is no `go`.
    #[error("failed to start go")]
    Start(#[source] std::io::Error),
    /// `go list` refused.
    #[error("go cannot read {}: {message}", request.to_string_lossy())]
    List {
        /// What was asked for.
        request: OsString,
        /// Its own words.
        message: String,
    },
    /// `go list` answered something else.
    #[error("go list does not say which packages there are")]
    Answer(#[source] serde_json::Error),
    /// No package with tests.
    #[error("{} has no Go tests", .0.to_string_lossy())]
    NoTests(OsString),
    /// The compiler has said why, on standard error.
    #[error("the tests of {0} do not build")]
    Failed(String),
    /// There is no place for a binary.
    #[error("failed to write {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

impl GoBuildError {
    /// The exit code of a program that ends with this error.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::NoTests(_) => Exit::Usage,
            Self::Start(_) | Self::List { .. } | Self::Answer(_) | Self::Failed(_) => {
                Exit::BuildFailed
            }
            Self::Write { .. } => Exit::Infrastructure,
        }
    }

    /// What to do about it, if there is something to say.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Start(_) => Some("is Go installed? see https://go.dev/dl".to_owned()),
            Self::NoTests(_) => {
                Some("name a package with a func FuzzX(f *testing.F) in its tests".to_owned())
            }
            Self::List { .. } | Self::Answer(_) | Self::Failed(_) => None,
            Self::Write { .. } => Some("build elsewhere with --state".to_owned()),
        }
    }
}

/// A package that was asked for, or all below one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PackageRequest {
    /// As it was typed, without the fuzz test.
    pub(crate) given: OsString,
    directory: PathBuf,
    has_all_below: bool,
    /// The fuzz test behind the colon.
    pub(crate) test: Option<String>,
}

/// A built test binary.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) program: PathBuf,
    /// The directory of its package.
    pub(crate) directory: PathBuf,
    /// Of the package within its module, with dots; empty at its root.
    pub(crate) place: String,
}

/// What `go list` says of a package.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    dir: PathBuf,
    import_path: String,
    module: Option<Module>,
    #[serde(default)]
    test_go_files: Vec<String>,
    #[serde(default, rename = "XTestGoFiles")]
    x_test_go_files: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Module {
    dir: Option<PathBuf>,
}

impl PackageRequest {
    /// A request that is the path of a directory with Go files, or of one and `/...`.
    pub(crate) fn of(request: &OsStr) -> Option<Self> {
        let bytes = request.as_bytes();
        let named = bytes.iter().rposition(|&byte| byte == b':').and_then(|colon| {
            let name = str::from_utf8(&bytes[colon + 1..]).ok()?;
            name.starts_with(TEST_PREFIX).then(|| (&bytes[..colon], Some(name.to_owned())))
        });
        let (path, test) = named.unwrap_or((bytes, None));
        let above = path.strip_suffix(ALL_BELOW);
        let directory = PathBuf::from(OsString::from_vec(above.unwrap_or(path).to_vec()));
        // Whatever has no slash is the name of a fuzz test of a Cargo workspace.
        let is_path = path == b"." || path.contains(&b'/');
        if !is_path || !directory.is_dir() || (above.is_none() && !has_go_files(&directory)) {
            return None;
        }
        let given = OsString::from_vec(path.to_vec());
        Some(Self { given, directory, has_all_below: above.is_some(), test })
    }

    /// The module it belongs to, else the directory itself.
    pub(crate) fn root(&self) -> PathBuf {
        let directory = fs::canonicalize(&self.directory);
        let directory = directory.unwrap_or_else(|_| self.directory.clone());
        let root = directory.ancestors().find(|above| above.join("go.mod").is_file());
        root.unwrap_or(&directory).to_owned()
    }

    /// Builds the test binaries into a folder of `state`.
    pub(crate) fn build(&self, state: &Path) -> Result<Vec<Built>, GoBuildError> {
        let packages = self.list()?;
        let folder = state.join("go");
        let failed = |path: &Path, source| GoBuildError::Write { path: path.to_owned(), source };
        fs::create_dir_all(&folder).map_err(|source| failed(&folder, source))?;
        let ignored = state.join(".gitignore");
        if !ignored.exists() {
            fs::write(&ignored, "*\n").map_err(|source| failed(&ignored, source))?;
        }
        let mut built = Vec::new();
        for package in packages {
            let name = package.import_path.replace('/', ".");
            let program = folder.join(format!("{name}.test"));
            self.compile(&package.import_path, &program)?;
            let place = package.place();
            built.push(Built { program, directory: package.dir, place });
        }
        Ok(built)
    }

    fn go(&self) -> Command {
        let mut command = Command::new("go");
        command.current_dir(&self.directory).stdin(Stdio::null());
        command
    }

    fn list(&self) -> Result<Vec<Listed>, GoBuildError> {
        let pattern = if self.has_all_below { "./..." } else { "." };
        let fields = "-json=Dir,ImportPath,Module,TestGoFiles,XTestGoFiles";
        let output = self.go().args(["list", fields, pattern]).output();
        let output = output.map_err(GoBuildError::Start)?;
        let request = || self.given.clone();
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(GoBuildError::List { request: request(), message });
        }
        let listed = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        let listed: Result<Vec<Listed>, _> = listed.collect();
        let mut listed = listed.map_err(GoBuildError::Answer)?;
        listed.retain(|one| !one.test_go_files.is_empty() || !one.x_test_go_files.is_empty());
        if listed.is_empty() { Err(GoBuildError::NoTests(request())) } else { Ok(listed) }
    }

    fn compile(&self, package: &str, program: &Path) -> Result<(), GoBuildError> {
        let failed = |source| GoBuildError::Write { path: program.to_owned(), source };
        let program = std::path::absolute(program).map_err(failed)?;
        let fresh = program.with_extension(format!("{}.new", std::process::id()));
        let mut command = self.go();
        // Standard output is for events.
        command.args(["test", "-c", "-fuzz=.", "-o"]).arg(&fresh).arg(package);
        let status = command.stdout(Stdio::from(std::io::stderr())).status();
        if !status.map_err(GoBuildError::Start)?.success() || !fresh.is_file() {
            return Err(GoBuildError::Failed(package.to_owned()));
        }
        let is_same = match (fs::read(&fresh), fs::read(&program)) {
            (Ok(new), Ok(old)) => new == old,
            _ => false,
        };
        let kept = match is_same {
            true => fs::remove_file(&fresh),
            false => fs::rename(&fresh, &program),
        };
        kept.map_err(failed)
    }
}

impl Listed {
    fn place(&self) -> String {
        let module = self.module.as_ref().and_then(|module| module.dir.as_ref());
        let below = module.and_then(|module| self.dir.strip_prefix(module).ok());
        below.map_or_else(String::new, |path| path.to_string_lossy().replace('/', "."))
    }
}

fn has_go_files(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "go"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_with_go_files_are_packages() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("pkg");
        fs::create_dir(&package).unwrap();
        fs::write(package.join("a_test.go"), "package a").unwrap();
        fs::write(folder.path().join("go.mod"), "module a").unwrap();
        let path = package.to_str().unwrap();
        let request = |text: &str| PackageRequest::of(OsStr::new(text));
        let plain = request(path).unwrap();
        assert_eq!((plain.test.as_deref(), plain.has_all_below), (None, false));
        assert_eq!(plain.root(), folder.path().canonicalize().unwrap());
        let named = request(&format!("{path}:FuzzOne")).unwrap();
        assert_eq!((named.test.as_deref(), named.given.to_str()), (Some("FuzzOne"), Some(path)));
        let all = request(&format!("{}/...", folder.path().display())).unwrap();
        assert!(all.has_all_below);
        for other in [folder.path().to_str().unwrap(), "src", "./gone", "./gone/...", "a:FuzzX"] {
            assert_eq!(request(other), None, "{other}");
        }
    }

    #[test]
    fn the_place_of_a_package_is_within_its_module() {
        let listed = |dir: &str, module: Option<&str>| Listed {
            dir: dir.into(),
            import_path: "x".into(),
            module: module.map(|dir| Module { dir: Some(dir.into()) }),
            test_go_files: Vec::new(),
            x_test_go_files: Vec::new(),
        };
        assert_eq!(listed("/m/a/b", Some("/m")).place(), "a.b");
        assert_eq!(listed("/m", Some("/m")).place(), "");
        assert_eq!(listed("/m", None).place(), "");
    }
}
