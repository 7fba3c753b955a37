//! Sites: installations of the widget.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::{SiteId, SiteSecretId};
use crate::text::Name;
use crate::visitor::PageView;
use crate::workspace::{Settings, SiteOverrides};

words! {
    /// What a message after the end does (C7).
    AfterClose {
        /// It begins a new conversation, which names the old one as `previous_id`.
        StartNew = "start_new",
        /// It reopens the old one within `reopen_within_ms`, and begins a new one after.
        Reopen = "reopen",
    }

    /// What a site secret is for. One that leaks does not open what the other guards.
    SecretKind {
        /// Signs identity tokens on the site's own server.
        Identity = "identity",
        /// Signs what we send to the site's own server.
        Webhook = "webhook",
    }

    /// Where the launcher stands.
    LauncherSide {
        /// Where a line of text ends.
        End = "end",
        /// Where a line of text begins.
        Start = "start",
    }

    /// How bright the widget is.
    Brightness {
        /// As the visitor's system says.
        System = "system",
        /// Always light.
        Light = "light",
        /// Always dark.
        Dark = "dark",
    }

    /// Whether something is asked before a first message.
    Ask {
        /// It is not.
        Never = "never",
        /// It is, and may be left empty.
        Optional = "optional",
        /// It is, and nothing is sent without it.
        Needed = "needed",
    }

    /// What an answer to a site's own question is.
    AnswerKind {
        /// A line of text.
        Text = "text",
        /// A number.
        Number = "number",
        /// Yes or no: a box to tick. Where it is needed, yes.
        Flag = "flag",
    }
}

/// How the widget looks and what it says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct Theme {
    /// The brand colour, `#rrggbb`. What stands on it is computed, at 4.5:1 at least.
    pub color: String,
    /// The name in the header; the site's name when empty.
    pub title: String,
    /// The picture in the header: a small PNG, JPEG or WebP as a `data:` address; initials when empty.
    pub logo: String,
    /// The picture of members who have none of their own, likewise; their initials when empty.
    #[serde(default)]
    pub avatar: String,
    /// The first words in an empty thread; the widget's own, in the visitor's language, when empty.
    pub greeting: String,
    /// Where the launcher stands.
    pub launcher_side: LauncherSide,
    /// How far the launcher stands from the edges of the page, in its pixels, at most
    /// [`crate::limit::LAUNCHER_GAP_PX_MAX`].
    pub launcher_gap_px: u16,
    /// What stands on the launcher beside its sign; nothing when empty.
    pub launcher_text: String,
    /// How bright it is.
    pub brightness: Brightness,
    /// What is asked before a first message.
    pub asks: Asks,
    /// What else is asked before a first message, at most [`crate::limit::QUESTIONS_MAX`].
    pub questions: Vec<Question>,
    /// What a visitor agrees to before a first message, as the markup of messages; nothing when empty.
    pub consent: String,
    /// Whether a conversation asks an unknown visitor for an e-mail address while nobody answers.
    pub asks_email_later: bool,
    /// Whether the quiet line with our name is shown.
    pub show_brand: bool,
}

/// What is asked before a first message. The answers are claims, like those of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct Asks {
    /// The name.
    pub name: Ask,
    /// The e-mail address.
    pub email: Ask,
    /// The telephone number.
    pub phone: Ask,
}

/// A question of a site's own. Its answer is a part of the claim, under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct Question {
    /// What the answer is called: small letters, digits and `_`, as `order_id`.
    pub name: String,
    /// What the visitor reads. Empty only for [`Question::KNOWN`] names, which the widget says in the
    /// visitor's language.
    pub label: String,
    /// What an answer is.
    pub kind: AnswerKind,
    /// Whether nothing is sent without an answer.
    pub needed: bool,
}

impl Question {
    /// Names that the widget has words for.
    pub const KNOWN: [&str; 4] = ["customer_id", "account_number", "order_id", "company"];
    /// Names of what is asked in other ways.
    pub const TAKEN: [&str; 4] = ["name", "email", "phone", "consent"];
    /// Names whose answers are texts in a claim.
    pub const TEXTS: [&str; 2] = ["customer_id", "company"];
}

impl Default for Asks {
    fn default() -> Self {
        Self {
            name: Ask::Never,
            email: Ask::Never,
            phone: Ask::Never,
        }
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            color: "#0f4c5c".to_owned(),
            title: String::new(),
            logo: String::new(),
            avatar: String::new(),
            greeting: String::new(),
            launcher_side: LauncherSide::End,
            launcher_gap_px: 20,
            launcher_text: String::new(),
            brightness: Brightness::System,
            asks: Asks::default(),
            questions: Vec::new(),
            consent: String::new(),
            asks_email_later: false,
            show_brand: true,
        }
    }
}

/// An installation of the widget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Site {
    /// Its id, which is the public key in the embed tag.
    pub id: SiteId,
    /// Grows with every change (`If-Match`).
    pub version: u64,
    /// Its name.
    pub name: String,
    /// Its main domain, for people.
    pub domain: String,
    /// What it is for.
    pub description: String,
    /// The origins whose pages may load the widget, exactly: `https://www.example.com`. The word
    /// `loopback` stands for every port of `localhost`, names below it, `127.0.0.1` and `[::1]`.
    pub allowed_origins: Vec<String>,
    /// How it looks.
    pub theme: Theme,
    /// What a message after the end does.
    pub after_close: AfterClose,
    /// How long a closed conversation may be reopened by its visitor.
    pub reopen_within_ms: u64,
    /// Whether a signed identity is required before anybody may write.
    pub identity_required: bool,
    /// What the site sets otherwise than its workspace.
    pub overrides: SiteOverrides,
    /// Whether the site was archived: its widget no longer loads, its conversations stay.
    pub archived: bool,
    /// When it was made.
    pub created_at_ms: u64,
}

impl Site {
    /// What holds on this site, with what its workspace set.
    #[must_use]
    pub fn settings(&self, workspace: &Settings) -> Settings {
        workspace.clone().on_site(&self.overrides)
    }
}

/// Makes a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct NewSite {
    /// Its name.
    pub name: Name,
    /// Its main domain.
    #[serde(default)]
    #[ts(as = "Option<String>", optional)]
    pub domain: String,
    /// The origins that may load the widget.
    pub allowed_origins: Vec<String>,
    /// How it looks; the default when absent.
    pub theme: Option<Theme>,
}

/// What a change of a site may set; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct SiteChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new domain.
    pub domain: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// New origins.
    pub allowed_origins: Option<Vec<String>>,
    /// A new look.
    pub theme: Option<Theme>,
    /// What a message after the end does.
    pub after_close: Option<AfterClose>,
    /// How long a closed conversation may be reopened by its visitor.
    pub reopen_within_ms: Option<u64>,
    /// Whether a signed identity is required.
    pub identity_required: Option<bool>,
    /// What it sets otherwise than its workspace, whole.
    pub overrides: Option<SiteOverrides>,
    /// Archive, or take back.
    pub archived: Option<bool>,
}

/// Where a site's widget was seen last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct SiteSeen {
    /// The page, of the newest 2,000 visits of all sites; absent where it is on none of them. The server's own demo
    /// pages do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageView>,
}

/// A secret that a site shares with its own server. Two of a kind may be alive at a time, so that the
/// server can change over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct SiteSecret {
    /// Its id.
    pub id: SiteSecretId,
    /// What it is for.
    pub kind: SecretKind,
    /// The last characters, to tell secrets apart.
    pub hint: String,
    /// The secret itself, only in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// When it was made.
    pub created_at_ms: u64,
    /// When it stops being accepted; set for the old ones by a rotation.
    pub expires_at_ms: Option<u64>,
}
