//! Search: the one file besides `db` that asks which database it is. Same results on both.
//!
//! Which words a text has is decided here and stored beside it; the databases only look them up.

use std::collections::BTreeSet;

use protocol::conversation::Conversation;
use protocol::limit;
use protocol::page::Page;
use protocol::permission::Scope;

use crate::conversation::{ListQuery, decode, select_conversation};
use crate::db::{Backend, Reader, Value, stmt};
use crate::error::Result;
use crate::fold::fold;
use crate::page::{Cursor, page};

/// The index of SQLite: FTS5 over `message.words`, kept by triggers; what is removed is overwritten.
pub(crate) const INDEX_SQLITE: &str = "
CREATE VIRTUAL TABLE message_index USING fts5(
    words, content='message', tokenize='ascii', prefix='2 3');
INSERT INTO message_index (message_index, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER message_index_insert AFTER INSERT ON message BEGIN
    INSERT INTO message_index (rowid, words) VALUES (new.rowid, new.words);
END;
CREATE TRIGGER message_index_update AFTER UPDATE OF words ON message BEGIN
    INSERT INTO message_index (message_index, rowid, words) VALUES ('delete', old.rowid, old.words);
    INSERT INTO message_index (rowid, words) VALUES (new.rowid, new.words);
END;
CREATE TRIGGER message_index_delete AFTER DELETE ON message BEGIN
    INSERT INTO message_index (message_index, rowid, words) VALUES ('delete', old.rowid, old.words);
END;
";

/// The index of Postgres: the same words, as a tsvector.
pub(crate) const INDEX_POSTGRES: &str = "
CREATE INDEX message_index ON message
    USING GIN (array_to_tsvector(string_to_array(words, ' ')));
";

/// Bytes of one word in the index; longer ones are cut.
const WORD_BYTES_MAX: usize = 64;

/// Words of one message in the index.
const WORDS_MAX: usize = 2_000;

/// The words of a text as the index holds them: folded, each once; of scripts that write without spaces,
/// every two neighbours. The workspace's own word is among them, so that one workspace's search never looks
/// through another's words.
pub(crate) fn words(workspace_id: &Value, text: &str) -> String {
    let mut words: BTreeSet<String> = split(text).into_iter().take(WORDS_MAX).collect();
    if words.is_empty() {
        return String::new();
    }
    if let Value::Text(id) = workspace_id {
        words.insert(workspace_word(id));
    }
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn workspace_word(id: &str) -> String {
    id.replace('_', "")
}

/// The words of a text, in order.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut run: Vec<char> = Vec::new();
    for c in fold(text).chars().chain([' ']) {
        if is_spaceless(c) {
            end_word(&mut word, &mut words);
            run.push(c);
        } else {
            end_run(&mut run, &mut words);
            if c.is_alphanumeric() {
                word.push(c);
            } else {
                end_word(&mut word, &mut words);
            }
        }
    }
    words
}

fn end_word(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        let mut end = word.len().min(WORD_BYTES_MAX);
        while !word.is_char_boundary(end) {
            end -= 1;
        }
        word.truncate(end);
        words.push(std::mem::take(word));
    }
}

fn end_run(run: &mut Vec<char>, words: &mut Vec<String>) {
    if let [single] = run.as_slice() {
        words.push(single.to_string());
    }
    words.extend(run.windows(2).map(|pair| pair.iter().collect()));
    run.clear();
}

/// Letters of scripts that write without spaces: Thai, Lao, Myanmar, Khmer, kana and Han.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// `$2`, `$3` where the page begins, `$4` its length, `$5` list, `$6` agent, `$7` words for the index, `$8`
/// what a contact's name or address holds.
macro_rules! search {
    ($matching:literal) => {
        select_conversation!(
            "(c.active_at_ms, c.conversation_id) < ($2, $3)
        AND (($5 = 'spam' AND c.spam) OR (NOT c.spam AND (
            ($5 = 'all' AND c.state <> 'closed')
            OR ($5 = 'closed' AND c.state = 'closed')
            OR ($5 = 'mine' AND c.state <> 'closed' AND c.assignee_id = $6)
            OR ($5 = 'unassigned' AND c.state = 'open' AND c.assignee_id IS NULL))))
        AND (r.name_folded LIKE '%' || $8 || '%'
            OR EXISTS (
                SELECT 1 FROM contact_identity i
                WHERE i.workspace_id = $1 AND i.contact_id = c.contact_id
                    AND i.kind IN ('email', 'phone', 'external_id') AND i.value_folded LIKE $8 || '%')
            OR c.conversation_id IN (",
            $matching,
            "))
    ORDER BY c.active_at_ms DESC, c.conversation_id DESC
    LIMIT $4"
        )
    };
}

const SEARCH_SQLITE: &str = search!(
    "SELECT m.conversation_id
            FROM message_index x
            JOIN message m ON m.rowid = x.rowid
            WHERE x.message_index MATCH $7 AND m.workspace_id = $1"
);

// Uses the GIN index `message_index`.
const SEARCH_POSTGRES: &str = search!(
    "SELECT m.conversation_id
            FROM message m
            WHERE m.workspace_id = $1 AND array_to_tsvector(string_to_array(m.words, ' '))
                @@ CAST(CAST($7 AS TEXT) AS TSQUERY)"
);

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
        Backend::Sqlite => (SEARCH_SQLITE, sqlite_query(&workspace, &words)),
        Backend::Postgres => (SEARCH_POSTGRES, postgres_query(&workspace, &words)),
    };
    let limit = query.limit.min(limit::PAGE_ROWS_MAX);
    let after = Cursor::or_newest(query.cursor.as_deref());
    let agent_id = query.agent_id.map(|id| id.to_string()).unwrap_or_default();
    let rows = reader
        .rows(stmt!(
            sql,
            scope.workspace_id(),
            after.at_ms,
            after.id,
            limit + 1,
            query.filter.as_str(),
            agent_id,
            matching,
            literal(&text)
        ))
        .await?;
    page(&rows, limit, decode, |item| {
        Cursor::text(item.active_at_ms, item.id)
    })
}

/// The text as `LIKE` takes it, without the characters that mean something there.
fn literal(text: &str) -> String {
    fold(text).trim().replace(['%', '_', '\\'], "")
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
    fn words_are_folded_and_scripts_without_spaces_go_by_neighbours() {
        let check = |text: &str, expected: &[&str]| assert_eq!(split(text), expected, "{text}");
        check(
            "Where is my Écran-42?",
            &["where", "is", "my", "ecran", "42"],
        );
        check("東京タワー", &["東京", "京タ", "タワ", "ワー"]);
        check("猫 cat", &["猫", "cat"]);
        check("'; DROP TABLE \"x\" --", &["drop", "table", "x"]);
        check(" \n ", &[]);
    }

    #[test]
    fn a_text_without_words_takes_no_place_in_the_index() {
        assert_eq!(words(&Value::from("wsp_1"), "?!"), "");
        assert_eq!(words(&Value::from("wsp_1"), "b a b"), "a b wsp1");
    }
}
