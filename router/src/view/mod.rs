//! Live lists whose facts live here: the inbox. Live visitors are `presence`'s, carried by `live`.

pub(crate) mod inbox;
pub(crate) mod inboxes;

pub(crate) use inboxes::Inboxes;
