//! The desk's rules on both stores. Each test runs once on SQLite and once on the Postgres that
//! `SWITCHBOARD_TEST_POSTGRES_URL` names (`ops/test-services` starts one and names it).

#![expect(
    clippy::unwrap_used,
    reason = "a test that stops there says where and why"
)]

mod audit;
mod canned_response;
mod contact;
mod key;
mod login;
mod office;
mod saved_view;
mod session;
mod setup;
mod site;
mod team;
mod workspace;
