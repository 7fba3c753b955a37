//! What a contact is called, and who else is called so: all that were merged with it.

use protocol::contact::shown_name;
use protocol::id::{ContactId, ConversationId, VisitorId, WorkspaceId};

use crate::db::{Reader, Row, Stmt, stmt};
use crate::error::Result;

/// Contacts merged with one that are told together. More than these are no person's.
const GROUP_MAX: usize = 500;

/// Browsers of a person that are looked at, those seen last.
const VISITORS_MAX: usize = 50;

/// The shown name from columns `name`, `email` and `handle`.
pub(crate) fn name_of(row: &Row) -> Result<String> {
    let email = row.maybe_text("email")?;
    Ok(shown_name(
        &row.text("name")?,
        email.as_deref(),
        &row.text("handle")?,
    ))
}

/// What the row of a conversation shows of its contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What the contact is called.
    pub name: String,
    /// Grows with every change, over merges too: an older name never overwrites a newer.
    pub version: u64,
    /// Whether the contact was erased.
    pub erased: bool,
}

impl Shown {
    /// From columns `name`, `email`, `handle`, `contact_version` and `erased_at_ms`.
    pub(crate) fn of(row: &Row) -> Result<Self> {
        Ok(Self {
            name: name_of(row)?,
            version: row.number("contact_version")?,
            erased: row.maybe_number("erased_at_ms")?.is_some(),
        })
    }
}

// By primary keys.
const FIND_SHOWN: &str = "
    SELECT r.name, r.email, r.handle, r.version AS contact_version, r.erased_at_ms
    FROM conversation c
    JOIN contact k ON k.workspace_id = c.workspace_id AND k.contact_id = c.contact_id
    JOIN contact r ON r.workspace_id = k.workspace_id AND r.contact_id = k.root_id
    WHERE c.workspace_id = $1 AND c.conversation_id = $2";

/// The read of what a conversation's row shows of its contact.
pub(crate) fn shown_stmt(workspace_id: WorkspaceId, conversation_id: ConversationId) -> Stmt {
    stmt!(FIND_SHOWN, workspace_id, conversation_id)
}

/// A contact as rows show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The contact, and all merged with it.
    pub contact_ids: Vec<ContactId>,
    /// Their browsers, those seen last.
    pub visitor_ids: Vec<VisitorId>,
    /// What they are called.
    pub name: String,
    /// Grows with every change, over merges too.
    pub version: u64,
    /// Whether the contact was erased.
    pub erased: bool,
}

// By primary keys.
const FIND_ROOT: &str = "
    SELECT r.contact_id, r.name, r.email, r.handle, r.version, r.erased_at_ms
    FROM contact k
    JOIN contact r ON r.workspace_id = k.workspace_id AND r.contact_id = k.root_id
    WHERE k.workspace_id = $1 AND k.contact_id = $2";

// Uses `contact_by_root`.
const LIST_GROUP: &str = "
    SELECT k.contact_id
    FROM contact o
    JOIN contact k ON k.workspace_id = o.workspace_id AND k.root_id = o.root_id
    WHERE o.workspace_id = $1 AND o.contact_id = $2
    ORDER BY k.contact_id
    LIMIT $3";

// Uses `contact_by_root` and `visitor_of_contact`.
const LIST_VISITORS: &str = "
    SELECT v.visitor_id
    FROM contact o
    JOIN contact k ON k.workspace_id = o.workspace_id AND k.root_id = o.root_id
    JOIN visitor v ON v.workspace_id = k.workspace_id AND v.contact_id = k.contact_id
    WHERE o.workspace_id = $1 AND o.contact_id = $2
    ORDER BY v.seen_at_ms DESC, v.visitor_id
    LIMIT $3";

/// What a contact is called now, and where that shows.
///
/// # Errors
/// The store's.
pub async fn named(
    reader: &Reader,
    workspace_id: WorkspaceId,
    contact_id: ContactId,
) -> Result<Option<Named>> {
    let answers = reader
        .snapshot(vec![
            stmt!(FIND_ROOT, workspace_id, contact_id),
            stmt!(LIST_GROUP, workspace_id, contact_id, GROUP_MAX),
            stmt!(LIST_VISITORS, workspace_id, contact_id, VISITORS_MAX),
        ])
        .await?;
    let [root, contacts, visitors] = answers.as_slice() else {
        return Ok(None);
    };
    let Some(root) = root.first() else {
        return Ok(None);
    };
    Ok(Some(Named {
        contact_ids: contacts
            .iter()
            .map(|row| row.id("contact_id"))
            .collect::<Result<_>>()?,
        visitor_ids: visitors
            .iter()
            .map(|row| row.id("visitor_id"))
            .collect::<Result<_>>()?,
        name: name_of(root)?,
        version: root.number("version")?,
        erased: root.maybe_number("erased_at_ms")?.is_some(),
    }))
}
