//! What stands below the options in the help: examples and exit codes. Owns words only.

/// Below the help of `fuzzd`.
pub(super) const HELP: &str = "\
Examples:
  fuzzd run                          fuzz all fuzz tests of this workspace, until Ctrl-C
  fuzzd run parse_request --time 5m  one fuzz test (or tests::parse_request, or 'parse_*')
  fuzzd run --execs 1000000 -j 2     an exact number of executions, two workers
  fuzzd list                         what there is to fuzz
  fuzzd replay parse_request         run its testdata files again
  fuzzd bugs                         what was found
  fuzzd cmin parse_request           a smaller corpus with the same coverage

A fuzz test is a function in tests/ or in a #[cfg(test)] module:
  #[fuzzd::test]
  fn parse_request(data: &[u8]) { let _ = my_crate::parse(data); }

Every flag can also be set as FUZZD_<FLAG>, as in FUZZD_TIME=5m or FUZZD_RSS_LIMIT=512.
`cargo fuzzd …` is the same as `fuzzd …`.";

/// Below the help of `list`.
pub(super) const LIST_HELP: &str = "\
A line for each fuzz test: its name with the types it takes, its package, and its place in the
source; of executables and Go packages, whose fuzz tests are asked themselves, the executable.

Examples:
  fuzzd list                      all of this workspace
  fuzzd list -p my-crate --json   one package, for scripts
  fuzzd list ./pkg                a Go package, built with your own go; ./... for a whole module
  fuzzd list x.test               a binary of go test -c -fuzz=.
  fuzzd list ./target/worker      an executable that speaks the worker protocol

Go packages are built in the state directory. Exit codes: 0 there are some, 2 wrong arguments or no
fuzz tests, 3 the build failed, 4 one does not answer or is not instrumented.";

/// Below the help of `build`.
pub(super) const BUILD_HELP: &str = "\
Builds lie in <target directory>/fuzzd/<key>, with a key for each compiler, version of fuzzd and
set of flags. A key that nobody built or ran for 30 days is removed by the next build. Those of Go
packages lie in <state directory>/go.

Examples:
  fuzzd build                     all fuzz tests of this workspace
  fuzzd build -p my-crate --locked
  fuzzd build ./pkg               a Go package, built with your own go; ./... for a whole module

Exit codes: 0 built, 2 wrong arguments or no fuzz tests, 3 the build failed.";

/// Below the help of `replay`.
pub(super) const REPLAY_HELP: &str = "\
Each input runs in a worker as in `fuzzd run`. What is found in a panic, a hang or a death is shown
under its line of the table.

Examples:
  fuzzd replay parse_request                   all of its testdata
  fuzzd replay parse_request crash-1 others/   a file, and all files of a directory
  fuzzd replay parse_request --timeout 1m      with more time for each input

Exit codes: 0 all passed, 1 one failed or is no input of this fuzz test, 2 wrong arguments, 3 the
build failed, 4 workers would not start.";

/// Below the help of `cmin`.
pub(super) const CMIN_HELP: &str = "\
Entries that were not run with this build are run once. Then a small set is chosen that has every
feature (an edge with how often it was hit) of the whole corpus, short and fast inputs first. The
other entries are moved to removed/<test>/ in the state directory: put back into corpus/<test>/,
they are loaded again. Entries that fail, and those that cannot be measured, stay. Seeds and
testdata are left alone.

Examples:
  fuzzd cmin parse_request               what run finds from now on builds on the small corpus
  fuzzd cmin parse_request --into small  a copy of what is needed, a file each; the session stays
  fuzzd cmin 'parse_*' --into small      for several fuzz tests, in small/<test>/
  fuzzd cmin ./pkg:FuzzParse             a fuzz test of a Go package; x.test for a test binary
  fuzzd run parse_request --seeds small  begins with the copy, in another session, say

Exit codes: 0 done, 2 wrong arguments or an empty corpus, 3 the build failed, 4 workers would not
start, the disk is full or the state is in use, 130 and 143 stopped by a signal.";

/// Below the help of `bugs`.
pub(super) const BUGS_HELP: &str = "\
Examples:
  fuzzd bugs                  a line for each bug: signature, how often it reproduced, where it is
  fuzzd bugs show 72c03c      one bug; the beginning of its signature is enough
  fuzzd bugs --json           for scripts

Also while a session runs. Exit codes: 0 shown, 2 wrong arguments, 4 no session there.";

/// Below the help of `conformance`.
pub(super) const CONFORMANCE_HELP: &str = "\
Starts the program again and again, with pipes at descriptors 3 and 4 and shared memory at 5, and
prints a line for each rule of proto-spec/: its identifier, what was tested, and ok, failed, or why
it does not apply. Rules about failures need inputs that fail.

Examples:
  fuzzd conformance -- ./worker.py
  fuzzd conformance --failing crash.bin --deadly abort.bin -- ./worker --one-test
  fuzzd conformance -- ./x.test -test.fuzzworker -test.paniconexit0 \\
      -test.fuzzcachedir=/nonexistent -test.run='^$' -test.fuzz='^FuzzX$'

Exit codes: 0 no rule failed, 1 one failed, 2 wrong arguments, 4 it would not start.";

/// Below the help of `run`.
pub(super) const RUN_HELP: &str = "\
Examples:
  fuzzd run                                 all fuzz tests, all cores, until Ctrl-C
  fuzzd run parse_request --time 5m         one fuzz test for five minutes
  fuzzd run 'parse_*' -p my-crate           a glob, one package
  fuzzd run --execs 100000 --seed 1 -j 1    the same run again, byte for byte
  fuzzd run --json --time 60s > events      events for scripts, one JSON object a line
  fuzzd run ./target/worker                 an executable that speaks the worker protocol
  fuzzd run ./worker.py:parse               one of the fuzz tests that it announces
  fuzzd run ./pkg:FuzzParse                 a fuzz test of a Go package, built with your own go
  fuzzd run x.test                          all fuzz tests of a binary of go test -c -fuzz=.

Ctrl-C ends the session in good order, a second Ctrl-C at once. Nothing found is lost; the next
run goes on from there. Crashes are written to testdata/fuzz/<test>/, where `cargo test` sees them.

Exit codes: 0 no new bugs, 1 new bugs, 2 wrong arguments, 3 the build failed, 4 workers would not
start, the disk is full or the state is in use, 130 and 143 second signal.";
