//! The load test: scenarios over the documented wire, and the client they use.
//!
//! The client in [`client`] does what `docs/protocol.md` asks of every client, and checks on the way
//! that the server keeps its promises. The stories in `tests/` use the same one. Nothing here knows
//! the server's inside: all it does, any other program could do.

pub mod client;
pub mod error;
pub mod process;
pub mod scenario;

pub use error::Error;
