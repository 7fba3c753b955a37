//! The desk: product rules beside the realtime path. Set-up, sign-in, the team, sites, settings, keys,
//! contacts, and the audit log of them all.
//!
//! Doors find out who asks and call the desk; whether he may is decided here, by the pure rules of
//! `protocol::permission`. Each change is one transaction of the store that also holds the line of the
//! audit log and the event; then the router is told, so that everybody who looks sees it at once.
//! Nothing here knows HTTP, and nothing here writes a message: that is the router's.

pub mod agent;
mod audit;
pub mod blocked_address;
pub mod canned_response;
pub mod contact;
mod error;
mod field;
pub mod identity_key;
pub mod invitation;
pub mod key;
mod lockout;
pub mod login;
pub mod origin;
pub mod password;
mod picture;
pub mod saved_view;
pub mod secret;
pub mod session;
pub mod setup;
pub mod site;
mod support_hours;
mod theme;
mod todo;
pub mod workspace;

use std::net::IpAddr;
use std::sync::Arc;

use protocol::id::WorkspaceId;
use protocol::rejection::ErrorCode;
use router::{Part, Router};
use storage::{Db, Written};
use world::World;

pub use error::{Error, Result};
pub use invitation::Invited;
pub use lockout::{LockoutRule, counted_as};
pub use login::SignedIn;
pub use session::UserSession;
pub use setup::{NewMember, Unattended};

/// How the desk works.
#[derive(Debug, Clone)]
pub struct DeskConfig {
    /// Failed sign-ins from one network address that lock it out; zero locks nobody out.
    pub lockout_failures: u32,
    /// How long failures count and the lock holds, in milliseconds.
    pub lockout_ms: u64,
    /// How long a login session lives at most, in milliseconds.
    pub session_ms: u64,
    /// How long a login session lives without being used, in milliseconds.
    pub session_idle_ms: u64,
    /// Passwords that are hashed at a time; each takes 19 MiB.
    pub hashing_threads: usize,
}

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

impl Default for DeskConfig {
    fn default() -> Self {
        Self {
            lockout_failures: 5,
            lockout_ms: 15 * 60 * 1_000,
            session_ms: 30 * DAY_MS,
            session_idle_ms: 7 * DAY_MS,
            hashing_threads: 2,
        }
    }
}

/// Who is on the line: for lockouts, the log of failed sign-ins, sessions and the audit log.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The network address, behind trusted proxies.
    pub address: IpAddr,
    /// Whether the address is exempt from lockouts.
    pub exempt: bool,
    /// The browser, in its own words.
    pub user_agent: String,
    /// The country, where known.
    pub country: Option<String>,
}

/// The desk. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    world: World,
    db: Db,
    router: Router,
    config: DeskConfig,
    hashing: password::PasswordHashing,
    attempts: login::Attempts,
}

impl Desk {
    /// A desk over a store. No I/O.
    #[must_use]
    pub fn new(world: World, db: Db, router: Router, config: DeskConfig) -> Self {
        Self(Arc::new(Inner {
            hashing: password::PasswordHashing::new(world.ids.clone(), config.hashing_threads),
            attempts: login::Attempts::default(),
            world,
            db,
            router,
            config,
        }))
    }

    fn now_ms(&self) -> u64 {
        self.0.world.clock.now_ms()
    }

    /// Tells those who look that a part of a workspace changed.
    fn changed(&self, workspace_id: WorkspaceId, part: Part) {
        self.0.router.changed(workspace_id, part);
    }
}

/// The record out of a guarded write, or the refusal that its outcome stands for.
fn stored<T>(written: Written<T>) -> Result<T> {
    match written {
        Written::Done(record) => Ok(record),
        Written::VersionConflict => Err(ErrorCode::VersionConflict.into()),
        Written::NotFound => Err(ErrorCode::NotFound.into()),
        Written::AlreadyExists => Err(ErrorCode::AlreadyExists.into()),
        Written::TooMany => Err(ErrorCode::TooMany.into()),
        Written::LastOwner => Err(ErrorCode::LastOwner.into()),
        Written::Refused => Err(ErrorCode::OutOfOrder.into()),
    }
}
