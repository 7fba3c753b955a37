//! Who asks: extractors that find out who, and give the proof that is passed on. Whether they may is
//! asked inside, by router and desk.
//!
//! A session cookie counts only with our own origin and the `switchboard-csrf` header where something
//! is changed. Bearers are told apart by their beginning: `sbs_` a login session, `sbk_` an API key,
//! `v1.` a token of ours.

use axum::extract::FromRequestParts;
use desk::UserSession;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use protocol::id::WorkspaceId;
use protocol::key::API_KEY_PREFIX;
use protocol::permission::{Actor, Principal};
use protocol::rejection::{ErrorCode, Rejection};

use crate::Doors;
use crate::cookie;
use crate::http::line::Line;
use crate::http::problem::Failure;
use crate::token::Claims;

/// The cookie's name on plain lines; with TLS it has the prefix that pins it to this host.
pub(crate) const SESSION_COOKIE: &str = "switchboard_session";
/// The cookie's name on encrypted lines.
pub(crate) const SESSION_COOKIE_HOST: &str = "__Host-switchboard_session";
/// The header that pages of other origins cannot send.
pub(crate) const CSRF_HEADER: &str = "switchboard-csrf";
/// The header that names the workspace.
pub(crate) const WORKSPACE_HEADER: &str = "switchboard-workspace";

/// A person who is signed in, in whatever workspace.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn(pub(crate) UserSession);

impl FromRequestParts<Doors> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Failure> {
        let line = Line::from_request_parts(parts, doors).await?;
        let secret = match bearer(&parts.headers) {
            Some(secret) => secret.to_owned(),
            None => cookie_secret(parts, &line)?,
        };
        let session = doors.desk.session(&secret).await?;
        session
            .map(Self)
            .ok_or_else(|| ErrorCode::Unauthenticated.into())
    }
}

/// A member of a team, or a program with a key of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Team(pub(crate) Actor);

impl FromRequestParts<Doors> for Team {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Failure> {
        let actor = member_or_key(parts, doors).await?;
        let line = Line::from_request_parts(parts, doors).await?;
        let (router, workspace_id) = (&doors.router, actor.workspace_id);
        router.may_come_from(workspace_id, line.address).await?;
        Ok(Self(actor))
    }
}

async fn member_or_key(parts: &mut Parts, doors: &Doors) -> Result<Actor, Failure> {
    if let Some(secret) = bearer(&parts.headers)
        && secret.starts_with(API_KEY_PREFIX)
    {
        let actor = doors.desk.key_actor(secret).await?;
        let actor = actor.ok_or(ErrorCode::Unauthenticated)?;
        if let Principal::Key(key) = actor.principal {
            doors.limits.key_request(key.key_id)?;
        }
        return Ok(actor);
    }
    let workspace = workspace_named(&parts.headers)?;
    let SignedIn(session) = SignedIn::from_request_parts(parts, doors).await?;
    Ok(doors.desk.agent_actor(&session, workspace).await?)
}

/// A visitor, by a token that is still good for sockets and HTTP, whose row was read just now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor(pub(crate) Actor);

impl FromRequestParts<Doors> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Failure> {
        let token = bearer(&parts.headers).ok_or(ErrorCode::Unauthenticated)?;
        let Claims::Visitor(claims) = doors.tokens.read(token, doors.world.clock.now_ms())? else {
            return Err(ErrorCode::Unauthenticated.into());
        };
        let line = Line::from_request_parts(parts, doors).await?;
        if !line.exempt {
            doors.limits.visitor_request(claims.visitor_id)?;
        }
        let (router, workspace_id) = (&doors.router, claims.workspace_id);
        router.may_come_from(workspace_id, line.address).await?;
        let known = crate::visitor::known(doors, &claims).await?;
        crate::origin::check(&known.site, origin(&parts.headers), &line.own_origin)?;
        Ok(Self(known.actor))
    }
}

/// Either side: for files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anybody(pub(crate) Actor);

impl FromRequestParts<Doors> for Anybody {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Failure> {
        if bearer(&parts.headers).is_some_and(|token| token.starts_with("v1.")) {
            let Visitor(actor) = Visitor::from_request_parts(parts, doors).await?;
            return Ok(Self(actor));
        }
        let Team(actor) = Team::from_request_parts(parts, doors).await?;
        Ok(Self(actor))
    }
}

/// The `Origin` header, if there is one. There is no other: see [`check_origin`].
pub(crate) fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN)?.to_str().ok()
}

/// Refuses two origins, and one that is no text: whoever judged the first would let the other pass.
///
/// # Errors
/// `malformed`.
pub(crate) fn check_origin(headers: &HeaderMap) -> Result<(), Rejection> {
    let mut said = headers.get_all(header::ORIGIN).iter();
    let is_one = said.next().is_none_or(|origin| origin.to_str().is_ok());
    if is_one && said.next().is_none() {
        Ok(())
    } else {
        Err(Rejection::of(ErrorCode::Malformed, "origin"))
    }
}

/// The bearer's secret, if there is one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

fn workspace_named(headers: &HeaderMap) -> Result<Option<WorkspaceId>, Failure> {
    let Some(value) = headers.get(WORKSPACE_HEADER) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| Rejection::of(ErrorCode::Invalid, "workspace").into())
}

/// The session's secret out of the cookie, where the request may use it.
fn cookie_secret(parts: &Parts, line: &Line) -> Result<String, Failure> {
    let name = cookie_name(line);
    let secret = cookie::find(&parts.headers, name).ok_or(ErrorCode::Unauthenticated)?;
    if !is_safe(&parts.method) {
        own_page(&parts.headers, line)?;
    }
    Ok(secret.to_owned())
}

/// The cookie's name on this line.
pub(crate) fn cookie_name(line: &Line) -> &'static str {
    if line.secure {
        SESSION_COOKIE_HOST
    } else {
        SESSION_COOKIE
    }
}

/// Proves that a request which changes something comes from a page of our own.
fn own_page(headers: &HeaderMap, line: &Line) -> Result<(), Failure> {
    let from_us = match origin(headers) {
        Some(origin) => origin == line.own_origin,
        None => headers
            .get("sec-fetch-site")
            .is_some_and(|site| site.as_bytes() == b"same-origin"),
    };
    if !from_us {
        return Err(ErrorCode::OriginRefused.into());
    }
    let marked = headers
        .get(CSRF_HEADER)
        .is_some_and(|value| value.as_bytes() == b"1");
    if marked {
        Ok(())
    } else {
        Err(Rejection::of(ErrorCode::Forbidden, CSRF_HEADER).into())
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The header that sets the session's cookie; an empty secret takes it away.
pub(crate) fn set_cookie(line: &Line, secret: &str, max_age_seconds: u64) -> String {
    let name = cookie_name(line);
    let secure = if line.secure { "; Secure" } else { "" };
    format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_seconds}{secure}")
}
