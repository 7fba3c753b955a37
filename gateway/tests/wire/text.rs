//! Texts of a visitor's page: none is taken that turns, hides or cuts what stands around it.

use serde_json::{Value, json};

use crate::stack::Stack;

fn identify(claim: &Value) -> Value {
    json!({"type": "command", "client_id": "c1", "command": {"do": "identify", "claim": claim}})
}

fn track(name: &str, properties: &Value) -> Value {
    json!({"type": "track", "name": name, "properties": properties})
}

#[tokio::test]
async fn what_a_page_says_of_its_visitor_cannot_mislead() {
    let stack = Stack::start().await;
    let mut socket = stack.visitor(&stack.visitor_token().await).await;
    for hostile in ["a\u{202e}b", "a\u{7}b", "a\nb", "a\u{2067}b", "a\u{200b}b"] {
        for (frame, field) in [
            (identify(&json!({"name": hostile})), "name"),
            (
                identify(&json!({"email": format!("{hostile}@b.co")})),
                "email",
            ),
            (identify(&json!({"phone": hostile})), "phone"),
            (identify(&json!({"customer_id": hostile})), "customer_id"),
            (identify(&json!({"company": hostile})), "company"),
            (identify(&json!({ hostile: "x" })), "attributes"),
            (track(hostile, &json!({})), "name"),
            (track("chosen", &json!({ hostile: "x" })), "properties"),
        ] {
            refused(&mut socket, &frame, field).await;
        }
    }
    // A value may have lines, and marks of a language that is written from the right.
    for hostile in ["a\u{202e}b", "a\u{202d}b", "a\u{7}b"] {
        let named = json!({ "plan": hostile });
        refused(&mut socket, &identify(&named), "attributes").await;
        refused(&mut socket, &track("chosen", &named), "properties").await;
    }
    let fine = json!({ "address": "Street 1\nשלום\u{200f}!" });
    socket.send(identify(&fine)).await;
    socket.until("ack").await;
}

async fn refused(socket: &mut crate::stack::Socket, frame: &Value, field: &str) {
    socket.send(frame.clone()).await;
    let kind = match frame["type"] == "command" {
        true => "rejected",
        false => "error",
    };
    let told = socket.until(kind).await;
    let told = (&told["problem"]["code"], &told["problem"]["field"]);
    assert_eq!(told, (&json!("invalid"), &json!(field)), "{frame}");
}
