//! Stories of visitors and agents over the real wire, each on the embedded store, and on Postgres with Redis.

mod bucket;
mod chat;
mod fallback;
mod figures;
mod full;
mod growth;
mod housekeeping;
mod identity;
mod lease;
mod refusal;
mod resume;
mod sweep;
mod team;
mod todo;
mod trouble;
