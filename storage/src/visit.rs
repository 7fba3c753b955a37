//! Visits and page views: traces, stored in batches of their own.

use protocol::id::{Id, SiteId, VisitId, VisitorId, WorkspaceId};
use protocol::permission::Scope;
use protocol::visitor::{CustomEvent, LastEvent, PageView, Source, Visit};

use crate::db::{Batch, Db, Hold, PRUNE_SLICE, Reader, Row, Stmt, stmt};
use crate::error::{Error, Result};

/// What happened in a visit.
#[derive(Debug, Clone, PartialEq)]
pub enum Trace {
    /// It began.
    Began {
        /// Which.
        visit_id: VisitId,
        /// Whose.
        visitor_id: VisitorId,
        /// On which site.
        site_id: SiteId,
        /// Where it came from.
        source: Source,
        /// When.
        at_ms: u64,
    },
    /// A page came in sight.
    Page {
        /// In which visit.
        visit_id: VisitId,
        /// Whose.
        visitor_id: VisitorId,
        /// The page.
        page: PageView,
    },
    /// The site reported something of its own.
    Custom {
        /// In which visit.
        visit_id: VisitId,
        /// Whose.
        visitor_id: VisitorId,
        /// Its name.
        name: String,
        /// Its properties, a JSON object.
        properties_json: String,
        /// When.
        at_ms: u64,
    },
    /// Something happened last.
    Active {
        /// In which visit.
        visit_id: VisitId,
        /// Whose.
        visitor_id: VisitorId,
        /// When.
        at_ms: u64,
    },
}

/// With what happened in it already: `$7` pages, `$8` events, `$9` when something happened last.
const INSERT_VISIT: &str = "
    INSERT INTO visit (workspace_id, visit_id, visitor_id, site_id, number, source_json, page_count,
        event_count, started_at_ms, active_at_ms)
    SELECT $1, $2, $3, $4, v.visit_count + 1, $5, CAST($7 AS BIGINT), CAST($8 AS BIGINT),
        CAST($6 AS BIGINT), CAST($9 AS BIGINT)
    FROM visitor v
    WHERE v.workspace_id = $1 AND v.visitor_id = $3 AND v.erased_at_ms IS NULL
    ON CONFLICT (workspace_id, visit_id) DO NOTHING";

/// By the visit's own number: storing it twice counts it once, and forgetting old visits counts none back.
const COUNT_VISIT: &str = "
    UPDATE visitor SET visit_count = visit_count + 1
    WHERE workspace_id = $1 AND visitor_id = $2 AND visit_count + 1 = (
        SELECT v.number FROM visit v WHERE v.workspace_id = $1 AND v.visit_id = $3)";

const COUNT_PAGE: &str = "
    UPDATE visit SET page_count = page_count + 1,
        active_at_ms = CASE WHEN $3 > active_at_ms THEN $3 ELSE active_at_ms END
    WHERE workspace_id = $1 AND visit_id = $2";

/// `$6` pages that are counted already and come after it.
const INSERT_PAGE: &str = "
    INSERT INTO page_view (workspace_id, visit_id, number, visitor_id, url, title, at_ms)
    SELECT $1, $2, v.page_count - CAST($6 AS BIGINT), v.visitor_id, $3, $4, CAST($5 AS BIGINT)
    FROM visit v
    WHERE v.workspace_id = $1 AND v.visit_id = $2
    ON CONFLICT (workspace_id, visit_id, number) DO NOTHING";

const COUNT_EVENT: &str = "
    UPDATE visit SET event_count = event_count + 1
    WHERE workspace_id = $1 AND visit_id = $2";

const INSERT_CUSTOM_EVENT: &str = "
    INSERT INTO custom_event (workspace_id, visit_id, visitor_id, name, properties_json, at_ms)
    SELECT $1, $2, v.visitor_id, $3, $4, CAST($5 AS BIGINT)
    FROM visit v
    WHERE v.workspace_id = $1 AND v.visit_id = $2";

const TOUCH_VISIT: &str = "
    UPDATE visit SET active_at_ms = $3
    WHERE workspace_id = $1 AND visit_id = $2 AND active_at_ms < $3";

/// Stores traces, at most 500, in one transaction. Traces of erased visitors are dropped, for their visits
/// are gone.
///
/// # Errors
/// The store's.
pub async fn store(db: &Db, traces: &[(WorkspaceId, Trace)]) -> Result<()> {
    let mut traces: Vec<_> = traces.iter().collect();
    // Rows are locked in the order of visitors, whatever node stores them; a stable sort keeps each one's order.
    traces.sort_by_key(|(workspace_id, trace)| (*workspace_id, trace.visitor_id()));
    let began = traces.iter().filter(|(_, trace)| trace.is_beginning());
    let mut holds: Vec<_> = began
        .map(|(workspace_id, trace)| Hold::Visitor(*workspace_id, trace.visitor_id()))
        .collect();
    holds.dedup();
    let mut batch = Batch::holding(holds);
    let is_together = |one: &&(WorkspaceId, Trace), next: &&(WorkspaceId, Trace)| {
        one.0 == next.0 && one.1.visit_id() == next.1.visit_id() && !next.1.is_beginning()
    };
    for traces in traces.chunk_by(is_together) {
        match traces {
            [(workspace_id, began @ Trace::Began { .. }), rest @ ..] => {
                push_visit(&mut batch, *workspace_id, began, rest)?;
            }
            _ => {
                for (workspace_id, trace) in traces {
                    push(&mut batch, *workspace_id, trace);
                }
            }
        }
    }
    db.batch(batch).await?;
    Ok(())
}

/// Bytes that a trace takes beside its texts, about.
const TRACE_BYTES: usize = 256;

impl Trace {
    /// Bytes that the trace takes while it waits to be stored, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = match self {
            Self::Began { source, .. } => {
                let utm = source.utm.iter();
                let utm: usize = utm.map(|(name, value)| name.len() + value.len()).sum();
                source.referrer.as_ref().map_or(0, String::len) + utm
            }
            Self::Page { page, .. } => page.url.len() + page.title.len(),
            Self::Custom {
                name,
                properties_json,
                ..
            } => name.len() + properties_json.len(),
            Self::Active { .. } => 0,
        };
        TRACE_BYTES + texts
    }

    fn is_beginning(&self) -> bool {
        matches!(self, Self::Began { .. })
    }

    fn visit_id(&self) -> VisitId {
        match self {
            Self::Began { visit_id, .. }
            | Self::Page { visit_id, .. }
            | Self::Custom { visit_id, .. }
            | Self::Active { visit_id, .. } => *visit_id,
        }
    }

    fn visitor_id(&self) -> VisitorId {
        match self {
            Self::Began { visitor_id, .. }
            | Self::Page { visitor_id, .. }
            | Self::Custom { visitor_id, .. }
            | Self::Active { visitor_id, .. } => *visitor_id,
        }
    }
}

/// What is counted of a visit together with its beginning.
struct Course {
    page_count: u64,
    event_count: u64,
    active_at_ms: u64,
}

impl Course {
    fn of(began_at_ms: u64, rest: &[&(WorkspaceId, Trace)]) -> Self {
        let mut course = Self {
            page_count: 0,
            event_count: 0,
            active_at_ms: began_at_ms,
        };
        for (_, trace) in rest {
            match trace {
                Trace::Page { page, .. } => {
                    course.page_count += 1;
                    course.active_at_ms = course.active_at_ms.max(page.at_ms);
                }
                Trace::Custom { .. } => course.event_count += 1,
                Trace::Active { at_ms, .. } => {
                    course.active_at_ms = course.active_at_ms.max(*at_ms)
                }
                Trace::Began { .. } => {}
            }
        }
        course
    }
}

/// Adds a visit that begins, with what happened in it since: its row is written once.
fn push_visit(
    batch: &mut Batch,
    workspace_id: WorkspaceId,
    began: &Trace,
    rest: &[&(WorkspaceId, Trace)],
) -> Result<()> {
    let Trace::Began {
        visit_id,
        visitor_id,
        site_id,
        source,
        at_ms,
    } = began
    else {
        return Err(Error::Fault("a visit begins with its beginning".to_owned()));
    };
    let source = serde_json::to_string(source).map_err(|error| Error::Fault(error.to_string()))?;
    let course = Course::of(*at_ms, rest);
    batch.push(stmt!(
        INSERT_VISIT,
        workspace_id,
        *visit_id,
        *visitor_id,
        *site_id,
        source,
        *at_ms,
        course.page_count,
        course.event_count,
        course.active_at_ms,
    ));
    batch.push(stmt!(COUNT_VISIT, workspace_id, *visitor_id, *visit_id));
    let mut pages_after = course.page_count;
    for (_, trace) in rest {
        pages_after -= u64::from(matches!(trace, Trace::Page { .. }));
        push_itself(batch, workspace_id, trace, pages_after);
    }
    Ok(())
}

/// Adds something that happened in a visit that was stored before.
fn push(batch: &mut Batch, workspace_id: WorkspaceId, trace: &Trace) {
    match trace {
        Trace::Page { visit_id, page, .. } => {
            batch.push(stmt!(COUNT_PAGE, workspace_id, *visit_id, page.at_ms));
        }
        Trace::Custom { visit_id, .. } => {
            batch.push(stmt!(COUNT_EVENT, workspace_id, *visit_id));
        }
        Trace::Active {
            visit_id, at_ms, ..
        } => {
            batch.push(stmt!(TOUCH_VISIT, workspace_id, *visit_id, *at_ms));
        }
        Trace::Began { .. } => {}
    }
    push_itself(batch, workspace_id, trace, 0);
}

/// Adds the row of what happened. It is counted already, and so are the pages after it.
fn push_itself(batch: &mut Batch, workspace_id: WorkspaceId, trace: &Trace, pages_after: u64) {
    match trace {
        Trace::Page { visit_id, page, .. } => {
            batch.push(stmt!(
                INSERT_PAGE,
                workspace_id,
                *visit_id,
                page.url.as_str(),
                page.title.as_str(),
                page.at_ms,
                pages_after,
            ));
        }
        Trace::Custom {
            visit_id,
            name,
            properties_json,
            at_ms,
            ..
        } => {
            batch.push(stmt!(
                INSERT_CUSTOM_EVENT,
                workspace_id,
                *visit_id,
                name.as_str(),
                properties_json.as_str(),
                *at_ms,
            ));
        }
        Trace::Began { .. } | Trace::Active { .. } => {}
    }
}

/// The visit that goes on, if it is recent enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastVisit {
    /// Which.
    pub id: VisitId,
    /// Where it came from.
    pub source: Source,
    /// Pages seen in it.
    pub page_count: u32,
    /// The addresses of the last eight, newest last.
    pub trail: Vec<String>,
    /// Custom events in it.
    pub event_count: u32,
    /// The last of them.
    pub last_event: Option<LastEvent>,
    /// When it began.
    pub started_at_ms: u64,
    /// When the last page came in sight; without one, when it began.
    pub viewed_at_ms: u64,
}

/// Uses `visit_of_visitor`.
const LIST_VISITS: &str = "
    SELECT visit_id, source_json, page_count, event_count, started_at_ms, active_at_ms FROM visit
    WHERE workspace_id = $1 AND visitor_id = $2
    ORDER BY started_at_ms DESC, visit_id DESC
    LIMIT $3";

/// By the primary key.
const LIST_PAGES: &str = "
    SELECT url, title, at_ms FROM page_view
    WHERE workspace_id = $1 AND visit_id = $2
    ORDER BY number DESC
    LIMIT $3";

/// Uses `custom_event_of_visitor`.
const LIST_EVENTS: &str = "
    SELECT name, properties_json, at_ms FROM custom_event
    WHERE workspace_id = $1 AND visitor_id = $2 AND visit_id = $3
    ORDER BY position DESC
    LIMIT $4";

/// Pages that the trail of a live row remembers.
const TRAIL_MAX: usize = 8;

/// Pages of a visit that are shown.
const PAGES_MAX: usize = 100;

/// Custom events of a visit that are shown.
const EVENTS_MAX: usize = 50;

/// The last visit of a visitor: it goes on if it is recent enough.
///
/// # Errors
/// The store's.
pub async fn last(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
) -> Result<Option<LastVisit>> {
    let mut stmts = vec![last_stmt(workspace_id, visitor_id)];
    stmts.extend(trace_stmts(workspace_id, visitor_id, 0));
    let answers = reader.snapshot(stmts).await?;
    let Some((visit, trace)) = answers.split_first() else {
        return Ok(None);
    };
    let visit = visit.first();
    visit.map(|visit| decode_last(visit, trace)).transpose()
}

/// The read of a visitor's last visit.
pub(crate) fn last_stmt(workspace_id: WorkspaceId, visitor_id: VisitorId) -> Stmt {
    stmt!(LIST_VISITS, workspace_id, visitor_id, 1_u64)
}

/// The reads of what a visit left behind, for [`decode_last`]. The visit's own stands at this place of the same
/// snapshot.
pub(crate) fn trace_stmts(
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    visit: usize,
) -> [Stmt; 2] {
    let pages = stmt!(LIST_PAGES, workspace_id, "", TRAIL_MAX);
    let events = stmt!(LIST_EVENTS, workspace_id, visitor_id, "", 1_u64);
    [
        pages.after(visit, &[(1, "visit_id")]),
        events.after(visit, &[(2, "visit_id")]),
    ]
}

/// The last visit of a visitor, out of its row and what [`trace_stmts`] read.
pub(crate) fn decode_last(visit: &Row, trace: &[Vec<Row>]) -> Result<LastVisit> {
    let pages = decode_pages(trace.first().map_or(&[], Vec::as_slice))?;
    let events = decode_events(trace.get(1).map_or(&[], Vec::as_slice))?;
    let started_at_ms = visit.number("started_at_ms")?;
    let last_event = events.into_iter().next_back();
    Ok(LastVisit {
        id: visit.id("visit_id")?,
        source: visit.json("source_json")?,
        page_count: visit.small("page_count")?,
        viewed_at_ms: pages.last().map_or(started_at_ms, |page| page.at_ms),
        trail: pages.into_iter().map(|page| page.url).collect(),
        event_count: visit.small("event_count")?,
        last_event: last_event.map(|CustomEvent { name, at_ms, .. }| LastEvent { name, at_ms }),
        started_at_ms,
    })
}

/// Visits among which a site is looked for: a long while for most, and read in a moment.
const SEEN_AMONG: u64 = 2_000;

/// Uses the primary keys: ids grow with time.
const FIND_SEEN: &str = "
    /* reads all: of the workspace's visits the newest, at most $2 */
    SELECT p.url, p.title, p.at_ms
    FROM (SELECT visit_id, site_id FROM visit WHERE workspace_id = $1 ORDER BY visit_id DESC LIMIT $2) v
    JOIN page_view p ON p.workspace_id = $1 AND p.visit_id = v.visit_id
    WHERE v.site_id = $3 AND SUBSTR(p.url, 1, LENGTH(CAST($4 AS TEXT))) <> CAST($4 AS TEXT)
    ORDER BY p.at_ms DESC
    LIMIT 1";

/// The page on which a site's widget was seen last, within the workspace's newest visits; pages whose address
/// begins with `but` do not count.
///
/// # Errors
/// The store's.
pub async fn seen(
    reader: &Reader,
    scope: &Scope,
    site_id: SiteId,
    but: &str,
) -> Result<Option<PageView>> {
    let stmt = stmt!(FIND_SEEN, scope.workspace_id(), SEEN_AMONG, site_id, but);
    reader.row(stmt).await?.as_ref().map(page_view).transpose()
}

/// The last visits of a visitor with their last pages, newest visit first.
///
/// # Errors
/// The store's.
pub(crate) async fn recent(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    limit: usize,
) -> Result<Vec<Visit>> {
    let mut visits = Vec::new();
    for row in reader
        .rows(stmt!(LIST_VISITS, workspace_id, visitor_id, limit))
        .await?
    {
        let id = row.id("visit_id")?;
        let events = match row.small("event_count")? {
            0 => Vec::new(),
            _ => events(reader, workspace_id, visitor_id, id, EVENTS_MAX).await?,
        };
        visits.push(Visit {
            id,
            source: row.json("source_json")?,
            started_at_ms: row.number("started_at_ms")?,
            active_at_ms: row.number("active_at_ms")?,
            pages: pages(reader, workspace_id, id, PAGES_MAX).await?,
            events,
        });
    }
    Ok(visits)
}

/// The last pages of a visit, oldest first.
async fn pages(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visit_id: VisitId,
    limit: usize,
) -> Result<Vec<PageView>> {
    let stmt = stmt!(LIST_PAGES, workspace_id, visit_id, limit);
    decode_pages(&reader.rows(stmt).await?)
}

fn decode_pages(rows: &[Row]) -> Result<Vec<PageView>> {
    rows.iter().rev().map(page_view).collect()
}

/// The last custom events of a visit, oldest first.
async fn events(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    visit_id: VisitId,
    limit: usize,
) -> Result<Vec<CustomEvent>> {
    let stmt = stmt!(LIST_EVENTS, workspace_id, visitor_id, visit_id, limit);
    decode_events(&reader.rows(stmt).await?)
}

fn decode_events(rows: &[Row]) -> Result<Vec<CustomEvent>> {
    let events = rows.iter().rev().map(|row| {
        Ok(CustomEvent {
            name: row.text("name")?,
            properties: row.json("properties_json")?,
            at_ms: row.number("at_ms")?,
        })
    });
    events.collect()
}

fn page_view(row: &Row) -> Result<PageView> {
    Ok(PageView {
        url: row.text("url")?,
        title: row.text("title")?,
        at_ms: row.number("at_ms")?,
    })
}

// By the primary key, whose ids begin with the time they were made at.
const DELETE_OLD_PAGES: &str = "
    DELETE FROM page_view WHERE (workspace_id, visit_id, number) IN (
        SELECT p.workspace_id, p.visit_id, p.number FROM page_view p
        WHERE p.workspace_id = $1 AND p.visit_id < $2 AND p.at_ms < $3
        ORDER BY p.visit_id, p.number LIMIT $4)";

// By the primary key likewise.
const DELETE_OLD_VISITS: &str = "
    DELETE FROM visit WHERE (workspace_id, visit_id) IN (
        SELECT v.workspace_id, v.visit_id FROM visit v
        WHERE v.workspace_id = $1 AND v.visit_id < $2 AND v.active_at_ms < $3
        ORDER BY v.visit_id LIMIT $4)";

/// Forgets page views, and visits in which nothing happened, since `before_ms`, at most a slice of each; gives
/// how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, workspace_id: WorkspaceId, before_ms: u64) -> Result<u64> {
    let newest = VisitId::from_bits(u128::from(before_ms) << 80);
    let mut batch = Batch::locking(vec!["visit".to_owned()]);
    for sql in [DELETE_OLD_PAGES, DELETE_OLD_VISITS] {
        batch.push(stmt!(sql, workspace_id, newest, before_ms, PRUNE_SLICE));
    }
    let answers = db.batch(batch).await?;
    Ok(answers.iter().map(|answer| answer.changed).sum())
}

// By the primary key: events are stored in the order of their time, as near as matters here.
const DELETE_OLD_CUSTOM_EVENTS: &str = "
    DELETE FROM custom_event WHERE position IN (
        SELECT o.position FROM (
            SELECT e.position, e.at_ms FROM custom_event e ORDER BY e.position LIMIT $2) o
        WHERE o.at_ms < $1)";

/// Forgets what sites reported before `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune_custom_events(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["custom_event".to_owned()]);
    batch.push(stmt!(DELETE_OLD_CUSTOM_EVENTS, before_ms, PRUNE_SLICE));
    Ok(db.batch(batch).await?[0].changed)
}
