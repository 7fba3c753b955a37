//! All that lasts: the only crate with SQL. One text for two homes, embedded SQLite and Postgres.
//!
//! A noun's statements stand in the file of that noun. Writes take a [`Db`], reads a [`Reader`], which
//! has no write method and is what doors get. Storage decides nothing about who may do what: reads of the
//! team's data take a `Scope`, which only a permission check makes.

// What the contracts share among them, tests in here use too, by the name that it has there.
#[cfg(test)]
extern crate self as storage;

pub mod agent;
pub mod arrival;
pub mod attachment;
pub mod audit;
pub mod backup;
pub mod backup_turn;
pub mod blob;
pub mod blocked_address;
mod called;
pub mod canned_response;
mod change;
pub mod command;
pub mod contact;
pub mod conversation;
pub mod db;
pub mod entry;
pub mod error;
pub mod event;
pub mod failed_login;
pub mod first_answer;
pub mod fold;
pub mod found;
pub mod identity_key;
pub mod inbox;
pub mod invitation;
pub mod job;
pub mod key;
pub mod log;
pub mod message;
pub mod meta;
mod newcomer;
pub mod node;
pub mod page;
pub mod participant;
pub mod picture;
pub mod replay;
mod room;
pub mod saved_view;
pub mod search;
pub mod session;
pub mod setup;
pub mod site;
pub mod spool;
pub mod timer;
pub mod todo;
pub mod unread;
pub mod user;
pub mod visit;
pub mod visitor;
mod word;
pub mod workspace;

pub use db::{DatabaseConfig, Db, Home, Reader, open, simulated};
pub use error::{Error, Result, Written};
