//! Several messages of one author as one guarded batch: one statement guards and counts all of them in, and
//! each is remembered under the name of its own command.
//!
//! It is a short cut for who says much at once, and never decides alone: where it does not go through as a
//! whole, nothing was stored, and each message takes the way of [`super::append`].

use protocol::entry::{Author, Entry};
use protocol::id::{ConversationId, WorkspaceId};
use protocol::message::Format;

use crate::command::{CommandKey, Receipt};
use crate::contact::Shown;
use crate::db::Db;
use crate::entry::append::batch_of;
use crate::entry::write::Line;
use crate::entry::{Append, Guard, NewContent, NewEntry, NewMessage, Stored};
use crate::error::{Error, Result};

/// Messages for one conversation, in the order in which they were said.
#[derive(Debug, Clone, PartialEq)]
pub struct Several {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// To which conversation.
    pub conversation_id: ConversationId,
    /// What must hold.
    pub guard: Guard,
    /// Who says them.
    pub author: Author,
    /// What is said, each under the name of its command; without files.
    pub messages: Vec<(CommandKey, NewMessage)>,
    /// The store's time now.
    pub at_ms: u64,
    /// As in [`Append`].
    pub reached_at_ms: Option<u64>,
    /// As in [`Append`].
    pub contact: Option<Shown>,
}

/// Appends several messages: one guarded transaction, all of them or none. Gives what was stored, with a
/// receipt for each; nothing where the guard did not hold or one of the commands was stored before.
///
/// # Errors
/// The store's. After `Unavailable` the outcome is unknown; the same keys may be tried again.
pub async fn append_several(
    db: &Db,
    several: &Several,
) -> Result<Option<(Vec<Receipt>, Box<Stored>)>> {
    let Some((key, _)) = several.messages.first() else {
        return Err(Error::Fault("an append needs an entry".to_owned()));
    };
    let entries = several.messages.iter().map(|(_, message)| NewEntry {
        id: db.world().ids.next(),
        author: several.author,
        content: NewContent::Message(message.clone()),
    });
    let append = Append {
        workspace_id: several.workspace_id,
        conversation_id: several.conversation_id,
        // The guard looks for the first one. Another that was stored before fails the batch by its key.
        key: key.clone(),
        guard: several.guard.clone(),
        entries: entries.collect(),
        at_ms: several.at_ms,
        reached_at_ms: several.reached_at_ms,
        contact: several.contact.clone(),
    };
    let keys = several.messages.iter().map(|(key, _)| key);
    let line = |(entry, key)| Line {
        entry,
        public: true,
        target_format: Format::Plain,
        key: Some(key),
    };
    let lines: Vec<Line<'_>> = append.entries.iter().zip(keys).map(line).collect();
    let (batch, reads) = batch_of(db, &append, &lines);
    let answers = match db.batch(batch).await {
        Ok(answers) => answers,
        Err(Error::Unique(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    if answers[0].rows.is_empty() {
        return Ok(None);
    }
    let stored = reads.stored(&answers, &lines, append.contact.as_ref())?;
    let receipt = |entry: &Entry| Receipt {
        conversation_id: Some(entry.conversation_id),
        entry_id: Some(entry.id),
        seq: Some(entry.seq),
        public_seq: entry.public_seq,
        sent_at_ms: entry.sent_at_ms,
    };
    let receipts = stored.entries.iter().map(receipt).collect();
    Ok(Some((receipts, Box::new(stored))))
}
