//! The load test: scenarios over the documented wire, and the client they use.
//!
//! The client in [`client`] does what `docs/protocol.md` asks of every client, and checks on the way
//! that the server keeps its promises; [`check`] compares what clients hold with what is stored. The
//! stories in `tests/` use the same two. Nothing here knows the server's inside: all it does, any
//! other program could do.
//!
//! [`compare`] holds Switchboard beside two plain servers. A run is led by one coordinator. [`target`] says where it goes, [`scenario`] what it does,
//! [`fleet`] divides the clients over processes, [`measure`] counts, and [`report`] tells.

pub mod check;
pub mod client;
pub mod compare;
pub mod error;
pub mod fleet;
pub mod measure;
pub mod node;
pub mod process;
pub mod progress;
pub mod report;
pub mod scenario;
pub mod target;

pub use error::Error;
