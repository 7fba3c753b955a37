//! The contracts of the store, each story on both homes.

#[path = "common/both.rs"]
mod both;
mod common;

mod arrival;
mod attachment;
mod backup;
mod canned_response;
mod conversation;
mod crossing;
mod figure;
mod first_answer;
mod home;
mod isolation;
mod name;
mod node;
mod patience;
mod person;
mod pooler;
mod race;
mod retention;
mod room;
mod saved_view;
mod search;
mod session;
mod team;
mod tls;
mod todo;
mod unread;
