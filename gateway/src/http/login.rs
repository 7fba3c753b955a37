//! Signing in and out, the password, and one's sessions.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use desk::SignedIn as SignedInNow;
use http::{HeaderValue, StatusCode, header};
use protocol::id::LoginSessionId;
use protocol::page::Page;
use protocol::setup::{LoggedIn, Login, LoginSession, PasswordChange};
use serde::Deserialize;

use crate::Doors;
use crate::http::auth::{self, SignedIn};
use crate::http::extract::{Json, Path, Query};
use crate::http::line::{Caller, Line};
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/password", post(change_password))
        .route("/sessions", get(list_sessions).delete(end_other_sessions))
        .route("/sessions/{id}", delete(end_session))
}

/// How the session's secret is handed over.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Handover {
    /// In the answer's body, for programs, and no cookie is set.
    #[serde(default)]
    bearer: bool,
}

/// Sign in.
#[utoipa::path(post, path = "/api/v1/login", operation_id = "log_in", tag = "sign-in",
    params(Handover), request_body = Login, responses((status = 200, body = LoggedIn)))]
pub(crate) async fn log_in(
    State(doors): State<Doors>,
    line: Line,
    caller: Caller,
    Query(handover): Query<Handover>,
    Json(login): Json<Login>,
) -> Answer<Response> {
    let caller = caller.or_of_zone(login.time_zone.as_deref());
    let signed_in = doors.desk.log_in(&login, &caller).await?;
    Ok(handed_over(signed_in, handover, &doors, &line))
}

/// The answer to a sign-in of any kind: who it is, and the secret by cookie or in the body.
pub(crate) fn handed_over(
    signed_in: SignedInNow,
    handover: Handover,
    doors: &Doors,
    line: &Line,
) -> Response {
    if handover.bearer {
        return Json(LoggedIn {
            me: signed_in.me,
            secret: Some(signed_in.secret),
        })
        .into_response();
    }
    let body = LoggedIn {
        me: signed_in.me.clone(),
        secret: None,
    };
    with_cookie(Json(body).into_response(), doors, line, &signed_in)
}

/// An answer that also sets the session's cookie. The cookie may live as long as any session can; the
/// store says when this one ends.
pub(crate) fn with_cookie(
    mut answer: Response,
    doors: &Doors,
    line: &Line,
    signed_in: &SignedInNow,
) -> Response {
    let seconds = doors.desk.session_ms() / 1_000;
    set_cookie(
        &mut answer,
        &auth::set_cookie(line, &signed_in.secret, seconds),
    );
    answer
}

fn set_cookie(answer: &mut Response, cookie: &str) {
    let value = HeaderValue::from_str(cookie).expect("secrets and names are ASCII");
    answer.headers_mut().insert(header::SET_COOKIE, value);
}

/// Sign out: ends this session and its connections.
#[utoipa::path(post, path = "/api/v1/logout", operation_id = "log_out", tag = "sign-in",
    security(("session" = []), ("login_bearer" = [])), responses((status = 204)))]
pub(crate) async fn log_out(
    State(doors): State<Doors>,
    line: Line,
    SignedIn(session): SignedIn,
) -> Answer<Response> {
    doors.desk.log_out(&session).await?;
    let mut answer = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut answer, &auth::set_cookie(&line, "", 0));
    Ok(answer)
}

/// Change one's password. All other sessions end.
#[utoipa::path(post, path = "/api/v1/password", operation_id = "change_password", tag = "sign-in",
    security(("session" = []), ("login_bearer" = [])),
    request_body = PasswordChange, responses((status = 204)))]
pub(crate) async fn change_password(
    State(doors): State<Doors>,
    SignedIn(session): SignedIn,
    Caller(caller): Caller,
    Json(change): Json<PasswordChange>,
) -> Answer<StatusCode> {
    doors
        .desk
        .change_password(&session, &change, &caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own sessions, newest first.
#[utoipa::path(get, path = "/api/v1/sessions", operation_id = "list_sessions", tag = "sign-in",
    security(("session" = []), ("login_bearer" = [])),
    responses((status = 200, body = Page<LoginSession>)))]
pub(crate) async fn list_sessions(
    State(doors): State<Doors>,
    SignedIn(session): SignedIn,
) -> Answer<Json<Page<LoginSession>>> {
    let items = doors.desk.sessions(&session).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// End all of one's own sessions but this one.
#[utoipa::path(delete, path = "/api/v1/sessions", operation_id = "end_other_sessions", tag = "sign-in",
    security(("session" = []), ("login_bearer" = [])), responses((status = 204)))]
pub(crate) async fn end_other_sessions(
    State(doors): State<Doors>,
    SignedIn(session): SignedIn,
) -> Answer<StatusCode> {
    doors.desk.end_other_sessions(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one of one's own sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", operation_id = "end_session", tag = "sign-in",
    security(("session" = []), ("login_bearer" = [])),
    params(("id" = LoginSessionId, Path)), responses((status = 204)))]
pub(crate) async fn end_session(
    State(doors): State<Doors>,
    SignedIn(session): SignedIn,
    Path(id): Path<LoginSessionId>,
) -> Answer<StatusCode> {
    doors.desk.end_session(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
