//! The binary `switchboard`: configuration, wiring, lifecycle. The only crate that sees everything.
//!
//! [`serve`] starts a whole server in the calling process, as often as a test likes; `main.rs` adds
//! what a process needs: arguments, logs, signals and exit codes. Nothing is decided here that a
//! visitor or an agent would notice.

pub mod admin;
pub mod backup;
pub mod config;
mod copy;
mod differing;
mod directory;
mod error;
mod housekeeping;
mod lease;
pub mod order;
mod running;
mod sign;

pub use config::Config;
pub use copy::copy;
pub use directory::DataDir;
pub use error::{Error, Result};
pub use running::{Core, Running, migrate, restore, serve};
