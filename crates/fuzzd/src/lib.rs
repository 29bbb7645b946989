//! Fuzz tests beside unit tests, on stable Rust.
//!
//! A fuzz test is a function of some input with the attribute [`macro@test`]. It fails by panicking
//! (or by returning an `Err`), like any test:
//!
//! ```
//! // tests/fuzz.rs
//! # fn parse(data: &[u8]) -> Result<(), ()> { Ok(()) }
//! #[fuzzd::test(seeds = [b"GET / HTTP/1.1\r\n\r\n"])]
//! fn parse_request(data: &[u8]) {
//!     let _ = parse(data);
//! }
//! # fn main() {}
//! ```
//!
//! `cargo test` runs it on its seeds and on the files in `testdata/fuzz/parse_request/`, without
//! instrumentation and in milliseconds. `cargo fuzzd run parse_request` builds the same test
//! instrumented and looks for inputs that make it fail; each one it finds becomes a file in that
//! directory, and so fails under `cargo test` until the bug is fixed.
//!
//! `fuzzd` is a dev-dependency. Fuzz tests can stand wherever tests can: in `tests/`, or in a
//! `#[cfg(test)]` module beside the code.
//!
//! # Arguments
//!
//! One or more, in any combination:
//!
//! | Type | Seeds |
//! |---|---|
//! | `&[u8]`, `Vec<u8>` | anything that is `AsRef<[u8]>`: `b"..."`, `"..."`, `include_bytes!(..)` |
//! | `&str`, `String` | anything that is `AsRef<str>` |
//! | `bool`, `char`, every integer, `f32`, `f64` | the value |
//! | any type that implements [`arbitrary::Arbitrary`] | the bytes it is built from |
//!
//! Seeds of several arguments are tuples. Types are told apart by how they are written: an alias
//! of `Vec<u8>` works too, but through `Arbitrary`.
//!
//! ```
//! #[fuzzd::test(seeds = [("width", 7), ("", u32::MAX)])]
//! fn round_trip(name: String, number: u32) {
//!     let line = format!("{name}\n{number}");
//!     let (first, second) = line.rsplit_once('\n').unwrap();
//!     assert_eq!((first, second.parse()), (name.as_str(), Ok(number)));
//! }
//! # fn main() {}
//! ```
//!
//! Text is valid UTF-8: other bytes are replaced by U+FFFD, always in the same way. Floats take
//! every bit pattern, all NaN among them.
//!
//! ## Structured input
//!
//! `Arbitrary` builds a value from bytes; `fuzzd::arbitrary` is that crate, with its derive:
//!
//! ```
//! use fuzzd::arbitrary::{self, Arbitrary};
//!
//! #[derive(Arbitrary, Debug)]
//! enum Operation {
//!     Push(u16),
//!     Pop,
//! }
//!
//! #[fuzzd::test]
//! fn stack(operations: Vec<Operation>) {
//!     let (mut stack, mut size) = (Vec::new(), 0_usize);
//!     for operation in operations {
//!         match operation {
//!             Operation::Push(value) => {
//!                 stack.push(value);
//!                 size += 1;
//!             }
//!             Operation::Pop => size -= usize::from(stack.pop().is_some()),
//!         }
//!         assert_eq!(stack.len(), size);
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! Bytes from which no value can be built are rejected. With `Debug`, failing inputs are printed
//! as values.
//!
//! # What a fuzz test may return
//!
//! Nothing, or `Result<(), E>` with `E: Debug` (an `Err` is a failure), or [`Corpus`] (to reject
//! inputs it is not about), or `Result<Corpus, E>`.
//!
//! ```
//! #[fuzzd::test(seeds = ["1.5"])]
//! fn numbers(text: &str) -> Result<fuzzd::Corpus, std::num::ParseFloatError> {
//!     let Ok(number) = text.parse::<f64>() else {
//!         return Ok(fuzzd::Corpus::Reject);
//!     };
//!     let again: f64 = number.to_string().parse()?;
//!     assert!(again == number || number.is_nan());
//!     Ok(fuzzd::Corpus::Keep)
//! }
//! # fn main() {}
//! ```
//!
//! # Seeds
//!
//! `seeds = [..]` takes any expressions. Any other expression is iterated:
//!
//! ```
//! fn samples() -> impl Iterator<Item = Vec<u8>> {
//!     (0..4).map(|n| vec![0x1b; n])
//! }
//!
//! #[fuzzd::test(seeds = samples())]
//! fn escapes(data: &[u8]) {
//!     let _ = data.escape_ascii().to_string();
//! }
//! # fn main() {}
//! ```
//!
//! # Under `cargo test`
//!
//! Seeds run in the process of the test. Every file of `testdata/fuzz/<path>/` in the root of the
//! package runs in a child of the same executable, so that aborts, stack overflows, endless loops
//! and exits are reported as failures of that file, and the other files still run. `<path>` is
//! the path of the test with `.` for `::`; with the name of the test target and a dot in front it
//! is read as well. Directories in it, and files whose name begins with a dot, are left alone. At
//! the end the test fails once, with a list of every input that failed, why, what the input is,
//! and the command to run just that one.
//!
//! Environment variables:
//!
//! - `FUZZD_TIMEOUT`: how long one file may run, written as for `fuzzd run --timeout` (`500ms`,
//!   `10s`, `1m30s`; default `10s`).
//! - `FUZZD_RSS_LIMIT`: how many megabytes may be resident in that child (default 2048, `0` for no
//!   limit).
//! - `FUZZD_REPLAY=<file>`: run the chosen fuzz test on this file only, in its own process: for a
//!   debugger. The input is printed on stderr first.
//! - `FUZZD_SHOW=<file>`: only print the input in the file, on stderr.
//!
//! Files hold the raw bytes for a single `&[u8]`, `Vec<u8>` or `Arbitrary` argument, and the text
//! form `go test fuzz v1` for all else; where raw bytes are meant, that text is understood too. It
//! can be written by hand:
//!
//! ```text
//! go test fuzz v1
//! string("width")
//! uint32(7)
//! ```
//!
//! # Rules
//!
//! A fuzz test is a free function without type parameters, lifetimes, `async` or `unsafe`. It
//! should do the same for the same input each time. It runs in the root of its package. The
//! function itself is inside the test, as with other test attributes: what other code wants to
//! call belongs in a function of its own.
//!
//! Other attributes keep their meaning: `#[cfg]` and `#[ignore]` (an ignored fuzz test is skipped
//! by `cargo test`, and can be fuzzed), lint levels, documentation. `#[should_panic]` is refused.
//!
//! When the dependency has another name, or comes through another crate:
//! `#[fuzzd::test(crate = other::path)]`.

mod arguments;
mod corpus;
mod duration;
mod fuzz_test;
mod limits;
mod parameter;
mod platform;
mod replay;
mod run;
mod seeds;
mod settings;
mod show;

pub use arbitrary;
pub use fuzzd_macros::test;

pub use crate::corpus::Corpus;

/// What generated code calls. Not for people: it changes with every release.
#[doc(hidden)]
pub mod __private {
    pub use fuzzd_protocol::value::ValueType;
    pub use fuzzd_worker::Verdict;

    pub use crate::arguments::{Arguments, Text, arbitrary, with_text};
    pub use crate::corpus::IntoVerdict;
    pub use crate::fuzz_test::{Build, FuzzTest};
    pub use crate::parameter::Parameter;
    pub use crate::run::run;
    pub use crate::seeds::Seeds;

    /// The choice of `Debug`; generated code imports all of it, so that nothing is unused.
    pub mod show {
        pub use crate::parameter::Shown;
        pub use crate::show::{Show, ShowWithDebug, ShowWithoutDebug};
    }
}
