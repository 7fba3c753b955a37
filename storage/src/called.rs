//! What the things behind ids are called, for those who read lines that hold ids.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{
    AgentId, ApiKeyId, CannedResponseId, ContactId, Id, InvitationId, SavedViewId, SiteId,
    WorkspaceId,
};

use crate::contact;
use crate::db::{Reader, Row, Stmt, Value};
use crate::error::Result;

/// Ids that are asked for by one statement.
const ASKED_AT_ONCE: usize = 10;

/// A kind of thing, its prefix, and the statement that names ten of them: `$1` workspace, `$2` to `$11` ids.
/// Those without `handle` and `email` have a name for certain.
macro_rules! kinds {
    ($($prefix:expr => $select:literal;)*) => {
        [$(($prefix, concat!($select, "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    LIMIT 10"))),*]
    };
}

// By primary keys.
const KINDS: [(&str, &str); 8] = kinds! {
    AgentId::PREFIX => "
    SELECT agent_id AS id, name, NULL AS email, '' AS handle FROM agent
    WHERE workspace_id = $1 AND agent_id IN ";
    ApiKeyId::PREFIX => "
    SELECT key_id AS id, name, NULL AS email, '' AS handle FROM api_key
    WHERE workspace_id = $1 AND key_id IN ";
    // What a member keeps for himself is named to nobody.
    CannedResponseId::PREFIX => "
    SELECT canned_response_id AS id, nickname AS name, NULL AS email, '' AS handle FROM canned_response
    WHERE workspace_id = $1 AND owner = '' AND nickname <> '' AND canned_response_id IN ";
    SavedViewId::PREFIX => "
    SELECT saved_view_id AS id, name, NULL AS email, '' AS handle FROM saved_view
    WHERE workspace_id = $1 AND owner = '' AND saved_view_id IN ";
    SiteId::PREFIX => "
    SELECT site_id AS id, name, NULL AS email, '' AS handle FROM site
    WHERE workspace_id = $1 AND site_id IN ";
    InvitationId::PREFIX => "
    SELECT invitation_id AS id, email AS name, NULL AS email, '' AS handle FROM invitation
    WHERE workspace_id = $1 AND invitation_id IN ";
    WorkspaceId::PREFIX => "
    SELECT workspace_id AS id, name, NULL AS email, '' AS handle FROM workspace
    WHERE workspace_id = $1 AND workspace_id IN ";
    ContactId::PREFIX => "
    SELECT contact_id AS id, name, email, handle FROM contact
    WHERE workspace_id = $1 AND contact_id IN ";
};

/// What the things behind these ids are called now; those that are unknown, or of another kind, are left out.
pub(crate) async fn called(
    reader: &Reader,
    workspace_id: WorkspaceId,
    ids: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>> {
    let mut stmts = Vec::new();
    for (prefix, sql) in KINDS {
        let of_kind: Vec<&String> = ids.iter().filter(|id| is_of(id, prefix)).collect();
        for some in of_kind.chunks(ASKED_AT_ONCE) {
            let mut params: Vec<Value> = vec![workspace_id.into()];
            params.extend(some.iter().map(|id| Value::from(id.as_str())));
            params.resize(1 + ASKED_AT_ONCE, Value::from(""));
            stmts.push(Stmt::new(sql, params));
        }
    }
    if stmts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let answers = reader.snapshot(stmts).await?;
    answers.iter().flatten().map(named).collect()
}

fn named(row: &Row) -> Result<(String, String)> {
    Ok((row.text("id")?, contact::name_of(row)?))
}

fn is_of(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with('_'))
}
