//! Private notes: the word of one is looked for at every door that a visitor can reach.

use serde_json::{Value, json};

use crate::stack::{PAGE, Socket, Stack};

/// The word that only the team may read.
const WORD: &str = "xylophone-secret";
/// What is said after the note, so that everything before it must have arrived.
const AFTER: &str = "after the note";

/// A conversation with a note in its middle.
struct Noted {
    stack: Stack,
    token: String,
    visitor: Socket,
    conversation: String,
    note: Value,
    file: String,
}

impl Noted {
    async fn make() -> Self {
        let stack = Stack::start().await;
        let token = stack.visitor_token().await;
        let mut visitor = stack.visitor(&token).await;
        let hello = json!({"do": "send_message", "body": "hello"});
        visitor.says("one", hello).await;
        let conversation = visitor.until("ack").await["conversation_id"].clone();
        let mut agent = stack.agent().await;
        let secret = format!("Bearer {}", stack.secret);
        let headers = [
            ("authorization", secret.as_str()),
            ("content-type", "text/plain"),
            ("switchboard-file-name", "note.txt"),
        ];
        let door = "/api/v1/attachments";
        let file = stack.request("POST", door, &headers, WORD.as_bytes()).await;
        let file = file.json()["id"].clone();
        let note = json!({"do": "add_note", "conversation_id": conversation, "body": WORD,
            "attachment_ids": [file]});
        agent.says("two", note).await;
        let note = agent.until("ack").await["entry_id"].clone();
        let after = json!({"do": "send_message", "conversation_id": conversation, "body": AFTER});
        agent.says("three", after).await;
        agent.until("ack").await;
        Self {
            stack,
            token,
            visitor,
            conversation: conversation.as_str().unwrap().to_owned(),
            note,
            file: file.as_str().unwrap().to_owned(),
        }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    async fn socket(&mut self) -> String {
        let mut seen = String::new();
        while !seen.contains(AFTER) {
            seen.push_str(&self.visitor.until("entry").await.to_string());
        }
        seen
    }

    async fn doors(&self) -> String {
        let (id, bearer) = (&self.conversation, self.bearer());
        let mut seen = String::new();
        for (path, is_his) in [
            ("/api/v1/visitor/history".to_owned(), true),
            (format!("/api/v1/visitor/conversations/{id}/entries"), true),
            (
                format!("/api/v1/visitor/conversations/{id}/entries?before=9&limit=200"),
                true,
            ),
            (format!("/api/v1/attachments/{}", self.file), false),
            (format!("/api/v1/conversations/{id}"), false),
            (format!("/api/v1/conversations/{id}/entries"), false),
            ("/api/v1/conversations?filter=all".to_owned(), false),
        ] {
            let headers = [("authorization", bearer.as_str()), ("origin", PAGE)];
            let answer = self.stack.get(&path, &headers).await;
            assert_eq!(answer.status == 200, is_his, "{path} {answer:?}");
            seen.push_str(&String::from_utf8_lossy(&answer.body));
        }
        let session = self.stack.session(json!({"token": self.token})).await;
        seen + &session.to_string()
    }

    async fn streams(&self) -> String {
        let mut seen = String::new();
        for hello in [
            json!({"token": self.token}),
            json!({"token": self.token, "purpose": "launcher"}),
            json!({"token": self.token, "resume": [{"conversation_id": self.conversation}]}),
        ] {
            let body = json!({"hello": hello, "wait_ms": 0});
            let answer = self
                .stack
                .post("/api/v1/stream", &[("origin", PAGE)], &body)
                .await;
            assert_eq!(answer.status, 200);
            seen.push_str(&String::from_utf8_lossy(&answer.body));
        }
        seen
    }

    async fn commands(&self) -> String {
        let (id, note, bearer) = (&self.conversation, &self.note, self.bearer());
        let mut seen = String::new();
        for command in [
            json!({"do": "edit_message", "conversation_id": id, "entry_id": note, "body": "x"}),
            json!({"do": "delete_message", "conversation_id": id, "entry_id": note}),
            json!({"do": "add_note", "conversation_id": id, "body": "x"}),
            json!({"do": "send_message", "conversation_id": id, "body": "x", "reply_to_id": note}),
            json!({"do": "send_message", "conversation_id": id, "attachment_ids": [self.file]}),
        ] {
            let frame = json!({"type": "command", "client_id": "sweep", "command": command});
            let headers = [("authorization", bearer.as_str()), ("origin", PAGE)];
            let answer = self.stack.post("/api/v1/frames", &headers, &frame).await;
            seen.push_str(&String::from_utf8_lossy(&answer.body));
        }
        seen
    }
}

#[tokio::test]
async fn a_note_appears_at_no_door_of_visitors() {
    let mut noted = Noted::make().await;
    let mut seen = noted.socket().await;
    seen.push_str(&noted.doors().await);
    seen.push_str(&noted.streams().await);
    seen.push_str(&noted.commands().await);
    assert!(seen.contains(AFTER));
    assert!(!seen.contains(WORD), "{seen}");
    assert!(!seen.contains(noted.note.as_str().unwrap()), "{seen}");
}

#[tokio::test]
async fn no_gap_in_the_numbers_shows_where_a_note_stands() {
    let noted = Noted::make().await;
    let bearer = noted.bearer();
    let headers = [("authorization", bearer.as_str())];
    let history = noted.stack.get("/api/v1/visitor/history", &headers).await;
    let history = history.json();
    let entries = history["conversations"][0]["entries"].as_array().unwrap();
    assert!(entries.len() >= 2);
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry["number"].as_u64(), u64::try_from(index + 1).ok());
    }
}
