//! The store, tested from outside: what is promised of the session on disk.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says where it cannot go on, and what it skips"
)]

mod commit;
mod damage;
mod disk;
mod go;
mod inject;
mod kill;
mod load;
mod lock;
mod removal;
mod speed;
mod support;
