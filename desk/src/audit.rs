//! What the audit log keeps of a change: the names of the fields that differ, and, in a part that an
//! erasure can empty, from what to what.

use protocol::permission::Actor;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Caller;

/// The differences between a record as it was and as it is to be.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    fields: Vec<&'static str>,
    values: Map<String, Value>,
}

impl Differences {
    /// Notes a field, if it differs.
    pub(crate) fn note<T: Serialize + PartialEq>(
        &mut self,
        field: &'static str,
        before: &T,
        after: &T,
    ) {
        if before == after {
            return;
        }
        self.fields.push(field);
        // A value that cannot be written as JSON is left out; the field's name still tells of it.
        if let (Ok(before), Ok(after)) = (serde_json::to_value(before), serde_json::to_value(after))
        {
            let (before, after) = differing(before, after);
            self.values
                .insert(field.to_owned(), Value::Array(vec![before, after]));
        }
    }

    /// Notes that a field differs, without from what to what.
    pub(crate) fn name(&mut self, field: &'static str) {
        self.fields.push(field);
    }

    /// Whether nothing differs: then there is nothing to store either.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// What differs between two records, a look's color and not its pictures; what is no record, whole.
fn differing(before: Value, after: Value) -> (Value, Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => (
            Value::Object(beside(&before, &after)),
            Value::Object(beside(&after, &before)),
        ),
        whole => whole,
    }
}

/// The fields of one record that another has otherwise, or not at all.
fn beside(one: &Map<String, Value>, other: &Map<String, Value>) -> Map<String, Value> {
    let fields = one
        .iter()
        .filter(|(name, value)| other.get(*name) != Some(*value));
    fields
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Who changes something, and from where.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    /// Who.
    pub(crate) actor: &'a Actor,
    /// From where; nobody is on the line where the server itself acts.
    pub(crate) caller: Option<&'a Caller>,
}

impl By<'_> {
    /// The line of the audit log for a change of `target`.
    pub(crate) fn change(
        &self,
        action: &'static str,
        target: impl ToString,
        differences: Differences,
        at_ms: u64,
    ) -> storage::audit::Change {
        let changes_json =
            (!differences.values.is_empty()).then(|| Value::Object(differences.values).to_string());
        storage::audit::Change {
            workspace_id: self.actor.workspace_id,
            actor: self.actor.principal_key(),
            action,
            target: target.to_string(),
            fields: differences.fields,
            changes_json,
            address: self
                .caller
                .map(|caller| caller.address.to_canonical().to_string()),
            at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::id::{Id, WorkspaceId};
    use protocol::permission::Principal;
    use serde_json::json;

    #[test]
    fn a_line_names_what_differs_and_from_what_to_what() {
        let mut differences = Differences::default();
        differences.note("name", &"a", &"b");
        differences.note("color", &"same", &"same");
        assert!(!differences.is_empty());
        let actor = Actor {
            workspace_id: WorkspaceId::from_bits(1),
            principal: Principal::System,
        };
        let by = By {
            actor: &actor,
            caller: None,
        };
        let change = by.change("site.changed", "site_x", differences, 7);
        assert_eq!(change.fields, ["name"]);
        assert_eq!(
            change.changes_json.as_deref(),
            Some(r#"{"name":["a","b"]}"#)
        );
        assert_eq!((change.actor.as_str(), change.at_ms), ("system", 7));
        assert!(change.address.is_none());
    }

    #[test]
    fn of_a_record_in_a_field_only_what_differs_is_kept() {
        assert_eq!(
            differing(
                json!({"color": "#111111", "logo": "data:", "asks": {"name": "never"}}),
                json!({"color": "#222222", "logo": "data:", "title": "Tea"}),
            ),
            (
                json!({"color": "#111111", "asks": {"name": "never"}}),
                json!({"color": "#222222", "title": "Tea"}),
            )
        );
        let hours = || json!([{"from": "08:00", "to": "12:00"}]);
        assert_eq!(differing(hours(), json!([])), (hours(), json!([])));
        assert_eq!(differing(json!({}), Value::Null), (json!({}), Value::Null));
    }

    #[test]
    fn equal_records_leave_no_line() {
        let mut differences = Differences::default();
        differences.note("name", &1, &1);
        assert!(differences.is_empty());
    }
}
