//! The workspace and its settings.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::{PictureId, WorkspaceId};
use crate::language::WidgetLanguage;
use crate::support_hours::SupportHours;
use crate::text::Name;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Grows with every change (`If-Match`).
    pub version: u64,
    /// The business's name.
    pub name: String,
    /// The IANA time zone.
    pub time_zone: String,
    /// What the business does, in a few words; may be empty.
    pub industry: String,
    /// The ISO 4217 code of the currency it counts in; empty where none was chosen.
    pub currency: String,
    /// When the team is there, in the workspace's time zone.
    pub support_hours: SupportHours,
    /// What consoles show as the icon of their tab, at `/api/v1/pictures/{id}`; absent for the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<PictureId>,
    /// Its settings.
    pub settings: Settings,
}

impl Workspace {
    /// A workspace as it begins: it has a name and a time zone, and else says nothing.
    #[must_use]
    pub fn new(id: WorkspaceId, name: &str, time_zone: &str) -> Self {
        Self {
            id,
            version: 1,
            name: name.to_owned(),
            time_zone: time_zone.to_owned(),
            industry: String::new(),
            currency: String::new(),
            support_hours: SupportHours::default(),
            icon: None,
            settings: Settings::default(),
        }
    }
}

/// What a workspace may set; sites inherit it, and may set it otherwise for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[ts(export_to = "protocol.ts")]
pub struct Settings {
    /// A visit ends after so long without a page view (SET-02).
    pub session_timeout_ms: u64,
    /// A visitor counts as active so long after the last sign of life (RT-03).
    pub active_threshold_ms: u64,
    /// Whether stored addresses lose their last octet.
    pub anonymize_addresses: bool,
    /// Whether browsers that say Do Not Track are followed from page to page.
    pub respect_do_not_track: bool,
    /// Whether the team sees what a visitor writes before it is sent. The widget tells visitors so.
    pub typing_preview: bool,
    /// What the widget speaks to visitors whose own language is none of its own. English when absent.
    pub language: Option<WidgetLanguage>,
    /// How many sessions the visitors of a site may begin in a minute, all together, at each node (SEC-02). What the
    /// server allows when absent, which is the most in any case.
    pub sessions_per_minute: Option<u32>,
    /// How many commands one visitor may send in a minute at each node: messages, edits, claims. What the server
    /// allows when absent, which is the most in any case.
    pub messages_per_minute: Option<u32>,
    /// How long changes of the visitor list are collected before consoles are told of them, in
    /// milliseconds (C11); as short as the server's own interval when 0. Of the workspace alone.
    pub visitor_refresh_ms: u64,
    /// Whether there is one owner (C6): who becomes owner takes the place of the others, who stay as admins.
    /// Only an owner sets it. Of the workspace alone.
    pub single_owner: bool,
    /// Whether the team has put away the list of what a new workspace still needs (SET-05). Of the workspace
    /// alone.
    pub setup_put_away: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_timeout_ms: 30 * 60 * 1_000,
            active_threshold_ms: 90 * 1_000,
            anonymize_addresses: false,
            respect_do_not_track: true,
            typing_preview: false,
            language: None,
            sessions_per_minute: None,
            messages_per_minute: None,
            visitor_refresh_ms: 0,
            single_owner: false,
            setup_put_away: false,
        }
    }
}

impl Settings {
    /// These settings as they hold on a site that sets some of them otherwise.
    #[must_use]
    pub fn on_site(self, overrides: &SiteOverrides) -> Self {
        Self {
            session_timeout_ms: overrides
                .session_timeout_ms
                .unwrap_or(self.session_timeout_ms),
            active_threshold_ms: overrides
                .active_threshold_ms
                .unwrap_or(self.active_threshold_ms),
            anonymize_addresses: overrides
                .anonymize_addresses
                .unwrap_or(self.anonymize_addresses),
            respect_do_not_track: overrides
                .respect_do_not_track
                .unwrap_or(self.respect_do_not_track),
            typing_preview: overrides.typing_preview.unwrap_or(self.typing_preview),
            language: overrides.language.or(self.language),
            sessions_per_minute: overrides.sessions_per_minute.or(self.sessions_per_minute),
            messages_per_minute: overrides.messages_per_minute.or(self.messages_per_minute),
            visitor_refresh_ms: self.visitor_refresh_ms,
            single_owner: self.single_owner,
            setup_put_away: self.setup_put_away,
        }
    }
}

/// What a site sets otherwise than its workspace; what is absent is as the workspace says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct SiteOverrides {
    /// A visit ends after so long without a page view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_timeout_ms: Option<u64>,
    /// A visitor counts as active so long after the last sign of life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_threshold_ms: Option<u64>,
    /// Whether stored addresses lose their last octet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymize_addresses: Option<bool>,
    /// Whether browsers that say Do Not Track are followed from page to page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub respect_do_not_track: Option<bool>,
    /// Whether the team sees what a visitor writes before it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing_preview: Option<bool>,
    /// What the widget speaks to visitors whose own language is none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<WidgetLanguage>,
    /// How many sessions the site's visitors may begin in a minute, all together, at each node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions_per_minute: Option<u32>,
    /// How many commands one visitor may send in a minute at each node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_minute: Option<u32>,
}

/// What a change of a workspace may set; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct WorkspaceChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new time zone.
    pub time_zone: Option<String>,
    /// What the business does; empty takes it away.
    pub industry: Option<String>,
    /// Another currency; empty takes it away.
    pub currency: Option<String>,
    /// Other hours, whole; none on any day takes them away.
    pub support_hours: Option<SupportHours>,
    /// Another icon: a square PNG or JPEG as a `data:` address, bounded as a member's picture is; empty takes it away.
    pub icon: Option<String>,
    /// New settings, whole.
    pub settings: Option<Settings>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_set_is_as_documented() {
        let settings = Settings::default();
        assert_eq!(settings.active_threshold_ms, 90_000);
        assert_eq!(settings.session_timeout_ms, 1_800_000);
        assert!(settings.respect_do_not_track);
        assert!(!settings.typing_preview, "nobody reads along");
        assert_eq!(settings.language, None, "English");
        assert_eq!(settings.visitor_refresh_ms, 0, "told as it happens");
        assert!(!settings.single_owner, "there may be several");
        assert!(!settings.setup_put_away, "the list stands there until then");
    }

    #[test]
    fn a_site_is_as_its_workspace_but_for_what_it_sets() {
        let workspace = Settings {
            sessions_per_minute: Some(60),
            language: Some(WidgetLanguage::German),
            anonymize_addresses: true,
            ..Settings::default()
        };
        let none = SiteOverrides::default();
        assert_eq!(workspace.clone().on_site(&none), workspace);
        let overrides = SiteOverrides {
            session_timeout_ms: Some(60_000),
            active_threshold_ms: Some(10_000),
            anonymize_addresses: Some(false),
            respect_do_not_track: Some(false),
            typing_preview: Some(true),
            language: Some(WidgetLanguage::French),
            sessions_per_minute: Some(30),
            messages_per_minute: Some(5),
        };
        let site = workspace.on_site(&overrides);
        assert_eq!(
            site,
            Settings {
                session_timeout_ms: 60_000,
                active_threshold_ms: 10_000,
                anonymize_addresses: false,
                respect_do_not_track: false,
                typing_preview: true,
                language: Some(WidgetLanguage::French),
                sessions_per_minute: Some(30),
                messages_per_minute: Some(5),
                visitor_refresh_ms: 0,
                single_owner: false,
                setup_put_away: false,
            }
        );
    }
}
