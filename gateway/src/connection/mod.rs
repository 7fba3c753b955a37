//! A live connection: one state machine behind sockets and HTTP streams.
//!
//! [`unidentified`] turns a `hello` into an [`identified::Identified`], and nothing else can make one:
//! what a connection may do is a matter of types. Neither reads or writes bytes; [`socket`] and
//! [`stream`] do, each with one task per connection.

pub(crate) mod codec;
pub(crate) mod command;
pub(crate) mod frame;
pub(crate) mod gate;
pub(crate) mod identified;
pub(crate) mod job;
pub(crate) mod order;
pub(crate) mod out;
pub(crate) mod socket;
pub(crate) mod stream;
pub(crate) mod unidentified;
pub(crate) mod wire;
