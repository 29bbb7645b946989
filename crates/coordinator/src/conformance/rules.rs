//! The rules a worker can be tested for.
//!
//! Owns: their identifiers and sentences. `proto-spec/` says what each means, and marks the place
//! with the identifier in brackets; a test compares the two.

use super::bench::Bench;
use super::checks::{ending, extensions, failure, fuzz, line, memory, minimize, start};
use super::{Checked, WorkerDialect};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// As it stands in `proto-spec/`.
    pub id: &'static str,
    /// What is tested, in one line.
    pub what: &'static str,
    scope: Scope,
    pub(super) check: fn(&mut Bench) -> Checked,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

impl Rule {
    pub(super) fn is_for(&self, dialect: WorkerDialect) -> bool {
        match self.scope {
            Scope::Both => true,
            Scope::Native => dialect == WorkerDialect::Native,
            Scope::Go => dialect == WorkerDialect::Go,
        }
    }
}

/// Whom a rule is for.
#[derive(Debug, Clone, Copy)]
enum Scope {
    Both,
    Native,
    Go,
}

const fn rule(
    id: &'static str,
    scope: Scope,
    what: &'static str,
    check: fn(&mut Bench) -> Checked,
) -> Rule {
    Rule { id, what, scope, check }
}

/// All of them, in the order of the specification; the last ones judge what was seen on the way.
pub const RULES: &[Rule] = &[
    rule("start.waits", Scope::Both, "runs and says nothing before a call", start::waits),
    rule("start.group", Scope::Both, "stays in its process group and session", start::group),
    rule("line.crlf", Scope::Both, "reads a line that ends in \\r\\n", line::crlf),
    rule("line.pieces", Scope::Both, "reads a line that comes in pieces", line::pieces),
    rule("line.limit", Scope::Both, "reads a line of exactly 16 MiB", line::limit),
    rule("line.too_long", Scope::Native, "exits with 70 on a longer line", line::too_long),
    rule("line.cut_off", Scope::Native, "takes half a line for no message", line::cut_off),
    rule("line.malformed", Scope::Both, "exits with 70 on a line that is no JSON", line::malformed),
    rule(
        "line.no_method",
        Scope::Both,
        "exits with 70 on a call it does not know",
        line::no_method,
    ),
    rule("line.wrong_type", Scope::Both, "exits with 70 on a field of another type", line::types),
    rule("line.twice", Scope::Native, "exits with 70 on a method named twice", line::twice),
    rule("call.unknown_fields", Scope::Both, "ignores fields it does not know", line::unknown),
    rule("call.null_fields", Scope::Both, "takes null and missing fields as zero", line::nulls),
    rule("ping.reply", Scope::Native, "announces what a native worker must", start::reply),
    rule("ping.go", Scope::Go, "answers {} to Ping", start::go_reply),
    rule("ping.offers", Scope::Native, "announces nothing that needs an offer", start::offers),
    rule("ping.no_version", Scope::Native, "answers {} to a Ping without Proto", start::no_version),
    rule("ping.same", Scope::Native, "announces the same in every process", start::same),
    rule("ping.bad_control", Scope::Native, "exits with 70 on a bad Control", memory::bad_control),
    rule("memory.size", Scope::Both, "takes the size of its memory from fstat", memory::size),
    rule("memory.value_len", Scope::Native, "refuses a value beyond its room", memory::value_len),
    rule("memory.forms", Scope::Native, "takes any bytes for an input", memory::forms),
    rule("coverage.warmup", Scope::Both, "answers a warm-up with a whole snapshot", fuzz::warmup),
    rule("coverage.constant", Scope::Both, "has as many counters each time", fuzz::constant),
    rule("fuzz.count", Scope::Both, "counts in memory what it reports", fuzz::count),
    rule("fuzz.limit", Scope::Both, "executes exactly Limit inputs", fuzz::limit),
    rule("fuzz.limit_reached", Scope::Both, "refuses a Limit already reached", fuzz::reached),
    rule("fuzz.timeout", Scope::Both, "ends a call by its Timeout, not before", fuzz::timeout),
    rule("fuzz.find", Scope::Both, "ends a call with a find, in memory", fuzz::find),
    rule("fuzz.mask", Scope::Both, "tells no bit that is in its mask", fuzz::mask),
    rule("fuzz.bad_delta", Scope::Native, "refuses features that are none", fuzz::bad_delta),
    rule("fuzz.max_len", Scope::Native, "makes no input longer than MaxLen", fuzz::max_len),
    rule("fuzz.bad_value", Scope::Go, "refuses a value that is no text", fuzz::bad_value),
    rule("fuzz.state", Scope::Go, "saves its generator before a chain", fuzz::state),
    rule("control.stop", Scope::Native, "ends a call when stop is set", extensions::stop),
    rule("control.phase", Scope::Native, "keeps phase and otherCount", extensions::phase),
    rule("seeds.each", Scope::Native, "serves its seeds and no other", extensions::seeds),
    rule("ignore.goes_on", Scope::Native, "goes on over failures to ignore", extensions::ignore),
    rule("profile.any", Scope::Native, "takes a profile it does not know", extensions::profile),
    rule("plan.ring", Scope::Native, "works on a plan, tells finds in the ring", extensions::plan),
    rule("map.read", Scope::Native, "tells no bit that is in the map", extensions::map),
    rule("failure.told", Scope::Both, "tells a failure, its input in memory", failure::told),
    rule("failure.lives", Scope::Both, "lives on after a failure it told", failure::lives),
    rule("death.memory", Scope::Both, "leaves the input that ended it", failure::memory),
    rule("death.killed", Scope::Both, "leaves an input however it is killed", failure::killed),
    rule("minimize.coverage", Scope::Both, "minimizes, keeping coverage", minimize::coverage),
    rule("minimize.failure", Scope::Both, "minimizes, keeping the failure", minimize::failure),
    rule(
        "minimize.not_held",
        Scope::Both,
        "says when there is nothing to keep",
        minimize::not_held,
    ),
    rule("minimize.limit", Scope::Both, "minimizes within Limit", minimize::limit),
    rule("fork.death", Scope::Native, "minimizes what ends a process", extensions::fork),
    rule("search.part", Scope::Native, "does a part of a search", extensions::search),
    rule("end.eof", Scope::Both, "exits with 0 when fuzz_in closes", ending::eof),
    rule("end.eof_in_call", Scope::Both, "answers its call before that", ending::eof_in_call),
    rule("end.interrupt", Scope::Both, "exits with 0 on SIGINT while it waits", ending::interrupt),
    rule("end.interrupt_in_call", Scope::Both, "answers on SIGINT, exits with 0", ending::in_call),
    rule("reply.fields", Scope::Both, "wrote every field of its replies", ending::fields),
    rule("reply.unasked", Scope::Both, "wrote nothing that no call asked for", ending::unasked),
    rule("reply.stdout", Scope::Both, "wrote no reply to standard output", ending::stdout),
];
