//! Where code begins that nobody reached.
//!
//! Owns, for each counter, whether it was ever hit and whether a function begins there. A counter
//! that was hit is at the *frontier* while one next to it in the same function was not: counters of
//! a function lie in the order of its blocks. Must not know entries.

use crate::coverage::Feature;

/// The counter was hit.
const HIT: u8 = 1;
/// A function begins here.
const BEGINS: u8 = 2;

/// One byte per counter; none where nobody told of functions, and nothing is at the frontier.
#[derive(Debug, Clone, Default)]
pub(super) struct Frontier {
    cells: Vec<u8>,
}

impl Frontier {
    /// Of a test with so many counters, and functions that begin at these.
    pub(super) fn new(counters: usize, functions: &[u32]) -> Self {
        let mut cells = vec![0; if functions.is_empty() { 0 } else { counters }];
        for first in functions {
            if let Some(cell) = cells.get_mut(*first as usize) {
                *cell |= BEGINS;
            }
        }
        Self { cells }
    }

    /// Notes that these were hit.
    pub(super) fn hit(&mut self, features: &[Feature]) {
        for (counter, _) in features {
            if let Some(cell) = self.cells.get_mut(*counter as usize) {
                *cell |= HIT;
            }
        }
    }

    /// Whether a counter is at the frontier.
    pub(super) fn has(&self, counter: u32) -> bool {
        let at = counter as usize;
        let Some(own) = self.cells.get(at).filter(|cell| *cell & HIT != 0) else { return false };
        let before = at.checked_sub(1).filter(|_| own & BEGINS == 0);
        before.is_some_and(|before| self.cells[before] & HIT == 0)
            || self.cells.get(at + 1).is_some_and(|behind| *behind == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frontier_lies_within_a_function_and_shrinks_as_coverage_grows() {
        let mut frontier = Frontier::new(6, &[0, 3]);
        let at = |frontier: &Frontier| (0..6).filter(|n| frontier.has(*n)).collect::<Vec<_>>();
        frontier.hit(&[(2, 1), (4, 1)]);
        assert_eq!(at(&frontier), [2, 4], "of both sides");
        frontier.hit(&[(1, 1), (3, 1)]);
        assert_eq!(at(&frontier), [1, 4], "2 and 3 are of two functions");
        frontier.hit(&[(0, 1), (5, 1), (6, 1)]);
        assert_eq!(at(&frontier), [] as [u32; 0]);
    }

    #[test]
    fn without_functions_nothing_is_at_the_frontier() {
        let mut frontier = Frontier::new(6, &[]);
        frontier.hit(&[(2, 1)]);
        assert!((0..6).all(|counter| !frontier.has(counter)));
    }
}
