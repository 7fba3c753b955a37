//! The router's stories, each on both homes of the store.

#[path = "common/both.rs"]
mod both;
mod common;

mod contact;
mod conversation;
mod first_answer;
mod lane;
mod live;
mod lost;
mod nodes;
mod order;
mod person;
mod presence;
mod privacy;
mod steady;
mod support_hours;
