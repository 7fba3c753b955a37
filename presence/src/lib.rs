//! Who is here: visitors and agents as pure state, and the live list that agents watch.
//!
//! Nothing here waits, sends or stores: every function takes the time and gives back what changed.
//! The router owns one of each per node, feeds them with what connections do, and publishes the
//! changes. Being pure and ordered, the same inputs give the same changes, in a simulation too.

pub mod agents;
pub mod bytes;
mod country;
pub mod everywhere;
pub mod input;
pub mod named;
pub mod ranked;
pub mod roster;
#[cfg(test)]
mod sample;
pub mod state;
pub mod team;
pub mod view;
pub mod window;

/// How long a visitor or agent without a connection still counts as here, in milliseconds: a reload
/// or a short loss of the network is no leave.
pub const GRACE_MS: u64 = 10_000;

/// Pages that a row remembers, newest last.
pub const TRAIL_MAX: usize = 8;
