//! The contract of what there is only so much room for: sites, members, invitations, secrets, identity keys. One more is refused, and
//! the refusal changes nothing.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::{Installed, NOW_MS, Store, secret, session, site};
use protocol::agent::{AgentChange, Invitation};
use protocol::identity_key::IdentityKey;
use protocol::limit;
use protocol::permission::{Permission, Role};
use protocol::site::{Site, SiteChange};
use storage::db::{Batch, Stmt};
use storage::error::Written;
use storage::identity_key::{self, StoredKey};
use storage::invitation::{self, InvitationRow};
use storage::setup::{Account, NewMember};
use storage::user::UserRow;
use storage::{agent, audit};

/// Lays so many rows like the first one, in one batch; `$4` is a hash.
async fn lay(store: &Store, installed: &Installed, sql: &'static str, count: usize) {
    let mut batch = Batch::default();
    for _ in 0..count {
        let (id, other) = (store.world.ids.bytes::<16>(), store.world.ids.bytes::<16>());
        let text = |bytes: [u8; 16]| format!("{:032x}", u128::from_be_bytes(bytes));
        let workspace_id = installed.workspace_id();
        let mut values = vec![workspace_id.into(), text(id).into(), text(other).into()];
        if sql.contains("$4") {
            values.push(store.world.ids.bytes::<32>().into());
        }
        batch.push(Stmt::new(sql, values));
    }
    store.db.batch(batch).await.unwrap();
}

/// How many lines the log of changes has.
async fn audited(store: &Store, installed: &Installed) -> usize {
    let scope = installed.scope(&store.world);
    let page = audit::list(&store.db, &scope, None, 100).await.unwrap();
    page.items.len()
}

async fn make_site(store: &Store, installed: &Installed) -> (Site, Written<Site>) {
    let site = site(&store.world, "One more");
    let change = installed.change("site.created", site.id);
    let secrets = [secret(&store.world, 9)];
    let done = storage::site::create(&store.db, &site, &secrets, &change).await;
    (site, done.unwrap())
}

async fn archive(
    store: &Store,
    installed: &Installed,
    site: &Site,
    archived: bool,
) -> Written<Site> {
    let new = SiteChange {
        archived: Some(archived),
        ..SiteChange::default()
    };
    let change = installed.change("site.changed", site.id);
    let done = storage::site::change(&store.db, site.id, site.version, &new, &change).await;
    done.unwrap()
}

fn done<T: std::fmt::Debug>(written: Written<T>) -> T {
    let told = format!("{written:?}");
    let Written::Done(value) = written else {
        panic!("{told}");
    };
    value
}

/// Somebody with an account to be.
fn newcomer(store: &Store, email: &str) -> (Account, NewMember) {
    let user = UserRow {
        id: store.world.ids.next(),
        email: email.to_owned(),
        password_hash: "$argon2id$".to_owned(),
        created_at_ms: NOW_MS,
    };
    let member = NewMember {
        id: store.world.ids.next(),
        name: "Li".to_owned(),
        role: Role::Agent,
        time_zone: "UTC".to_owned(),
    };
    (Account::New(user), member)
}

const LAY_SITE: &str = "
    INSERT INTO site
        (workspace_id, site_id, version, change_id, name, domain, description, allowed_origins_json,
        theme_json, after_close, reopen_within_ms, identity_required, created_at_ms, overrides_json)
    SELECT $1, $2, 1, $3, name, domain, description, allowed_origins_json, theme_json, after_close,
        reopen_within_ms, identity_required, created_at_ms, overrides_json
    FROM site WHERE workspace_id = $1 AND name = 'Shop' LIMIT 1";

const LAY_AGENT: &str = "
    INSERT INTO agent (workspace_id, agent_id, version, change_id, user_id, name, role, time_zone, created_at_ms)
    VALUES ($1, $2, 1, '', $3, 'Li', 'agent', 'UTC', 0)";

const LAY_INVITATION: &str = "
    INSERT INTO invitation
        (workspace_id, invitation_id, change_id, email, email_folded, role, token_hash, created_at_ms, expires_at_ms)
    SELECT $1, 'inv_0' || SUBSTR($2, 1, 25), '', $3, $3, role, $4, created_at_ms, expires_at_ms
    FROM invitation WHERE workspace_id = $1 AND email = 'ana@example.com' LIMIT 1";

/// Lays so many members who left, one a millisecond, named in that order, each with a right of his own.
async fn lay_left(store: &Store, installed: &Installed, count: usize) {
    const ACCOUNTS: &str = "
        INSERT INTO account (user_id, email, email_folded, password_hash, created_at_ms)
        WITH RECURSIVE n (i) AS (SELECT 100001 UNION ALL SELECT i + 1 FROM n WHERE i < CAST($1 AS BIGINT))
        SELECT 'usr_00000000000000000000' || CAST(i AS TEXT), CAST(i AS TEXT), CAST(i AS TEXT), '', 0 FROM n";
    const AGENTS: &str = "
        INSERT INTO agent
            (workspace_id, agent_id, version, change_id, user_id, name, role, time_zone, created_at_ms,
            deactivated_at_ms)
        SELECT $1, 'agt_' || SUBSTR(user_id, 5), 1, '', user_id, 'Al ' || email, 'agent', 'UTC', 0,
            CAST(email AS BIGINT)
        FROM account WHERE password_hash = ''";
    const GRANTS: &str = "
        INSERT INTO agent_grant (workspace_id, agent_id, permission)
        SELECT workspace_id, agent_id, 'sites.write' FROM agent
        WHERE workspace_id = $1 AND deactivated_at_ms IS NOT NULL";
    let mut batch = Batch::default();
    batch.push(Stmt::new(ACCOUNTS, vec![(100_000 + count).into()]));
    for sql in [AGENTS, GRANTS] {
        batch.push(Stmt::new(sql, vec![installed.workspace_id().into()]));
    }
    store.db.batch(batch).await.unwrap();
}

on_both! {
    async fn a_workspace_has_so_many_active_sites(store: &Store) {
        let installed = store.installed().await;
        lay(store, &installed, LAY_SITE, limit::SITES_MAX - 2).await;
        let (_, made) = make_site(store, &installed).await;
        let last = done(made);
        let lines = audited(store, &installed).await;
        let (over, made) = make_site(store, &installed).await;
        assert_eq!(made, Written::TooMany);
        let found = storage::site::find(&store.db, installed.workspace_id(), over.id).await;
        assert_eq!(found.unwrap(), None);
        assert_eq!(audited(store, &installed).await, lines, "a refusal leaves no line");
        // An archived one makes room, and needs room to come back.
        let archived = done(archive(store, &installed, &last, true).await);
        let (_, made) = make_site(store, &installed).await;
        done(made);
        assert_eq!(archive(store, &installed, &archived, false).await, Written::TooMany);
        let found = storage::site::find(&store.db, installed.workspace_id(), last.id).await;
        assert_eq!(found.unwrap(), Some(archived));
    }

    async fn who_left_takes_nobodys_place_in_the_list_of_a_team(store: &Store) {
        let installed = store.installed().await;
        let workspace_id = installed.workspace_id();
        lay_left(store, &installed, agent::TEAM_ROWS_MAX).await;
        let list = async || agent::list(&store.db, workspace_id).await.unwrap();
        let team = list().await;
        assert_eq!(team.len(), agent::TEAM_ROWS_MAX);
        // All of them stand before the owner by name, and one of them falls away: who left first.
        let (owner, left) = team.split_last().unwrap();
        assert_eq!((owner.id, owner.deactivated), (installed.agent_id(), false));
        let order = left.windows(2).all(|pair| pair[0].name < pair[1].name);
        assert!(order, "the list is by name");
        assert_eq!((left[0].name.as_str(), left[0].deactivated), ("Al 100002", true));
        assert_eq!(left[0].grants, [Permission::SitesWrite]);
        let new = AgentChange {
            grants: Some(vec![Permission::KeysWrite]),
            ..AgentChange::default()
        };
        let change = installed.change("agent.changed", owner.id);
        let granted = agent::change(&store.db, owner.id, 1, &new, &change).await.unwrap();
        assert!(matches!(granted, Written::Done(_)), "{granted:?}");
        assert_eq!(list().await.pop().unwrap().grants, [Permission::KeysWrite]);
    }

    async fn a_team_has_so_many_active_members(store: &Store) {
        let installed = store.installed().await;
        let workspace_id = installed.workspace_id();
        let add = async |email: &str| {
            let (account, member) = newcomer(store, email);
            let change = installed.change("agent.created", member.id);
            agent::create(&store.db, &account, &member, &change).await.unwrap()
        };
        lay(store, &installed, LAY_AGENT, limit::AGENTS_MAX - 2).await;
        let last = done(add("li@example.com").await);
        assert_eq!(add("bo@example.com").await, Written::TooMany);
        let account = storage::user::by_email(&store.db, "bo@example.com").await.unwrap();
        assert_eq!(account, None, "no account without a place");

        // Who is invited finds the team full, and may try again with the same link.
        let row = InvitationRow {
            invitation: Invitation {
                id: store.world.ids.next(),
                email: "cy@example.com".to_owned(),
                role: Role::Agent,
                expires_at_ms: NOW_MS + 10_000,
                link: None,
            },
            workspace_id,
            token_hash: store.world.ids.bytes(),
        };
        let change = installed.change("invitation.created", row.invitation.id);
        invitation::create(&store.db, &row, &change).await.unwrap();
        let lines = audited(store, &installed).await;
        let accept = async || {
            let (account, member) = newcomer(store, "cy@example.com");
            let session = session(&store.world, account.user_id(), 3);
            let change = installed.change("invitation.accepted", member.id);
            let id = row.invitation.id;
            invitation::accept(&store.db, id, &account, &member, &session, &change).await.unwrap()
        };
        assert_eq!(accept().await, Written::TooMany);
        let open = invitation::by_token(&store.db, &row.token_hash, NOW_MS).await.unwrap();
        assert_eq!(open.as_ref(), Some(&row), "the link is still good");
        assert_eq!(audited(store, &installed).await, lines);

        // Who leaves makes room, and needs room to come back.
        let set = async |version: u64, deactivated: bool| {
            let new = AgentChange { deactivated: Some(deactivated), ..AgentChange::default() };
            let change = installed.change("agent.changed", last.id);
            agent::change(&store.db, last.id, version, &new, &change).await.unwrap()
        };
        let gone = done(set(last.version, true).await);
        done(accept().await);
        assert_eq!(accept().await, Written::NotFound, "once");
        assert_eq!(set(gone.version, false).await, Written::TooMany);
        let found = agent::find(&store.db, workspace_id, last.id).await.unwrap().unwrap();
        assert_eq!(found.agent, gone);
    }

    async fn a_site_has_so_many_identity_keys(store: &Store) {
        let installed = store.installed().await;
        let site_id = installed.installation.site.id;
        let add = async |n: usize| {
            let key = StoredKey {
                shown: IdentityKey {
                    id: store.world.ids.next(),
                    fingerprint: format!("fingerprint {n}"),
                    created_at_ms: NOW_MS,
                    expires_at_ms: None,
                },
                point: vec![4; 65],
            };
            let change = installed.change("site.key_added", site_id);
            identity_key::add(&store.db, site_id, &key, None, &change).await.unwrap()
        };
        for n in 0..limit::IDENTITY_KEYS_MAX {
            done(add(n).await);
        }
        let site = storage::site::find(&store.db, installed.workspace_id(), site_id).await.unwrap();
        let lines = audited(store, &installed).await;
        assert_eq!(add(limit::IDENTITY_KEYS_MAX).await, Written::TooMany);
        let listed = identity_key::list(&store.db, installed.workspace_id(), site_id, NOW_MS).await;
        assert_eq!(listed.unwrap().len(), limit::IDENTITY_KEYS_MAX);
        assert_eq!(audited(store, &installed).await, lines);
        let after = storage::site::find(&store.db, installed.workspace_id(), site_id).await.unwrap();
        assert_eq!(after, site);
    }

    async fn a_site_has_so_many_secrets_of_a_kind_and_the_newest_stays(store: &Store) {
        let installed = store.installed().await;
        let (workspace_id, site_id) = (installed.workspace_id(), installed.installation.site.id);
        let first = &installed.installation.secrets[0];
        let change = installed.change("site.secret_rotated", site_id);
        let rotate = async || {
            let new = secret(&store.world, 8);
            let done = storage::site::rotate(&store.db, site_id, &new, NOW_MS + 50_000, &change).await;
            (new.id, done.unwrap())
        };
        let mut newest = first.id;
        for _ in 1..limit::SITE_SECRETS_MAX {
            let (id, made) = rotate().await;
            done(made);
            newest = id;
        }
        let site = storage::site::find(&store.db, workspace_id, site_id).await.unwrap();
        let lines = audited(store, &installed).await;
        let listed = async || storage::site::secrets(&store.db, workspace_id, site_id, NOW_MS).await.unwrap();
        let before = listed().await;
        assert_eq!(rotate().await.1, Written::TooMany);
        assert_eq!(listed().await, before, "none was added, and none lapses sooner");
        assert!(before.iter().any(|secret| secret.id == first.id), "the first is still accepted");
        assert_eq!(audited(store, &installed).await, lines);
        assert_eq!(storage::site::find(&store.db, workspace_id, site_id).await.unwrap(), site);

        // The others lapse by themselves, so without the newest there would soon be none.
        let drop = async |id| storage::site::drop_secret(&store.db, site_id, id, &change).await.unwrap();
        assert_eq!(drop(newest).await, Written::Refused);
        done(drop(first.id).await);
        done(rotate().await.1);
        done(drop(newest).await);
    }

    async fn a_team_has_so_many_open_invitations(store: &Store) {
        let installed = store.installed().await;
        let invite = async |email: &str| {
            let row = InvitationRow {
                invitation: Invitation {
                    id: store.world.ids.next(),
                    email: email.to_owned(),
                    role: Role::Agent,
                    expires_at_ms: NOW_MS + 10_000,
                    link: None,
                },
                workspace_id: installed.workspace_id(),
                token_hash: store.world.ids.bytes(),
            };
            let change = installed.change("invitation.created", row.invitation.id);
            let done = invitation::create(&store.db, &row, &change).await.unwrap();
            (row, done)
        };
        let (first, made) = invite("ana@example.com").await;
        done(made);
        lay(store, &installed, LAY_INVITATION, limit::INVITATIONS_MAX - 1).await;
        let scope = installed.scope(&store.world);
        let count = async || invitation::list(&store.db, &scope, NOW_MS).await.unwrap().len();
        let lines = audited(store, &installed).await;
        let (refused, made) = invite("bo@example.com").await;
        assert_eq!(made, Written::TooMany);
        let found = invitation::by_token(&store.db, &refused.token_hash, NOW_MS).await.unwrap();
        assert_eq!(found, None, "what is not listed opens nothing");
        assert_eq!(count().await, limit::INVITATIONS_MAX);
        assert_eq!(audited(store, &installed).await, lines);
        // A second one to the same address takes the place of the first.
        done(invite("ana@example.com").await.1);
        let found = invitation::by_token(&store.db, &first.token_hash, NOW_MS).await.unwrap();
        assert_eq!((found, count().await), (None, limit::INVITATIONS_MAX));
    }
}
