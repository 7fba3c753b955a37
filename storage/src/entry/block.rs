//! What blocking changes: the conversation's visitor, and where he was proved, the person on all his devices.
//!
//! The flag at the contact is for the devices of tomorrow: whoever proves to be this person is blocked with it.
//! It is written first, so that one who is being proved at this moment waits for it or is found by what follows.

use protocol::id::EventId;

use crate::db::{Batch, Db, Value};
use crate::entry::write::Head;

/// The proved person behind the conversation's visitor, by the contact `r` that speaks for it.
macro_rules! person {
    () => {
        "
    FROM conversation c
    JOIN visitor v ON v.workspace_id = c.workspace_id AND v.visitor_id = c.visitor_id AND v.proved
    JOIN contact k ON k.workspace_id = v.workspace_id AND k.contact_id = v.contact_id
    JOIN contact r ON r.workspace_id = k.workspace_id AND r.contact_id = k.root_id
    WHERE c.workspace_id = $1 AND c.conversation_id = $2"
    };
}

/// Uses `contact_by_root`. Blocking marks the contact that speaks for the others; unblocking frees all of them.
const BLOCK_CONTACT: &str = concat!(
    "
    UPDATE contact SET blocked_at_ms = CAST($3 AS BIGINT)
    WHERE workspace_id = $1 AND (CAST($3 AS BIGINT) IS NULL OR contact_id = root_id)
        AND root_id = (SELECT r.contact_id",
    person!(),
    ")"
);

const BLOCK_VISITOR: &str = "
    UPDATE visitor SET blocked_at_ms = $3, version = version + 1
    WHERE workspace_id = $1 AND visitor_id = (
        SELECT c.visitor_id FROM conversation c WHERE c.workspace_id = $1 AND c.conversation_id = $2)";

/// Uses `contact_by_root` and `visitor_of_contact`.
const BLOCK_DEVICES: &str = concat!(
    "
    UPDATE visitor SET blocked_at_ms = $3, version = version + 1
    WHERE workspace_id = $1 AND proved AND erased_at_ms IS NULL
        AND visitor_id <> (SELECT v.visitor_id",
    person!(),
    ")
        AND contact_id IN (SELECT m.contact_id FROM contact m
            WHERE m.workspace_id = $1 AND m.root_id = (SELECT r.contact_id",
    person!(),
    "))"
);

const INSERT_VISITOR_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, 'visitor.changed', v.visitor_id, v.version, CAST($4 AS BIGINT)
    FROM conversation c
    JOIN visitor v ON v.workspace_id = c.workspace_id AND v.visitor_id = c.visitor_id
    WHERE c.workspace_id = $1 AND c.conversation_id = $2";

/// Who follows the log looks at all devices of a contact that changed.
const INSERT_CONTACT_EVENT: &str = concat!(
    "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, 'contact.changed', r.contact_id, r.version, CAST($4 AS BIGINT)",
    person!()
);

/// Adds what blocks, or frees, the visitor of a conversation.
pub(super) fn push(head: &Head<'_>, db: &Db, batch: &mut Batch, blocked: bool) {
    let at_ms = Value::from(blocked.then_some(head.at_ms));
    for sql in [BLOCK_CONTACT, BLOCK_VISITOR, BLOCK_DEVICES] {
        batch.push(head.change(sql, std::slice::from_ref(&at_ms)));
    }
    for sql in [INSERT_VISITOR_EVENT, INSERT_CONTACT_EVENT] {
        let event_id = db.world().ids.next::<EventId>();
        let more = [Value::from(event_id), Value::from(head.at_ms)];
        batch.push(head.change(sql, &more));
    }
}
