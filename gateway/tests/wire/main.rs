//! The gateway over the real wire: real sockets, a real store, and every kind of bad input.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on shall stop; the lint knows only functions marked as tests"
)]

mod blocked;
mod bounds;
mod doors;
mod files;
mod foreign;
mod limits;
mod notes;
mod plain;
mod proved;
mod proxy;
mod slow;
mod sockets;
mod stack;
mod streams;
mod text;
