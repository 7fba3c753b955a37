//! The lists of the inbox, and how much each holds.

use protocol::conversation::{Conversation, State, WaitingOn};
use protocol::id::{AgentId, ConversationId};
use protocol::limit;
use protocol::page::{Cursor, List, Page};
use protocol::permission::Scope;
use protocol::view::{InboxCounts, InboxFilter, InboxList, InboxOrder};

use crate::conversation::{decode, select_conversation, slot};
use crate::db::{Reader, Value, stmt};
use crate::error::{Error, Result};
use crate::page::{After, page};

/// What stands behind all who wait, in milliseconds: later than any time.
const BEHIND_MS: u64 = 1 << 50;

/// Which conversations are listed.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Which list.
    pub list: InboxList,
    /// Whose, for `Mine`.
    pub agent_id: Option<AgentId>,
    /// Where the page begins.
    pub cursor: Option<Cursor<ConversationId>>,
    /// Rows, at most `PAGE_ROWS_MAX`.
    pub limit: usize,
}

/// The list whose cursors an order has.
#[must_use]
pub fn cursors(order: InboxOrder) -> List {
    match order {
        InboxOrder::Newest => List::Inbox,
        InboxOrder::Oldest => List::InboxOldest,
        InboxOrder::Waiting => List::InboxWaiting,
    }
}

/// Where a list goes on after a conversation.
fn after(order: InboxOrder, conversation: &Conversation) -> Cursor<ConversationId> {
    let at_ms = match order {
        InboxOrder::Newest | InboxOrder::Oldest => conversation.active_at_ms,
        InboxOrder::Waiting => waiting(conversation),
    };
    Cursor {
        at_ms,
        id: conversation.id,
    }
}

/// The same as the statements' `waiting`.
fn waiting(conversation: &Conversation) -> u64 {
    let waits = conversation.state == State::Open && conversation.waiting_on == WaitingOn::Agent;
    match waits {
        true => conversation.waiting_since_at_ms,
        false => conversation.waiting_since_at_ms + BEHIND_MS,
    }
}

/// What narrows a list: the numbers of its seven parameters, as [`narrowing`] gives them. Rows of other sites,
/// members, languages and priorities are passed over in the index of all, for an index of each would be written with
/// every message.
macro_rules! narrowed {
    (
        $site:literal, $assignee:literal, $language:literal, $priority:literal,
        $priority_min:literal, $since:literal, $until:literal
    ) => {
        concat!(
            " AND (CAST(",
            $site,
            " AS TEXT) = '' OR c.site_id = ",
            $site,
            ") AND (CAST(",
            $assignee,
            " AS TEXT) = '' OR c.assignee_id = ",
            $assignee,
            ") AND (CAST(",
            $language,
            " AS TEXT) = '' OR LOWER(REPLACE(c.language, '_', '-')) || '-' LIKE ",
            $language,
            " || '-%') AND (CAST(",
            $priority,
            " AS BIGINT) = 0 OR c.priority = ",
            $priority,
            ") AND c.priority >= ",
            $priority_min,
            " AND c.active_at_ms >= ",
            $since,
            " AND c.active_at_ms < ",
            $until
        )
    };
}
pub(crate) use narrowed;

/// The parameters of [`narrowed`], in its order.
pub(crate) fn narrowing(list: InboxList) -> [Value; 7] {
    let text = |text: Option<String>| Value::from(text.unwrap_or_default());
    let most = i64::MAX.unsigned_abs();
    [
        text(list.site_id.map(|id| id.to_string())),
        text(list.assignee_id.map(|id| id.to_string())),
        text(list.language.map(|code| code.to_string())),
        list.priority.unwrap_or(0).into(),
        list.priority_min.unwrap_or(0).into(),
        list.since_ms.unwrap_or(0).min(most).into(),
        list.until_ms.unwrap_or(most).min(most).into(),
    ]
}

/// `$2`, `$3` where the page begins, `$4` its length, `$5` the slot of `$2`, `$6` to `$12` what narrows it,
/// `$13` the agent of a list of his own.
macro_rules! newest {
    ($condition:literal) => {
        select_conversation!(
            $condition,
            crate::inbox::narrowed!("$6", "$7", "$8", "$9", "$10", "$11", "$12"),
            " AND c.active_slot <= $5 AND (c.active_at_ms, c.conversation_id) < ($2, $3)
    ORDER BY c.active_slot DESC, c.active_at_ms DESC, c.conversation_id DESC
    LIMIT $4"
        )
    };
}

/// The same from the other end.
macro_rules! oldest {
    ($condition:literal) => {
        select_conversation!(
            $condition,
            crate::inbox::narrowed!("$6", "$7", "$8", "$9", "$10", "$11", "$12"),
            " AND c.active_slot >= $5 AND (c.active_at_ms, c.conversation_id) > ($2, $3)
    ORDER BY c.active_slot, c.active_at_ms, c.conversation_id
    LIMIT $4"
        )
    };
}

macro_rules! waiting {
    () => {
        "c.waiting_since_at_ms
            + CASE WHEN c.state = 'open' AND c.waiting_on = 'agent' THEN 0 ELSE 1125899906842624 END"
    };
}

/// Those that wait for us, longest first; then the others. Who waits changes with every answer, so no index
/// holds this order: the list is sorted when it is read, by its ids alone. `$5` is not needed.
macro_rules! longest {
    ($condition:literal) => {
        select_conversation!(
            "c.conversation_id IN (SELECT w.conversation_id FROM (SELECT c.conversation_id, ",
            waiting!(),
            " AS waiting_at_ms FROM conversation c WHERE c.workspace_id = $1 AND ",
            $condition,
            crate::inbox::narrowed!("$6", "$7", "$8", "$9", "$10", "$11", "$12"),
            " AND c.active_slot >= $5) w
        WHERE (w.waiting_at_ms, w.conversation_id) > ($2, $3)
        ORDER BY w.waiting_at_ms, w.conversation_id LIMIT $4)
    ORDER BY ",
            waiting!(),
            ", c.conversation_id"
        )
    };
}

/// A statement for each list, in the order of [`place`]. They use `conversation_alive`, `conversation_of_agent`,
/// `conversation_closed` and `conversation_spam`.
macro_rules! lists {
    ($order:ident) => {
        [
            $order!("c.state <> 'closed' AND NOT c.spam"),
            $order!("c.state <> 'closed' AND NOT c.spam AND c.assignee_id = $13"),
            $order!(
                "c.state <> 'closed' AND NOT c.spam AND c.state = 'open' AND c.assignee_id IS NULL"
            ),
            $order!(
                "c.state <> 'closed' AND NOT c.spam AND c.state = 'open' AND c.waiting_on = 'agent'"
            ),
            $order!("c.state <> 'closed' AND NOT c.spam AND c.state = 'snoozed'"),
            $order!("c.state = 'closed' AND NOT c.spam"),
            $order!("c.spam"),
        ]
    };
}

const NEWEST: [&str; 7] = lists!(newest);
const OLDEST: [&str; 7] = lists!(oldest);
const LONGEST: [&str; 7] = lists!(longest);

fn place(filter: InboxFilter) -> usize {
    match filter {
        InboxFilter::All => 0,
        InboxFilter::Mine => 1,
        InboxFilter::Unassigned => 2,
        InboxFilter::Waiting => 3,
        InboxFilter::Snoozed => 4,
        InboxFilter::Closed => 5,
        InboxFilter::Spam => 6,
    }
}

/// A page of a list. For a search text see `search::conversations`.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader, scope: &Scope, query: &ListQuery) -> Result<Page<Conversation>> {
    let InboxList { filter, order, .. } = query.list;
    let limit = query.limit.min(limit::PAGE_ROWS_MAX);
    let (sql, begins) = match order {
        InboxOrder::Newest => {
            let mut begins = After::of(query.cursor.as_ref());
            if let Some(until_ms) = query.list.until_ms {
                begins.no_later_than(until_ms);
            }
            (&NEWEST, begins)
        }
        InboxOrder::Oldest => (&OLDEST, After::from(query.cursor.as_ref())),
        InboxOrder::Waiting => (&LONGEST, After::from(query.cursor.as_ref())),
    };
    let from_slot = match order {
        InboxOrder::Newest => begins.slot(),
        InboxOrder::Oldest => begins.slot().max(slot(query.list.since_ms.unwrap_or(0))),
        InboxOrder::Waiting => slot(query.list.since_ms.unwrap_or(0)),
    };
    let mut stmt = stmt!(
        sql[place(filter)],
        scope.workspace_id(),
        begins.at_ms,
        begins.id.as_str(),
        limit + 1,
        from_slot
    );
    stmt.params.extend(narrowing(query.list));
    if filter == InboxFilter::Mine {
        let Some(agent_id) = query.agent_id else {
            return Ok(Page {
                items: Vec::new(),
                cursor: None,
            });
        };
        stmt.params.push(agent_id.into());
    }
    let rows = reader.rows(stmt).await?;
    page(&rows, limit, decode, |item| {
        after(order, item).text(cursors(order))
    })
}

/// A count of those alive, which stops at 1,000. `$2` the agent, `$3` to `$9` what narrows it.
macro_rules! count {
    ($narrowed:expr, $condition:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM (SELECT 1 FROM conversation c WHERE c.workspace_id = $1
            AND c.state <> 'closed' AND NOT c.spam",
            $narrowed,
            $condition,
            " LIMIT 1000) x)"
        )
    };
}

// Uses `conversation_alive` and `conversation_of_agent`.
const COUNT_LISTS: &str = concat!(
    "SELECT ",
    count!(narrowed!("$3", "$4", "$5", "$6", "$7", "$8", "$9"), ""),
    " AS all_count, ",
    count!(
        narrowed!("$3", "$4", "$5", "$6", "$7", "$8", "$9"),
        " AND c.assignee_id = $2"
    ),
    " AS mine_count, ",
    count!(
        narrowed!("$3", "$4", "$5", "$6", "$7", "$8", "$9"),
        " AND c.state = 'open' AND c.assignee_id IS NULL"
    ),
    " AS unassigned_count, ",
    count!(
        narrowed!("$3", "$4", "$5", "$6", "$7", "$8", "$9"),
        " AND c.state = 'open' AND c.waiting_on = 'agent'"
    ),
    " AS waiting_count, ",
    count!("", " AND c.assignee_id = $2"),
    " AS mine_anywhere_count, ",
    count!("", " AND c.state = 'open' AND c.waiting_on = 'agent'"),
    " AS waiting_anywhere_count"
);

/// How many each list holds of what a list is narrowed to, and two of them of the whole workspace, exact up to 1,000.
///
/// # Errors
/// The store's.
pub async fn counts(
    reader: &Reader,
    scope: &Scope,
    agent_id: Option<AgentId>,
    narrowed: InboxList,
) -> Result<InboxCounts> {
    let agent_id = agent_id.map(|id| id.to_string()).unwrap_or_default();
    let mut stmt = stmt!(COUNT_LISTS, scope.workspace_id(), agent_id);
    stmt.params.extend(narrowing(narrowed));
    let row = reader.row(stmt).await?;
    let row = row.ok_or_else(|| Error::Corrupt("a count gave no row".to_owned()))?;
    Ok(InboxCounts {
        all: row.small("all_count")?,
        mine: row.small("mine_count")?,
        unassigned: row.small("unassigned_count")?,
        waiting: row.small("waiting_count")?,
        mine_anywhere: row.small("mine_anywhere_count")?,
        waiting_anywhere: row.small("waiting_anywhere_count")?,
    })
}
