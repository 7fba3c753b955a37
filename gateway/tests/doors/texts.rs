//! Which texts the doors of the document take: found in their schemas, so that none can be forgotten.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::house::House;
use crate::wire::Call;

/// What is one of a known set of words, or read as something else than text, by its name.
const NO_TEXTS: &[&str] = &[
    // Ids have a form of their own.
    "id", "_id", "_ids[]", // Secrets are compared and never shown.
    "token", "password", "current", "new", "identity",
];

/// What says which form a body has.
const TAGS: [&str; 3] = ["do", "type", "view"];

/// A text of a door: `POST /sites .name`; of one of several forms, `POST /commands (add_note).body`.
pub(crate) async fn texts(house: &House) -> BTreeSet<String> {
    let document = house.ask(Call::get("!/api/openapi.json")).await.good();
    let mut texts = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(content) = operation["requestBody"]["content"].as_object() else {
                continue;
            };
            let door = door(
                &method.to_uppercase(),
                path.strip_prefix("/api/v1").unwrap(),
            );
            for body in content.values() {
                let mut walk = Walk {
                    document: &document,
                    entered: Vec::new(),
                    found: BTreeSet::new(),
                };
                walk.enter(&body["schema"], "");
                texts.extend(walk.found.iter().map(|text| format!("{door} {text}")));
            }
        }
    }
    texts
}

/// A door with its ids left out.
pub(crate) fn door(method: &str, path: &str) -> String {
    let parts = path.split('/').map(|part| {
        if part.starts_with(['{', '$']) {
            "…"
        } else {
            part
        }
    });
    format!("{method} {}", parts.collect::<Vec<_>>().join("/"))
}

/// Where in a body a word stands, as [`texts`] writes it.
pub(crate) fn place_of(word: &str, body: &Value) -> Option<String> {
    find(word, body, "")
}

fn find(word: &str, value: &Value, at: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains(word).then(|| at.to_owned()),
        Value::Array(items) => items
            .iter()
            .find_map(|item| find(word, item, &format!("{at}[]"))),
        Value::Object(fields) => {
            let form = TAGS.iter().find_map(|tag| value[tag].as_str());
            let form = form.map(|form| format!("({form})")).unwrap_or_default();
            fields
                .iter()
                .find_map(|(name, value)| find(word, value, &format!("{at}{form}.{name}")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

struct Walk<'a> {
    document: &'a Value,
    /// Names of the schemas that are being walked: some hold themselves.
    entered: Vec<&'a str>,
    found: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn enter(&mut self, schema: &'a Value, at: &str) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            if !self.entered.contains(&name) {
                self.entered.push(name);
                self.enter(&self.document["components"]["schemas"][name], at);
                self.entered.pop();
            }
            return;
        }
        // Once: the parts of a form have its tag as well.
        let form = form_of(schema).map(|form| format!("({form})"));
        let form = form.filter(|form| !at.ends_with(form.as_str()));
        let at = &format!("{at}{}", form.unwrap_or_default());
        for several in ["oneOf", "anyOf"] {
            for one in schema[several].as_array().into_iter().flatten() {
                self.enter(one, at);
            }
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.enter(part, at);
        }
        let kind = &schema["type"];
        let is_text = kind == "string"
            || kind
                .as_array()
                .is_some_and(|kinds| kinds.contains(&"string".into()));
        if is_text
            && schema.get("enum").is_none()
            && !NO_TEXTS.iter().any(|name| is_named(at, name))
        {
            self.found.insert(at.to_owned());
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.enter(property, &format!("{at}.{name}"));
        }
        if schema["items"].is_object() {
            self.enter(&schema["items"], &format!("{at}[]"));
        }
        if schema["additionalProperties"].is_object() {
            self.found.insert(format!("{at}{{name}}"));
            self.enter(&schema["additionalProperties"], &format!("{at}{{}}"));
        }
    }
}

/// Which of several forms a schema describes: the word that its tag must be.
fn form_of(schema: &Value) -> Option<&str> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    std::iter::once(schema).chain(parts).find_map(|part| {
        let properties = &part["properties"];
        let words = TAGS.map(|tag| properties[tag]["enum"].as_array());
        let word = words.into_iter().flatten().find(|words| words.len() == 1)?;
        word[0].as_str()
    })
}

fn is_named(at: &str, name: &str) -> bool {
    if name.starts_with('_') {
        return at.ends_with(name);
    }
    at.rsplit('.').next() == Some(name)
}
