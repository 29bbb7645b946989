//! Instrumented builds of the user's own test executables, on stable Rust.
//!
//! Owns: how cargo and rustc are called. Must not know what a fuzz test is.
//!
//! ```text
//! toolchain ─ which cargo, which rustc      config ─ .cargo/config.toml, as far as it matters
//! workspace ─ cargo metadata                conflicts ─ flags that cannot work with ours
//! flags ─ what this compiler takes          stub ─ symbols for what does not link our runtime
//! cargo ─ `cargo test --no-run`, with this executable as RUSTC_WRAPPER
//! upkeep ─ which builds are in use, and the end of those that are not
//! wrapper ─ that wrapper: instruments the target, leaves the runtime alone
//! ```

pub(crate) mod cargo;
pub(crate) mod config;
pub(crate) mod conflicts;
mod flags;
mod stub;
pub(crate) mod toolchain;
mod upkeep;
pub(crate) mod workspace;
pub(crate) mod wrapper;

use std::path::PathBuf;

use crate::exit::Exit;

pub(crate) use self::cargo::{BuildOptions, Executables, TestExecutable, build};
pub(crate) use self::upkeep::InUse;
pub(crate) use self::workspace::{FuzzPackage, Workspace};

/// Why there are no executables to fuzz.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// A program of the toolchain did not start.
    #[error("failed to start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// `rustc -vV` answered something else.
    #[error("{} does not say which compiler it is", program.display())]
    UnknownCompiler {
        /// The program.
        program: PathBuf,
    },
    /// No `Cargo.toml` here or above.
    #[error("there is no Cargo.toml in {} or above it", directory.display())]
    NoManifest {
        /// Where cargo looked.
        directory: PathBuf,
    },
    /// `cargo metadata` refused.
    #[error("cargo cannot read this workspace: {message}")]
    Metadata {
        /// Cargo's own words.
        message: String,
    },
    /// A configuration file of cargo's is not TOML.
    #[error("failed to read {}: {message}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A setting of the user's that cannot work together with instrumentation.
    #[error("{origin} has {flag}: {reason}")]
    Conflict {
        /// Where it is set.
        origin: String,
        /// The flag.
        flag: String,
        /// Why it cannot work.
        reason: &'static str,
    },
    /// The user's configuration builds for another machine.
    #[error("{origin} has {target}: fuzz tests run on this machine and are built for it only")]
    OtherTarget {
        /// Where it is set.
        origin: String,
        /// The target triple.
        target: String,
        /// The target triple of this machine.
        host: String,
    },
    /// The compiler takes none of the flags that instrument.
    #[error("{} cannot instrument: {message}", rustc.display())]
    NoInstrumentation {
        /// The compiler.
        rustc: PathBuf,
        /// Its own words.
        message: String,
    },
    /// The stub library did not compile.
    #[error("{} cannot compile the runtime's stub: {message}", rustc.display())]
    Stub {
        /// The compiler.
        rustc: PathBuf,
        /// Its own words.
        message: String,
    },
    /// A file or directory below the target directory could not be written.
    #[error("failed to write {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Cargo's messages could not be read.
    #[error("failed to read what cargo says")]
    Messages(#[source] std::io::Error),
    /// Cargo failed and has said why.
    #[error("the build failed; the lines above are the compiler's")]
    Failed,
    /// The path of this executable is unknown, or has a form that cannot be passed on.
    #[error("this executable cannot act as a compiler wrapper: {message}")]
    Wrapper {
        /// The reason.
        message: String,
    },
}

impl BuildError {
    /// The exit code of a program that ends with this error.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::NoManifest { .. } => Exit::Usage,
            Self::Write { .. } => Exit::Infrastructure,
            Self::Start { .. }
            | Self::UnknownCompiler { .. }
            | Self::Metadata { .. }
            | Self::Config { .. }
            | Self::Conflict { .. }
            | Self::OtherTarget { .. }
            | Self::NoInstrumentation { .. }
            | Self::Stub { .. }
            | Self::Messages(_)
            | Self::Failed
            | Self::Wrapper { .. } => Exit::BuildFailed,
        }
    }

    /// What to do about it, if there is something to say.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::NoManifest { .. } => {
                Some("go to a Cargo package, or name one with --manifest-path".to_owned())
            }
            Self::Start { .. } => Some("is Rust installed? see https://rustup.rs".to_owned()),
            Self::Conflict { .. } => {
                let next = "unset it for this command (an empty RUSTFLAGS hides the flags of \
                            configuration files), or fuzz without guidance: --blind";
                Some(next.to_owned())
            }
            Self::OtherTarget { host, .. } => {
                Some(format!("set CARGO_BUILD_TARGET={host} for this command"))
            }
            Self::NoInstrumentation { .. } => {
                Some("use a stable rustc with LLVM, or fuzz without guidance: --blind".to_owned())
            }
            Self::UnknownCompiler { .. }
            | Self::Metadata { .. }
            | Self::Config { .. }
            | Self::Stub { .. }
            | Self::Messages(_)
            | Self::Failed
            | Self::Wrapper { .. } => None,
            Self::Write { .. } => {
                Some("make it writable, or build elsewhere with CARGO_TARGET_DIR".to_owned())
            }
        }
    }
}
