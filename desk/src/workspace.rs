//! The workspace and its settings.

use protocol::permission::{Actor, Permission};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::workspace::{Settings, Workspace, WorkspaceChange};
use router::Part;

use crate::audit::{By, Differences};
use crate::error::Result;
use crate::{Caller, DAY_MS, Desk, field, stored, support_hours};

/// A minute, in milliseconds.
const MINUTE_MS: u64 = 60 * 1_000;

/// The longest that changes of the visitor list may be collected.
const REFRESH_MS_MAX: u64 = MINUTE_MS;

/// The highest rate that may be set. What is above it is no limit, and better left out.
const RATE_MAX: u32 = 1_000_000;

/// Whether settings keep their bounds: those of a workspace, or as they hold on one of its sites.
///
/// # Errors
/// `invalid`, with the field.
pub(crate) fn check_settings(settings: &Settings) -> Result<(), Rejection> {
    let session = MINUTE_MS..=DAY_MS;
    field::within(settings.session_timeout_ms, session, "session_timeout_ms")?;
    let active = 10 * 1_000..=60 * MINUTE_MS;
    field::within(settings.active_threshold_ms, active, "active_threshold_ms")?;
    let refresh = 0..=REFRESH_MS_MAX;
    field::within(settings.visitor_refresh_ms, refresh, "visitor_refresh_ms")?;
    for (rate, field) in [
        (settings.sessions_per_minute, "sessions_per_minute"),
        (settings.messages_per_minute, "messages_per_minute"),
    ] {
        if rate.is_some_and(|rate| !(1..=RATE_MAX).contains(&rate)) {
            return Err(Rejection::of(ErrorCode::Invalid, field));
        }
    }
    Ok(())
}

/// A change with every value in its stored form; but for the icon, which is no value.
fn checked(change: &WorkspaceChange) -> Result<WorkspaceChange, Rejection> {
    if let Some(settings) = &change.settings {
        check_settings(settings)?;
    }
    if let Some(hours) = &change.support_hours {
        support_hours::check(hours)?;
    }
    let time_zone = change.time_zone.as_deref().map(field::time_zone);
    let currency = change.currency.as_deref().map(field::currency);
    let industry = change.industry.as_deref();
    let industry = industry.map(|text| field::line(text, "industry"));
    Ok(WorkspaceChange {
        time_zone: time_zone.transpose()?,
        industry: industry.transpose()?,
        currency: currency.transpose()?,
        ..change.clone()
    })
}

fn differences(workspace: &Workspace, change: &WorkspaceChange) -> Differences {
    let mut differences = Differences::default();
    if let Some(name) = &change.name {
        differences.note("name", &workspace.name.as_str(), &name.as_str());
    }
    if let Some(time_zone) = &change.time_zone {
        differences.note("time_zone", &workspace.time_zone, time_zone);
    }
    if let Some(industry) = &change.industry {
        differences.note("industry", &workspace.industry, industry);
    }
    if let Some(currency) = &change.currency {
        differences.note("currency", &workspace.currency, currency);
    }
    if let Some(hours) = &change.support_hours {
        differences.note("support_hours", &workspace.support_hours, hours);
    }
    if let Some(settings) = &change.settings {
        differences.note("settings", &workspace.settings, settings);
    }
    differences
}

impl Desk {
    /// The workspace.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn workspace(&self, actor: &Actor) -> Result<Workspace> {
        actor.may(Permission::ConversationsRead)?;
        self.workspace_of(actor).await
    }

    async fn workspace_of(&self, actor: &Actor) -> Result<Workspace> {
        let workspace = storage::workspace::find(&self.0.db, actor.workspace_id).await?;
        workspace.ok_or_else(|| ErrorCode::NotFound.into())
    }

    /// Changes the workspace.
    ///
    /// # Errors
    /// `forbidden`, also where `single_owner` is set by somebody else than an owner; `version_conflict`,
    /// `invalid` of what is wrong; `too_many` of `support_hours`, `too_large` and `file_type` of `icon`.
    pub async fn change_workspace(
        &self,
        actor: &Actor,
        version: u64,
        change: &WorkspaceChange,
        caller: Option<&Caller>,
    ) -> Result<Workspace> {
        actor.may(Permission::SettingsWrite)?;
        let change = &checked(change)?;
        let icon = change.icon.as_deref();
        let icon = icon
            .map(|text| self.new_picture(text, "icon"))
            .transpose()?;
        let workspace = self.workspace_of(actor).await?;
        let single_owner = workspace.settings.single_owner;
        if change
            .settings
            .as_ref()
            .is_some_and(|new| new.single_owner != single_owner)
        {
            actor.may(Permission::OwnerOnly)?;
        }
        if workspace.version != version {
            return Err(ErrorCode::VersionConflict.into());
        }
        let mut differences = differences(&workspace, change);
        if let Some(new) = &icon
            && new.id() != workspace.icon
        {
            differences.name("icon");
        }
        if differences.is_empty() {
            return Ok(workspace);
        }
        let by = By { actor, caller };
        let line = by.change(
            "workspace.changed",
            workspace.id,
            differences,
            self.now_ms(),
        );
        let db = &self.0.db;
        let written =
            storage::workspace::change_with_icon(db, version, change, icon.as_ref(), &line).await?;
        let workspace = stored(written)?;
        self.changed(workspace.id, Part::Workspace);
        Ok(workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_keep_their_bounds() {
        assert_eq!(check_settings(&Settings::default()), Ok(()));
        for (settings, field) in [
            (
                Settings {
                    session_timeout_ms: 0,
                    ..Settings::default()
                },
                "session_timeout_ms",
            ),
            (
                Settings {
                    session_timeout_ms: u64::MAX,
                    ..Settings::default()
                },
                "session_timeout_ms",
            ),
            (
                Settings {
                    active_threshold_ms: 1,
                    ..Settings::default()
                },
                "active_threshold_ms",
            ),
            (
                Settings {
                    visitor_refresh_ms: 60_001,
                    ..Settings::default()
                },
                "visitor_refresh_ms",
            ),
            (
                Settings {
                    sessions_per_minute: Some(0),
                    ..Settings::default()
                },
                "sessions_per_minute",
            ),
            (
                Settings {
                    messages_per_minute: Some(RATE_MAX + 1),
                    ..Settings::default()
                },
                "messages_per_minute",
            ),
        ] {
            assert_eq!(
                check_settings(&settings).unwrap_err().field.as_deref(),
                Some(field)
            );
        }
    }
}
