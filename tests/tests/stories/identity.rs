//! Who somebody is: proved, claimed, changed, given up. Nobody sees another's thread.

use loadtest::Error;
use loadtest::client::http::Call;
use loadtest::client::{Access, News, VisitorAccess};
use protocol::command::Command;
use protocol::frame::{ClientFrame, Follow};
use protocol::id::ConversationId;
use protocol::news::VisitorNews;
use protocol::rejection::ErrorCode;
use protocol::visitor::Claim;
use protocol::widget::VisitorHistory;
use serde_json::json;
use tests::person::message;
use tests::signing::{identity, web_token};
use tests::{Stack, Visitor};

tests::stories! {
    another_person_at_the_same_browser_sees_nothing_of_the_first
    logging_out_begins_as_somebody_new
    a_proved_customer_finds_the_thread_on_another_browser
    what_a_proved_customer_begins_on_one_browser_goes_on_in_the_other
    a_claim_is_shown_and_links_nothing
    an_identity_that_proves_nothing_is_refused
}

async fn history(stack: &Stack, visitor: &Visitor) -> VisitorHistory {
    let call = Call::get("/api/v1/visitor/history");
    let answer = stack.asks(&visitor.client.access().call(call)).await;
    answer.into_value().expect("a history")
}

/// Tries every door to a conversation that is not the visitor's.
async fn is_locked_out(stack: &Stack, visitor: &mut Visitor, id: ConversationId) {
    let follow = ClientFrame::Follow(Follow {
        conversation_id: id,
        position: None,
    });
    visitor
        .client
        .signal(&follow)
        .await
        .expect("the line is up");
    let refusal = |news: &News| match news {
        News::Visitor(VisitorNews::Error { problem }) => Some(problem.code),
        News::Visitor(_) | News::Agent(_) => None,
    };
    let code = visitor.client.hears("a refusal", refusal).await;
    assert_eq!(code.expect("it comes"), ErrorCode::NotFound);
    let refused = visitor.tries(message(Some(id), "let me in")).await;
    let refused = refused.expect_err("it is not his");
    assert_eq!(refused.code(), Some(ErrorCode::NotFound));
    let close = Command::Close {
        conversation_id: id,
    };
    let refused = visitor.tries(close).await.expect_err("it is not his");
    assert_eq!(refused.code(), Some(ErrorCode::NotFound));
    let path = format!("/api/v1/visitor/conversations/{id}/entries");
    let call = visitor.client.access().call(Call::get(path));
    assert_eq!(stack.asks(&call).await.status, 404);
    let shown = serde_json::to_string(&history(stack, visitor).await).expect("JSON");
    assert!(!shown.contains(&id.to_string()));
    assert!(visitor.client.log(id).is_none());
}

async fn another_person_at_the_same_browser_sees_nothing_of_the_first(stack: Stack) -> Stack {
    let secret = stack.site_secret().await;
    let now_ms = stack.world.clock.now_ms();
    let ana = identity(&secret, stack.site_key(), "ana", now_ms);
    let ben = identity(&secret, stack.site_key(), "ben", now_ms);
    let mut visitor = stack.visitor_with(Some(ana)).await;
    assert!(visitor.access().session.identified);
    visitor.connects().await;
    visitor.says("Ana's secret order").await;
    let id = visitor.conversation();
    let before = visitor.access().clone();

    // The page signs Ben in: the same browser, its token of before, another identity.
    let mut access = before.clone();
    access.identity = Some(ben);
    access.renew(&mut stack.http()).await.expect("a session");
    assert_ne!(
        access.visitor_id(),
        before.visitor_id(),
        "a person is not another"
    );
    let mut other = stack.tab_of(access);
    other.connects().await;
    is_locked_out(&stack, &mut other, id).await;
    other.says("Ben's question").await;
    assert_ne!(other.conversation(), id);

    // Ana's tab that is still open stays Ana's.
    visitor.says("still Ana").await;
    assert_eq!(visitor.conversation(), id);
    visitor.sees("still Ana").await;
    assert_eq!(visitor.screen(), ["Ana's secret order", "still Ana"]);
    stack.agree(id, &mut [&mut visitor.client]).await;
    stack
}

async fn logging_out_begins_as_somebody_new(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("my secret").await;
    let id = visitor.conversation();
    let token = visitor.access().session.token.clone();
    let body = json!({ "site_key": stack.site_key(), "token": token, "fresh": true });
    let call = Call::post("/api/v1/visitor/session", &body).header("origin", stack.origin());
    let session: protocol::widget::VisitorSession =
        stack.asks(&call).await.into_value().expect("a session");
    assert_ne!(session.visitor_id, visitor.id());
    let mut other = stack.tab_of(VisitorAccess {
        session,
        ..visitor.access().clone()
    });
    other.connects().await;
    is_locked_out(&stack, &mut other, id).await;

    // The token of before is worthless from here on, and its connection ends.
    let end = loop {
        match visitor.client.next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            end,
            Error::Closed {
                code: 4101 | 4203,
                ..
            }
        ),
        "{end}"
    );
    let refused = visitor
        .client
        .connect()
        .await
        .expect_err("the token is worthless");
    assert_eq!(refused.code(), Some(ErrorCode::Unauthenticated));
    stack
}

async fn a_proved_customer_finds_the_thread_on_another_browser(stack: Stack) -> Stack {
    let secret = stack.site_secret().await;
    let now_ms = stack.world.clock.now_ms();
    let exp_s = now_ms / 1_000 + 600;
    let ana = identity(&secret, stack.site_key(), "ana", now_ms);
    let mut visitor = stack.visitor_with(Some(ana)).await;
    visitor.connects().await;
    visitor.says("asked at home").await;
    let id = visitor.conversation();

    let elsewhere = web_token(&secret, "HS256", "ana", exp_s);
    let mut elsewhere = stack.visitor_with(Some(elsewhere)).await;
    elsewhere.connects().await;
    let found = history(&stack, &elsewhere).await;
    let threads: Vec<ConversationId> = found
        .conversations
        .iter()
        .map(|thread| thread.conversation.id)
        .collect();
    assert_eq!(threads, [id]);
    elsewhere.client.follow(id).await.expect("it is hers");
    elsewhere.sees("asked at home").await;
    stack
}

async fn what_a_proved_customer_begins_on_one_browser_goes_on_in_the_other(stack: Stack) -> Stack {
    let secret = stack.site_secret().await;
    let now_ms = stack.world.clock.now_ms();
    let proof = |customer| identity(&secret, stack.site_key(), customer, now_ms);
    let mut phone = stack.visitor_with(Some(proof("ana"))).await;
    let mut laptop = stack.visitor_with(Some(proof("ana"))).await;
    let mut stranger = stack.visitor_with(Some(proof("ben"))).await;
    for visitor in [&mut phone, &mut laptop, &mut stranger] {
        visitor.connects().await;
    }
    phone.says("asked on the way").await;
    laptop.sees("asked on the way").await;
    let mut agent = stack.agent().await;
    let id = phone.conversation();
    agent.says(id, "answered at once").await;
    laptop.sees("answered at once").await;
    laptop.says("thanks, from home").await;
    phone.sees("thanks, from home").await;
    is_locked_out(&stack, &mut stranger, id).await;
    stack
}

async fn a_claim_is_shown_and_links_nothing(stack: Stack) -> Stack {
    let claim = |email: &str| Command::Identify {
        claim: Claim {
            name: Some("Ana".to_owned()),
            email: Some(email.to_owned()),
            ..Claim::default()
        },
    };
    let mut first = stack.visitor().await;
    first
        .tries(claim("ana@example.com"))
        .await
        .expect("anybody may claim");
    first.says("I am Ana").await;
    let mut second = stack.visitor().await;
    second
        .tries(claim("ana@example.com"))
        .await
        .expect("anybody may claim");
    is_locked_out(&stack, &mut second, first.conversation()).await;

    let agent = stack.agent().await;
    let entries = stack.stored(first.conversation()).await;
    let protocol::entry::Author::Visitor { contact_id, .. } = entries[0].author else {
        panic!("the visitor wrote it");
    };
    let call = agent
        .access()
        .call(Call::get(format!("/api/v1/contacts/{contact_id}")));
    let contact: protocol::contact::Contact =
        stack.asks(&call).await.into_value().expect("a contact");
    assert_eq!(contact.email.as_deref(), Some("ana@example.com"));
    let claimed = contact
        .identities
        .iter()
        .filter(|identity| identity.value == "ana@example.com");
    assert!(claimed.clone().count() == 1);
    assert!(
        claimed
            .clone()
            .all(|identity| identity.verified_at_ms.is_none())
    );
    stack
}

async fn an_identity_that_proves_nothing_is_refused(stack: Stack) -> Stack {
    let secret = stack.site_secret().await;
    let now_ms = stack.world.clock.now_ms();
    let now_s = now_ms / 1_000;
    let good = identity(&secret, stack.site_key(), "ana", now_ms);
    let mut tampered = good.clone();
    tampered.insert(3, 'A');
    let foreign = protocol::id::Id::from_bits(7);
    let bad = [
        tampered,
        identity("another secret", stack.site_key(), "ana", now_ms),
        identity(&secret, foreign, "ana", now_ms),
        identity(&secret, stack.site_key(), "ana", now_ms - 3_600_000),
        web_token(&secret, "none", "ana", now_s + 600),
        web_token(&secret, "HS512", "ana", now_s + 600),
        web_token(&secret, "HS256", "ana", now_s - 600),
        "nonsense".to_owned(),
        "x".repeat(5_000),
    ];
    for token in bad {
        let body = json!({ "site_key": stack.site_key(), "identity": token });
        let call = Call::post("/api/v1/visitor/session", &body).header("origin", stack.origin());
        let refused = stack
            .asks(&call)
            .await
            .into_body()
            .expect_err("it proves nothing");
        assert_eq!(refused.code(), Some(ErrorCode::IdentityInvalid), "{token}");
    }
    let visitor = stack.visitor_with(Some(good)).await;
    assert!(matches!(visitor.client.access(), Access::Visitor(_)));
    assert!(visitor.access().session.identified);
    stack
}
