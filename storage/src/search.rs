//! Search: the one file besides `db` that asks which database it is. Same results on both.
//!
//! Which words a text has is decided here and stored beside it; the databases only look them up. A message waits for
//! no index: Postgres gets the words with it, and sorts them in later; SQLite, which has one writer, gets them a moment
//! after it.

use std::collections::BTreeSet;

use protocol::conversation::Conversation;
use protocol::id::{ConversationId, EntryId, WorkspaceId};
use protocol::limit;
use protocol::message::{Format, plain_text};
use protocol::page::{Cursor, List, Page};
use protocol::permission::Scope;
use protocol::search::Found;
use protocol::view::{InboxFilter, InboxList};
use serde::Serialize;

use crate::conversation::{active, decode, select_conversation};
use crate::db::{Backend, Batch, Db, Hold, Reader, Row, Stmt, Value, stmt};
use crate::error::{Error, Result};
use crate::found::{Sought, literal};
use crate::inbox::{ListQuery, narrowing};
use crate::page::{After, page};
use crate::word::split;

/// The index of SQLite: FTS5 over `message.words`, kept by triggers; what is removed is overwritten. A message
/// whose words nobody looked for yet has none.
pub(crate) const INDEX_SQLITE: &str = "
CREATE VIRTUAL TABLE message_index USING fts5(
    words, content='message', tokenize='ascii', prefix='2 3');
INSERT INTO message_index (message_index, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER message_index_insert AFTER INSERT ON message WHEN new.words <> '' BEGIN
    INSERT INTO message_index (rowid, words) VALUES (new.rowid, new.words);
END;
CREATE TRIGGER message_index_forget AFTER UPDATE OF words ON message WHEN old.words <> '' BEGIN
    INSERT INTO message_index (message_index, rowid, words) VALUES ('delete', old.rowid, old.words);
END;
CREATE TRIGGER message_index_learn AFTER UPDATE OF words ON message WHEN new.words <> '' BEGIN
    INSERT INTO message_index (rowid, words) VALUES (new.rowid, new.words);
END;
CREATE TRIGGER message_index_delete AFTER DELETE ON message WHEN old.words <> '' BEGIN
    INSERT INTO message_index (message_index, rowid, words) VALUES ('delete', old.rowid, old.words);
END;
";

/// The index of Postgres: the same words, as a tsvector.
pub(crate) const INDEX_POSTGRES: &str = "
CREATE INDEX message_index ON message
    USING GIN (array_to_tsvector(string_to_array(words, ' ')))
    WITH (gin_pending_list_limit = 256)
    WHERE words IS NOT NULL;
";

/// A message comes with its words, which wait in a list of the index until [`learn`] sorts them in, beside the groups. Only
/// past so many kilobytes whoever adds to the list does it, which would be a group.
pub(crate) const INDEX_POSTGRES_WAITS: &str = "
ALTER INDEX message_index SET (gin_pending_list_limit = 65536);
";

/// Words of one message in the index.
const WORDS_MAX: usize = 2_000;

/// The words of a text as the index holds them: folded, each once; of scripts that write without spaces,
/// every two neighbours. The workspace's own word is among them, so that one workspace's search never looks
/// through another's words.
fn words(workspace_id: &str, text: &str) -> String {
    let mut words: BTreeSet<String> = split(text).into_iter().take(WORDS_MAX).collect();
    if words.is_empty() {
        return String::new();
    }
    words.insert(workspace_word(workspace_id));
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn workspace_word(id: &str) -> String {
    id.replace('_', "")
}

/// The words of a text where they are stored with it. Nothing where the search learns them later.
pub(crate) fn words_beside(
    db: &Db,
    workspace_id: WorkspaceId,
    format: Format,
    body: &str,
) -> Option<String> {
    match db.backend() {
        Backend::Sqlite => None,
        Backend::Postgres => Some(words(&workspace_id.to_string(), &plain_text(format, body))),
    }
}

/// Messages whose words are found in one go: it holds the writer for a few milliseconds.
const SLICE: usize = 64;

/// How many of those that are told [`learn`] takes in at once.
#[must_use]
pub fn slice(db: &Db) -> usize {
    match db.backend() {
        Backend::Sqlite => SLICE,
        Backend::Postgres => usize::MAX,
    }
}

/// Sorts in what waits in the index.
const SORT_IN: &str = "SELECT gin_clean_pending_list('message_index')";

/// Messages that are asked for by one statement.
const ASKED_AT_ONCE: usize = 16;

// Uses `message_without_words`.
const LIST_LEFT_BEHIND: &str = "
    SELECT workspace_id, entry_id, format, body FROM message
    WHERE words IS NULL AND entry_id < $2
    ORDER BY entry_id
    LIMIT $1";

// Uses `message_without_words`.
const LIST_TOLD: &str = "
    SELECT workspace_id, entry_id, format, body FROM message
    WHERE words IS NULL AND entry_id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ORDER BY entry_id
    LIMIT 16";

/// Nothing where somebody was faster, or the text is another one by now, or gone.
const SET_WORDS: &str = "
    UPDATE message SET words = $3
    WHERE workspace_id = $1 AND entry_id = $2 AND words IS NULL AND body = $4";

/// The same for a list, which Postgres stores in a third of the time.
const SET_WORDS_OF_LIST: &str = "
    UPDATE message SET words = t.words
    FROM json_to_recordset(CAST(CAST($1 AS TEXT) AS JSON))
        AS t (workspace_id TEXT, entry_id TEXT, words TEXT, body TEXT)
    WHERE message.workspace_id = t.workspace_id AND message.entry_id = t.entry_id
        AND message.words IS NULL AND message.body = t.body";

/// Which messages the search is to learn.
#[derive(Debug, Clone, Copy)]
pub enum Unlearned<'a> {
    /// These, as far as it does not know them; at most [`slice()`] count.
    Told(&'a [EntryId]),
    /// Whatever was left behind of those whose ids were made before this one.
    Before(EntryId),
}

/// What came of a round of [`learn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// The search knows all of them.
    All,
    /// There is more.
    Some,
    /// Another node is at it.
    Meanwhile,
}

/// What is learned of a message.
#[derive(Serialize)]
struct Lesson {
    workspace_id: String,
    entry_id: String,
    words: String,
    body: String,
}

/// Lets the search find messages that were stored since, or find them faster; at most 64 in one transaction. Any
/// number of nodes may do it at once: best each its own, for whoever meets another one at the same messages waits.
///
/// # Errors
/// The store's.
pub async fn learn(db: &Db, unlearned: Unlearned<'_>) -> Result<Learned> {
    let rows = match (unlearned, db.backend()) {
        (Unlearned::Told(ids), Backend::Sqlite) => told(db, ids).await?,
        (Unlearned::Told(_), Backend::Postgres) => return sort_in(db).await,
        (Unlearned::Before(id), _) => db.rows(stmt!(LIST_LEFT_BEHIND, SLICE, id)).await?,
    };
    if rows.is_empty() {
        return Ok(Learned::All);
    }
    let mut batch = Batch {
        is_aside: true,
        ..Batch::default()
    };
    let mut lessons = Vec::with_capacity(rows.len());
    for row in &rows {
        let (workspace_id, entry_id) = (row.text("workspace_id")?, row.text("entry_id")?);
        let format = row.word("format", Format::of)?;
        let body = row.text("body")?;
        let hold = Hold::Message(row.id("workspace_id")?, row.id("entry_id")?);
        batch.locks.push(format!("{entry_id} words"));
        batch.holds.push(hold);
        lessons.push(Lesson {
            words: words(&workspace_id, &plain_text(format, &body)),
            workspace_id,
            entry_id,
            body,
        });
    }
    match db.backend() {
        Backend::Sqlite => batch.stmts.extend(lessons.into_iter().map(Lesson::stmt)),
        Backend::Postgres => {
            let list = serde_json::to_string(&lessons);
            let list = list.map_err(|error| Error::Fault(error.to_string()))?;
            batch.push(stmt!(SET_WORDS_OF_LIST, list));
        }
    }
    let answers = db.batch(batch).await?;
    let changed: u64 = answers.iter().map(|answer| answer.changed).sum();
    Ok(match (rows.len(), unlearned) {
        (count, _) if changed * 2 < count as u64 => Learned::Meanwhile,
        (SLICE, Unlearned::Before(_)) => Learned::Some,
        _ => Learned::All,
    })
}

/// Postgres has the words of what was told: they are only sorted in. Nobody can see that, so it goes with the reads,
/// beside the groups. Two nodes that do it wait for each other, and the second one finds nothing to do.
async fn sort_in(db: &Db) -> Result<Learned> {
    db.rows(stmt!(SORT_IN)).await?;
    Ok(Learned::All)
}

async fn told(db: &Db, ids: &[EntryId]) -> Result<Vec<Row>> {
    let asked = ids.iter().take(SLICE).collect::<Vec<_>>();
    let stmts = asked.chunks(ASKED_AT_ONCE).map(|ids| {
        let mut params: Vec<Value> = ids.iter().map(|id| Value::from(**id)).collect();
        params.resize(ASKED_AT_ONCE, Value::from(""));
        Stmt::new(LIST_TOLD, params)
    });
    let answers = db.snapshot(stmts.collect()).await?;
    Ok(answers.into_iter().flatten().collect())
}

impl Lesson {
    fn stmt(self) -> Stmt {
        let Self {
            workspace_id,
            entry_id,
            words,
            body,
        } = self;
        stmt!(SET_WORDS, workspace_id, entry_id, words, body)
    }
}

/// `$2`, `$3` where the page begins, `$4` its length, `$5` its slot, `$6` words for the index, `$7` what a
/// contact's name or address holds, `$8` to `$14` what narrows the list, `$15` the agent of a list of his own.
macro_rules! search {
    ($list:literal, $matching:literal) => {
        select_conversation!(
            $list,
            crate::inbox::narrowed!("$8", "$9", "$10", "$11", "$12", "$13", "$14"),
            " AND c.active_slot <= $5 AND (c.active_at_ms, c.conversation_id) < ($2, $3)
        AND (r.name_folded LIKE '%' || $7 || '%'
            OR EXISTS (
                SELECT 1 FROM contact_identity i
                WHERE i.workspace_id = $1 AND i.contact_id = c.contact_id
                    AND i.kind IN ('email', 'phone', 'external_id') AND i.value_folded LIKE $7 || '%')
            OR c.conversation_id IN (",
            $matching,
            "))
    ORDER BY c.active_slot DESC, c.active_at_ms DESC, c.conversation_id DESC
    LIMIT $4"
        )
    };
}

/// The same in each list, which has an index of its own; in the order of [`place`].
macro_rules! search_lists {
    ($matching:literal) => {
        [
            search!("c.state <> 'closed' AND NOT c.spam", $matching),
            search!(
                "c.state <> 'closed' AND NOT c.spam AND c.assignee_id = $15",
                $matching
            ),
            search!(
                "c.state <> 'closed' AND NOT c.spam AND c.state = 'open' AND c.assignee_id IS NULL",
                $matching
            ),
            search!("c.state = 'closed' AND NOT c.spam", $matching),
            search!("c.spam", $matching),
            search!(
                "c.state <> 'closed' AND NOT c.spam AND c.state = 'open' AND c.waiting_on = 'agent'",
                $matching
            ),
            search!(
                "c.state <> 'closed' AND NOT c.spam AND c.state = 'snoozed'",
                $matching
            ),
        ]
    };
}

const SEARCH_SQLITE: [&str; 7] = search_lists!(
    "SELECT m.conversation_id
            FROM message_index x
            JOIN message m ON m.rowid = x.rowid
            WHERE x.message_index MATCH $6 AND m.workspace_id = $1"
);

// Uses the GIN index `message_index`.
const SEARCH_POSTGRES: [&str; 7] = search_lists!(
    "SELECT m.conversation_id
            FROM message m
            WHERE m.workspace_id = $1 AND m.words IS NOT NULL AND array_to_tsvector(string_to_array(m.words, ' '))
                @@ CAST(CAST($6 AS TEXT) AS TSQUERY)"
);

fn place(filter: InboxFilter) -> usize {
    match filter {
        InboxFilter::All => 0,
        InboxFilter::Mine => 1,
        InboxFilter::Unassigned => 2,
        InboxFilter::Closed => 3,
        InboxFilter::Spam => 4,
        InboxFilter::Waiting => 5,
        InboxFilter::Snoozed => 6,
    }
}

/// The conversations of a list where one message or note, or the contact's name or address, holds all
/// words of a text, the last word as a beginning; newest first. At most `SEARCH_BYTES_MAX` of it count.
///
/// # Errors
/// The store's.
pub async fn conversations(
    reader: &Reader,
    scope: &Scope,
    text: &str,
    query: &ListQuery,
) -> Result<Page<Conversation>> {
    let text = protocol::text::cut(text, limit::SEARCH_BYTES_MAX);
    let words = split(&text);
    if words.is_empty() {
        return Ok(Page {
            items: Vec::new(),
            cursor: None,
        });
    }
    let workspace = workspace_word(&scope.workspace_id().to_string());
    let (sql, matching) = match reader.backend() {
        Backend::Sqlite => (&SEARCH_SQLITE, sqlite_query(&workspace, &words)),
        Backend::Postgres => (&SEARCH_POSTGRES, postgres_query(&workspace, &words)),
    };
    let limit = query.limit.min(limit::PAGE_ROWS_MAX);
    let after = After::of(query.cursor.as_ref());
    let mut stmt = stmt!(
        sql[place(query.list.filter)],
        scope.workspace_id(),
        after.at_ms,
        after.id.as_str(),
        limit + 1,
        after.slot(),
        matching,
        literal(&text)
    );
    stmt.params.extend(narrowing(query.list));
    if query.list.filter == InboxFilter::Mine {
        let agent_id = query.agent_id.map(|id| id.to_string()).unwrap_or_default();
        stmt.params.push(Value::from(agent_id));
    }
    let rows = reader.rows(stmt).await?;
    page(&rows, limit, decode, |item| active(item).text(List::Inbox))
}

/// `$2`, `$3` where the page begins, `$4` its length, `$5` words for the index, `$6` what a name holds or an address
/// begins with, `$7` a conversation's number, `$8` to `$14` what narrows it. Uses `conversation_by_number`, `contact_by_root` and
/// `conversation_of_contact`; names and addresses are looked through.
macro_rules! search_everywhere {
    ($matching:literal) => {
        select_conversation!(
            "(c.active_at_ms, c.conversation_id) < ($2, $3)",
            crate::inbox::narrowed!("$8", "$9", "$10", "$11", "$12", "$13", "$14"),
            " AND c.conversation_id IN (",
            $matching,
            "
            /* reads all: names are found by any part of them, addresses by their beginning */
            UNION
            SELECT n.conversation_id FROM conversation n
            WHERE n.workspace_id = $1 AND n.number = $7
            UNION
            SELECT n.conversation_id
            FROM contact f
            JOIN contact g ON g.workspace_id = f.workspace_id AND g.root_id = f.contact_id
            JOIN conversation n ON n.workspace_id = g.workspace_id AND n.contact_id = g.contact_id
            WHERE f.workspace_id = $1 AND (f.name_folded LIKE '%' || $6 || '%'
                OR (f.name = '' AND COALESCE(f.email, '') = ''
                    AND ('visitor ' || LOWER(f.handle) LIKE $6 || '%' OR LOWER(f.handle) = $6)))
            UNION
            SELECT n.conversation_id
            FROM contact_identity i
            JOIN contact f ON f.workspace_id = i.workspace_id AND f.contact_id = i.contact_id
            JOIN contact g ON g.workspace_id = f.workspace_id AND g.root_id = f.root_id
            JOIN conversation n ON n.workspace_id = g.workspace_id AND n.contact_id = g.contact_id
            WHERE i.workspace_id = $1 AND i.archived_at_ms IS NULL
                AND i.kind IN ('email', 'phone', 'external_id') AND i.value_folded LIKE $6 || '%')
    ORDER BY c.active_at_ms DESC, c.conversation_id DESC
    LIMIT $4"
        )
    };
}

const EVERYWHERE_SQLITE: &str = search_everywhere!(
    "SELECT m.conversation_id
            FROM message_index x
            JOIN message m ON m.rowid = x.rowid
            WHERE x.message_index MATCH $5 AND m.workspace_id = $1"
);

// Uses the GIN index `message_index`.
const EVERYWHERE_POSTGRES: &str = search_everywhere!(
    "SELECT m.conversation_id
            FROM message m
            WHERE m.workspace_id = $1 AND m.words IS NOT NULL AND array_to_tsvector(string_to_array(m.words, ' '))
                @@ CAST(CAST($5 AS TEXT) AS TSQUERY)"
);

/// The conversations of all lists where one message or note holds all words of a text, the last word as a
/// beginning, or whose contact's name, handle, address or number holds the text, or whose own number it
/// is; newest first, with where it stands. Of `narrowed` counts what it is narrowed to, not which list it is.
///
/// # Errors
/// The store's.
pub async fn everywhere(
    reader: &Reader,
    scope: &Scope,
    text: &str,
    narrowed: InboxList,
    cursor: Option<&Cursor<ConversationId>>,
    limit: usize,
) -> Result<Page<Found>> {
    let sought = Sought::of(text);
    if sought.words.is_empty() {
        return Ok(Page {
            items: Vec::new(),
            cursor: None,
        });
    }
    let workspace = workspace_word(&scope.workspace_id().to_string());
    let (sql, matching) = match reader.backend() {
        Backend::Sqlite => (EVERYWHERE_SQLITE, sqlite_query(&workspace, &sought.words)),
        Backend::Postgres => (
            EVERYWHERE_POSTGRES,
            postgres_query(&workspace, &sought.words),
        ),
    };
    let limit = limit.min(limit::FOUND_ROWS_MAX);
    let after = After::of(cursor);
    let mut stmt = stmt!(
        sql,
        scope.workspace_id(),
        after.at_ms,
        after.id,
        limit + 1,
        matching,
        sought.literal.as_str(),
        sought.number.unwrap_or_default()
    );
    stmt.params.extend(narrowing(narrowed));
    let rows = reader.rows(stmt).await?;
    let found = page(&rows, limit, decode, |item| active(item).text(List::Search))?;
    Ok(Page {
        items: sought.matches(reader, scope, found.items).await?,
        cursor: found.cursor,
    })
}

/// Words hold letters and digits only, so quoting them is safe.
fn sqlite_query(workspace: &str, words: &[String]) -> String {
    let mut query = format!("\"{workspace}\"");
    for word in words {
        query.push_str(&format!(" AND \"{word}\""));
    }
    query.push('*');
    query
}

fn postgres_query(workspace: &str, words: &[String]) -> String {
    let mut query = format!("'{workspace}'");
    for word in words {
        query.push_str(&format!(" & '{word}'"));
    }
    query.push_str(":*");
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_words_takes_no_place_in_the_index() {
        assert_eq!(words("wsp_1", "?!"), "");
        assert_eq!(words("wsp_1", "b a b"), "a b wsp1");
    }
}
