//! The gateway over the real wire: real sockets, a real store, and every kind of bad input.

mod doors;
mod files;
mod limits;
mod sockets;
mod stack;
mod streams;
