//! Canned responses: who sees and changes which.

use protocol::canned_response::{CannedResponse, CannedResponseChange, NewCannedResponse, Whose};
use protocol::id::CannedResponseId;
use protocol::key::NewApiKey;
use protocol::limit;
use protocol::permission::{Actor, Permission, Role};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::{Body, Name};

use crate::office::{Office, code, on_both, refused};

fn new(whose: Whose, nickname: &str, body: &str) -> NewCannedResponse {
    NewCannedResponse {
        whose,
        nickname: Some(nickname.to_owned()),
        body: Body::parse(body).unwrap(),
    }
}

fn text(body: &str) -> CannedResponseChange {
    CannedResponseChange {
        nickname: None,
        body: Some(Body::parse(body).unwrap()),
    }
}

async fn make(
    office: &Office,
    actor: &Actor,
    new: &NewCannedResponse,
) -> desk::Result<CannedResponse> {
    office.desk.create_canned_response(actor, new, None).await
}

async fn change(
    office: &Office,
    actor: &Actor,
    id: CannedResponseId,
    new: &CannedResponseChange,
) -> desk::Result<CannedResponse> {
    let desk = &office.desk;
    desk.change_canned_response(actor, id, 1, new, None).await
}

async fn seen(office: &Office, actor: &Actor) -> Vec<CannedResponseId> {
    let listed = office.desk.canned_responses(actor).await.unwrap();
    listed.into_iter().map(|one| one.id).collect()
}

#[tokio::test]
async fn the_teams_are_the_admins_and_ones_own_nobody_elses() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (bob, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let (ana, _) = office.member(&owner, "ana@example.com", Role::Agent).await;
        let desk = &office.desk;
        let team = make(office, &owner, &new(Whose::Team, "hi", "Hello.")).await;
        let team = team.unwrap();
        let own = make(office, &bob, &new(Whose::Own, "hi", "Howdy.")).await;
        let own = own.unwrap();
        assert_eq!((team.agent_id, own.agent_id.is_some()), (None, true));
        assert_eq!(seen(office, &bob).await.len(), 2);
        for other in [&owner, &ana] {
            assert_eq!(seen(office, other).await, [team.id]);
            // It looks like nothing, whatever he may.
            let changed = change(office, other, own.id, &text("mine")).await;
            assert_eq!(code(changed), ErrorCode::NotFound);
            let removed = desk.remove_canned_response(other, own.id, None).await;
            assert_eq!(code(removed), ErrorCode::NotFound);
        }
        let made = make(office, &bob, &new(Whose::Team, "yo", "Yo.")).await;
        assert_eq!(code(made), ErrorCode::Forbidden);
        let changed = change(office, &bob, team.id, &text("Yo.")).await;
        assert_eq!(code(changed), ErrorCode::Forbidden);
        let removed = desk.remove_canned_response(&bob, team.id, None).await;
        assert_eq!(code(removed), ErrorCode::Forbidden);

        let changed = change(office, &owner, team.id, &text("Good day.")).await;
        assert_eq!(changed.unwrap().body, "Good day.");
        let late = change(office, &owner, team.id, &text("Late.")).await;
        assert_eq!(code(late), ErrorCode::VersionConflict);
        desk.remove_canned_response(&bob, own.id, None)
            .await
            .unwrap();
        desk.remove_canned_response(&owner, team.id, None)
            .await
            .unwrap();
        assert!(seen(office, &bob).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_program_makes_the_teams_and_sees_no_others() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let own = make(office, &owner, &new(Whose::Own, "mine", "Mine.")).await;
        let own = own.unwrap();
        let key = NewApiKey {
            name: Name::parse("shop").unwrap(),
            scopes: vec![Permission::ConversationsRead, Permission::CannedWrite],
            expires_at_ms: None,
        };
        let key = office.desk.create_key(&owner, &key, None).await.unwrap();
        let program = office.desk.key_actor(&key.key.unwrap()).await.unwrap();
        let program = program.expect("the key is alive");
        let made = make(office, &program, &new(Whose::Team, "hi", "Hello.")).await;
        assert_eq!(seen(office, &program).await, [made.unwrap().id]);
        let kept = make(office, &program, &new(Whose::Own, "me", "Me.")).await;
        let wanted = Rejection::of(ErrorCode::Forbidden, "whose");
        assert_eq!(refused(kept), wanted);
        let changed = change(office, &program, own.id, &text("x")).await;
        assert_eq!(code(changed), ErrorCode::NotFound);
    })
    .await;
}

#[tokio::test]
async fn what_is_too_long_or_taken_is_refused_by_name() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let long_name = "x".repeat(limit::NICKNAME_BYTES_MAX + 1);
        let long_text = "x".repeat(limit::CANNED_BODY_BYTES_MAX + 1);
        let longest = new(Whose::Team, &long_name[1..], &long_text[1..]);
        let made = make(office, &owner, &longest).await.unwrap();
        let check = async |nickname: &str, body: &str, wanted: Rejection| {
            let made = make(office, &owner, &new(Whose::Team, nickname, body)).await;
            assert_eq!(refused(made), wanted);
        };
        let of = |code, field: &'static str| Rejection::of(code, field);
        check(&long_name, "x", of(ErrorCode::TooLong, "nickname")).await;
        check("ok", &long_text, of(ErrorCode::TooLong, "body")).await;
        check("two words", "x", of(ErrorCode::Invalid, "nickname")).await;
        let taken = &long_name[1..];
        check(taken, "x", of(ErrorCode::AlreadyExists, "nickname")).await;
        let changed = change(office, &owner, made.id, &text(&long_text)).await;
        assert_eq!(refused(changed), of(ErrorCode::TooLong, "body"));
        assert_eq!(seen(office, &owner).await, [made.id], "nothing changed");
    })
    .await;
}

#[tokio::test]
async fn the_log_says_who_changed_which_and_no_text() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let team = make(office, &owner, &new(Whose::Team, "hi", "Hello.")).await;
        let own = make(office, &owner, &new(Whose::Own, "secret", "Hush.")).await;
        let own = own.unwrap();
        let same = change(office, &owner, own.id, &text("Hush.")).await;
        assert_eq!(same.unwrap().version, 1, "what is the same is no change");
        let lines: Vec<_> = office
            .audit(&owner)
            .await
            .into_iter()
            .filter(|line| line.action == "canned_response.created")
            .collect();
        assert_eq!(lines.len(), 2);
        let told = serde_json::to_string(&lines).unwrap();
        for hidden in ["Hello.", "Hush.", "secret"] {
            assert!(!told.contains(hidden), "{told}");
        }
        let id = team.unwrap().id.to_string();
        let line = lines.iter().find(|line| line.target == id).unwrap();
        assert_eq!(line.names[&id], "hi");
        assert_eq!(line.fields, ["nickname", "body"]);
    })
    .await;
}
