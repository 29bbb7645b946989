//! The main promises of a session, each as a short script of what workers and disk answer.

mod budgets;
mod bugs;
mod corpus;
mod doubt;
mod ends;
mod forked;
mod found;
mod known;
mod losses;
mod plans;
mod script;
mod shrinking;
mod sightings;
