//! The harness of the stories: whole servers, visitors and agents on the real wire.
//!
//! A story is an async function over a [`Stack`]; [`stories!`] runs it on each [`Home`]. People are
//! role objects around the load test's client, so whatever a story does, any program could do. A
//! story ends with [`Stack::agree`], which compares what everybody holds with what is stored.

pub mod bucket;
pub mod child;
pub mod cluster;
pub mod home;
pub mod metric;
pub mod person;
pub mod signing;
pub mod stack;

pub use cluster::Cluster;
pub use home::Home;
pub use person::{Agent, Visitor};
pub use stack::Stack;

/// Makes tests of stories: each runs on the embedded store, and on Postgres with Redis.
#[macro_export]
macro_rules! stories {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[test] fn $name() { $crate::stack::run($crate::Home::Sqlite, super::$name); })*
        }
        mod on_postgres_and_redis {
            $(#[test] fn $name() { $crate::stack::run($crate::Home::Shared, super::$name); })*
        }
    };
}

/// The same of a server that is alone on its store: each runs on the embedded one, and on Postgres without Redis.
#[macro_export]
macro_rules! stories_alone {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[test] fn $name() { $crate::stack::run($crate::Home::Sqlite, super::$name); })*
        }
        mod on_postgres {
            $(#[test] fn $name() { $crate::stack::run($crate::Home::Postgres, super::$name); })*
        }
    };
}
