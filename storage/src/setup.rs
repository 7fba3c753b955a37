//! Set-up: the first user, workspace, agent and site, together or not at all.

use protocol::event::EventType;
use protocol::id::{AgentId, UserId, WorkspaceId};
use protocol::permission::Role;
use protocol::site::Site;
use protocol::workspace::Workspace;

use crate::audit::Change;
use crate::change::Stamp;
use crate::db::{Batch, Db, Reader, stmt};
use crate::error::{Error, Result, Written};
use crate::session::SessionRow;
use crate::site::SecretRow;
use crate::user::UserRow;
use crate::{agent, session, site, user, workspace};

/// The account behind a new member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// One that exists, as it was read: a session begins only while the password is the same.
    Existing(UserRow),
    /// A new one.
    New(UserRow),
}

impl Account {
    /// The user's id.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        match self {
            Self::Existing(user) | Self::New(user) => user.id,
        }
    }
}

/// A member to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Its id.
    pub id: AgentId,
    /// The name to be seen.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The IANA time zone.
    pub time_zone: String,
}

/// All that set-up makes.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The owner's account.
    pub user: UserRow,
    /// The workspace.
    pub workspace: Workspace,
    /// The owner as a member.
    pub member: NewMember,
    /// The first site.
    pub site: Site,
    /// Its secrets.
    pub secrets: Vec<SecretRow>,
    /// The owner's session, where set-up also signs in.
    pub session: Option<SessionRow>,
}

/// Walks a table of tenants to its first row.
const FIND_ANY_WORKSPACE: &str = "SELECT workspace_id FROM workspace LIMIT 1";

/// Whether set-up was done.
///
/// # Errors
/// The store's.
pub async fn is_done(reader: &Reader) -> Result<bool> {
    Ok(!reader.rows(stmt!(FIND_ANY_WORKSPACE)).await?.is_empty())
}

/// Uses the primary key.
const FIND_TOKEN: &str = "SELECT value FROM meta WHERE name = 'setup_token'";

/// The hash of the one-time link's secret.
///
/// # Errors
/// The store's.
pub async fn token_hash(reader: &Reader) -> Result<Option<[u8; 32]>> {
    let rows = reader.rows(stmt!(FIND_TOKEN)).await?;
    rows.first()
        .map(|row| {
            row.bytes("value")?
                .try_into()
                .map_err(|_| Error::Corrupt("the set-up token has not 32 bytes".to_owned()))
        })
        .transpose()
}

const PUT_TOKEN: &str = "
    INSERT INTO meta (name, value) VALUES ('setup_token', $1)
    ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";

/// Replaces the one-time link's secret.
///
/// # Errors
/// The store's.
pub async fn put_token(db: &Db, hash: &[u8; 32]) -> Result<()> {
    let mut batch = Batch::locking(vec!["setup_token".to_owned()]);
    batch.push(stmt!(PUT_TOKEN, *hash));
    db.batch(batch).await?;
    Ok(())
}

/// Stores the installation, once: `AlreadyExists` where set-up was done. The link's secret is spent.
///
/// # Errors
/// The store's.
pub async fn create(
    db: &Db,
    installation: &Installation,
    change: &Change,
) -> Result<Written<WorkspaceId>> {
    let workspace = &installation.workspace;
    let stamp = Stamp::new(db, change);
    let mut batch = Batch::locking(vec!["setup_token".to_owned()]);
    // Spends the link, for nothing known hashes to zeros; and locks: on Postgres a second set-up waits
    // here, and then sees the workspace of the first.
    batch.push(stmt!(PUT_TOKEN, [0_u8; 32]));
    let insert = batch.push(workspace::insert_first(workspace, &stamp, change.at_ms));
    batch.push(stamp.audit_where_stamped(workspace::AUDIT_WORKSPACE, workspace.id));
    batch.push(user::insert_where_audited(
        &installation.user,
        &stamp,
        workspace.id,
    ));
    batch.push(agent::insert(
        &installation.member,
        installation.user.id,
        &stamp,
        change,
    ));
    batch.push(site::insert(&installation.site, &stamp, workspace.id)?);
    for secret in &installation.secrets {
        let site_id = installation.site.id;
        batch.push(site::insert_secret(secret, &stamp, workspace.id, site_id));
    }
    if let Some(session) = &installation.session {
        batch.push(session::insert_where_audited(session, &stamp, workspace.id));
    }
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::WorkspaceChanged, 1));
    let done = db.batch(batch).await?[insert].changed == 1;
    Ok(if done {
        Written::Done(workspace.id)
    } else {
        Written::AlreadyExists
    })
}
