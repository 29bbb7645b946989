//! Nothing of its own: the fuzz tests are in `tests/`, one file for each target, so that each has
//! an executable of its own as it has with the other engines.
