//! The log of a run: kept only when asked for, because formatting costs more than the run itself.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use fuzzd_core::session::{Effect, Event};

/// Characters of one line of a failure's log.
const LINE_MAX: usize = 320;

#[derive(Debug, Clone, Default)]
struct Lines {
    all: Vec<String>,
    calls: Vec<String>,
}

/// Survives the panic of the run that writes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace(Option<Rc<RefCell<Lines>>>);

impl Trace {
    pub(crate) fn off() -> Self {
        Self(None)
    }

    pub(crate) fn on() -> Self {
        Self(Some(Rc::default()))
    }

    pub(crate) fn event(&self, now: Duration, event: &Event) {
        if let Some(lines) = &self.0 {
            lines.borrow_mut().all.push(format!("{now:>12.3?} ◀ {event:?}"));
        }
    }

    pub(crate) fn effect(&self, now: Duration, effect: &Effect) {
        if let Some(lines) = &self.0 {
            lines.borrow_mut().all.push(format!("{now:>12.3?}   ▶ {effect:?}"));
            if let Effect::Call { worker, epoch, call } = effect {
                lines.borrow_mut().calls.push(format!("{worker:?} {epoch:?} {call:?}"));
            }
        }
    }

    /// Everything, in full.
    pub(crate) fn whole(&self) -> Vec<String> {
        self.0.as_ref().map(|lines| lines.borrow().all.clone()).unwrap_or_default()
    }

    /// Calls alone, without times.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.as_ref().map(|lines| lines.borrow().calls.clone()).unwrap_or_default()
    }

    /// The last lines, cut, for people.
    pub(crate) fn tail(&self, count: usize) -> String {
        let lines = self.whole();
        let mut text = String::new();
        for line in lines.iter().skip(lines.len().saturating_sub(count)) {
            let cut: String = line.chars().take(LINE_MAX).collect();
            writeln!(text, "{cut}").expect("writing to a string");
        }
        text
    }
}
