//! Agents: a user's membership of a workspace, with role and grants.

use std::collections::HashMap;

use protocol::agent::{Agent, AgentChange, Membership};
use protocol::event::EventType;
use protocol::id::{AgentId, InvitationId, UserId, WorkspaceId};
use protocol::limit;
use protocol::permission::{Permission, Permissions, Role};

use crate::audit::Change;
use crate::change::{Stamp, insert_audit_where_stamped};
use crate::db::{Db, Reader, Row, Stmt, stmt};
use crate::error::{Error, Result, Written};
use crate::picture::{self, NewPicture};
use crate::setup::{Account, NewMember};
use crate::{session, user};

/// An agent with what role and grants allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The agent.
    pub agent: Agent,
    /// What role and grants allow together.
    pub permissions: Permissions,
}

/// Uses `agent_by_user`.
const LIST_MEMBERSHIPS: &str = "
    SELECT a.workspace_id, w.name AS workspace_name, a.agent_id
    FROM agent a
    JOIN workspace w ON w.workspace_id = a.workspace_id
    WHERE a.user_id = $1 AND a.deactivated_at_ms IS NULL
    ORDER BY w.created_at_ms, w.workspace_id
    LIMIT 1000";

/// The workspaces of a user, without those where he is deactivated.
///
/// # Errors
/// The store's.
pub async fn memberships(reader: &Reader, user_id: UserId) -> Result<Vec<Membership>> {
    let mut memberships = Vec::new();
    for row in reader.rows(stmt!(LIST_MEMBERSHIPS, user_id)).await? {
        let workspace_id = row.id("workspace_id")?;
        if let Some(member) = find(reader, workspace_id, row.id("agent_id")?).await? {
            memberships.push(Membership {
                workspace_id,
                workspace_name: row.text("workspace_name")?,
                agent_id: member.agent.id,
                name: member.agent.name,
                role: member.agent.role,
                permissions: member.permissions.list(),
            });
        }
    }
    Ok(memberships)
}

/// Uses `agent_by_user`.
const FIND_AGENT_OF_USER: &str = "
    SELECT agent_id FROM agent WHERE workspace_id = $1 AND user_id = $2";

/// A user as a member of a workspace, also a deactivated one.
///
/// # Errors
/// The store's.
pub async fn of_user(
    reader: &Reader,
    workspace_id: WorkspaceId,
    user_id: UserId,
) -> Result<Option<Member>> {
    let rows = reader
        .rows(stmt!(FIND_AGENT_OF_USER, workspace_id, user_id))
        .await?;
    match rows.first() {
        Some(row) => find(reader, workspace_id, row.id("agent_id")?).await,
        None => Ok(None),
    }
}

/// Uses the primary keys.
const FIND_AGENT: &str = "
    SELECT a.agent_id, a.version, a.user_id, a.name, p.picture_id, u.email, a.role, a.time_zone,
        a.deactivated_at_ms, a.created_at_ms
    FROM agent a
    JOIN account u ON u.user_id = a.user_id
    LEFT JOIN agent_picture p ON p.workspace_id = a.workspace_id AND p.agent_id = a.agent_id
    WHERE a.workspace_id = $1 AND a.agent_id = $2";

/// Uses the primary key. Sorted where it is decoded.
const LIST_GRANTS: &str = "
    SELECT permission FROM agent_grant WHERE workspace_id = $1 AND agent_id = $2 LIMIT 100";

/// One agent, also a deactivated one.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    agent_id: AgentId,
) -> Result<Option<Member>> {
    let answers = reader
        .snapshot(vec![
            stmt!(FIND_AGENT, workspace_id, agent_id),
            stmt!(LIST_GRANTS, workspace_id, agent_id),
        ])
        .await?;
    let Some(row) = answers[0].first() else {
        return Ok(None);
    };
    let grants = grants(answers[1].iter())?;
    let agent = decode(row, grants)?;
    let permissions = Permissions::of_role(agent.role).and(grants);
    Ok(Some(Member { agent, permissions }))
}

fn grants<'a>(rows: impl Iterator<Item = &'a Row>) -> Result<Permissions> {
    let grants = rows.map(|row| row.word("permission", Permission::of));
    Ok(Permissions::of(&grants.collect::<Result<Vec<_>>>()?))
}

/// Members of one team that are read, those who left among them. Twice `AGENTS_MAX`, so that who left never takes
/// the place of who is there.
pub const TEAM_ROWS_MAX: usize = 2 * limit::AGENTS_MAX;

/// Uses the primary key.
const LIST_AGENTS: &str = "
    SELECT a.agent_id, a.version, a.user_id, a.name, p.picture_id, u.email, a.role, a.time_zone,
        a.deactivated_at_ms, a.created_at_ms
    FROM agent a
    JOIN account u ON u.user_id = a.user_id
    LEFT JOIN agent_picture p ON p.workspace_id = a.workspace_id AND p.agent_id = a.agent_id
    WHERE a.workspace_id = $1
    ORDER BY a.deactivated_at_ms IS NOT NULL, a.deactivated_at_ms DESC, a.agent_id
    LIMIT $2";

/// Uses the primary keys. There are far fewer than 15 rights, so those of all who are listed fit.
const LIST_GRANTS_OF_TEAM: &str = "
    SELECT agent_id, permission FROM agent_grant
    WHERE workspace_id = $1 AND agent_id IN (
        SELECT a.agent_id FROM agent a
        WHERE a.workspace_id = $1
        ORDER BY a.deactivated_at_ms IS NOT NULL, a.deactivated_at_ms DESC, a.agent_id
        LIMIT $2)
    ORDER BY agent_id
    LIMIT 30000";

/// The whole team, by name, also the deactivated: at most `TEAM_ROWS_MAX`, without those who left longest ago.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader, workspace_id: WorkspaceId) -> Result<Vec<Agent>> {
    let answers = reader
        .snapshot(vec![
            stmt!(LIST_AGENTS, workspace_id, TEAM_ROWS_MAX),
            stmt!(LIST_GRANTS_OF_TEAM, workspace_id, TEAM_ROWS_MAX),
        ])
        .await?;
    let mut granted: HashMap<AgentId, Vec<&Row>> = HashMap::new();
    for row in &answers[1] {
        granted.entry(row.id("agent_id")?).or_default().push(row);
    }
    let decoded = answers[0].iter().map(|row| {
        let of_agent = granted.get(&row.id("agent_id")?);
        decode(row, grants(of_agent.into_iter().flatten().copied())?)
    });
    let mut team = decoded.collect::<Result<Vec<_>>>()?;
    team.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    Ok(team)
}

const INSERT_AGENT: &str = "
    INSERT INTO agent
        (workspace_id, agent_id, version, change_id, user_id, name, role, time_zone, created_at_ms)
    SELECT $1, $2, 1, $3, $4, $5, $6, $7, CAST($8 AS BIGINT)
    FROM workspace
    WHERE workspace_id = $1
        AND (SELECT COUNT(*) FROM agent WHERE workspace_id = $1 AND deactivated_at_ms IS NULL) < $9";

/// Stores a member where fewer than `AGENTS_MAX` are active. One who is a member already breaks
/// `agent_by_user`, and with it the batch.
pub(crate) fn insert(
    member: &NewMember,
    user_id: UserId,
    stamp: &Stamp<'_>,
    change: &Change,
) -> Stmt {
    stmt!(
        INSERT_AGENT,
        change.workspace_id,
        member.id,
        stamp.id,
        user_id,
        member.name.as_str(),
        member.role.as_str(),
        member.time_zone.as_str(),
        change.at_ms,
        limit::AGENTS_MAX,
    )
}

const INSERT_AGENT_INVITED: &str = "
    INSERT INTO agent
        (workspace_id, agent_id, version, change_id, user_id, name, role, time_zone, created_at_ms)
    SELECT $1, $2, 1, $3, $4, $5, $6, $7, CAST($8 AS BIGINT)
    FROM invitation
    WHERE workspace_id = $1 AND invitation_id = $10 AND change_id = $3
        AND (SELECT COUNT(*) FROM agent WHERE workspace_id = $1 AND deactivated_at_ms IS NULL) < $9";

/// The same, where this change took the invitation.
pub(crate) fn insert_invited(
    member: &NewMember,
    user_id: UserId,
    invitation_id: InvitationId,
    stamp: &Stamp<'_>,
    change: &Change,
) -> Stmt {
    let mut stmt = insert(member, user_id, stamp, change);
    stmt.sql = INSERT_AGENT_INVITED;
    stmt.params.push(invitation_id.into());
    stmt
}

/// The audit line of a change of an agent.
pub(crate) const AUDIT_AGENT: &str = insert_audit_where_stamped!("agent", "agent_id");

/// Adds a member for a user who has an account or gets one (`switchboard user add`).
///
/// # Errors
/// The store's. `AlreadyExists` where the user is a member, `TooMany` past `AGENTS_MAX`.
pub async fn create(
    db: &Db,
    account: &Account,
    member: &NewMember,
    change: &Change,
) -> Result<Written<Agent>> {
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    batch.locks.insert(0, change.workspace_id.to_string());
    batch.push(stmt!(LOCK_WORKSPACE, change.workspace_id));
    let insert = batch.push(insert(member, account.user_id(), &stamp, change));
    batch.push(stamp.audit_where_stamped(AUDIT_AGENT, member.id));
    if let Account::New(row) = account {
        batch.push(user::insert_where_audited(row, &stamp, change.workspace_id));
    }
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::AgentChanged, 1));
    match db.batch(batch).await {
        Ok(answers) if answers[insert].changed == 0 => Ok(Written::TooMany),
        Ok(_) => {
            let member = find(db, change.workspace_id, member.id).await?;
            Ok(member.map_or(Written::NotFound, |member| Written::Done(member.agent)))
        }
        Err(Error::Unique(_)) => Ok(Written::AlreadyExists),
        Err(error) => Err(error),
    }
}

/// Locks the workspace, so that two owners cannot step down past each other, nor two people take the last place.
pub(crate) const LOCK_WORKSPACE: &str =
    "UPDATE workspace SET version = version WHERE workspace_id = $1";

/// Who is an owner stays an active one, unless there is another. Who is active again needs room.
const UPDATE_AGENT: &str = "
    UPDATE agent SET
        version = version + 1,
        change_id = $4,
        name = COALESCE($5, name),
        role = COALESCE($6, role),
        time_zone = COALESCE($7, time_zone),
        deactivated_at_ms = CASE
            WHEN CAST($8 AS BOOLEAN) IS NULL THEN deactivated_at_ms
            WHEN CAST($8 AS BOOLEAN) THEN COALESCE(deactivated_at_ms, CAST($9 AS BIGINT))
            ELSE NULL END
    WHERE workspace_id = $1 AND agent_id = $2 AND version = $3
        AND (
            role <> 'owner'
            OR (COALESCE($6, role) = 'owner' AND COALESCE($8, deactivated_at_ms IS NOT NULL) = FALSE)
            OR EXISTS (
                SELECT 1 FROM agent other
                WHERE other.workspace_id = $1 AND other.agent_id <> $2
                    AND other.role = 'owner' AND other.deactivated_at_ms IS NULL))
        AND (deactivated_at_ms IS NULL OR COALESCE(CAST($8 AS BOOLEAN), TRUE)
            OR (SELECT COUNT(*) FROM agent other
                WHERE other.workspace_id = $1 AND other.deactivated_at_ms IS NULL) < $10)";

/// Stands where the audit line does.
const DELETE_GRANTS: &str = "
    DELETE FROM agent_grant
    WHERE workspace_id = $1 AND agent_id = $2
        AND EXISTS (SELECT 1 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $3)";

const INSERT_GRANT: &str = "
    INSERT INTO agent_grant (workspace_id, agent_id, permission)
    SELECT $1, $2, $4 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $3";

/// Changes a member, but for his picture. The last active owner stays one: `LastOwner`.
/// `TooMany` where he would be one active member past `AGENTS_MAX`. Deactivating ends the user's sessions
/// where this was his last membership.
///
/// # Errors
/// The store's.
pub async fn change(
    db: &Db,
    agent_id: AgentId,
    version: u64,
    new: &AgentChange,
    change: &Change,
) -> Result<Written<Agent>> {
    change_with_picture(db, agent_id, version, new, None, change).await
}

/// Changes a member; `picture` is what the change says of his, checked.
///
/// # Errors
/// The store's.
pub async fn change_with_picture(
    db: &Db,
    agent_id: AgentId,
    version: u64,
    new: &AgentChange,
    picture: Option<&NewPicture>,
    change: &Change,
) -> Result<Written<Agent>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    batch.locks.insert(0, workspace_id.to_string());
    let leaver = match new.deactivated {
        Some(true) => find(db, workspace_id, agent_id).await?,
        Some(false) | None => None,
    };
    let leaver = leaver.map(|member| member.agent.user_id);
    if let Some(user_id) = leaver {
        batch.locks.insert(0, user_id.to_string());
        batch.push(stmt!(session::LOCK_ACCOUNT, user_id));
    }
    batch.push(stmt!(LOCK_WORKSPACE, workspace_id));
    let update = batch.push(stmt!(
        UPDATE_AGENT,
        workspace_id,
        agent_id,
        version,
        stamp.id,
        new.name.as_ref().map(|name| name.as_str().to_owned()),
        new.role.map(Role::as_str),
        new.time_zone.clone(),
        new.deactivated,
        change.at_ms,
        limit::AGENTS_MAX,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_AGENT, agent_id));
    if let Some(grants) = &new.grants {
        batch.push(stmt!(DELETE_GRANTS, workspace_id, agent_id, stamp.id));
        for grant in Permissions::of(grants).list() {
            let word = grant.as_str();
            batch.push(stmt!(INSERT_GRANT, workspace_id, agent_id, stamp.id, word));
        }
    }
    if let Some(picture) = picture {
        picture::push(&mut batch, agent_id, picture, &stamp, change);
    }
    batch.push(stamp.value());
    batch.push(stamp.event(event_of(new), version + 1));
    if let Some(user_id) = leaver {
        session::push_ending_of_leaver(&mut batch, user_id, &stamp, change);
    }
    let changed = db.batch(batch).await?[update].changed;
    let Some(member) = find(db, workspace_id, agent_id).await? else {
        return Ok(Written::NotFound);
    };
    if changed == 0 {
        return Ok(if member.agent.version != version {
            Written::VersionConflict
        } else if member.agent.deactivated && new.deactivated == Some(false) {
            Written::TooMany
        } else {
            Written::LastOwner
        });
    }
    Ok(Written::Done(member.agent))
}

/// What a change is to those who hear of it. Rights that were set count as other ones: two changes
/// that undo each other are still heard of by whoever connected between them.
fn event_of(change: &AgentChange) -> EventType {
    let sets_rights =
        change.role.is_some() || change.grants.is_some() || change.deactivated.is_some();
    if sets_rights {
        EventType::AgentRightsChanged
    } else {
        EventType::AgentChanged
    }
}

fn decode(row: &Row, grants: Permissions) -> Result<Agent> {
    Ok(Agent {
        id: row.id("agent_id")?,
        version: row.number("version")?,
        user_id: row.id("user_id")?,
        name: row.text("name")?,
        picture: row.maybe_id("picture_id")?,
        email: row.text("email")?,
        role: row.word("role", Role::of)?,
        grants: grants.list(),
        time_zone: row.text("time_zone")?,
        deactivated: row.maybe_number("deactivated_at_ms")?.is_some(),
        created_at_ms: row.number("created_at_ms")?,
    })
}
