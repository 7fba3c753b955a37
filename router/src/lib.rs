//! The realtime core: commands in, entries out, and the live lists beside them.
//!
//! Doors find out who speaks and call [`Router::handle`]; here it is decided whether he may, stored, and
//! passed on to whoever listens. One lane per conversation does that in order and finishes what it
//! began. Router knows neither sockets nor HTTP: shards register a bounded channel and get frames that
//! were encoded once.

mod around;
mod attachment;
mod cache;
mod claim;
mod command;
mod config;
mod contact;
mod decide;
mod delivery;
mod effect;
mod erase;
mod error;
mod first_answer;
mod hub;
mod lane;
mod lanes;
mod latest;
mod learn;
mod live;
mod mark;
mod mention;
#[cfg(test)]
mod model;
mod nodes;
mod part;
mod person;
mod publish;
mod renewal;
mod replay;
mod router;
mod several;
mod signal;
mod steady;
mod support_hours;
mod tail;
mod timer;
mod todo;
mod topic;
mod trace;
mod turnstile;
mod unread;
mod view;
mod visit;
mod visitor;
mod visitors;
mod widget;

pub use config::RouterConfig;
pub use delivery::{Class, Delivery, Encoded, SignalKey};
pub use error::Error;
pub use hub::{SHARDS_MAX, ShardId};
pub use part::Part;
pub use replay::Replay;
pub use router::{Router, Stats};
pub use several::{COMMANDS_TOGETHER_MAX, may_go_together};
pub use storage::visitor::Proof;
pub use topic::{Topic, ViewId};
pub use visitor::{Arrival, Newcomer, Standing, VisitorConnection};
