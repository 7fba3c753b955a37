//! The browser's types: `widget-js/src/protocol.ts` is made from this crate, and this test fails when
//! the file that is committed differs. `SWITCHBOARD_WRITE=1 cargo test -p protocol --test typescript`
//! writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use protocol::rejection::{CloseCode, ErrorCode};
use protocol::{
    agent, attachment, audit, blocked_address, canned_response, command, contact, currency, event,
    frame, identity_key, key, limit, message, news, node, page, saved_view, search, setup, site,
    todo, trouble, visitor, widget, workspace,
};
use sha2::{Digest, Sha256};
use ts_rs::{Config, TS, TypeVisitor};

/// Currencies that stand in one line.
const CODES_IN_A_ROW: usize = 15;

/// Collects the declaration of every type it meets, and of those that they need.
struct Collector<'a> {
    config: &'a Config,
    declarations: BTreeMap<String, String>,
}

impl TypeVisitor for Collector<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Lists, maps and primitive types are not declared; their parts are visited by whoever holds them.
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(self.config);
        if self.declarations.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        let declaration = format!("{docs}export {}\n", T::decl(self.config));
        self.declarations.insert(name, one_line_docs(&declaration));
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

impl Collector<'_> {
    fn visit_roots(&mut self) {
        self.visit::<frame::ClientFrame>();
        self.visit::<frame::StreamRequest>();
        self.visit::<news::VisitorNews>();
        self.visit::<news::AgentNews>();
        self.visit::<widget::NewVisitorSession>();
        self.visit::<widget::VisitorSession>();
        self.visit::<widget::VisitorHistory>();
        self.visit::<attachment::Attachment>();
        self.visit::<message::Message>();
        self.visit::<setup::SetupState>();
        self.visit::<setup::Setup>();
        self.visit::<setup::SetupDone>();
        self.visit::<setup::Login>();
        self.visit::<setup::SocketToken>();
        self.visit::<setup::LoggedIn>();
        self.visit::<setup::LoginSession>();
        self.visit::<setup::SignIn>();
        self.visit::<setup::Attendance>();
        self.visit::<setup::PasswordChange>();
        self.visit::<agent::InvitationLookup>();
        self.visit::<contact::ContactMerge>();
        self.visit::<command::Draft>();
        self.visit::<agent::Me>();
        self.visit::<agent::AgentChange>();
        self.visit::<agent::Invitation>();
        self.visit::<agent::NewInvitation>();
        self.visit::<agent::InvitationOffer>();
        self.visit::<agent::AcceptInvitation>();
        self.visit::<workspace::Workspace>();
        self.visit::<workspace::WorkspaceChange>();
        self.visit::<site::NewSite>();
        self.visit::<site::SiteChange>();
        self.visit::<site::SiteSecret>();
        self.visit::<site::SiteSeen>();
        self.visit::<identity_key::IdentityKey>();
        self.visit::<identity_key::NewIdentityKey>();
        self.visit::<contact::Contact>();
        self.visit::<contact::ContactChange>();
        self.visit::<visitor::Visitor>();
        self.visit::<key::ApiKey>();
        self.visit::<key::NewApiKey>();
        self.visit::<canned_response::CannedResponse>();
        self.visit::<canned_response::NewCannedResponse>();
        self.visit::<canned_response::CannedResponseChange>();
        self.visit::<saved_view::SavedView>();
        self.visit::<saved_view::NewSavedView>();
        self.visit::<saved_view::SavedViewChange>();
        self.visit::<blocked_address::BlockedAddress>();
        self.visit::<blocked_address::NewBlockedAddress>();
        self.visit::<search::Found>();
        self.visit::<todo::Todo>();
        self.visit::<todo::TodoFilter>();
        self.visit::<todo::TodoMarking>();
        self.visit::<audit::AuditEntry>();
        self.visit::<audit::FailedLogin>();
        self.visit::<trouble::Trouble>();
        self.visit::<node::NodeSeen>();
        self.visit::<event::Event>();
        self.visit::<page::Page<site::Site>>();
    }
}

/// Puts every comment of one line on one line, and takes off trailing spaces.
fn one_line_docs(declaration: &str) -> String {
    declaration
        .replace("/**\n * ", "/** ")
        .replace("\n */\n", " */\n")
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

/// The limits and codes that a client decides by.
fn constants() -> String {
    let limits: &[(&str, u64)] = &[
        ("frame_bytes_max", limit::FRAME_BYTES_MAX as u64),
        ("body_bytes_max", limit::BODY_BYTES_MAX as u64),
        ("attachments_max", limit::ATTACHMENTS_MAX as u64),
        ("attachment_bytes_max", limit::ATTACHMENT_BYTES_MAX),
        ("file_name_bytes_max", limit::FILE_NAME_BYTES_MAX as u64),
        ("resumes_max", limit::RESUMES_MAX as u64),
        ("page_entries_max", limit::PAGE_ENTRIES_MAX as u64),
        ("page_rows_max", limit::PAGE_ROWS_MAX as u64),
        ("rows_before_max", limit::ROWS_BEFORE_MAX.into()),
        ("properties_max", limit::PROPERTIES_MAX as u64),
        ("url_bytes_max", limit::URL_BYTES_MAX as u64),
        ("title_bytes_max", limit::TITLE_BYTES_MAX as u64),
        ("canned_body_bytes_max", limit::CANNED_BODY_BYTES_MAX as u64),
        ("mentions_max", limit::MENTIONS_MAX as u64),
        ("todo_marks_max", limit::TODO_MARKS_MAX as u64),
        ("nickname_bytes_max", limit::NICKNAME_BYTES_MAX as u64),
        ("launcher_gap_px_max", u64::from(limit::LAUNCHER_GAP_PX_MAX)),
        ("logo_bytes_max", limit::LOGO_BYTES_MAX as u64),
        (
            "agent_picture_bytes_max",
            limit::AGENT_PICTURE_BYTES_MAX as u64,
        ),
        ("questions_max", limit::QUESTIONS_MAX as u64),
        ("hours_spans_max", limit::HOURS_SPANS_MAX as u64),
        ("visitor_edit_window_ms", limit::VISITOR_EDIT_WINDOW_MS),
        ("password_length_min", limit::PASSWORD_LENGTH_MIN as u64),
        ("search_bytes_max", limit::SEARCH_BYTES_MAX as u64),
        ("silence_ms_max", limit::SILENCE_MS_MAX),
        ("hello_ms_max", limit::HELLO_MS_MAX),
        ("resend_ms", limit::RESEND_MS),
        ("typing_ms", limit::TYPING_MS),
        ("typing_bytes_max", limit::TYPING_BYTES_MAX as u64),
    ];
    let mut text = String::from("/** Limits on what a client sends. */\nexport const limit = {\n");
    for (name, value) in limits {
        writeln!(text, "  {name}: {value},").expect("a String takes all");
    }
    text.push_str("} as const;\n\n/** Why the server ends a connection. The range says what to do. */\nexport const closeCode = {\n");
    for code in CloseCode::ALL {
        writeln!(text, "  {}: {},", code.reason(), code.number()).expect("a String takes all");
    }
    text.push_str(
        "} as const;\n\n/** One sentence for each error code. */\nexport const errorMessage: Record<ErrorCode, string> = {\n",
    );
    for code in ErrorCode::ALL {
        writeln!(text, "  {}: {:?},", code.as_str(), code.message()).expect("a String takes all");
    }
    text.push_str("};\n\n/** Currencies that money is paid in, by their ISO 4217 codes. */\nexport const currencies: readonly string[] = [\n");
    let codes: Vec<_> = currency::CODES
        .iter()
        .map(|code| format!("{code:?}"))
        .collect();
    for row in codes.chunks(CODES_IN_A_ROW) {
        writeln!(text, "  {},", row.join(", ")).expect("a String takes all");
    }
    text.push_str("];\n\n/** How files begin, in hexadecimal with a point for any digit, and the type that each is found to have; none for programs, which are never taken. */\nexport const fileMarks: readonly (readonly [string, string])[] = [\n");
    for (mark, found) in attachment::FILE_MARKS {
        writeln!(text, "  [{mark:?}, {found:?}],").expect("a String takes all");
    }
    text.push_str("];\n");
    text
}

/// The hash of all fixtures, by which documents and types show that they belong together: the first
/// 16 characters of SHA-256 over each file's path, a zero byte, its content and a zero byte.
fn fixtures_hash() -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = BTreeMap::new();
    collect_files(&root, "", &mut files);
    let mut hasher = Sha256::new();
    for (path, content) in &files {
        hasher.update(path.as_bytes());
        hasher.update([0]);
        hasher.update(content);
        hasher.update([0]);
    }
    let hex = hasher
        .finalize()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes all");
            hex
        });
    hex[..16].to_owned()
}

fn collect_files(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.expect("the fixtures can be listed");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            collect_files(&entry.path(), &format!("{path}/"), files);
        } else {
            let content = std::fs::read(entry.path()).expect("a fixture can be read");
            files.insert(path, content);
        }
    }
}

fn generate() -> String {
    let config = Config::new().with_large_int("number");
    let mut collector = Collector {
        config: &config,
        declarations: BTreeMap::new(),
    };
    collector.visit_roots();
    let mut text = String::from(
        "// Made from the Rust crate `protocol` by its test `typescript`. Do not edit:\n\
         // SWITCHBOARD_WRITE=1 cargo test -p protocol --test typescript\n",
    );
    writeln!(text, "// fixtures: {}\n", fixtures_hash()).expect("a String takes all");
    for declaration in collector.declarations.values() {
        text.push_str(declaration);
        text.push('\n');
    }
    text.push_str(&constants());
    text
}

#[test]
fn the_browsers_types_are_those_of_this_crate() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../widget-js/src/protocol.ts");
    let wanted = generate();
    if std::env::var_os("SWITCHBOARD_WRITE").is_some() {
        std::fs::write(&path, &wanted).expect("the folder of the widget can be written");
    }
    let found = std::fs::read_to_string(&path).expect("the browser's types are committed");
    assert!(
        found == wanted,
        "widget-js/src/protocol.ts is out of date: SWITCHBOARD_WRITE=1 cargo test -p protocol --test typescript"
    );
}
