//! Where in conversations a search matched, for what was found already: names, addresses, words.

use std::collections::BTreeMap;

use protocol::conversation::Conversation;
use protocol::id::ConversationId;
use protocol::limit;
use protocol::message::{Format, plain_text};
use protocol::permission::Scope;
use protocol::search::{Found, Match, MatchPlace, TextPart};

use crate::db::{Reader, Row, Stmt, Value};
use crate::error::Result;
use crate::fold::fold;
use crate::word::{excerpt, marked, split};

/// What is searched for, in the forms that are looked up.
pub(crate) struct Sought {
    /// The words, in order; the last one may be a beginning.
    pub(crate) words: Vec<String>,
    /// The text as names and addresses hold it.
    pub(crate) literal: String,
    /// The number of a conversation that it may be.
    pub(crate) number: Option<u64>,
}

impl Sought {
    pub(crate) fn of(text: &str) -> Self {
        let text = protocol::text::cut(text, limit::SEARCH_BYTES_MAX);
        let number = text.trim().trim_start_matches('#').parse::<u32>();
        Self {
            words: split(&text),
            literal: literal(&text),
            number: number.ok().map(u64::from),
        }
    }

    /// Where each conversation matched.
    pub(crate) async fn matches(
        &self,
        reader: &Reader,
        scope: &Scope,
        conversations: Vec<Conversation>,
    ) -> Result<Vec<Found>> {
        let ids: Vec<_> = conversations.iter().map(|found| found.id).collect();
        let stmts = ids.chunks(ASKED_AT_ONCE).flat_map(|ids| {
            [
                self.identities_stmt(scope, ids),
                self.messages_stmt(scope, ids),
            ]
        });
        let answers = match ids.as_slice() {
            [] => Vec::new(),
            [..] => reader.snapshot(stmts.collect()).await?,
        };
        let mut places: BTreeMap<ConversationId, Vec<Match>> = BTreeMap::new();
        for row in answers.iter().flatten() {
            let id = row.id("conversation_id")?;
            places.entry(id).or_default().push(self.of_row(row)?);
        }
        let found = conversations.into_iter().map(|conversation| {
            let rest = places.remove(&conversation.id).unwrap_or_default();
            let mut matches = self.of_conversation(&conversation);
            // An address that is the name is marked there.
            let name = conversation.contact_name.as_str();
            matches.extend(rest.into_iter().filter(|one| text_of(one) != name));
            Found {
                conversation,
                matches,
            }
        });
        Ok(found.collect())
    }

    fn of_conversation(&self, conversation: &Conversation) -> Vec<Match> {
        let mut matches = Vec::new();
        let at = |place, parts| Match {
            place,
            parts,
            entry_id: None,
            seq: None,
            sent_at_ms: None,
        };
        if fold(&conversation.contact_name).contains(&self.literal) {
            let parts = marked(&conversation.contact_name, &self.literal);
            matches.push(at(MatchPlace::Name, parts));
        }
        if self.number == Some(conversation.number) {
            let number = TextPart {
                text: format!("#{}", conversation.number),
                hit: true,
            };
            matches.push(at(MatchPlace::Number, vec![number]));
        }
        matches
    }

    fn of_row(&self, row: &Row) -> Result<Match> {
        let place = row.word("place", MatchPlace::of)?;
        let text = row.text("text")?;
        let entry_id = row.maybe_id("entry_id")?;
        Ok(Match {
            place,
            parts: match entry_id {
                Some(_) => {
                    let format = row.word("format", Format::of)?;
                    excerpt(&plain_text(format, &text), &self.words)
                }
                None => marked(&text, &self.literal),
            },
            entry_id,
            seq: row.maybe_number("seq")?,
            sent_at_ms: row.maybe_number("sent_at_ms")?,
        })
    }

    fn identities_stmt(&self, scope: &Scope, ids: &[ConversationId]) -> Stmt {
        let mut params: Vec<Value> =
            vec![scope.workspace_id().into(), self.literal.as_str().into()];
        push_ids(&mut params, ids);
        Stmt::new(LIST_IDENTITIES, params)
    }

    /// The words are looked for in what the index holds; of more than four the first are enough, for the
    /// conversation is found already.
    fn messages_stmt(&self, scope: &Scope, ids: &[ConversationId]) -> Stmt {
        let mut params = self.words_params(scope);
        push_ids(&mut params, ids);
        Stmt::new(LIST_MESSAGES, params)
    }

    /// The workspace, and the patterns of the words, of which there are always as many.
    fn words_params(&self, scope: &Scope) -> Vec<Value> {
        let mut params: Vec<Value> = vec![scope.workspace_id().into()];
        let (last, whole) = self
            .words
            .split_last()
            .map_or((None, &[][..]), |(last, whole)| (Some(last), whole));
        params.extend(last.map(|last| Value::from(format!("% {last}%"))));
        let whole = whole.iter().take(WORDS_COMPARED - 1);
        params.extend(whole.map(|word| Value::from(format!("% {word} %"))));
        params.resize(1 + WORDS_COMPARED, Value::from("%"));
        params
    }
}

fn push_ids(params: &mut Vec<Value>, ids: &[ConversationId]) {
    let length = params.len() + ASKED_AT_ONCE;
    params.extend(ids.iter().map(|id| Value::from(*id)));
    params.resize(length, Value::from(""));
}

fn text_of(found: &Match) -> String {
    found.parts.iter().map(|part| part.text.as_str()).collect()
}

/// Conversations whose matches are asked for by one statement.
const ASKED_AT_ONCE: usize = 10;

/// Words that are compared to tell where a conversation matched.
const WORDS_COMPARED: usize = 4;

// Uses `contact_by_root`.
const LIST_IDENTITIES: &str = "
    SELECT DISTINCT c.conversation_id, i.kind AS place, i.value AS text, '' AS format, CAST(NULL AS TEXT) AS entry_id,
        CAST(NULL AS BIGINT) AS seq, CAST(NULL AS BIGINT) AS sent_at_ms
    FROM conversation c
    JOIN contact k ON k.workspace_id = c.workspace_id AND k.contact_id = c.contact_id
    JOIN contact g ON g.workspace_id = k.workspace_id AND g.root_id = k.root_id
    JOIN contact_identity i ON i.workspace_id = g.workspace_id AND i.contact_id = g.contact_id
    WHERE c.workspace_id = $1 AND c.conversation_id IN ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        AND i.archived_at_ms IS NULL AND i.kind IN ('email', 'phone', 'external_id')
        AND i.value_folded LIKE $2 || '%'
    ORDER BY c.conversation_id, place, text
    LIMIT 100";

// By the primary keys: a conversation's entries, and the message of each; an index of messages by conversation would
// be written with every one. `CROSS` keeps SQLite from walking all messages of the workspace instead. The newest
// message or note of each.
const LIST_MESSAGES: &str = "
    SELECT f.conversation_id, f.place, f.text, f.format, f.entry_id, f.seq, f.sent_at_ms
    FROM (
        SELECT m.conversation_id, e.kind AS place, m.body AS text, m.format, m.entry_id, e.seq, e.sent_at_ms,
            ROW_NUMBER() OVER (PARTITION BY m.conversation_id ORDER BY e.seq DESC) AS rank
        FROM entry e CROSS JOIN message m
        WHERE m.workspace_id = e.workspace_id AND m.entry_id = e.entry_id AND e.workspace_id = $1
            AND e.conversation_id IN ($6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            AND ' ' || m.words || ' ' LIKE $2 AND ' ' || m.words || ' ' LIKE $3
            AND ' ' || m.words || ' ' LIKE $4 AND ' ' || m.words || ' ' LIKE $5) f
    WHERE f.rank = 1
    ORDER BY f.conversation_id
    LIMIT 10";

// By the primary keys, in the order of [`LIST_MESSAGES`].
const LIST_IN_CONVERSATION: &str = "
    SELECT e.kind AS place, m.body AS text, m.format, m.entry_id, e.seq, e.sent_at_ms
    FROM entry e CROSS JOIN message m
    WHERE m.workspace_id = e.workspace_id AND m.entry_id = e.entry_id
        AND e.workspace_id = $1 AND e.conversation_id = $6
        AND ' ' || m.words || ' ' LIKE $2 AND ' ' || m.words || ' ' LIKE $3
        AND ' ' || m.words || ' ' LIKE $4 AND ' ' || m.words || ' ' LIKE $5
    ORDER BY e.seq DESC
    LIMIT $7";

/// Where one conversation's messages and notes hold all words of a text, of which the first four count, the last
/// one as a beginning; newest first, at most `FOUND_ROWS_MAX`. Costs a look at each of its messages.
///
/// # Errors
/// The store's.
pub async fn in_conversation(
    reader: &Reader,
    scope: &Scope,
    conversation_id: ConversationId,
    text: &str,
) -> Result<Vec<Match>> {
    let sought = Sought::of(text);
    if sought.words.is_empty() {
        return Ok(Vec::new());
    }
    let mut params = sought.words_params(scope);
    params.extend([conversation_id.into(), limit::FOUND_ROWS_MAX.into()]);
    let rows = reader.rows(Stmt::new(LIST_IN_CONVERSATION, params)).await?;
    rows.iter().map(|row| sought.of_row(row)).collect()
}

/// The text as `LIKE` takes it, without the characters that mean something there.
pub(crate) fn literal(text: &str) -> String {
    fold(text).trim().replace(['%', '_', '\\'], "")
}
