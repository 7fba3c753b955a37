//! The OpenAPI document as a page to read: plain HTML made here, no scripts, nothing from elsewhere.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, header};
use serde_json::{Map, Value};

use crate::http::openapi;

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const STYLE: &str = include_str!("docs.css");

pub(crate) async fn redirect() -> Redirect {
    Redirect::permanent("/api/docs/")
}

pub(crate) async fn page() -> Response {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let document = serde_json::to_value(openapi::document());
        render(&document.expect("the document is always JSON"))
    });
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let policy = HeaderValue::from_static(POLICY);
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, policy),
        ],
        PAGE.as_str(),
    )
        .into_response()
}

pub(crate) async fn style() -> impl IntoResponse {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], STYLE)
}

fn render(document: &Value) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Switchboard HTTP API</title>\
         <link rel=\"stylesheet\" href=\"/api/docs/style.css\"></head><body>",
    );
    let info = &document["info"];
    page += &format!(
        "<header><h1>{} HTTP API</h1><p>{}</p>\
         <p>Version {}. The same as a document for programs: \
         <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p></header>",
        text(&info["title"]),
        text(&info["description"]),
        text(&info["version"]),
    );
    let tags = document["tags"].as_array().map_or(&[][..], Vec::as_slice);
    page += "<nav><h2>Doors</h2><ul>";
    for tag in tags {
        let name = text(&tag["name"]);
        page += &format!("<li><a href=\"#{name}\">{name}</a></li>");
    }
    page += "<li><a href=\"#schemas\">Shapes</a></li></ul></nav><main>";
    for tag in tags {
        section(&mut page, document, tag);
    }
    schemas(&mut page, &document["components"]["schemas"]);
    page += "</main></body></html>";
    page
}

fn section(page: &mut String, document: &Value, tag: &Value) {
    let name = text(&tag["name"]);
    let what = text(&tag["description"]);
    *page += &format!("<section id=\"{name}\"><h2>{name}</h2><p>{what}</p>");
    for (path, item) in members(&document["paths"]) {
        for method in METHODS {
            let operation = &item[*method];
            let tagged = operation["tags"]
                .as_array()
                .is_some_and(|tags| tags.contains(&tag["name"]));
            if tagged {
                door(page, method, path, operation);
            }
        }
    }
    *page += "</section>";
}

fn door(page: &mut String, method: &str, path: &str, operation: &Value) {
    let id = text(&operation["operationId"]);
    *page += &format!(
        "<article id=\"{id}\"><h3><b class=\"{method}\">{}</b> <code>{}</code></h3><p>{}</p>",
        method.to_uppercase(),
        escape(path),
        escape(&described(operation)),
    );
    *page += "<dl>";
    definition(page, "Who", &who(operation));
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let required = if parameter["required"] == Value::Bool(true) {
            ", required"
        } else {
            ""
        };
        let kind = format!(
            "<code>{}</code> <i>{}{required}</i> {} {}",
            text(&parameter["name"]),
            text(&parameter["in"]),
            shape(&parameter["schema"]),
            text(&parameter["description"]),
        );
        definition(page, "Parameter", &kind);
    }
    for (kind, content) in members(&operation["requestBody"]["content"]) {
        let body = format!("{} <i>{}</i>", shape(&content["schema"]), escape(kind));
        definition(page, "Body", &body);
    }
    for (status, response) in members(&operation["responses"]) {
        let mut answer = format!("<b>{}</b> ", escape(status));
        for (_, content) in members(&response["content"]) {
            answer += &shape(&content["schema"]);
        }
        if response["content"].is_null() {
            answer += &text(&response["description"]);
        }
        definition(page, "Answer", &answer);
    }
    *page += "</dl></article>";
}

/// Summary and description without saying a thing twice.
fn described(operation: &Value) -> String {
    let summary = operation["summary"].as_str().unwrap_or_default();
    let description = operation["description"].as_str().unwrap_or_default();
    if description.starts_with(summary) {
        description.to_owned()
    } else {
        format!("{summary} {description}").trim().to_owned()
    }
}

fn definition(page: &mut String, term: &str, html: &str) {
    *page += &format!("<dt>{term}</dt><dd>{html}</dd>");
}

fn who(operation: &Value) -> String {
    let Some(ways) = operation["security"].as_array() else {
        return "anybody".to_owned();
    };
    ways.iter()
        .flat_map(members)
        .map(|(name, scopes)| {
            let scopes: Vec<_> = scopes.as_array().into_iter().flatten().map(text).collect();
            match (name.as_str(), scopes.join(", ")) {
                ("session", _) => "a signed-in browser".to_owned(),
                ("login_bearer", _) => "a program that signed in".to_owned(),
                ("visitor", _) => "a visitor".to_owned(),
                ("key", scopes) => format!("a key with <code>{scopes}</code>"),
                (other, _) => escape(other),
            }
        })
        .collect::<Vec<_>>()
        .join(" or ")
}

fn schemas(page: &mut String, schemas: &Value) {
    *page += "<section id=\"schemas\"><h2>Shapes</h2>";
    for (name, schema) in members(schemas) {
        let name = escape(name);
        *page += &format!(
            "<article id=\"schema-{name}\"><h3><code>{name}</code></h3><p>{}</p>",
            text(&schema["description"])
        );
        shape_of(page, schema);
        *page += "</article>";
    }
    *page += "</section>";
}

fn shape_of(page: &mut String, schema: &Value) {
    if let Some(fields) = schema["properties"].as_object() {
        table(page, fields, &schema["required"]);
    } else {
        *page += &format!("<p>{}</p>", shape(schema));
    }
    for kind in ["oneOf", "allOf", "anyOf"] {
        for part in schema[kind].as_array().into_iter().flatten() {
            if part["properties"].is_object() {
                *page += &format!("<p>{}</p>", text(&part["description"]));
                shape_of(page, part);
            }
            for inner in part["allOf"].as_array().into_iter().flatten() {
                shape_of(page, inner);
            }
        }
    }
}

fn table(page: &mut String, fields: &Map<String, Value>, required: &Value) {
    *page += "<table><thead><tr><th>Field</th><th>Shape</th><th>Meaning</th></tr></thead><tbody>";
    for (name, schema) in fields {
        let must = required
            .as_array()
            .is_some_and(|required| required.iter().any(|field| field == name));
        let mark = if must { "" } else { " <i>may be absent</i>" };
        *page += &format!(
            "<tr><td><code>{}</code>{mark}</td><td>{}</td><td>{}</td></tr>",
            escape(name),
            shape(schema),
            text(&schema["description"]),
        );
    }
    *page += "</tbody></table>";
}

/// A schema in a few words, with links to those that have a name.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values
            .iter()
            .map(|value| format!("<code>{}</code>", escape(&value.to_string())))
            .collect();
        return values.join(" ");
    }
    for kind in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[kind].as_array() {
            let between = if kind == "allOf" { " and " } else { " or " };
            return parts.iter().map(shape).collect::<Vec<_>>().join(between);
        }
    }
    let kinds: Vec<_> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect(),
        Value::String(kind) => vec![escape(kind)],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    let mut words = kinds.join(" or ");
    if !schema["items"].is_null() {
        // Writing into a string cannot fail.
        let _ = write!(words, " of {}", shape(&schema["items"]));
    }
    words
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_door_and_leads_nowhere_else() {
        let document = serde_json::to_value(openapi::document()).unwrap();
        let page = render(&document);
        for (path, item) in members(&document["paths"]) {
            for method in METHODS.iter().filter(|method| !item[**method].is_null()) {
                let id = item[*method]["operationId"].as_str().unwrap();
                assert!(
                    page.contains(&format!("<article id=\"{id}\">")),
                    "{method} {path}"
                );
            }
        }
        for target in page.split("href=\"").skip(1) {
            let target = target.split('"').next().unwrap();
            match target.strip_prefix('#') {
                Some(id) => assert!(page.contains(&format!(" id=\"{id}\"")), "{id}"),
                None => assert!(target.starts_with("/api/"), "{target}"),
            }
        }
        assert!(!page.contains("<script") && !page.contains("http://"));
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escape("<b>&\""), "&lt;b&gt;&amp;&quot;");
    }
}
