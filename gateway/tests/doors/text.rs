//! Texts from outside: no door takes one that turns, hides or cuts what stands around it.

use crate::house::{House, PASSWORD, Trust};
use crate::sweep::Ids;
use crate::texts;
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

const SETUP: &str = r##"{"token":"sbu_x","name":"NAME","email":"EMAIL","password":"PASSWORD",
    "workspace_name":"BUSINESS","site":{"name":"SITE","domain":"DOMAIN",
    "allowed_origins":["https://ORIGIN.example"],"theme":{"color":"#0f4c5c","title":"TITLE","logo":"","avatar":"",
    "greeting":"GREETING","launcher_side":"end","launcher_gap_px":20,"launcher_text":"LAUNCHER",
    "brightness":"system","asks":{"name":"never","email":"never","phone":"never"},
    "questions":[{"name":"order_size","label":"LABEL","kind":"text","needed":true}],
    "consent":"CONSENT","asks_email_later":true,"show_brand":true}}}"##;
const SITE: &str = r##"{"name":"SITE","domain":"DOMAIN","allowed_origins":["https://ORIGIN.example"],
    "theme":{"color":"#0f4c5c","title":"TITLE","logo":"","avatar":"","greeting":"GREETING","launcher_side":"end",
    "launcher_gap_px":20,"launcher_text":"LAUNCHER","brightness":"system",
    "asks":{"name":"never","email":"never","phone":"never"},
    "questions":[{"name":"order_size","label":"LABEL","kind":"text","needed":true}],
    "consent":"CONSENT","asks_email_later":true,"show_brand":true}}"##;
const THEME: &str = r##"{"theme":{"color":"#0f4c5c","title":"TITLE","logo":"","avatar":"","greeting":"GREETING",
    "launcher_side":"end","launcher_gap_px":20,"launcher_text":"LAUNCHER","brightness":"system",
    "asks":{"name":"never","email":"never","phone":"never"},
    "questions":[{"name":"order_size","label":"LABEL","kind":"text","needed":true}],
    "consent":"CONSENT","asks_email_later":true,"show_brand":true}}"##;

const HOURS: &str = r#"{"support_hours":{"monday":[{"from":"01:01","to":"01:02"}],
    "tuesday":[{"from":"02:01","to":"02:02"}],"wednesday":[{"from":"03:01","to":"03:02"}],
    "thursday":[{"from":"04:01","to":"04:02"}],"friday":[{"from":"05:01","to":"05:02"}],
    "saturday":[{"from":"06:01","to":"06:02"}],"sunday":[{"from":"07:01","to":"07:02"}]}}"#;

/// The field, its shape, the door, and a body with the place of the text as `TEXT` or as named.
const DOORS: &[(&str, Shape, &str, &str, &str)] = &[
    ("name", Line, "POST /setup", "NAME", SETUP),
    ("email", Line, "POST /setup", "EMAIL", SETUP),
    ("name", Line, "POST /setup", "BUSINESS", SETUP),
    ("name", Line, "POST /setup", "SITE", SETUP),
    ("domain", Line, "POST /setup", "DOMAIN", SETUP),
    ("allowed_origins", Lines, "POST /setup", "ORIGIN", SETUP),
    ("color", Line, "POST /setup", "#0f4c5c", SETUP),
    ("title", Line, "POST /setup", "TITLE", SETUP),
    ("greeting", Lines, "POST /setup", "GREETING", SETUP),
    ("launcher_text", Line, "POST /setup", "LAUNCHER", SETUP),
    ("questions", Line, "POST /setup", "order_size", SETUP),
    ("label", Line, "POST /setup", "LABEL", SETUP),
    ("consent", Lines, "POST /setup", "CONSENT", SETUP),
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
    ("name", Line, "POST /sites", "SITE", SITE),
    ("domain", Line, "POST /sites", "DOMAIN", SITE),
    ("allowed_origins", Lines, "POST /sites", "ORIGIN", SITE),
    ("color", Line, "POST /sites", "#0f4c5c", SITE),
    ("title", Line, "POST /sites", "TITLE", SITE),
    ("greeting", Lines, "POST /sites", "GREETING", SITE),
    ("launcher_text", Line, "POST /sites", "LAUNCHER", SITE),
    ("questions", Line, "POST /sites", "order_size", SITE),
    ("label", Line, "POST /sites", "LABEL", SITE),
    ("consent", Lines, "POST /sites", "CONSENT", SITE),
    (
        "public_key",
        Line,
        "POST /sites/$site/identity-keys",
        "TEXT",
        r#"{"public_key":"TEXT"}"#,
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
    ("color", Line, "PATCH /sites/$site", "#0f4c5c", THEME),
    ("title", Line, "PATCH /sites/$site", "TITLE", THEME),
    ("greeting", Lines, "PATCH /sites/$site", "GREETING", THEME),
    (
        "launcher_text",
        Line,
        "PATCH /sites/$site",
        "LAUNCHER",
        THEME,
    ),
    ("questions", Line, "PATCH /sites/$site", "order_size", THEME),
    ("label", Line, "PATCH /sites/$site", "LABEL", THEME),
    ("consent", Lines, "PATCH /sites/$site", "CONSENT", THEME),
    // Of origins: a host is written in its one form: what hides in it is gone.
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
        "industry",
        Line,
        "PATCH /workspace",
        "TEXT",
        r#"{"industry":"TEXT"}"#,
    ),
    (
        "currency",
        Line,
        "PATCH /workspace",
        "TEXT",
        r#"{"currency":"TEXT"}"#,
    ),
    ("support_hours", Line, "PATCH /workspace", "01:01", HOURS),
    ("support_hours", Line, "PATCH /workspace", "01:02", HOURS),
    ("support_hours", Line, "PATCH /workspace", "02:01", HOURS),
    ("support_hours", Line, "PATCH /workspace", "02:02", HOURS),
    ("support_hours", Line, "PATCH /workspace", "03:01", HOURS),
    ("support_hours", Line, "PATCH /workspace", "03:02", HOURS),
    ("support_hours", Line, "PATCH /workspace", "04:01", HOURS),
    ("support_hours", Line, "PATCH /workspace", "04:02", HOURS),
    ("support_hours", Line, "PATCH /workspace", "05:01", HOURS),
    ("support_hours", Line, "PATCH /workspace", "05:02", HOURS),
    ("support_hours", Line, "PATCH /workspace", "06:01", HOURS),
    ("support_hours", Line, "PATCH /workspace", "06:02", HOURS),
    ("support_hours", Line, "PATCH /workspace", "07:01", HOURS),
    ("support_hours", Line, "PATCH /workspace", "07:02", HOURS),
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
        "network",
        Line,
        "POST /blocked-addresses",
        "TEXT",
        r#"{"network":"TEXT"}"#,
    ),
    (
        "reason",
        Line,
        "POST /blocked-addresses",
        "TEXT",
        r#"{"network":"198.51.100.9","reason":"TEXT"}"#,
    ),
    (
        "nickname",
        Line,
        "POST /canned-responses",
        "TEXT",
        r#"{"whose":"team","nickname":"TEXT","body":"x"}"#,
    ),
    (
        "body",
        Lines,
        "POST /canned-responses",
        "TEXT",
        r#"{"whose":"team","body":"TEXT"}"#,
    ),
    (
        "nickname",
        Line,
        "PATCH /canned-responses/$canned_response",
        "TEXT",
        r#"{"nickname":"TEXT"}"#,
    ),
    (
        "body",
        Lines,
        "PATCH /canned-responses/$canned_response",
        "TEXT",
        r#"{"body":"TEXT"}"#,
    ),
    (
        "name",
        Line,
        "POST /saved-views",
        "TEXT",
        r#"{"whose":"team","name":"TEXT","list":{"filter":"all"}}"#,
    ),
    (
        "name",
        Line,
        "PATCH /saved-views/$saved_view",
        "TEXT",
        r#"{"name":"TEXT"}"#,
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
        r#"{"do":"edit_message","conversation_id":"$conversation",
            "entry_id":"ent_00000000000000000000000001","body":"TEXT"}"#,
    ),
    (
        "body",
        Lines,
        "POST /commands",
        "TEXT",
        r#"{"do":"start_conversation","visitor_id":"$visitor","body":"TEXT"}"#,
    ),
];

/// What the document says is text and is none, or is checked elsewhere, with the reason.
const ELSEWHERE: &[(&str, &str)] = &[
    ("POST /login .time_zone", NO_ZONE),
    ("POST /setup .time_zone", NO_ZONE),
    ("POST /invitations/accept .time_zone", NO_ZONE),
    ("POST /visitor/session .time_zone", NO_ZONE),
    ("POST /visitor/session .language", "a language tag, or none"),
    ("POST /visitor/session .locale", "a language tag, or none"),
    ("POST /visitor/session .site_key", "an id"),
    ("POST /setup .site.theme.avatar", PICTURE),
    ("POST /sites .theme.avatar", PICTURE),
    ("PATCH /sites/… .theme.avatar", PICTURE),
    ("PATCH /agents/… .picture", PICTURE),
    ("PATCH /workspace .icon", PICTURE),
    ("POST /setup .site.theme.logo", PICTURE),
    ("POST /sites .theme.logo", PICTURE),
    ("PATCH /sites/… .theme.logo", PICTURE),
    ("POST /commands (identify).claim.company", OF_VISITORS),
    ("POST /commands (identify).claim.email", OF_VISITORS),
    ("POST /commands (identify).claim.name", OF_VISITORS),
    ("POST /commands (identify).claim.phone", OF_VISITORS),
    ("POST /commands (identify).claim{name}", OF_VISITORS),
    ("POST /commands (identify).claim{}", OF_VISITORS),
    ("PATCH /contacts/… .attributes{name}", ATTRIBUTES),
    ("PATCH /contacts/… .attributes{}", ATTRIBUTES),
    ("POST /commands (add_note).mentions[]", "ids of members"),
    ("POST /frames (track).name", OF_VISITORS),
    ("POST /frames (track).properties{name}", OF_VISITORS),
    ("POST /frames (track).properties{}", OF_VISITORS),
    ("POST /frames (typing).text", CLEANED),
    ("POST /frames (page).url", CLEANED),
    ("POST /frames (page).title", CLEANED),
    ("POST /frames (page).referrer", CLEANED),
    ("POST /frames (hello).page.url", CLEANED),
    ("POST /frames (hello).page.title", CLEANED),
    ("POST /frames (hello).page.referrer", CLEANED),
    ("POST /stream .hello.page.url", CLEANED),
    ("POST /stream .hello.page.title", CLEANED),
    ("POST /stream .hello.page.referrer", CLEANED),
    ("POST /frames (beat).delivered{name}", "an id"),
    ("POST /frames (watch)(inbox).language", CODE),
    ("POST /frames (watch)(notices).language", CODE),
    ("POST /saved-views .list.language", CODE),
    ("PATCH /saved-views/… .list.language", CODE),
    ("POST /saved-views .list.span", SPAN),
    ("PATCH /saved-views/… .list.span", SPAN),
    ("POST /frames (watch)(visitors).filter.country", COMPARED),
    ("POST /frames (watch)(visitors).filter.search", COMPARED),
    ("POST /frames (watch)(visitors).filter.page", COMPARED),
    ("POST /frames (watch)(visitors).filter.source", COMPARED),
    ("POST /stream .watch[](inbox).language", CODE),
    ("POST /stream .watch[](notices).language", CODE),
    ("POST /stream .watch[](visitors).filter.country", COMPARED),
    ("POST /stream .watch[](visitors).filter.search", COMPARED),
    ("POST /stream .watch[](visitors).filter.page", COMPARED),
    ("POST /stream .watch[](visitors).filter.source", COMPARED),
];

const NO_ZONE: &str = "what is no zone is the default: an odd browser keeps nobody out";
const PICTURE: &str = "a picture in letters, and nothing else: desk's `theme.rs`";
const OF_VISITORS: &str = "refused likewise where visitors say it: tests/wire/text.rs";
const CLEANED: &str = "a trace is cleaned and cut: protocol::text::cut";
const CODE: &str = "a language's code, or refused";
const SPAN: &str = "a word or days, or refused: protocol's `Span`";
const ATTRIBUTES: &str = "refused as those of a claim: desk's `contact.rs`";
const COMPARED: &str = "looked for, and never shown to others";

#[tokio::test]
async fn every_text_that_a_door_takes_is_in_the_table() {
    let house = House::open(Trust::Trusted).await;
    let mut missing = texts::texts(&house).await;
    // A frame carries the same commands.
    missing.retain(|text| !text.starts_with("POST /frames (command).command("));
    for (_, _, door, place, body) in DOORS {
        let (method, path) = door.split_once(' ').unwrap();
        let body = serde_json::from_str(body).unwrap();
        let place = texts::place_of(place, &body).unwrap();
        let text = format!("{} {place}", texts::door(method, path));
        assert!(
            missing.remove(&text),
            "{text} is not in the document, or twice in the table"
        );
    }
    for (text, _) in ELSEWHERE {
        assert!(
            missing.remove(*text),
            "{text} is not in the document, or in the table"
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[tokio::test]
async fn no_door_takes_a_text_that_misleads() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let ids = Ids::of(&house, &owner).await;
    // Nobody has set this one up, and no hostile text does.
    let new_house = House::open(Trust::Trusted).await;
    let setup_token = new_house.desk.issue_setup_token().await.unwrap().unwrap();
    let named = |text: &str| {
        text.replace("$site", &ids.site)
            .replace("$agent", &ids.agent)
            .replace("$contact", &ids.contact)
            .replace("$conversation", &ids.conversation)
            .replace("$visitor", &ids.visitor)
            .replace("$canned_response", &ids.canned_response)
            .replace("$saved_view", &ids.saved_view)
            .replace("sbu_x", &setup_token)
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
            let answer = match *door {
                "POST /setup" => new_house.ask(call).await,
                _ => house.as_(&owner, call).await,
            };
            let told = (answer.code(), answer.field());
            let wanted = ("invalid".to_owned(), (*field).to_owned());
            assert_eq!(told, wanted, "{door} {place}: {text:?}");
        }
    }
}
