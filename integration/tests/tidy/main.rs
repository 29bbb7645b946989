//! Checks of the source itself: arrows between crates, the unsafe fence, and the size of rooms.
//!
//! Owns: the table of exceptions. Each is a line with its reason, and one that is no longer needed
//! fails like any other violation.

mod arrows;
mod fence;
mod rooms;
mod source;
mod suite;
mod words;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// A crate depends on one that it must not know.
    Arrow,
    /// `unsafe` outside the fence.
    Fence,
    /// `unsafe` without its reason.
    Safety,
    /// A file of more than 400 lines.
    FileLines,
    /// A function of more than 70 lines.
    FunctionLines,
    /// A line of more than 100 columns.
    Columns,
    /// A module that does not say what it owns.
    ModuleHeader,
    /// `todo!`, `dbg!` or `unwrap()` outside tests.
    Unfinished,
    /// The decision core uses a clock, a file, a thread or an unordered map.
    PureCore,
    /// A path of the machine the code was written on.
    MachinePath,
}

/// A violation that is allowed.
struct Exception {
    rule: Rule,
    /// What [`Violation::place`] says.
    place: &'static str,
    reason: &'static str,
}

/// Every exception there is.
const EXCEPTIONS: &[Exception] = &[];

/// One thing that is not as it should be.
#[derive(Debug)]
struct Violation {
    rule: Rule,
    /// The file, `file:function`, or `crate -> crate`: without line numbers, so that an exception
    /// does not go stale with every edit.
    place: String,
    /// What is wrong, with the line.
    text: String,
}

/// Fails with every violation of `rules` that has no exception, and every idle exception.
fn judge(rules: &[Rule], violations: &[Violation]) {
    let mut complaints = Vec::new();
    for violation in violations {
        let is_allowed = EXCEPTIONS.iter().any(|exception| exception.covers(violation));
        if !is_allowed {
            complaints.push(format!("{:?}: {}", violation.rule, violation.text));
        }
    }
    for exception in EXCEPTIONS.iter().filter(|exception| rules.contains(&exception.rule)) {
        if !violations.iter().any(|violation| exception.covers(violation)) {
            complaints.push(format!(
                "{:?}: the exception for {} ({}) is no longer needed: remove it",
                exception.rule, exception.place, exception.reason
            ));
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

impl Exception {
    fn covers(&self, violation: &Violation) -> bool {
        self.rule == violation.rule && self.place == violation.place
    }
}

#[test]
fn arrows_point_one_way() {
    judge(&[Rule::Arrow], &arrows::violations());
}

#[test]
fn unsafe_stays_behind_its_fence_and_says_why() {
    judge(&[Rule::Fence, Rule::Safety], &fence::violations(&source::rust_files()));
}

#[test]
fn rooms_are_small_enough_to_hold_in_the_head() {
    let rules = [Rule::FileLines, Rule::FunctionLines, Rule::Columns, Rule::ModuleHeader];
    judge(&rules, &rooms::violations(&source::rust_files()));
}

#[test]
fn nothing_is_unfinished() {
    judge(&[Rule::Unfinished], &words::unfinished(&source::rust_files()));
}

#[test]
fn the_decision_core_is_pure() {
    judge(&[Rule::PureCore], &words::impure(&source::rust_files()));
}

#[test]
fn no_path_of_somebodys_machine_is_in_the_repository() {
    judge(&[Rule::MachinePath], &words::machine_paths(&source::text_files()));
}

#[test]
fn every_exception_has_a_reason() {
    for exception in EXCEPTIONS {
        assert!(exception.reason.len() > 10, "{} needs a reason", exception.place);
    }
}
