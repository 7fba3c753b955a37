//! The words everyone speaks: ids, records, commands, frames, rejections, permissions and limits.
//!
//! Pure: no tokio, no I/O, no clock. Storage, core, doors and the load test share these types; the
//! browser gets TypeScript made from them. One struct per noun serves wire and storage; where a
//! visitor may see a noun, a second `Visitor…` struct says exactly what, and cannot hold more.

pub mod agent;
pub mod attachment;
pub mod audit;
pub mod blocked_address;
pub mod canned_response;
pub mod command;
pub mod contact;
pub mod conversation;
pub mod currency;
pub mod entry;
pub mod event;
pub mod frame;
pub mod id;
pub mod identity_key;
pub mod key;
pub mod language;
pub mod limit;
pub mod message;
pub mod network;
pub mod news;
pub mod node;
pub mod page;
pub mod permission;
pub mod position;
pub mod rejection;
pub mod saved_view;
pub mod search;
pub mod setup;
pub mod site;
pub mod support_hours;
pub mod text;
pub mod time_zone;
pub mod todo;
pub mod trouble;
pub mod view;
pub mod visitor;
pub mod widget;
pub mod workspace;
