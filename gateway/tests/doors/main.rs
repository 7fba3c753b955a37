//! The doors of the team over real HTTP: a gateway on a free port, a store of its own, and a client
//! that says exactly what it is told to.

#![expect(
    clippy::unwrap_used,
    reason = "a test that stops there says where and why"
)]

mod conversation;
mod house;
mod identity_key;
mod isolation;
mod login;
mod records;
mod scope;
mod strict;
mod sweep;
mod text;
mod texts;
mod todo;
mod wire;
mod workspace;
