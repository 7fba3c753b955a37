//! Visitors' sessions over HTTP: who a browser is, and how the widget looks there.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::HeaderMap;
use protocol::id::{SiteId, VisitorId, WorkspaceId};
use protocol::rejection::ErrorCode;
use protocol::site::{SecretKind, Site};
use protocol::time_zone;
use protocol::visitor::Claim;
use protocol::widget::{NewVisitorSession, VisitorSession};
use router::{Newcomer, Proof};

use crate::Doors;
use crate::address;
use crate::browser;
use crate::http::asset;
use crate::http::auth;
use crate::http::extract::Json;
use crate::http::line::{Line, user_agent};
use crate::http::problem::Answer;
use crate::identity::{self, SiteKeys};
use crate::origin;
use crate::token::{Claims, VISITOR_TOKEN_MS, VisitorClaims};
use crate::visitor;

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/visitor/session", post(begin))
}

/// Begins or renews a session. Only pages may, and only those of the site's origins or our own.
#[utoipa::path(post, path = "/api/v1/visitor/session", operation_id = "begin_visitor_session",
    tag = "widget", request_body = NewVisitorSession, responses((status = 200, body = VisitorSession)))]
pub(crate) async fn begin(
    State(doors): State<Doors>,
    line: Line,
    headers: HeaderMap,
    Json(asked): Json<NewVisitorSession>,
) -> Answer<Json<VisitorSession>> {
    let (workspace_id, site) = site(&doors, asked.site_key).await?;
    let page = auth::origin(&headers).ok_or(ErrorCode::OriginRefused)?;
    origin::check(&site, Some(page), &line.own_origin)?;
    let router = &doors.router;
    router.may_come_from(workspace_id, line.address).await?;
    let settings = router.site_settings(workspace_id, site.id).await?;
    doors.limits.site_session(site.id, &settings, &line)?;
    let proof = match &asked.identity {
        Some(token) => Some(proof(&doors, workspace_id, site.id, token).await?),
        None => None,
    };
    let before = match &asked.token {
        Some(token) => before(&doors, site.id, token).await?,
        None => None,
    };
    let time_zone = asked.time_zone.as_deref().and_then(time_zone::named);
    let place = doors.geo.place(&line, &headers).or_of_zone(time_zone);
    let mut seen = browser::of_user_agent(&user_agent(&headers), place);
    seen.language = browser::tag(asked.language.as_deref()).or_else(|| browser::language(&headers));
    seen.time_zone = time_zone.map(str::to_owned);
    let now_ms = doors.world.clock.now_ms();
    let standing = doors
        .router
        .begin_visitor(&Newcomer {
            workspace_id,
            site_id: site.id,
            before,
            fresh: asked.fresh,
            proof,
            browser: seen,
            address: Some(address::written(line.address, settings.anonymize_addresses)),
        })
        .await?;
    if standing.blocked {
        return Err(ErrorCode::Blocked.into());
    }
    let expires_at_ms = now_ms + VISITOR_TOKEN_MS;
    let token = doors.tokens.sign(&Claims::Visitor(VisitorClaims {
        workspace_id,
        site_id: site.id,
        visitor_id: standing.visitor_id,
        contact_id: standing.contact_id,
        generation: standing.generation,
        expires_at_ms,
    }));
    let config = doors.router.widget_config(workspace_id, site.id).await?;
    let locale = browser::tag(asked.locale.as_deref());
    Ok(Json(VisitorSession {
        visitor_id: standing.visitor_id,
        token,
        expires_at_ms,
        now_ms,
        config: config.ok_or(ErrorCode::UnknownSite)?,
        unread: standing.unread,
        identified: standing.contact_id.is_some(),
        words: asset::launcher_words(&doors, locale.as_deref(), settings.language).await,
    }))
}

async fn site(doors: &Doors, key: SiteId) -> Answer<(WorkspaceId, Site)> {
    let found = storage::site::by_key(&doors.reader, key).await?;
    let found = found.filter(|(_, site)| !site.archived);
    Ok(found.ok_or(ErrorCode::UnknownSite)?)
}

async fn proof(
    doors: &Doors,
    workspace_id: WorkspaceId,
    site_id: SiteId,
    token: &str,
) -> Answer<Proof> {
    let now_ms = doors.world.clock.now_ms();
    let reader = &doors.reader;
    let kind = SecretKind::Identity;
    let secrets = storage::site::secrets_of(reader, workspace_id, site_id, kind, now_ms).await?;
    let public_keys = storage::identity_key::list(reader, workspace_id, site_id, now_ms).await?;
    let keys = SiteKeys {
        secrets: secrets.into_iter().map(|row| row.secret).collect(),
        public_keys: public_keys.into_iter().map(|key| key.point).collect(),
    };
    let proved = identity::prove(token, site_id, &keys, now_ms)?;
    Ok(Proof {
        customer_id: Some(proved.customer_id),
        email: proved.email,
        claim: Claim {
            name: proved.name,
            ..Claim::default()
        },
    })
}

/// Who the browser was, if its token is ours, of this site, and still means somebody. A token that
/// means nobody any more is no error: the browser begins anew.
async fn before(doors: &Doors, site_id: SiteId, token: &str) -> Answer<Option<VisitorId>> {
    let now_ms = doors.world.clock.now_ms();
    let Ok(claims) = doors.tokens.read_for_renewal(token, now_ms) else {
        return Ok(None);
    };
    if claims.site_id != site_id {
        return Ok(None);
    }
    match visitor::standing(doors, &claims).await {
        // A blocked visitor must not become a new one by asking again.
        Ok(row) if row.blocked => Err(ErrorCode::Blocked.into()),
        // Whoever kept a token from before the sign-in begins anew.
        Ok(row) if visitor::is_from_before(&row, &claims) => Ok(None),
        Ok(row) => Ok(Some(row.id)),
        Err(failure) if failure.rejection().code == ErrorCode::Unauthenticated => Ok(None),
        Err(failure) => Err(failure),
    }
}
