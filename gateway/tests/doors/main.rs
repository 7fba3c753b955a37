//! The doors of the team over real HTTP: a gateway on a free port, a store of its own, and a client
//! that says exactly what it is told to.

mod conversation;
mod house;
mod isolation;
mod login;
mod records;
mod wire;
