//! What a client says with a field that we do not know is refused, and the refusal names the field: a
//! misspelt one must never pass for an absent one.

use std::fs;
use std::path::Path;

use protocol::command::Command;
use protocol::frame::{ClientFrame, StreamRequest};
use protocol::rejection::ErrorCode;
use protocol::text::rejection_in;
use protocol::widget::NewVisitorSession;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The objects whose names are the client's own.
const OPEN: &[&str] = &["claim", "properties", "delivered"];

/// The ways to every object in a value that is ours to know.
fn objects(value: &Value, way: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(way.to_owned());
            for (name, value) in fields {
                if !OPEN.contains(&name.as_str()) {
                    objects(value, &format!("{way}/{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, &format!("{way}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn check<T: DeserializeOwned>(path: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path);
    let text = fs::read_to_string(file).expect("a fixture can be read");
    let good: Value = serde_json::from_str(&text).expect("a fixture is JSON");
    let mut ways = Vec::new();
    objects(&good, "", &mut ways);
    for way in ways {
        let mut value = good.clone();
        let object = value.pointer_mut(&way).and_then(Value::as_object_mut);
        let object: &mut Map<String, Value> = object.expect("it was found there");
        object.insert("surprise".to_owned(), json!({"a": 1}));
        let read = serde_json::from_str::<T>(&value.to_string());
        let Err(error) = read else {
            panic!("{path} takes a surprise at {way:?}");
        };
        let refused = rejection_in(&error);
        let told = (refused.code, refused.field.as_deref());
        assert_eq!(
            told,
            (ErrorCode::Invalid, Some("surprise")),
            "{path} at {way:?}: {error}"
        );
    }
}

fn check_all<T: DeserializeOwned>(folder: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder);
    let mut count = 0;
    for file in fs::read_dir(path).expect("the folder can be read") {
        let name = file.expect("the folder can be read").file_name();
        check::<T>(&format!("{folder}/{}", name.to_string_lossy()));
        count += 1;
    }
    assert!(count > 10, "{folder} is nearly empty");
}

#[test]
fn every_frame_and_command_refuses_what_it_does_not_know() {
    check_all::<ClientFrame>("client");
    check_all::<Command>("command");
    check::<StreamRequest>("http/stream_request.json");
    check::<NewVisitorSession>("http/new_visitor_session.json");
}

#[test]
fn an_unknown_kind_is_malformed_and_a_name_cannot_pass_for_a_refusal() {
    for text in [
        r#"{"type":"dance"}"#,
        r#"{"type":"refused:internal:body"}"#,
        r#"{"type":"command","client_id":"a","command":{"do":"dance"}}"#,
        r#"{"type":"watch","view":"dance"}"#,
        "{}",
        "[]",
        "7",
    ] {
        let error = serde_json::from_str::<ClientFrame>(text).expect_err("it is no frame");
        assert_eq!(rejection_in(&error).code, ErrorCode::Malformed, "{text}");
    }
}
