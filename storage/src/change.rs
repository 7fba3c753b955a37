//! How a change of a record is stored: the guarded write, its audit lines and its event, in one batch.
//!
//! A batch cannot branch, so it guards itself: the write stamps the record with the change's id, the
//! audit line is stored only where the stamp stands, and everything after that only where the audit
//! line stands. A refused change stores nothing, and is no error.

use protocol::event::EventType;
use protocol::id::{AuditId, EventId};

use crate::audit::Change;
use crate::db::{Batch, Db, Stmt, stmt};

/// The stamp of a change, and what is needed to store its traces.
#[derive(Debug, Clone)]
pub(crate) struct Stamp<'a> {
    /// The audit line's id, which the record carries as `change_id`.
    pub(crate) id: AuditId,
    change: &'a Change,
    event_id: EventId,
}

/// Stores a line where the record of the same statement carries the stamp: `$1` workspace, `$2` line,
/// `$3` time, `$4` actor, `$5` action, `$6` target, `$7` fields, and `$8` the record's id.
macro_rules! insert_audit_where_stamped {
    ($table:literal, $key:literal) => {
        concat!(
            "INSERT INTO audit_entry (workspace_id, audit_id, at_ms, actor, action, target, fields_json) ",
            "SELECT $1, $2, CAST($3 AS BIGINT), $4, $5, $6, $7 FROM ",
            $table,
            " WHERE workspace_id = $1 AND ",
            $key,
            " = $8 AND change_id = $2"
        )
    };
}
pub(crate) use insert_audit_where_stamped;

const INSERT_AUDIT: &str = "
    INSERT INTO audit_entry (workspace_id, audit_id, at_ms, actor, action, target, fields_json)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const INSERT_VALUE: &str = "
    INSERT INTO audit_value (workspace_id, audit_id, changes_json, address)
    SELECT $1, $2, CAST($3 AS TEXT), CAST($4 AS TEXT) FROM audit_entry
    WHERE workspace_id = $1 AND audit_id = $2";

const INSERT_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, $4, $5, CAST($6 AS BIGINT), CAST($7 AS BIGINT) FROM audit_entry
    WHERE workspace_id = $1 AND audit_id = $2";

impl<'a> Stamp<'a> {
    /// A fresh stamp for a change.
    pub(crate) fn new(db: &Db, change: &'a Change) -> Self {
        let ids = &db.world().ids;
        Self {
            id: ids.next(),
            change,
            event_id: ids.next(),
        }
    }

    /// A batch that locks what is changed.
    pub(crate) fn batch(&self) -> Batch {
        Batch::locking(vec![self.change.target.clone()])
    }

    fn fields_json(&self) -> String {
        serde_json::to_string(&self.change.fields).expect("a list of words is JSON")
    }

    /// The audit line, for a change that nothing can refuse any more.
    pub(crate) fn audit(&self) -> Stmt {
        let change = self.change;
        stmt!(
            INSERT_AUDIT,
            change.workspace_id,
            self.id,
            change.at_ms,
            change.actor.as_str(),
            change.action,
            change.target.as_str(),
            self.fields_json(),
        )
    }

    /// The audit line, stored where the record `id` carries the stamp. `sql` is made by
    /// [`insert_audit_where_stamped`].
    pub(crate) fn audit_where_stamped(&self, sql: &'static str, id: impl ToString) -> Stmt {
        let change = self.change;
        stmt!(
            sql,
            change.workspace_id,
            self.id,
            change.at_ms,
            change.actor.as_str(),
            change.action,
            change.target.as_str(),
            self.fields_json(),
            id.to_string(),
        )
    }

    /// The values of the audit line, stored where the line is.
    pub(crate) fn value(&self) -> Stmt {
        let change = self.change;
        stmt!(
            INSERT_VALUE,
            change.workspace_id,
            self.id,
            change.changes_json.clone(),
            change.address.clone(),
        )
    }

    /// The event, stored where the audit line is.
    pub(crate) fn event(&self, event_type: EventType, number: u64) -> Stmt {
        let change = self.change;
        stmt!(
            INSERT_EVENT,
            change.workspace_id,
            self.id,
            self.event_id,
            event_type.as_str(),
            change.target.as_str(),
            number,
            change.at_ms,
        )
    }
}
