//! Visitors: browsers on a site, as rows.

mod proof;

use protocol::contact::{handle_of, shown_name};
use protocol::id::{
    ContactId, ConversationId, EntryId, EventId, Id, SiteId, VisitorId, WorkspaceId,
};
use protocol::permission::{Scope, VisitorActor};
use protocol::site::Site;
use protocol::visitor::{Browser, Claim, Visitor};

use crate::command::{self, CommandKey, Found, Receipt, Refusal, Remembered};
use crate::contact;
use crate::db::{Batch, Db, Hold, PRUNE_SLICE, Reader, Row, Stmt, stmt};
use crate::error::{Error, Result};
use crate::site;
use crate::visit;

pub use proof::{Proof, prove};

/// A visitor's row.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitorRow {
    /// Its id.
    pub id: VisitorId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// Its site.
    pub site_id: SiteId,
    /// Grows with every change.
    pub version: u64,
    /// Grows when all tokens of before stop being accepted.
    pub generation: u64,
    /// The person, once one wrote or was identified; the one others were merged into.
    pub contact_id: Option<ContactId>,
    /// What the visitor is called, by what is known or claimed.
    pub name: String,
    /// Whether an e-mail address of his is known.
    pub reachable: bool,
    /// Whether the contact was proved by a signed identity.
    pub proved: bool,
    /// Whether the team blocked him.
    pub blocked: bool,
    /// Whether he was erased.
    pub erased: bool,
    /// The conversation that goes on.
    pub open_conversation_id: Option<ConversationId>,
    /// What the page says of him without proof.
    pub claim: Claim,
    /// The browser and its place, as last seen.
    pub browser: Browser,
    /// Visits so far.
    pub visit_count: u32,
    /// When first seen.
    pub created_at_ms: u64,
    /// When last seen.
    pub seen_at_ms: u64,
}

/// A visitor to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVisitor {
    /// Its id.
    pub id: VisitorId,
    /// Its site.
    pub site_id: SiteId,
    /// The browser and its place.
    pub browser: Browser,
    /// The network address, shortened where the workspace wants it.
    pub address: Option<String>,
}

const INSERT_VISITOR: &str = "
    INSERT INTO visitor (workspace_id, visitor_id, site_id, version, generation, proved, claim_json,
        browser_json, address, visit_count, created_at_ms, seen_at_ms)
    VALUES ($1, $2, $3, 1, 1, FALSE, '{}', $4, $5, 0, $6, $6)";

/// Stores a new visitor.
///
/// # Errors
/// The store's.
pub async fn create(
    db: &Db,
    workspace_id: WorkspaceId,
    visitor: &NewVisitor,
    at_ms: u64,
) -> Result<()> {
    let mut batch = Batch::locking(vec![visitor.id.to_string()]);
    batch.push(stmt!(
        INSERT_VISITOR,
        workspace_id,
        visitor.id,
        visitor.site_id,
        json(&visitor.browser)?,
        visitor.address.clone(),
        at_ms
    ));
    db.batch(batch).await?;
    db.remember_newcomer(VisitorRow {
        id: visitor.id,
        workspace_id,
        site_id: visitor.site_id,
        version: 1,
        generation: 1,
        contact_id: None,
        name: shown_name("", None, &handle_of(visitor.id)),
        reachable: false,
        proved: false,
        blocked: false,
        erased: false,
        open_conversation_id: None,
        claim: Claim::default(),
        browser: visitor.browser.clone(),
        visit_count: 0,
        created_at_ms: at_ms,
        seen_at_ms: at_ms,
    });
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Fault(error.to_string()))
}

// By primary keys.
const FIND_VISITOR: &str = "
    SELECT v.visitor_id, v.workspace_id, v.site_id, v.version, v.generation, k.root_id AS contact_id,
        r.name, r.email, r.handle, v.proved, v.blocked_at_ms, v.erased_at_ms, v.open_conversation_id, v.claim_json,
        v.browser_json, v.visit_count, v.created_at_ms, v.seen_at_ms
    FROM visitor v
    LEFT JOIN contact k ON k.workspace_id = v.workspace_id AND k.contact_id = v.contact_id
    LEFT JOIN contact r ON r.workspace_id = k.workspace_id AND r.contact_id = k.root_id
    WHERE v.workspace_id = $1 AND v.visitor_id = $2";

/// One visitor's row.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
) -> Result<Option<VisitorRow>> {
    let row = reader.row(find_stmt(workspace_id, visitor_id)).await?;
    row.map(|row| decode(&row)).transpose()
}

/// One visitor's row and the site he is on, as of one moment. One read: every connection begins with it.
///
/// # Errors
/// The store's.
pub async fn find_with_site(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    site_id: SiteId,
) -> Result<(Option<VisitorRow>, Option<Site>)> {
    let visitor = find_stmt(workspace_id, visitor_id);
    let site = site::find_stmt(workspace_id, site_id);
    let answers = reader.snapshot(vec![visitor, site]).await?;
    let [visitor, site] = &answers[..] else {
        return Err(Error::Fault("two reads have two answers".to_owned()));
    };
    Ok((
        visitor.first().map(decode).transpose()?,
        site.first().map(site::decode).transpose()?,
    ))
}

pub(crate) fn find_stmt(workspace_id: WorkspaceId, visitor_id: VisitorId) -> Stmt {
    stmt!(FIND_VISITOR, workspace_id, visitor_id)
}

pub(crate) fn decode(row: &Row) -> Result<VisitorRow> {
    let claim: Claim = row.json("claim_json")?;
    let id = row.id("visitor_id")?;
    let contact_id = row.maybe_id("contact_id")?;
    // What a page claims fills the contact's record; where that is there, it alone counts.
    let (name, reachable) = match contact_id {
        Some(_) => (contact::name_of(row)?, row.maybe_text("email")?.is_some()),
        None => {
            let name = claim.name.as_deref().unwrap_or_default();
            let name = shown_name(name, claim.email.as_deref(), &handle_of(id));
            (name, claim.email.is_some())
        }
    };
    Ok(VisitorRow {
        id,
        workspace_id: row.id("workspace_id")?,
        site_id: row.id("site_id")?,
        version: row.number("version")?,
        generation: row.number("generation")?,
        contact_id,
        name,
        reachable,
        proved: row.flag("proved")?,
        blocked: row.maybe_number("blocked_at_ms")?.is_some(),
        erased: row.maybe_number("erased_at_ms")?.is_some(),
        open_conversation_id: row.maybe_id("open_conversation_id")?,
        claim,
        browser: row.json("browser_json")?,
        visit_count: row.small("visit_count")?,
        created_at_ms: row.number("created_at_ms")?,
        seen_at_ms: row.number("seen_at_ms")?,
    })
}

/// Visits that the side panel shows.
const VISITS_SHOWN: usize = 10;

/// A visitor with the last visits, for the side panel.
///
/// # Errors
/// The store's.
pub async fn detail(
    reader: &Reader,
    scope: &Scope,
    visitor_id: VisitorId,
) -> Result<Option<Visitor>> {
    let workspace_id = scope.workspace_id();
    let Some(row) = find(reader, workspace_id, visitor_id).await? else {
        return Ok(None);
    };
    let visits = visit::recent(reader, workspace_id, visitor_id, VISITS_SHOWN).await?;
    Ok(Some(Visitor {
        id: row.id,
        site_id: row.site_id,
        contact_id: row.contact_id,
        name: row.name,
        blocked: row.blocked,
        erased: row.erased,
        browser: row.browser,
        created_at_ms: row.created_at_ms,
        seen_at_ms: row.seen_at_ms,
        visits,
    }))
}

const SEE_VISITOR: &str = "
    UPDATE visitor SET browser_json = $3,
        seen_at_ms = CASE WHEN $4 > seen_at_ms THEN $4 ELSE seen_at_ms END
    WHERE workspace_id = $1 AND visitor_id = $2 AND erased_at_ms IS NULL";

const SEE_CONTACT: &str = "
    UPDATE contact SET seen_at_ms = $3
    WHERE workspace_id = $1 AND seen_at_ms < $3 AND contact_id = (
        SELECT v.contact_id FROM visitor v WHERE v.workspace_id = $1 AND v.visitor_id = $2)";

/// Notes that the visitor is here, with which browser.
///
/// # Errors
/// The store's.
pub async fn seen(
    db: &Db,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    browser: &Browser,
    at_ms: u64,
) -> Result<()> {
    let holds = vec![
        Hold::Visitor(workspace_id, visitor_id),
        Hold::ContactOf(workspace_id, visitor_id),
    ];
    let mut batch = Batch::holding(holds);
    batch.push(stmt!(
        SEE_VISITOR,
        workspace_id,
        visitor_id,
        json(browser)?,
        at_ms
    ));
    batch.push(stmt!(SEE_CONTACT, workspace_id, visitor_id, at_ms));
    db.batch(batch).await?;
    Ok(())
}

/// The guard: it remembers the command, where the visitor's contact is the one that was read. `$5` digest, `$6`
/// attempt, `$7` time, `$8` contact.
const GUARD_CLAIM: &str = "
    INSERT INTO command (workspace_id, principal, client_id, digest, attempt_id, conversation_id,
        sent_at_ms)
    SELECT $1, $3, $4, $5, $6, v.open_conversation_id, CAST($7 AS BIGINT)
    FROM visitor v
    LEFT JOIN contact k ON k.workspace_id = v.workspace_id AND k.contact_id = v.contact_id
    WHERE v.workspace_id = $1 AND v.visitor_id = $2 AND v.erased_at_ms IS NULL
        AND COALESCE(k.root_id, '') = $8
    ON CONFLICT (workspace_id, principal, client_id) DO NOTHING
    RETURNING conversation_id, sent_at_ms";

const SET_CLAIM: &str = "
    UPDATE visitor SET claim_json = $3, version = version + 1
    WHERE workspace_id = $1 AND visitor_id = $2";

/// How often a claim is tried while the visitor's contact becomes another one.
const CLAIM_TRIES: usize = 4;

/// Stores what the page says of the visitor without proof. It links nothing; a contact that exists gets
/// claimed identities, and a name or address where it has none. Where it says nothing new, only the command
/// is remembered.
///
/// # Errors
/// The store's.
pub async fn claim(
    db: &Db,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
    key: &CommandKey,
    claim: &Claim,
    at_ms: u64,
) -> Result<Remembered> {
    for _ in 0..CLAIM_TRIES {
        let row = find(db, workspace_id, visitor.visitor_id).await?;
        let Some(row) = row.filter(|row| !row.erased) else {
            return claimed_before(db, workspace_id, key, Refusal::NotFound).await;
        };
        let mut holds = vec![Hold::Visitor(workspace_id, row.id)];
        holds.extend(row.contact_id.map(|id| Hold::Contact(workspace_id, id)));
        let mut batch = Batch::guarded(
            holds,
            stmt!(
                GUARD_CLAIM,
                workspace_id,
                row.id,
                key.principal.as_str(),
                key.client_id.as_str(),
                key.digest,
                db.world().ids.next::<EntryId>(),
                at_ms,
                row.contact_id.map(|id| id.to_string()).unwrap_or_default()
            ),
        );
        if let Some(field) = push_news(db, &mut batch, &row, claim, at_ms).await? {
            return claimed_before(db, workspace_id, key, Refusal::TooMany(field)).await;
        }
        let answers = db.batch(batch).await?;
        if let Some(stored) = answers[0].rows.first() {
            return Ok(Remembered::Accepted(Receipt {
                conversation_id: stored.maybe_id("conversation_id")?,
                entry_id: None,
                seq: None,
                public_seq: None,
                sent_at_ms: stored.number("sent_at_ms")?,
            }));
        }
        match claimed_before(db, workspace_id, key, Refusal::Stale).await? {
            Remembered::Refused(_) => {}
            done @ (Remembered::Accepted(_)
            | Remembered::Replayed(_)
            | Remembered::ClientIdReused) => return Ok(done),
        }
    }
    Ok(Remembered::Refused(Refusal::Stale))
}

/// Adds what a claim changes. Gives the field for which the contact has no room.
async fn push_news(
    db: &Db,
    batch: &mut Batch,
    row: &VisitorRow,
    claim: &Claim,
    at_ms: u64,
) -> Result<Option<&'static str>> {
    let whole = claim.after(&row.claim);
    if row.claim != whole {
        batch.push(stmt!(SET_CLAIM, row.workspace_id, row.id, json(&whole)?));
        let event_id = db.world().ids.next::<EventId>();
        batch.push(stmt!(
            INSERT_TIED_EVENT,
            row.workspace_id,
            row.id,
            event_id,
            at_ms
        ));
    }
    let Some(contact_id) = row.contact_id else {
        return Ok(None);
    };
    let known = contact::Known::read(db, row.workspace_id, contact_id, row).await?;
    if let Some(field) = known.overflow(row, claim) {
        return Ok(Some(field));
    }
    if known.learns_from(row, claim) {
        contact::push_claimed(db, batch, contact_id, row, claim, at_ms);
    }
    Ok(None)
}

/// Nothing was stored; a retry of a command that was accepted still gets its receipt.
async fn claimed_before(
    db: &Db,
    workspace_id: WorkspaceId,
    key: &CommandKey,
    refusal: Refusal,
) -> Result<Remembered> {
    let found = command::find(db, workspace_id, key).await?;
    Ok(match found {
        Some(Found::Mine(receipt) | Found::Before(receipt)) => Remembered::Replayed(receipt),
        Some(Found::Other) => Remembered::ClientIdReused,
        None => Remembered::Refused(refusal),
    })
}

const INSERT_TIED_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, 'visitor.changed', v.visitor_id, v.version, CAST($4 AS BIGINT)
    FROM visitor v
    WHERE v.workspace_id = $1 AND v.visitor_id = $2";

const ROTATE_VISITOR: &str = "
    UPDATE visitor SET generation = generation + 1, version = version + 1
    WHERE workspace_id = $1 AND visitor_id = $2";

/// Ends all tokens of a visitor: `logout`.
///
/// # Errors
/// The store's.
pub async fn rotate(
    db: &Db,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    at_ms: u64,
) -> Result<()> {
    let mut batch = Batch::holding(vec![Hold::Visitor(workspace_id, visitor_id)]);
    batch.push(stmt!(ROTATE_VISITOR, workspace_id, visitor_id));
    let event_id = db.world().ids.next::<EventId>();
    batch.push(stmt!(
        INSERT_TIED_EVENT,
        workspace_id,
        visitor_id,
        event_id,
        at_ms
    ));
    db.batch(batch).await?;
    Ok(())
}

// By the primary key, whose ids begin with the time they were made at.
const SCAN_IDLE: &str = "
    SELECT MAX(o.visitor_id) AS last_id, COUNT(*) AS n, COALESCE(CAST(SUM(o.idle) AS BIGINT), 0) AS idle_count
    FROM (
        SELECT v.visitor_id, CASE WHEN v.contact_id IS NULL AND v.seen_at_ms < $4 THEN 1 ELSE 0 END AS idle
        FROM visitor v
        WHERE v.workspace_id = $1 AND v.visitor_id > $2 AND v.visitor_id < $3
        ORDER BY v.visitor_id LIMIT $5) o";

const DELETE_IDLE: &str = "
    DELETE FROM visitor
    WHERE workspace_id = $1 AND visitor_id > $2 AND visitor_id <= $3 AND contact_id IS NULL
        AND seen_at_ms < $4 AND NOT EXISTS (
            SELECT 1 FROM visit t
            WHERE t.workspace_id = visitor.workspace_id AND t.visitor_id = visitor.visitor_id)";

/// A slice of visitors that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// How many were forgotten.
    pub count: u64,
    /// After which one to go on; nothing at the end.
    pub next: Option<VisitorId>,
}

/// Forgets visitors who never became a contact and were not seen since `before_ms`, among a slice after
/// `after`. Their visits must be forgotten first. There is no index of when a visitor was seen, for each visit
/// would pay for it: all rows of long ago are looked at instead.
///
/// # Errors
/// The store's.
pub async fn prune(
    db: &Db,
    workspace_id: WorkspaceId,
    after: VisitorId,
    before_ms: u64,
) -> Result<Pruned> {
    let newest = VisitorId::from_bits(u128::from(before_ms) << 80);
    let scan = stmt!(
        SCAN_IDLE,
        workspace_id,
        after,
        newest,
        before_ms,
        PRUNE_SLICE
    );
    let slice = db.row(scan).await?;
    let slice = slice.ok_or_else(|| Error::Fault("a count gave no row".to_owned()))?;
    let Some(last_id) = slice.maybe_id::<VisitorId>("last_id")? else {
        return Ok(Pruned {
            count: 0,
            next: None,
        });
    };
    let mut count = 0;
    if slice.number("idle_count")? > 0 {
        let mut batch = Batch::locking(vec![last_id.to_string()]);
        batch.push(stmt!(DELETE_IDLE, workspace_id, after, last_id, before_ms));
        count = db.batch(batch).await?[0].changed;
    }
    let is_last = slice.number("n")? < PRUNE_SLICE as u64;
    Ok(Pruned {
        count,
        next: (!is_last).then_some(last_id),
    })
}
