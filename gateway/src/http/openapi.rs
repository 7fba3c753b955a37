//! The HTTP doors as an OpenAPI document, made from the handlers themselves.
//!
//! A test compares the document with every `.route(…)` of these files, so no door can be served
//! without standing here.

use std::sync::LazyLock;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{HeaderValue, header};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::Doors;
use crate::http::{
    agent, attachment, audit, auth, blocked_address, canned_response, contact, conversation, docs,
    identity_key, invitation, key, login, me, node, picture, saved_view, search, session, setup,
    site, stream, thread, todo, trouble, visitor, workspace,
};

/// All doors under `/api/v1`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Switchboard",
        description = "Self-hosted realtime customer messaging. Everything the console and the widget \
            do goes through these doors and the socket; docs/http.md and docs/protocol.md tell the rest.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        setup::state, setup::set_up,
        login::log_in, login::log_out, login::change_password, login::list_sessions,
        login::end_session, login::end_other_sessions, me::me, me::socket_token, invitation::lookup, invitation::accept,
        workspace::find, workspace::change, trouble::list, node::list,
        site::list, site::create, site::find, site::change, site::list_secrets,
        site::seen, site::rotate_secret, site::drop_secret,
        identity_key::list, identity_key::add, identity_key::remove,
        agent::list, agent::find, agent::change, agent::list_sign_ins, agent::list_attendance,
        invitation::list, invitation::create, invitation::revoke,
        key::list, key::create, key::revoke,
        canned_response::list, canned_response::create, canned_response::change, canned_response::remove,
        saved_view::list, saved_view::create, saved_view::change, saved_view::remove,
        audit::list, audit::list_failed_logins,
        blocked_address::list, blocked_address::create, blocked_address::remove,
        conversation::list, conversation::find, conversation::list_entries,
        conversation::find_in, conversation::command,
        search::search, todo::list, todo::mark,
        contact::find, contact::change, contact::erase, contact::list_conversations, contact::merge,
        contact::unmerge, visitor::find,
        session::begin, thread::history, thread::entries, attachment::upload, attachment::download, picture::find,
        stream::socket, stream::stream, stream::frames,
    ),
    components(schemas(protocol::rejection::Problem, protocol::todo::TodoFilter)),
    modifiers(&Security, &Problems),
    tags(
        (name = "setup", description = "Once, at the beginning."),
        (name = "sign-in", description = "Persons: signing in and out, one's own sessions."),
        (name = "conversations", description = "Lists, entries, and commands."),
        (name = "contacts", description = "Persons on the other side, and their browsers."),
        (name = "workspace", description = "The workspace and its settings."),
        (name = "sites", description = "Installations of the widget."),
        (name = "team", description = "Members and invitations."),
        (name = "canned responses", description = "Texts that agents write often."),
        (name = "saved views", description = "Lists of the inbox that have a name."),
        (name = "keys", description = "Keys for programs."),
        (name = "blocked addresses", description = "Networks from which nobody comes in."),
        (name = "audit", description = "What was changed, and who could not sign in."),
        (name = "realtime", description = "Connections: a socket, or a stream where sockets are blocked."),
        (name = "widget", description = "What the widget asks. CORS for the site's allowed origins."),
        (name = "files", description = "Uploads and downloads."),
    )
)]
struct Api;

/// Who may ask, and how they prove it.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = |what: &str| {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(what.to_owned());
            SecurityScheme::Http(scheme)
        };
        let cookie = ApiKeyValue::with_description(
            auth::SESSION_COOKIE,
            "A browser that is signed in. What changes something also needs our own Origin and the \
             header switchboard-csrf: 1. Over TLS the name begins with __Host-.",
        );
        for (name, scheme) in [
            ("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie))),
            (
                "login_bearer",
                bearer("The secret of a login session: sbs_…, from POST /login?bearer=true."),
            ),
            (
                "key",
                bearer("An API key: sbk_…. The scopes that the door needs are listed."),
            ),
            (
                "visitor",
                bearer("A visitor's token: v1.…, from POST /visitor/session."),
            ),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// Every door may refuse, in one form.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut Document) {
        let refused: Response = ResponseBuilder::new()
            .description("Refused, or a fault of ours: see `code`.")
            .content(
                "application/problem+json",
                Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem")))),
            )
            .build();
        for item in document.paths.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                responses.insert("default".to_owned(), RefOr::T(refused.clone()));
            }
        }
    }
}

/// The document. Made once.
pub(crate) fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(Api::openapi);
    &DOCUMENT
}

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/api/openapi.json", get(json))
        .route("/api/docs", get(docs::redirect))
        .route("/api/docs/", get(docs::page))
        .route("/api/docs/style.css", get(docs::style))
}

async fn json() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        serde_json::to_string_pretty(document()).expect("the document is always JSON")
    });
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], TEXT.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// `GET /api/v1/sites` and so on, as the document has them.
    fn documented() -> BTreeSet<String> {
        let json = serde_json::to_value(document()).unwrap();
        let mut doors = BTreeSet::new();
        for (path, item) in json["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                doors.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        doors
    }

    /// The same, as the files of this folder route them.
    fn served() -> BTreeSet<String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http");
        let mut doors = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let shown = text.split("#[cfg(test)]").next().unwrap();
            for route in shown.split(".route(").skip(1) {
                doors.extend(doors_of(route));
            }
        }
        doors
    }

    fn doors_of(route: &str) -> Vec<String> {
        let path = route.split('"').nth(1).unwrap();
        if outside_the_api(path) {
            return Vec::new();
        }
        let handlers = &route[..end_of_call(route)];
        ["get", "post", "put", "patch", "delete"]
            .iter()
            .filter(|method| {
                handlers
                    .match_indices(&format!("{method}("))
                    .any(|(at, _)| {
                        !handlers[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                    })
            })
            .map(|method| format!("{} /api/v1{path}", method.to_uppercase()))
            .collect()
    }

    /// What is mounted at the root and is no part of the versioned API.
    fn outside_the_api(path: &str) -> bool {
        [
            "/api/", "/console", "/demo", "/widget", "/healthz", "/readyz", "/metrics",
        ]
        .iter()
        .any(|root| path.starts_with(root))
            || path == "/"
    }

    fn end_of_call(text: &str) -> usize {
        let mut depth = 1;
        for (at, c) in text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        text.len()
    }

    #[test]
    fn every_door_that_is_served_is_documented_and_the_other_way_round() {
        let (served, documented) = (served(), documented());
        let undocumented: Vec<_> = served.difference(&documented).collect();
        let unserved: Vec<_> = documented.difference(&served).collect();
        assert!(
            undocumented.is_empty(),
            "served, not documented: {undocumented:#?}"
        );
        assert!(unserved.is_empty(), "documented, not served: {unserved:#?}");
    }

    #[test]
    fn the_list_of_doors_is_the_one_that_was_agreed() {
        let listed = documented().into_iter().collect::<Vec<_>>().join("\n") + "\n";
        let agreed = include_str!("../../tests/doors.txt");
        assert_eq!(
            listed, agreed,
            "doors only get added: write the new list to gateway/tests/doors.txt"
        );
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        let text = serde_json::to_string(document()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(json["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
