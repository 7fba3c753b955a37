//! Visitors at the door: who a browser is, and what is known of him when he comes.

use std::collections::BTreeMap;

use presence::input::{Facts, Input, Measures, Sight};
use protocol::frame::{Page, Purpose};
use protocol::id::{ConnectionId, ContactId, SiteId, VisitorId, WorkspaceId};
use protocol::limit;
use protocol::permission::VisitorActor;
use protocol::rejection::{CloseCode, ErrorCode, Rejection};
use protocol::text::cut;
use protocol::visitor::{Browser, PageView, Source};
use storage::visitor::{NewVisitor, Proof, VisitorRow};
use url::Url;

use crate::error::refused_by;
use crate::live::{Entrance, Message};
use crate::router::Router;
use crate::visit::Stay;

/// The generation of a visitor whose tokens were never ended. `logout` retires the visitor for good: the
/// browser goes on as another one.
const FIRST_GENERATION: u64 = 1;

/// How long a visitor's row may say that he was seen before it is written again, in milliseconds.
const SEEN_MS: u64 = 10 * 60 * 1_000;

/// Parameters of a source that are kept, at most, and bytes of each.
const UTM_MAX: usize = 10;
const UTM_BYTES_MAX: usize = 200;

/// A visitor's connection that came up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorConnection {
    /// Which.
    pub connection_id: ConnectionId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// Who.
    pub visitor: VisitorActor,
    /// What it is for.
    pub purpose: Purpose,
    /// The browser and its place, as far as the request tells.
    pub browser: Browser,
    /// The page in sight.
    pub page: Option<Page>,
}

/// A visitor who comes, as the store had him a moment ago.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// What the store had.
    pub stored: Box<storage::arrival::Arrival>,
    /// How often something newer of anybody was told of before.
    pub(crate) outdated_count: u64,
}

/// Somebody at the door of a site.
#[derive(Debug, Clone, PartialEq)]
pub struct Newcomer {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// On which site.
    pub site_id: SiteId,
    /// Who the browser was before, by a token that the door has checked.
    pub before: Option<VisitorId>,
    /// Whether he wants to be somebody else from now on: `logout`.
    pub fresh: bool,
    /// What a signed identity proves, checked by the door.
    pub proof: Option<Proof>,
    /// The browser and its place.
    pub browser: Browser,
    /// The network address, shortened where the workspace wants it.
    pub address: Option<String>,
}

/// Who a browser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The visitor.
    pub visitor_id: VisitorId,
    /// The person, where a signed identity proved it.
    pub contact_id: Option<ContactId>,
    /// What the tokens must carry.
    pub generation: u64,
    /// Messages of the team that he has not read.
    pub unread: u32,
    /// Whether the team blocked him.
    pub blocked: bool,
}

/// Whether all of a visitor's tokens were ended.
pub(crate) fn is_retired(row: &VisitorRow) -> bool {
    row.generation > FIRST_GENERATION
}

/// Ends the connections that a visitor's row allows no longer, on this node: those of who is blocked, erased or
/// logged out, and those that came before he was proved. Called for what the log tells of, and again for who
/// came while it was told.
pub(crate) async fn end_outdated(router: &Router, row: &VisitorRow) {
    let hub = router.hub();
    if row.blocked {
        hub.close_visitor(row.id, CloseCode::Revoked).await;
    } else if row.erased || is_retired(row) {
        hub.close_visitor(row.id, CloseCode::IdentityChanged).await;
    } else if row.proved {
        hub.close_unproved(row.id).await;
    }
}

/// Looks again at who comes: the row was read after the connection began to listen, so whatever changes later is
/// told to it. One who comes with his proof has nothing to end but what came without one.
async fn check_again(router: &Router, row: &VisitorRow, visitor: &VisitorActor) {
    if !row.proved || row.blocked || visitor.contact_id.is_none() {
        // Seldom, and large: others do not carry it along.
        Box::pin(end_outdated(router, row)).await;
    }
}

/// See [`Router::begin_visitor`].
pub(crate) async fn begin(router: &Router, newcomer: &Newcomer) -> Result<Standing, Rejection> {
    let fault = |error| refused_by(&error);
    let workspace_id = newcomer.workspace_id;
    let db = router.db();
    let known = match newcomer.before {
        Some(id) => storage::visitor::find(db, workspace_id, id)
            .await
            .map_err(fault)?,
        None => None,
    };
    let known =
        known.filter(|row| row.site_id == newcomer.site_id && !row.erased && !is_retired(row));
    let was_proved = known.as_ref().is_some_and(|row| row.proved);
    let goes_on = match known {
        // Blocking outlives a logout: who is blocked stays who he is.
        Some(row) if newcomer.fresh && !row.blocked => {
            let now_ms = router.world().clock.now_ms();
            let rotated = storage::visitor::rotate(db, workspace_id, row.id, now_ms).await;
            rotated.map_err(fault)?;
            crate::tail::ring(router);
            None
        }
        other => other.map(|row| row.id),
    };
    let visitor_id = match (goes_on, &newcomer.proof) {
        (Some(id), None) => id,
        (Some(id), Some(proof)) => match prove(router, workspace_id, id, proof).await? {
            true => {
                if !was_proved {
                    // One identity for the life of a connection: those of before come back as the person.
                    router.hub().close_unproved(id).await;
                    // He may have connections on other nodes.
                    crate::tail::ring(router);
                }
                id
            }
            // He was somebody else: that person's thread is not shown to this one.
            false => create(router, newcomer).await?,
        },
        (None, None) => {
            let visitor_id = create(router, newcomer).await?;
            return Ok(Standing {
                visitor_id,
                contact_id: None,
                generation: FIRST_GENERATION,
                unread: 0,
                blocked: false,
            });
        }
        (None, Some(_)) => create(router, newcomer).await?,
    };
    standing(router, workspace_id, visitor_id).await
}

async fn create(router: &Router, newcomer: &Newcomer) -> Result<VisitorId, Rejection> {
    let workspace_id = newcomer.workspace_id;
    let visitor = NewVisitor {
        id: router.world().ids.next(),
        site_id: newcomer.site_id,
        browser: newcomer.browser.clone(),
        address: newcomer.address.clone(),
    };
    let now_ms = router.world().clock.now_ms();
    let created = storage::visitor::create(router.db(), workspace_id, &visitor, now_ms).await;
    created.map_err(|error| refused_by(&error))?;
    if let Some(proof) = &newcomer.proof
        && !prove(router, workspace_id, visitor.id, proof).await?
    {
        return Err(ErrorCode::IdentityInvalid.into());
    }
    Ok(visitor.id)
}

/// Whether the visitor is the proved person now.
async fn prove(
    router: &Router,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
    proof: &Proof,
) -> Result<bool, Rejection> {
    let now_ms = router.world().clock.now_ms();
    let proved = storage::visitor::prove(router.db(), workspace_id, visitor_id, proof, now_ms);
    Ok(proved.await.map_err(|error| refused_by(&error))?.is_some())
}

async fn standing(
    router: &Router,
    workspace_id: WorkspaceId,
    visitor_id: VisitorId,
) -> Result<Standing, Rejection> {
    let fault = |error| refused_by(&error);
    let db = router.db();
    let row = storage::visitor::find(db, workspace_id, visitor_id).await;
    let row = row.map_err(fault)?.ok_or(ErrorCode::NotFound)?;
    let contact_id = row.contact_id.filter(|_| row.proved);
    let visitor = VisitorActor {
        visitor_id,
        site_id: row.site_id,
        contact_id,
    };
    let unread = storage::unread::of_visitor(db, workspace_id, &visitor).await;
    Ok(Standing {
        visitor_id,
        contact_id,
        generation: row.generation,
        unread: unread.map_err(fault)?.count,
        blocked: row.blocked,
    })
}

/// What the list shows of a visitor's person.
pub(crate) fn facts_of(row: &VisitorRow) -> Facts {
    Facts {
        contact_id: row.contact_id,
        name: row.name.clone(),
        conversation_id: row.open_conversation_id,
    }
}

async fn measures_of(
    router: &Router,
    workspace_id: WorkspaceId,
    site_id: SiteId,
) -> storage::Result<Measures> {
    let tenant = router.cache().tenant(workspace_id).await?;
    let site = tenant.site(site_id);
    Ok(match site {
        Some(site) => Measures::of(&site.settings(&tenant.settings)),
        None => Measures::of(&tenant.settings),
    })
}

/// What presence is told of a connection that came up.
pub(crate) async fn enter(
    router: &Router,
    connection: VisitorConnection,
    arrival: Arrival,
) -> storage::Result<Message> {
    let VisitorConnection {
        connection_id,
        workspace_id,
        visitor,
        purpose: _,
        browser,
        page,
    } = connection;
    let visitor_id = visitor.visitor_id;
    let Arrival {
        stored,
        outdated_count,
    } = arrival;
    let storage::arrival::Arrival { row, last, .. } = *stored;
    check_again(router, &row, &visitor).await;
    let now_ms = router.world().clock.now_ms();
    if row.browser != browser || row.seen_at_ms + SEEN_MS < now_ms {
        storage::visitor::seen(router.db(), workspace_id, visitor_id, &browser, now_ms).await?;
    }
    let measures = measures_of(router, workspace_id, visitor.site_id).await?;
    let ends_at_ms = |viewed_at_ms: u64| viewed_at_ms.saturating_add(measures.session_timeout_ms);
    let last = last.filter(|visit| ends_at_ms(visit.viewed_at_ms) > now_ms);
    let is_new = last.is_none();
    let sight = page.as_ref().and_then(|page| sight(page, now_ms));
    let source = match (&last, &sight) {
        (Some(visit), _) => visit.source.clone(),
        (None, Some(sight)) => sight.source.clone(),
        (None, None) => Source::default(),
    };
    let visit_id = last
        .as_ref()
        .map_or_else(|| router.world().ids.next(), |visit| visit.id);
    let arrival = presence::input::Arrival {
        workspace_id,
        visitor_id,
        site_id: visitor.site_id,
        facts: facts_of(&row),
        browser,
        source: source.clone(),
        // Earlier ones: the present visit is counted once it began.
        visit_count: row.visit_count.saturating_sub(u32::from(!is_new)),
        entered_at_ms: last.as_ref().map_or(now_ms, |visit| visit.started_at_ms),
        page_count: last.as_ref().map_or(0, |visit| visit.page_count),
        event_count: last.as_ref().map_or(0, |visit| visit.event_count),
        last_event: last.as_ref().and_then(|visit| visit.last_event.clone()),
        viewed_at_ms: last.as_ref().map_or(now_ms, |visit| visit.viewed_at_ms),
        trail: last.map(|visit| visit.trail).unwrap_or_default(),
        visible: page.is_some(),
        measures,
    };
    let input = Input::Enter {
        connection_id,
        arrival: Box::new(arrival),
        sight,
    };
    Ok(Message::Enter(Box::new(Entrance {
        input,
        key: (workspace_id, visitor_id),
        connection_id,
        stay: Stay {
            visit_id,
            is_new,
            source,
        },
        outdated_count,
    })))
}

/// A page as it is shown and stored, with both texts cut to their bounds, and where a visit that begins with
/// it comes from. Nothing for what is no web page.
pub(crate) fn sight(page: &Page, at_ms: u64) -> Option<Sight> {
    let mut url = web_address(&page.url)?;
    let source = source_of(&url, page);
    strip_place(&mut url);
    let page = PageView {
        url: cut(url.as_str(), limit::URL_BYTES_MAX),
        title: cut(&page.title, limit::TITLE_BYTES_MAX),
        at_ms,
    };
    Some(Sight { page, source })
}

/// Takes the fragment from an address, unless that is a route of a single-page app: others are places within
/// the page, or secrets.
fn strip_place(url: &mut Url) {
    let is_route = |fragment: &str| fragment.starts_with('/') || fragment.starts_with("!/");
    if url.fragment().is_some_and(|fragment| !is_route(fragment)) {
        url.set_fragment(None);
    }
}

/// Where a visit came from, by its first page.
fn source_of(url: &Url, page: &Page) -> Source {
    let referrer = page.referrer.as_deref().and_then(web_address);
    let referrer = referrer.filter(|referrer| referrer.host() != url.host());
    let utm: BTreeMap<String, String> = url
        .query_pairs()
        .filter_map(|(name, value)| {
            let name = name.strip_prefix("utm_")?;
            let is_kept = !name.is_empty() && name.len() <= limit::PROPERTY_NAME_BYTES_MAX;
            let name = cut(name, limit::PROPERTY_NAME_BYTES_MAX);
            is_kept.then(|| (name, cut(&value, UTM_BYTES_MAX)))
        })
        .take(UTM_MAX)
        .collect();
    Source {
        referrer: referrer.map(|referrer| cut(referrer.as_str(), limit::URL_BYTES_MAX)),
        utm,
    }
}

/// Only addresses of web pages: another scheme could do something when an agent opens it.
fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(url: &str, referrer: Option<&str>) -> Page {
        Page {
            url: url.to_owned(),
            title: "A\u{0}tit\u{202e}le".to_owned(),
            referrer: referrer.map(str::to_owned),
        }
    }

    #[test]
    fn a_page_loses_its_fragment_and_stays_within_bounds() {
        let view = |url: &str| sight(&page(url, None), 5).map(|sight| sight.page);
        let secret = view("https://example.com/a?b=1#secret").unwrap();
        assert_eq!(secret.url, "https://example.com/a?b=1");
        assert_eq!(secret.title, "A title");
        for route in [
            "https://example.com/a#/orders/7",
            "https://example.com/a#!/b",
        ] {
            assert_eq!(view(route).unwrap().url, route);
        }
        let long = format!("https://example.com/{}", "a".repeat(limit::URL_BYTES_MAX));
        assert_eq!(view(&long).unwrap().url.len(), limit::URL_BYTES_MAX);
        let titled = Page {
            title: "t".repeat(limit::TITLE_BYTES_MAX + 1),
            ..page("https://example.com/", None)
        };
        let titled = sight(&titled, 5).unwrap().page;
        assert_eq!(titled.title.len(), limit::TITLE_BYTES_MAX);
    }

    #[test]
    fn what_is_no_web_page_is_no_page() {
        for url in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "",
            "/a",
        ] {
            assert_eq!(sight(&page(url, None), 5), None, "{url}");
        }
    }

    #[test]
    fn a_source_is_another_site_and_the_campaign() {
        let url = "https://shop.example/?utm_source=news&utm_campaign=may&x=1";
        let source_of = |page: Page| sight(&page, 5).unwrap().source;
        let source = source_of(page(url, Some("https://search.example/?q=chat")));
        assert_eq!(
            source.referrer.as_deref(),
            Some("https://search.example/?q=chat")
        );
        assert_eq!(source.utm["source"], "news");
        assert_eq!(source.utm.len(), 2);
        let odd = "https://shop.example/?utm_so%E2%80%AEurce=ne%E2%80%AEw%00s";
        let source = source_of(page(odd, None));
        assert_eq!(
            source.utm,
            BTreeMap::from([("source".to_owned(), "new s".to_owned())])
        );
        let own = source_of(page(url, Some("https://shop.example/before")));
        assert_eq!(own.referrer, None);
        let bad = source_of(page(url, Some("javascript:alert(1)")));
        assert_eq!(bad.referrer, None);
    }
}
