//! The team: invitations, roles, leaving.

use protocol::agent::AgentChange;
use protocol::id::AgentId;
use protocol::permission::{Actor, Permission, Principal, Role};
use protocol::rejection::ErrorCode;
use protocol::text::Name;
use protocol::workspace::{Settings, Workspace, WorkspaceChange};
use router::Topic;

use crate::office::{Office, PASSWORD, acceptance, caller, code, invitation, on_both, refused};

const DAY: u64 = 24 * 60 * 60;

fn id(actor: &Actor) -> AgentId {
    match actor.principal {
        Principal::Agent(agent) => agent.agent_id,
        Principal::Key(_) | Principal::System | Principal::Visitor(_) => panic!("an agent"),
    }
}

fn to(role: Role) -> AgentChange {
    AgentChange {
        role: Some(role),
        ..AgentChange::default()
    }
}

/// In no order, and one of them twice.
const GRANTS: [Permission; 3] = [
    Permission::AuditRead,
    Permission::SitesWrite,
    Permission::AuditRead,
];

fn granting(grants: &[Permission]) -> AgentChange {
    AgentChange {
        grants: Some(grants.to_vec()),
        ..AgentChange::default()
    }
}

fn off(deactivated: bool) -> AgentChange {
    AgentChange {
        deactivated: Some(deactivated),
        ..AgentChange::default()
    }
}

#[tokio::test]
async fn an_invitation_works_once_within_seven_days() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let new = invitation("ana@example.com", Role::Agent);
        let invited = office.desk.invite(&owner, &new, None).await.unwrap();
        let offer = office.desk.invitation_offer(&invited.token).await.unwrap();
        assert_eq!((offer.role, offer.has_account), (Role::Agent, false));
        assert_eq!(offer.workspace_name, "Kovač & Co");
        let at = caller("192.0.2.2");
        let accept = acceptance(&invited.token);
        let signed_in = office.desk.accept_invitation(&accept, &at).await.unwrap();
        assert_eq!(signed_in.me.memberships[0].role, Role::Agent);
        let again = office.desk.accept_invitation(&accept, &at).await;
        assert_eq!(code(again), ErrorCode::LinkInvalid);
        let new = invitation("bob@example.com", Role::Agent);
        let late = office.desk.invite(&owner, &new, None).await.unwrap();
        office.wait(7 * DAY + 1);
        let offer = office.desk.invitation_offer(&late.token).await;
        assert_eq!(code(offer), ErrorCode::LinkInvalid);
        let accepted = office
            .desk
            .accept_invitation(&acceptance(&late.token), &at)
            .await;
        assert_eq!(code(accepted), ErrorCode::LinkInvalid);
    })
    .await;
}

#[tokio::test]
async fn two_who_accept_at_once_are_one() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let new = invitation("ana@example.com", Role::Agent);
        let invited = office.desk.invite(&owner, &new, None).await.unwrap();
        let accept = acceptance(&invited.token);
        let at = caller("192.0.2.2");
        let (first, second) = tokio::join!(
            office.desk.accept_invitation(&accept, &at),
            office.desk.accept_invitation(&accept, &at),
        );
        assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1);
        assert_eq!(office.desk.agents(&owner).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_or_replaced_link_is_void() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let new = invitation("ana@example.com", Role::Agent);
        let first = office.desk.invite(&owner, &new, None).await.unwrap();
        let second = office.desk.invite(&owner, &new, None).await.unwrap();
        assert_eq!(
            code(office.desk.invitation_offer(&first.token).await),
            ErrorCode::LinkInvalid
        );
        let open = office.desk.invitations(&owner).await.unwrap();
        assert_eq!(open.len(), 1);
        assert!(open[0].link.is_none());
        office
            .desk
            .revoke_invitation(&owner, second.invitation.id, None)
            .await
            .unwrap();
        let gone = office
            .desk
            .revoke_invitation(&owner, second.invitation.id, None)
            .await;
        assert_eq!(code(gone), ErrorCode::NotFound);
        let accept = acceptance(&second.token);
        let late = office
            .desk
            .accept_invitation(&accept, &caller("192.0.2.2"))
            .await;
        assert_eq!(code(late), ErrorCode::LinkInvalid);
        assert_eq!(
            code(office.desk.invitation_offer("sbv_x").await),
            ErrorCode::LinkInvalid
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_invites_above_himself_or_a_member_again() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (admin, _) = office.member(&owner, "ana@example.com", Role::Admin).await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        for (by, role) in [
            (&admin, Role::Owner),
            (&agent, Role::Owner),
            (&agent, Role::Agent),
        ] {
            let new = invitation("eve@example.com", role);
            assert_eq!(
                code(office.desk.invite(by, &new, None).await),
                ErrorCode::Forbidden
            );
        }
        assert_eq!(
            code(office.desk.invitations(&agent).await),
            ErrorCode::Forbidden
        );
        let again = invitation("BOB@example.com", Role::Agent);
        let refusal = refused(office.desk.invite(&admin, &again, None).await);
        assert_eq!(
            (refusal.code, refusal.field.as_deref()),
            (ErrorCode::AlreadyExists, Some("email"))
        );
    })
    .await;
}

#[tokio::test]
async fn an_account_that_exists_proves_itself_by_its_password() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        // Somebody whose account exists without a place in this team: removed from another's.
        let (ana, _) = office.member(&owner, "ana@example.com", Role::Agent).await;
        office
            .desk
            .change_agent(&owner, id(&ana), 1, &off(true), None)
            .await
            .unwrap();
        let back = invitation("ana@example.com", Role::Agent);
        assert_eq!(
            code(office.desk.invite(&owner, &back, None).await),
            ErrorCode::AlreadyExists,
            "a deactivated member is taken back by reactivating"
        );
        office
            .desk
            .change_agent(&owner, id(&ana), 2, &off(false), None)
            .await
            .unwrap();
        assert!(
            office
                .log_in("ana@example.com", PASSWORD, "192.0.2.2")
                .await
                .is_ok()
        );
    })
    .await;
}

#[tokio::test]
async fn roles_cannot_be_escalated() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (admin, _) = office.member(&owner, "ana@example.com", Role::Admin).await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        for (by, target, change) in [
            (&agent, &agent, to(Role::Admin)),
            (&agent, &admin, off(true)),
            (&agent, &owner, off(true)),
            (&admin, &admin, to(Role::Owner)),
            (&admin, &agent, to(Role::Owner)),
            (&admin, &owner, to(Role::Agent)),
            (&admin, &owner, off(true)),
        ] {
            let answer = office
                .desk
                .change_agent(by, id(target), 1, &change, None)
                .await;
            assert_eq!(code(answer), ErrorCode::Forbidden, "{change:?}");
        }
        let team = office.desk.agents(&owner).await.unwrap();
        assert!(
            team.iter()
                .all(|agent| agent.version == 1 && !agent.deactivated)
        );
        let raised = office
            .desk
            .change_agent(&admin, id(&agent), 1, &to(Role::Admin), None)
            .await;
        assert_eq!(raised.unwrap().role, Role::Admin);
    })
    .await;
}

#[tokio::test]
async fn the_last_owner_stays_also_when_two_leave_at_once() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        for change in [to(Role::Admin), off(true)] {
            let answer = office
                .desk
                .change_agent(&owner, id(&owner), 1, &change, None)
                .await;
            assert_eq!(code(answer), ErrorCode::LastOwner);
        }
        let (second, _) = office.member(&owner, "ana@example.com", Role::Owner).await;
        let change = to(Role::Agent);
        let (one, two) = tokio::join!(
            office
                .desk
                .change_agent(&owner, id(&owner), 1, &change, None),
            office
                .desk
                .change_agent(&second, id(&second), 1, &change, None),
        );
        assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
        let team = office.desk.agents(&owner).await.unwrap();
        assert_eq!(
            team.iter()
                .filter(|agent| agent.role == Role::Owner)
                .count(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn who_is_deactivated_is_out_at_once() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (ana, signed_in) = office.member(&owner, "ana@example.com", Role::Agent).await;
        let (deliveries, inbox) = flume::bounded(64);
        let shard = office.router.register_shard(deliveries);
        let topic = Topic::Session(signed_in.session.session_id);
        office.router.subscribe(shard, topic);
        let gone = office
            .desk
            .change_agent(&owner, id(&ana), 1, &off(true), None)
            .await
            .unwrap();
        assert!(gone.deactivated);
        assert!(
            office
                .desk
                .session(&signed_in.secret)
                .await
                .unwrap()
                .is_none()
        );
        let answer = office.desk.agent_actor(&signed_in.session, None).await;
        assert_eq!(code(answer), ErrorCode::Forbidden);
        office.sees_closed(&inbox, topic).await;
        let audit = office.audit(&owner).await;
        assert_eq!(audit[0].action, "agent.deactivated");
        assert_eq!(audit[0].fields, ["deactivated"]);
    })
    .await;
}

#[tokio::test]
async fn a_grant_counts_at_once_and_its_end_ends_the_connections() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (bob, signed_in) = office.member(&owner, "bob@example.com", Role::Agent).await;
        assert!(bob.may(Permission::SitesWrite).is_err());
        let granted = office
            .desk
            .change_agent(&owner, id(&bob), 1, &granting(&GRANTS), None)
            .await
            .unwrap();
        assert_eq!(
            granted.grants,
            [Permission::SitesWrite, Permission::AuditRead],
            "each once, in order"
        );
        let now = office.actor(&signed_in).await;
        assert!(now.may(Permission::SitesWrite).is_ok() && now.may(Permission::TeamWrite).is_err());
        let team = office.desk.agents(&owner).await.unwrap();
        let listed = team.iter().find(|agent| agent.id == id(&bob)).unwrap();
        assert_eq!(listed.grants, granted.grants);
        let audit = office.audit(&owner).await;
        assert_eq!(audit[0].fields, ["grants"]);
        assert_eq!(
            audit[0].changes_json.as_deref(),
            Some(r#"{"grants":[[],["sites.write","audit.read"]]}"#)
        );
        let (deliveries, inbox) = flume::bounded(64);
        let shard = office.router.register_shard(deliveries);
        let topic = Topic::Agent(id(&bob));
        office.router.subscribe(shard, topic);
        let revoked = office
            .desk
            .change_agent(&owner, id(&bob), 2, &granting(&[]), None)
            .await
            .unwrap();
        assert!(revoked.grants.is_empty());
        office.sees_closed(&inbox, topic).await;
        let now = office.actor(&signed_in).await;
        assert!(now.may(Permission::SitesWrite).is_err());
    })
    .await;
}

#[tokio::test]
async fn a_change_needs_the_newest_version_and_a_real_member() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let named = AgentChange {
            name: Some(Name::parse("Olga K.").unwrap()),
            ..AgentChange::default()
        };
        let me = id(&owner);
        let changed = office
            .desk
            .change_agent(&owner, me, 1, &named, None)
            .await
            .unwrap();
        assert_eq!((changed.version, changed.name.as_str()), (2, "Olga K."));
        let stale = office.desk.change_agent(&owner, me, 1, &named, None).await;
        assert_eq!(code(stale), ErrorCode::VersionConflict);
        let same = office
            .desk
            .change_agent(&owner, me, 2, &named, None)
            .await
            .unwrap();
        assert_eq!(same.version, 2, "what changes nothing stores nothing");
        let zone = AgentChange {
            time_zone: Some("<script>".to_owned()),
            ..AgentChange::default()
        };
        let refusal = refused(office.desk.change_agent(&owner, me, 2, &zone, None).await);
        assert_eq!(refusal.field.as_deref(), Some("time_zone"));
        let unknown: AgentId = office.world.ids.next();
        let nobody = office
            .desk
            .change_agent(&owner, unknown, 1, &named, None)
            .await;
        assert_eq!(code(nobody), ErrorCode::NotFound);
    })
    .await;
}

#[tokio::test]
async fn an_agent_sees_names_and_not_the_affairs_of_admins() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        assert_eq!(office.desk.agents(&agent).await.unwrap().len(), 2);
        for hidden in [
            Permission::TeamWrite,
            Permission::KeysWrite,
            Permission::AuditRead,
            Permission::SitesWrite,
            Permission::SettingsWrite,
            Permission::ContactsErase,
        ] {
            assert!(agent.may(hidden).is_err(), "{hidden:?}");
        }
    })
    .await;
}

async fn set_single_owner(
    office: &Office,
    by: &Actor,
    single_owner: bool,
) -> desk::Result<Workspace> {
    let workspace = office.desk.workspace(by).await.unwrap();
    let change = WorkspaceChange {
        settings: Some(Settings {
            single_owner,
            ..workspace.settings
        }),
        ..WorkspaceChange::default()
    };
    office
        .desk
        .change_workspace(by, workspace.version, &change, None)
        .await
}

async fn owners(office: &Office, by: &Actor) -> Vec<AgentId> {
    let mut team = office.desk.agents(by).await.unwrap();
    team.retain(|agent| agent.role == Role::Owner);
    team.into_iter().map(|agent| agent.id).collect()
}

#[tokio::test]
async fn a_single_owner_hands_over_to_whom_he_makes_one_or_invites_as_one() {
    on_both(async |office| {
        let (first, first_session) = office.owner().await;
        let (ana, ana_session) = office.member(&first, "ana@example.com", Role::Admin).await;
        let refused = set_single_owner(office, &ana, true).await;
        assert_eq!(code(refused), ErrorCode::Forbidden);
        set_single_owner(office, &first, true).await.unwrap();
        let made = office
            .desk
            .change_agent(&first, id(&ana), 1, &to(Role::Owner), None)
            .await;
        assert_eq!(made.unwrap().role, Role::Owner);
        assert_eq!(owners(office, &first).await, [id(&ana)]);
        // What he may from now on is an admin's.
        let first = office.actor(&first_session).await;
        assert!(first.may(Permission::OwnerOnly).is_err());
        assert!(first.may(Permission::TeamWrite).is_ok());
        let ana = office.actor(&ana_session).await;
        let (bob, _) = office.member(&ana, "bob@example.com", Role::Owner).await;
        assert_eq!(owners(office, &bob).await, [id(&bob)]);
        let log = office.audit(&bob).await;
        let demoted: Vec<_> = log
            .iter()
            .filter(|line| {
                line.action == "agent.changed"
                    && line.changes_json.as_deref() == Some(r#"{"role":["owner","admin"]}"#)
            })
            .map(|line| line.target.clone())
            .collect();
        assert_eq!(demoted, [id(&ana).to_string(), id(&first).to_string()]);
        // Without the setting there may be several.
        set_single_owner(office, &bob, false).await.unwrap();
        let (eve, _) = office.member(&bob, "eve@example.com", Role::Owner).await;
        let mut all = owners(office, &eve).await;
        all.sort();
        let mut both = [id(&bob), id(&eve)];
        both.sort();
        assert_eq!(all, both);
    })
    .await;
}
