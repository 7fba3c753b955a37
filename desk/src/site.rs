//! Sites: who may load the widget, how it looks, and the secrets that sign identities.

use protocol::id::{SiteId, SiteSecretId};
use protocol::permission::{Actor, Permission};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::site::{AfterClose, NewSite, SecretKind, Site, SiteChange, SiteSecret};
use protocol::workspace::{Settings, SiteOverrides};
use router::Part;
use storage::site::SecretRow;

use crate::audit::{By, Differences};
use crate::error::Result;
use crate::theme::checked_theme;
use crate::workspace::check_settings;
use crate::{Caller, DAY_MS, Desk, field, origin, secret, stored};

/// How long the secrets of before are still accepted after a rotation.
pub const SECRET_OVERLAP_MS: u64 = DAY_MS;

/// The longest time within which a closed conversation may be reopened.
const REOPEN_WITHIN_MS_MAX: u64 = 366 * DAY_MS;

/// The time within which a closed conversation may be reopened where that was switched on.
const REOPEN_WITHIN_MS: u64 = 3 * DAY_MS;

/// A change with every value in its stored form.
fn checked(change: SiteChange) -> Result<SiteChange, Rejection> {
    Ok(SiteChange {
        name: change.name,
        domain: change.domain.map(|text| field::domain(&text)).transpose()?,
        description: change
            .description
            .map(|text| field::lines(&text, "description"))
            .transpose()?,
        allowed_origins: change
            .allowed_origins
            .map(|texts| origin::normalise_all(&texts))
            .transpose()?,
        theme: change.theme.map(checked_theme).transpose()?,
        after_close: change.after_close,
        reopen_within_ms: change
            .reopen_within_ms
            .map(|ms| field::within(ms, 0..=REOPEN_WITHIN_MS_MAX, "reopen_within_ms"))
            .transpose()?,
        identity_required: change.identity_required,
        overrides: change
            .overrides
            .map(|overrides| {
                // All else is valid there, so what is wrong is the site's own.
                check_settings(&Settings::default().on_site(&overrides)).map(|()| overrides)
            })
            .transpose()?,
        archived: change.archived,
    })
}

fn differences(site: &Site, change: &SiteChange) -> Differences {
    let mut differences = Differences::default();
    if let Some(name) = &change.name {
        differences.note("name", &site.name.as_str(), &name.as_str());
    }
    if let Some(domain) = &change.domain {
        differences.note("domain", &site.domain, domain);
    }
    if let Some(description) = &change.description {
        differences.note("description", &site.description, description);
    }
    if let Some(origins) = &change.allowed_origins {
        differences.note("allowed_origins", &site.allowed_origins, origins);
    }
    if let Some(theme) = &change.theme {
        differences.note("theme", &site.theme, theme);
    }
    if let Some(after_close) = change.after_close {
        differences.note("after_close", &site.after_close, &after_close);
    }
    if let Some(reopen_within_ms) = change.reopen_within_ms {
        differences.note(
            "reopen_within_ms",
            &site.reopen_within_ms,
            &reopen_within_ms,
        );
    }
    if let Some(required) = change.identity_required {
        differences.note("identity_required", &site.identity_required, &required);
    }
    if let Some(overrides) = &change.overrides {
        differences.note("overrides", &site.overrides, overrides);
    }
    if let Some(archived) = change.archived {
        differences.note("archived", &site.archived, &archived);
    }
    differences
}

fn action(site: &Site, change: &SiteChange) -> &'static str {
    match (site.archived, change.archived) {
        (false, Some(true)) => "site.archived",
        (true, Some(false)) => "site.restored",
        (_, Some(_) | None) => "site.changed",
    }
}

impl Desk {
    /// The sites, also the archived: names stand on conversations of before.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn sites(&self, actor: &Actor) -> Result<Vec<Site>> {
        let scope = actor.may(Permission::ConversationsRead)?;
        Ok(storage::site::list(&self.0.db, &scope).await?)
    }

    /// One site.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn site(&self, actor: &Actor, site_id: SiteId) -> Result<Site> {
        actor.may(Permission::ConversationsRead)?;
        self.site_in(actor, site_id).await
    }

    pub(crate) async fn site_in(&self, actor: &Actor, site_id: SiteId) -> Result<Site> {
        let site = storage::site::find(&self.0.db, actor.workspace_id, site_id).await?;
        site.ok_or_else(|| ErrorCode::NotFound.into())
    }

    /// Makes a site, with a first secret of each kind that nobody has seen: rotating shows one.
    ///
    /// # Errors
    /// `forbidden`, `too_many`, `invalid` of what is wrong.
    pub async fn create_site(
        &self,
        actor: &Actor,
        new: NewSite,
        caller: Option<&Caller>,
    ) -> Result<Site> {
        actor.may(Permission::SitesWrite)?;
        let site = self.site_of(new)?;
        let secrets = self.first_site_secrets();
        let mut differences = Differences::default();
        differences.note("name", &None, &Some(&site.name));
        differences.note("allowed_origins", &Vec::new(), &site.allowed_origins);
        let by = By { actor, caller };
        let change = by.change("site.created", site.id, differences, self.now_ms());
        let site = stored(storage::site::create(&self.0.db, &site, &secrets, &change).await?)?;
        self.changed(actor.workspace_id, Part::Site(site.id));
        Ok(site)
    }

    /// Changes a site. Loaded pages and open panels hear of it at once.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `version_conflict`, `too_many`, `invalid` of what is wrong.
    pub async fn change_site(
        &self,
        actor: &Actor,
        site_id: SiteId,
        version: u64,
        change: SiteChange,
        caller: Option<&Caller>,
    ) -> Result<Site> {
        actor.may(Permission::SitesWrite)?;
        let change = checked(change)?;
        let site = self.site_in(actor, site_id).await?;
        if site.version != version {
            return Err(ErrorCode::VersionConflict.into());
        }
        let differences = differences(&site, &change);
        if differences.is_empty() {
            return Ok(site);
        }
        let by = By { actor, caller };
        let line = by.change(action(&site, &change), site_id, differences, self.now_ms());
        let written = storage::site::change(&self.0.db, site_id, version, &change, &line).await?;
        let site = stored(written)?;
        self.changed(actor.workspace_id, Part::Site(site_id));
        Ok(site)
    }

    /// The secrets that are accepted now, without themselves.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn site_secrets(&self, actor: &Actor, site_id: SiteId) -> Result<Vec<SiteSecret>> {
        actor.may(Permission::SitesWrite)?;
        self.site_in(actor, site_id).await?;
        let (workspace_id, now_ms) = (actor.workspace_id, self.now_ms());
        let rows = storage::site::secrets(&self.0.db, workspace_id, site_id, now_ms).await?;
        Ok(rows.iter().map(SecretRow::shown).collect())
    }

    /// Makes a new secret of a kind, shown in the answer and never again. Those of before are accepted
    /// for another 24 hours, so that the site's own server can change over.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `too_many`.
    pub async fn rotate_site_secret(
        &self,
        actor: &Actor,
        site_id: SiteId,
        kind: SecretKind,
        caller: Option<&Caller>,
    ) -> Result<SiteSecret> {
        actor.may(Permission::SitesWrite)?;
        self.site_in(actor, site_id).await?;
        let (row, plain) = self.new_site_secret(kind);
        let now_ms = self.now_ms();
        let by = By { actor, caller };
        let mut differences = Differences::default();
        differences.note(kind.as_str(), &None, &Some(row.id));
        let change = by.change("site.secret_rotated", site_id, differences, now_ms);
        let old_expire_at_ms = now_ms + SECRET_OVERLAP_MS;
        let written =
            storage::site::rotate(&self.0.db, site_id, &row, old_expire_at_ms, &change).await?;
        let shown = stored(written)?;
        self.changed(actor.workspace_id, Part::Site(site_id));
        Ok(SiteSecret {
            secret: Some(plain),
            ..shown
        })
    }

    /// Stops accepting a secret at once: when it leaked.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `out_of_order` for the newest of its kind, which a rotation must
    /// replace.
    pub async fn drop_site_secret(
        &self,
        actor: &Actor,
        site_id: SiteId,
        secret_id: SiteSecretId,
        caller: Option<&Caller>,
    ) -> Result<()> {
        actor.may(Permission::SitesWrite)?;
        self.site_in(actor, site_id).await?;
        let by = By { actor, caller };
        let none = Differences::default();
        let change = by.change("site.secret_dropped", site_id, none, self.now_ms());
        stored(storage::site::drop_secret(&self.0.db, site_id, secret_id, &change).await?)?;
        self.changed(actor.workspace_id, Part::Site(site_id));
        Ok(())
    }

    /// A site as it is to be stored.
    pub(crate) fn site_of(&self, new: NewSite) -> Result<Site, Rejection> {
        Ok(Site {
            id: self.0.world.ids.next(),
            version: 1,
            name: new.name.as_str().to_owned(),
            domain: field::domain(&new.domain)?,
            description: String::new(),
            allowed_origins: origin::normalise_all(&new.allowed_origins)?,
            theme: checked_theme(new.theme.unwrap_or_default())?,
            after_close: AfterClose::StartNew,
            reopen_within_ms: REOPEN_WITHIN_MS,
            identity_required: false,
            overrides: SiteOverrides::default(),
            archived: false,
            created_at_ms: self.now_ms(),
        })
    }

    /// A first secret of each kind, which nobody has seen.
    pub(crate) fn first_site_secrets(&self) -> Vec<SecretRow> {
        [SecretKind::Identity, SecretKind::Webhook]
            .map(|kind| self.new_site_secret(kind).0)
            .into()
    }

    /// A new signing secret: its row, and itself. The secret's text is the key of the HMAC.
    fn new_site_secret(&self, kind: SecretKind) -> (SecretRow, String) {
        let prefix = match kind {
            SecretKind::Identity => secret::SITE_SECRET_PREFIX,
            SecretKind::Webhook => secret::WEBHOOK_SECRET_PREFIX,
        };
        let plain = secret::make(&self.0.world.ids, prefix);
        let row = SecretRow {
            id: self.0.world.ids.next(),
            kind,
            secret: plain.clone().into_bytes(),
            hint: secret::last_characters(&plain),
            created_at_ms: self.now_ms(),
            expires_at_ms: None,
        };
        (row, plain)
    }
}

#[cfg(test)]
mod tests {
    use protocol::site::Theme;

    use super::*;

    #[test]
    fn a_change_is_brought_into_its_stored_form() {
        let change = checked(SiteChange {
            domain: Some(" Example.com ".to_owned()),
            allowed_origins: Some(vec!["HTTPS://Example.com/".to_owned()]),
            theme: Some(Theme {
                color: "#ABCDEF".to_owned(),
                ..Theme::default()
            }),
            ..SiteChange::default()
        })
        .unwrap();
        assert_eq!(change.domain.as_deref(), Some("example.com"));
        assert_eq!(change.allowed_origins.unwrap(), ["https://example.com"]);
        assert_eq!(change.theme.unwrap().color, "#abcdef");
    }

    #[test]
    fn each_wrong_value_is_named() {
        let check = |change: SiteChange, field: &'static str| {
            assert_eq!(checked(change).unwrap_err().field.as_deref(), Some(field));
        };
        let none = SiteChange::default;
        let theme = |theme: Theme| SiteChange {
            theme: Some(theme),
            ..none()
        };
        check(
            SiteChange {
                domain: Some("a b".to_owned()),
                ..none()
            },
            "domain",
        );
        check(
            SiteChange {
                description: Some("\0".to_owned()),
                ..none()
            },
            "description",
        );
        check(
            SiteChange {
                allowed_origins: Some(vec!["*".to_owned()]),
                ..none()
            },
            "allowed_origins",
        );
        check(
            SiteChange {
                reopen_within_ms: Some(REOPEN_WITHIN_MS_MAX + 1),
                ..none()
            },
            "reopen_within_ms",
        );
        check(
            theme(Theme {
                color: "red".to_owned(),
                ..Theme::default()
            }),
            "color",
        );
        check(
            theme(Theme {
                title: "\u{202e}".to_owned(),
                ..Theme::default()
            }),
            "title",
        );
        check(
            theme(Theme {
                greeting: "\u{7}".to_owned(),
                ..Theme::default()
            }),
            "greeting",
        );
    }
}
