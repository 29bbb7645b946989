//! A Cargo workspace for tests of builds, with everything in it that instrumentation tends to
//! break, and a small runtime in the place of the real one. No network is needed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `fuzzd` with `arguments`, without the settings of the build this test runs in.
pub(crate) fn fuzzd(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fuzzd"));
    command.args(arguments).current_dir(directory);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_kept = matches!(text.as_ref(), "CARGO" | "CARGO_HOME");
        let is_ours = ["CARGO", "FUZZD", "RUST"].iter().any(|prefix| text.starts_with(prefix));
        if is_ours && !is_kept && text != "RUSTUP_HOME" && text != "RUSTUP_TOOLCHAIN" {
            command.env_remove(&name);
        }
    }
    command
}

/// Exit code, stdout and stderr.
pub(crate) fn outcome(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("fuzzd starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code().unwrap_or(-1), text(&stdout), text(&stderr))
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    let directory = path.parent().expect("it was just joined");
    std::fs::create_dir_all(directory).expect("the temporary directory is writable");
    std::fs::write(path, text).expect("the temporary directory is writable");
}

/// The workspace, in a directory that goes away with the value.
pub(crate) struct Fixture {
    directory: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("the temporary directory is writable");
        for (path, text) in FILES {
            write(directory.path(), path, text);
        }
        Self { directory }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("workspace")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.root(), path, text);
    }
}

/// A runtime with what the instrumented code calls; `run` says how many counters there are.
const RUNTIME: &str = r#"
pub use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
static COUNTERS: AtomicUsize = AtomicUsize::new(0);
#[no_mangle] pub extern "C" fn __sanitizer_cov_8bit_counters_init(a: usize, b: usize) {
    COUNTERS.fetch_add(b - a, Relaxed);
}
macro_rules! empty { ($($n:ident)*) => { $(#[no_mangle] pub extern "C" fn $n() {})* } }
empty! {
    __sanitizer_cov_pcs_init __sanitizer_cov_trace_switch
    __sanitizer_cov_trace_cmp1 __sanitizer_cov_trace_cmp2
    __sanitizer_cov_trace_cmp4 __sanitizer_cov_trace_cmp8
    __sanitizer_cov_trace_const_cmp1 __sanitizer_cov_trace_const_cmp2
    __sanitizer_cov_trace_const_cmp4 __sanitizer_cov_trace_const_cmp8
}
#[no_mangle] pub static __sancov_should_track: u64 = 0;
#[inline(never)]
pub fn run(marker: &str, test: &dyn Fn(&[u8])) {
    std::hint::black_box(marker);
    test(b"abc");
    let inner = only_runtime::is_instrumented() as u8;
    println!("counters {} runtime instrumented {inner}", COUNTERS.load(Relaxed));
}
#[macro_export] macro_rules! fuzz { ($name:ident, $body:expr) => {
    #[test] fn $name() {
        $crate::run(concat!("\u{1}fuzzd", "-test\u{2}1\u{1f}", module_path!(), "\u{1f}",
            stringify!($name), "\u{1f}[]byte\u{1f}", file!(), "\u{1f}", line!(), "\u{4}"), &$body);
    }
} }
"#;

const FILES: &[(&str, &str)] = &[
    (
        "workspace/Cargo.toml",
        "[workspace]\nresolver = '2'\nmembers = ['app', 'stranger', 'mac']\n\
         [profile.release]\npanic = 'abort'\nlto = true\nstrip = true\n",
    ),
    (
        "runtime/Cargo.toml",
        "[package]\nname = 'fuzzd'\nversion = '0.1.0'\nedition = '2021'\n\
         [dependencies]\nonly-runtime = { path = '../only-runtime' }\n[workspace]\n",
    ),
    ("runtime/src/lib.rs", RUNTIME),
    (
        "only-runtime/Cargo.toml",
        "[package]\nname = 'only-runtime'\nversion = '0.1.0'\nedition = '2021'\n\
         [lints.rust]\nunexpected_cfgs = 'allow'\n[workspace]\n",
    ),
    ("only-runtime/src/lib.rs", "pub fn is_instrumented() -> bool { cfg!(fuzzing) }\n"),
    // Does not use fuzzd, and would not compile.
    (
        "workspace/stranger/Cargo.toml",
        "[package]\nname = 'stranger'\nversion = '0.1.0'\nedition = '2021'\n",
    ),
    (
        "workspace/stranger/src/lib.rs",
        "compile_error!(\"a package without fuzz tests was built\");\n",
    ),
    (
        "workspace/mac/Cargo.toml",
        "[package]\nname = 'mac'\nversion = '0.1.0'\nedition = '2021'\n[lib]\nproc-macro = true\n\
         [lints.rust]\nunexpected_cfgs = 'allow'\n",
    ),
    (
        "workspace/mac/src/lib.rs",
        "#[cfg(fuzzing)] compile_error!(\"a macro was instrumented\");\n\
         #[proc_macro] pub fn seven(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n\
         \"7\".parse().unwrap() }\n",
    ),
    (
        "workspace/app/Cargo.toml",
        "[package]\nname = 'app'\nversion = '0.1.0'\nedition = '2021'\n\
         [lib]\ncrate-type = ['lib', 'cdylib']\n\
         [[example]]\nname = 'shown'\ntest = true\n\
         [dependencies]\nmac = { path = '../mac' }\n\
         [dev-dependencies]\nrenamed = { package = 'fuzzd', path = '../../runtime' }\n",
    ),
    (
        "workspace/app/build.rs",
        "#![allow(unexpected_cfgs)]\n\
         fn main() { if cfg!(fuzzing) { panic!(\"a build script was instrumented\") }\n\
         println!(\"cargo:rerun-if-changed=build.rs\"); }\n",
    ),
    (
        "workspace/app/src/lib.rs",
        "#[no_mangle] pub extern \"C\" fn exported(n: u32) -> u32 { n + 1 }\n\
         pub fn parse(data: &[u8]) -> bool { data.starts_with(b\"four\") || data.len() > 1000 }\n\
         #[cfg(test)] mod tests {\n\
         renamed::fuzz!(inside, |data: &[u8]| { crate::parse(data); });\n}\n",
    ),
    (
        "workspace/app/src/main.rs",
        "fn main() { println!(\"{}\", app::parse(b\"x\")); }\n\
         #[test] fn in_the_binary() { main() }\n",
    ),
    ("workspace/app/examples/shown.rs", "fn main() { println!(\"{}\", mac::seven!()); }\n"),
    (
        "workspace/app/tests/fuzz.rs",
        "renamed::fuzz!(outside, |data: &[u8]| { app::parse(data); });\n\
         #[test] fn binary() {\n\
         let binary = env!(\"CARGO_BIN_EXE_app\");\n\
         assert!(std::process::Command::new(binary).status().unwrap().success());\n\
         println!(\"user flag {}\", cfg!(user_flag) as u8); }\n",
    ),
];
