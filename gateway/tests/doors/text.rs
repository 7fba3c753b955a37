//! Texts from outside: no door takes one that turns, hides or cuts what stands around it.

use crate::house::{House, PASSWORD, Trust};
use crate::sweep::Ids;
use crate::wire::Call;

/// What no text may hold, of one line or of several.
const HOSTILE: [&str; 4] = ["a\u{202e}b", "a\u{202d}b", "a\u{7}b", "nul\u{0}"];

/// What may not stand in a line besides.
const HOSTILE_IN_A_LINE: [&str; 4] = ["a\nb", "a\u{2067}b", "a\u{200b}b", "a\u{61c}b"];

#[derive(Clone, Copy)]
enum Shape {
    Line,
    Lines,
}

use Shape::{Line, Lines};

const SETUP: &str = r#"{"token":"sbu_x","name":"NAME","email":"EMAIL","password":"PASSWORD",
    "workspace_name":"BUSINESS","site":{"name":"SITE","allowed_origins":[]}}"#;
const THEME: &str = r##"{"theme":{"color":"#0f4c5c","title":"TITLE","greeting":"GREETING",
    "launcher_side":"end","show_brand":true}}"##;

/// The field, its shape, the door, and a body with the place of the text as `TEXT` or as named.
const DOORS: &[(&str, Shape, &str, &str, &str)] = &[
    ("name", Line, "POST /setup", "NAME", SETUP),
    ("email", Line, "POST /setup", "EMAIL", SETUP),
    ("name", Line, "POST /setup", "BUSINESS", SETUP),
    ("name", Line, "POST /setup", "SITE", SETUP),
    (
        "email",
        Line,
        "POST /login",
        "TEXT",
        r#"{"email":"TEXT","password":"PASSWORD"}"#,
    ),
    (
        "name",
        Line,
        "POST /invitations/accept",
        "TEXT",
        r#"{"token":"sbv_x","name":"TEXT","password":"PASSWORD"}"#,
    ),
    (
        "email",
        Line,
        "POST /invitations",
        "TEXT",
        r#"{"email":"TEXT","role":"agent"}"#,
    ),
    (
        "name",
        Line,
        "POST /sites",
        "TEXT",
        r#"{"name":"TEXT","allowed_origins":[]}"#,
    ),
    (
        "domain",
        Line,
        "POST /sites",
        "TEXT",
        r#"{"name":"x","domain":"TEXT","allowed_origins":[]}"#,
    ),
    (
        "name",
        Line,
        "PATCH /sites/$site",
        "TEXT",
        r#"{"name":"TEXT"}"#,
    ),
    (
        "domain",
        Line,
        "PATCH /sites/$site",
        "TEXT",
        r#"{"domain":"TEXT"}"#,
    ),
    (
        "description",
        Lines,
        "PATCH /sites/$site",
        "TEXT",
        r#"{"description":"TEXT"}"#,
    ),
    ("title", Line, "PATCH /sites/$site", "TITLE", THEME),
    ("greeting", Lines, "PATCH /sites/$site", "GREETING", THEME),
    // A host is written in its one form: what hides in it is gone.
    (
        "allowed_origins",
        Lines,
        "PATCH /sites/$site",
        "TEXT",
        r#"{"allowed_origins":["https://TEXT.example"]}"#,
    ),
    (
        "name",
        Line,
        "PATCH /workspace",
        "TEXT",
        r#"{"name":"TEXT"}"#,
    ),
    (
        "time_zone",
        Line,
        "PATCH /workspace",
        "TEXT",
        r#"{"time_zone":"TEXT"}"#,
    ),
    (
        "name",
        Line,
        "PATCH /agents/$agent",
        "TEXT",
        r#"{"name":"TEXT"}"#,
    ),
    (
        "time_zone",
        Line,
        "PATCH /agents/$agent",
        "TEXT",
        r#"{"time_zone":"TEXT"}"#,
    ),
    (
        "name",
        Line,
        "PATCH /contacts/$contact",
        "TEXT",
        r#"{"name":"TEXT"}"#,
    ),
    (
        "email",
        Line,
        "PATCH /contacts/$contact",
        "TEXT",
        r#"{"email":"TEXT"}"#,
    ),
    (
        "phone",
        Line,
        "PATCH /contacts/$contact",
        "TEXT",
        r#"{"phone":"TEXT"}"#,
    ),
    (
        "company",
        Line,
        "PATCH /contacts/$contact",
        "TEXT",
        r#"{"company":"TEXT"}"#,
    ),
    (
        "name",
        Line,
        "POST /keys",
        "TEXT",
        r#"{"name":"TEXT","scopes":["conversations.read"]}"#,
    ),
    (
        "body",
        Lines,
        "POST /commands",
        "TEXT",
        r#"{"do":"send_message","conversation_id":"$conversation","body":"TEXT"}"#,
    ),
    (
        "body",
        Lines,
        "POST /commands",
        "TEXT",
        r#"{"do":"add_note","conversation_id":"$conversation","body":"TEXT"}"#,
    ),
    (
        "body",
        Lines,
        "POST /commands",
        "TEXT",
        r#"{"do":"start_conversation","visitor_id":"$visitor","body":"TEXT"}"#,
    ),
];

#[tokio::test]
async fn no_door_takes_a_text_that_misleads() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let ids = Ids::of(&house, &owner).await;
    let named = |text: &str| {
        text.replace("$site", &ids.site)
            .replace("$agent", &ids.agent)
            .replace("$contact", &ids.contact)
            .replace("$conversation", &ids.conversation)
            .replace("$visitor", &ids.visitor)
    };
    for (field, shape, door, place, body) in DOORS {
        let (method, path) = door.split_once(' ').unwrap();
        let in_a_line: &[&str] = match shape {
            Line => &HOSTILE_IN_A_LINE,
            Lines => &[],
        };
        for text in HOSTILE.iter().chain(in_a_line) {
            let quoted = serde_json::to_string(text).unwrap();
            let body = named(body).replace(place, quoted.trim_matches('"'));
            let body = body
                .replace("PASSWORD", PASSWORD)
                .replace("EMAIL", "olga@example.com");
            let call = Call::new(method, &named(path))
                .header("content-type", "application/json")
                .header("idempotency-key", "text-1")
                .header("if-match", "\"1\"")
                .text(&body);
            let answer = house.as_(&owner, call).await;
            let told = (answer.code(), answer.field());
            let wanted = ("invalid".to_owned(), (*field).to_owned());
            assert_eq!(told, wanted, "{door} {place}: {text:?}");
        }
    }
}
