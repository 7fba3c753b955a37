//! A team: two agents in one conversation, the inbox, snoozing and waking, the live visitor list.

use http::Method;
use loadtest::client::News;
use loadtest::client::http::Call;
use protocol::canned_response::CannedResponse;
use protocol::command::Command;
use protocol::conversation::State;
use protocol::frame::{ClientFrame, Watch};
use protocol::id::{CannedResponseId, ConversationId};
use protocol::news::{AgentNews, VisitorNews};
use protocol::page::Page;
use protocol::view::{InboxFilter, InboxList, ViewName, VisitorList};
use serde_json::json;
use tests::person::draft;
use tests::{Agent, Stack};

tests::stories! {
    two_agents_see_the_same_and_each_other
    the_inbox_is_live
    what_calls_is_heard_whichever_list_is_open
    a_snoozed_conversation_wakes_by_time_and_by_word
    what_a_visitor_says_after_the_end_goes_on
    where_the_site_says_so_the_end_is_taken_back
    the_visitor_list_is_live_and_an_agent_starts_the_chat
    who_was_away_is_told_how_the_widget_looks_now
    a_canned_response_is_told_to_every_agent_and_to_no_visitor
}

async fn two_agents_see_the_same_and_each_other(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut mira = stack.agent().await;
    let mut jon = stack.colleague("Jon").await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    mira.opens(id).await;
    jon.opens(id).await;
    for agent in [&mut mira, &mut jon] {
        let viewing = ClientFrame::Viewing {
            conversation_id: Some(id),
        };
        agent.signals(viewing).await;
    }
    let both = |news: &News| match news {
        News::Agent(AgentNews::Viewing { agent_ids, .. }) => (agent_ids.len() == 2).then_some(()),
        News::Agent(_) | News::Visitor(_) => None,
    };
    mira.client
        .hears("that both look", both)
        .await
        .expect("it comes");

    mira.notes(id, "a good customer").await;
    for round in 0..10 {
        let one = tests::person::message(Some(id), &format!("Mira {round}"));
        let two = tests::person::message(Some(id), &format!("Jon {round}"));
        let one = mira.client.send(one).await;
        let two = jon.client.send(two).await;
        mira.client.outcome(&one).await.expect("accepted");
        jon.client.outcome(&two).await.expect("accepted");
    }
    let assign = Command::Assign {
        conversation_id: id,
        agent_id: Some(jon.access().agent_id),
    };
    mira.does(assign.clone()).await;
    // Assigning to whom it is assigned changes nothing and makes no entry.
    assert_eq!(mira.does(assign).await.entry_id, None);
    let stored = stack.stored(id).await;
    let last = stored.last().expect("it is not empty").seq;
    mira.has(id, last).await;
    jon.has(id, last).await;
    let public = stored.iter().filter_map(|entry| entry.public_seq).max();
    visitor.has(public.expect("messages are visible")).await;
    assert_eq!(mira.screen(id), jon.screen(id));
    stack
        .agree(
            id,
            &mut [&mut visitor.client, &mut mira.client, &mut jon.client],
        )
        .await;
    stack
}

/// Reads on until a row of the inbox is as it should be.
async fn row(
    agent: &mut Agent,
    id: ConversationId,
    what: &str,
    is_it: impl Fn(&protocol::conversation::Conversation) -> bool,
) {
    let found = |news: &News| match news {
        News::Agent(AgentNews::Inbox { rows, .. } | AgentNews::InboxChanges { rows, .. }) => rows
            .iter()
            .any(|row| row.id == id && is_it(row))
            .then_some(()),
        News::Agent(_) | News::Visitor(_) => None,
    };
    agent.client.hears(what, found).await.expect(what);
}

async fn the_inbox_is_live(stack: Stack) -> Stack {
    let mut agent = stack.agent().await;
    let watch = Watch::Inbox(InboxFilter::All.into());
    agent.client.watch(watch).await.expect("the line is up");
    let empty = |news: &News| match news {
        News::Agent(AgentNews::Inbox { rows, counts, .. }) => Some((rows.len(), counts.all)),
        News::Agent(_) | News::Visitor(_) => None,
    };
    let counts = agent.client.hears("the empty list", empty).await;
    assert_eq!(counts.expect("it comes"), (0, 0));

    let mut visitor = stack.visitor().await;
    visitor.says("is the list live?").await;
    let id = visitor.conversation();
    row(&mut agent, id, "a row with a preview", |row| {
        row.preview
            .as_ref()
            .is_some_and(|preview| preview.text == "is the list live?")
    })
    .await;

    // Closing takes it out of this list.
    agent
        .does(Command::Close {
            conversation_id: id,
        })
        .await;
    let gone = |news: &News| match news {
        News::Agent(AgentNews::InboxChanges { gone, counts, .. }) => {
            let is_empty = counts.is_some_and(|counts| counts.all == 0);
            (gone.iter().any(|row| row.id == id) && is_empty).then_some(())
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    agent
        .client
        .hears("that the row goes", gone)
        .await
        .expect("it goes");
    stack
}

async fn what_calls_is_heard_whichever_list_is_open(stack: Stack) -> Stack {
    let mut agent = stack.agent().await;
    let mine = InboxList::from(InboxFilter::Mine);
    let all = InboxList::from(InboxFilter::All);
    for watch in [Watch::Inbox(mine), Watch::Notices(all)] {
        agent.client.watch(watch).await.expect("the line is up");
    }
    let mut visitor = stack.visitor().await;
    visitor.says("does anybody hear?").await;
    let id = visitor.conversation();
    row(&mut agent, id, "a row of nobody's", |row| {
        row.assignee_id.is_none()
    })
    .await;

    // The open list is the one that calls, too, and goes on when one of the two is left.
    agent
        .client
        .watch(Watch::Inbox(all))
        .await
        .expect("the line is up");
    let whole = |news: &News| match news {
        News::Agent(AgentNews::Inbox { list, rows, .. }) => {
            (*list == all).then(|| rows.iter().any(|row| row.id == id))
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    let has_row = agent.client.hears("the whole list", whole).await;
    assert!(
        has_row.expect("it comes"),
        "the open list lacks what called"
    );
    for (left, text) in [
        (ViewName::Inbox, "still there?"),
        (ViewName::Notices, "and now?"),
    ] {
        visitor.says(text).await;
        row(&mut agent, id, text, |row| {
            row.preview
                .as_ref()
                .is_some_and(|preview| preview.text == text)
        })
        .await;
        let left = ClientFrame::Unwatch { view: left };
        agent.client.signal(&left).await.expect("the line is up");
    }
    stack
}

async fn a_snoozed_conversation_wakes_by_time_and_by_word(mut stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("remind me").await;
    let id = visitor.conversation();
    agent.opens(id).await;

    // By the customer's next word.
    let tomorrow = stack.world.clock.now_ms() + 86_400_000;
    let snooze = |until_ms| Command::Snooze {
        conversation_id: id,
        until_ms,
    };
    agent.does(snooze(tomorrow)).await;
    agent.sees_kind(id, "snoozed").await;
    visitor.says("never mind tomorrow").await;
    agent.sees_kind(id, "reopened").await;

    // By time, also when the server was down meanwhile. So far ahead that it is ahead when it is stored.
    agent
        .does(snooze(stack.world.clock.now_ms() + 10_000))
        .await;
    stack.restarts().await;
    let woken = |client: &loadtest::client::Client| {
        let lines = client.log(id)?.lines().iter();
        let kind = loadtest::client::Said::Other("reopened");
        (lines.filter(|line| line.said == kind).count() == 2).then_some(())
    };
    agent
        .client
        .until("that it wakes", woken)
        .await
        .expect("it wakes");
    let stored = stack.stored(id).await;
    let last = stored.iter().filter_map(|entry| entry.public_seq).max();
    visitor.has(last.expect("messages are visible")).await;
    stack
        .agree(id, &mut [&mut visitor.client, &mut agent.client])
        .await;
    stack
}

async fn what_a_visitor_says_after_the_end_goes_on(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("one thing").await;
    let first = visitor.conversation();
    agent.opens(first).await;
    agent
        .does(Command::Close {
            conversation_id: first,
        })
        .await;
    let watch = Watch::Inbox(InboxFilter::All.into());
    agent.client.watch(watch).await.expect("the line is up");
    visitor.says("one more thing").await;
    let second = visitor.conversation();
    assert_ne!(first, second, "a new conversation begins after the end");
    row(&mut agent, second, "the row names the one before", |row| {
        row.previous_id == Some(first) && row.state == State::Open
    })
    .await;
    // One is open at a time: the old one can go on when the new one is over.
    let reopen = Command::Reopen {
        conversation_id: first,
    };
    agent
        .tries(reopen.clone())
        .await
        .expect_err("another one is open");
    let close = Command::Close {
        conversation_id: second,
    };
    agent.does(close).await;
    agent.does(reopen).await;
    agent.sees_kind(first, "reopened").await;
    stack.agree(first, &mut [&mut agent.client]).await;
    stack
}

/// Changes what a message after the end does, as the owner would.
async fn site_changes(stack: &Stack, agent: &Agent, change: &serde_json::Value) {
    let path = format!("/api/v1/sites/{}", stack.site_key());
    let get = agent.access().call(Call::get(&path));
    let site: protocol::site::Site = stack.asks(&get).await.into_value().expect("it exists");
    let patch = Call::new(http::Method::PATCH, path)
        .json(change)
        .header("if-match", format!("\"{}\"", site.version));
    let answer = stack.asks(&agent.access().call(patch)).await;
    answer.into_body().expect("the owner may");
}

async fn who_was_away_is_told_how_the_widget_looks_now(stack: Stack) -> Stack {
    let agent = stack.agent().await;
    let mut there = stack.visitor().await;
    // One lost his line, the other has a session and no line yet.
    let mut away = stack.visitor().await;
    away.client.cut();
    let mut late = stack.visitor_with(None).await;
    let change = json!({ "identity_required": true });
    site_changes(&stack, &agent, &change).await;
    let told = |news: &News| match news {
        News::Visitor(VisitorNews::Config(config)) => config.identity_required.then_some(()),
        News::Visitor(_) | News::Agent(_) => None,
    };
    there.client.hears("it", told).await.expect("as it happens");
    for visitor in [&mut away, &mut late] {
        visitor.connects().await;
        let heard = visitor.client.hears("it", told).await;
        heard.expect("with his welcome");
    }
    stack
}

async fn where_the_site_says_so_the_end_is_taken_back(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    let change = json!({ "after_close": "reopen", "reopen_within_ms": 3_600_000 });
    site_changes(&stack, &agent, &change).await;
    visitor.says("one thing").await;
    let first = visitor.conversation();
    agent.opens(first).await;
    let close = |conversation_id| Command::Close { conversation_id };
    agent.does(close(first)).await;
    let watch = Watch::Inbox(InboxFilter::All.into());
    agent.client.watch(watch).await.expect("the line is up");
    // Within the time, the same conversation goes on: for the visitor, the team, and in the list.
    visitor.says("one more thing").await;
    assert_eq!(visitor.conversation(), first);
    agent.sees(first, "one more thing").await;
    // He follows it anew, and reads it after his message was taken.
    visitor.sees("one more thing").await;
    row(&mut agent, first, "it is open again", |row| {
        row.state == State::Open
    })
    .await;
    let stored = stack.stored(first).await;
    let kinds: Vec<_> = stored.iter().map(|entry| entry.content.kind()).collect();
    assert_eq!(kinds, ["message", "closed", "reopened", "message"]);
    assert_eq!(visitor.screen(), ["one thing", "one more thing"]);
    stack
        .agree(first, &mut [&mut visitor.client, &mut agent.client])
        .await;

    // A minute is over as soon as it is none.
    site_changes(&stack, &agent, &json!({ "reopen_within_ms": 0 })).await;
    agent.does(close(first)).await;
    visitor.says("another thing").await;
    let second = visitor.conversation();
    assert_ne!(second, first, "too late for the old one");
    row(&mut agent, second, "the row names the one before", |row| {
        row.previous_id == Some(first)
    })
    .await;
    agent.opens(second).await;
    stack
        .agree(second, &mut [&mut visitor.client, &mut agent.client])
        .await;
    stack
}

async fn the_visitor_list_is_live_and_an_agent_starts_the_chat(stack: Stack) -> Stack {
    let mut agent = stack.agent().await;
    let watch = Watch::Visitors(VisitorList::default());
    agent.client.watch(watch).await.expect("the line is up");
    let mut visitor = stack.visitor().await;
    let visitor_id = visitor.id();
    let here = |news: &News| match news {
        News::Agent(AgentNews::Visitors { rows, .. } | AgentNews::VisitorChanges { rows, .. }) => {
            let row = rows.iter().find(|row| row.id == visitor_id)?;
            row.page.clone().map(|page| page.title)
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    let title = agent.client.hears("the visitor's row", here).await;
    assert_eq!(title.expect("it comes"), "Pricing");
    let moved = ClientFrame::Page(protocol::frame::Page {
        url: format!("{}/features", stack.origin()),
        title: "Features".to_owned(),
        referrer: None,
    });
    visitor.client.signal(&moved).await.expect("the line is up");
    let features = |news: &News| here(news).filter(|title| title == "Features");
    agent
        .client
        .hears("the next page", features)
        .await
        .expect("it comes");

    let start = Command::StartConversation {
        visitor_id,
        draft: draft("May I help you choose?"),
    };
    agent.does(start).await;
    visitor.sees("May I help you choose?").await;
    visitor.says("Yes, please.").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    agent.sees(id, "Yes, please.").await;

    // He hangs up and is gone from the list.
    visitor.client.hang_up().await;
    let gone = |news: &News| match news {
        News::Agent(AgentNews::VisitorChanges { gone, .. }) => {
            gone.contains(&visitor_id).then_some(())
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    agent
        .client
        .hears("that he is gone", gone)
        .await
        .expect("he is gone");
    stack
}

/// Reads on until the console is told that a canned response changed.
async fn is_told(agent: &mut Agent, wanted: &CannedResponse) {
    let wanted = wanted.id.to_string();
    let told = |news: &News| match news {
        News::Agent(AgentNews::Changed { part, id }) => {
            (part == "canned_responses" && id.as_deref() == Some(&wanted)).then_some(())
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    let heard = agent.client.hears("that it changed", told).await;
    heard.expect("it comes");
}

async fn canned(stack: &Stack, agent: &Agent) -> Vec<CannedResponseId> {
    let list = Call::get("/api/v1/canned-responses");
    let listed = stack.asks(&agent.access().call(list)).await;
    let page: Page<CannedResponse> = listed.into_value().expect("the team may read them");
    page.items.into_iter().map(|one| one.id).collect()
}

async fn a_canned_response_is_told_to_every_agent_and_to_no_visitor(stack: Stack) -> Stack {
    let mut mira = stack.agent().await;
    let mut jon = stack.colleague("Jon").await;
    let mut visitor = stack.visitor().await;
    let make = |whose: &str, text: &str| {
        let new = json!({"whose": whose, "nickname": "hi", "body": text});
        Call::new(Method::POST, "/api/v1/canned-responses").json(&new)
    };
    let made = stack
        .asks(&mira.access().call(make("team", "zanzibar")))
        .await;
    let team: CannedResponse = made.into_value().expect("it is made");
    for agent in [&mut mira, &mut jon] {
        is_told(agent, &team).await;
    }
    assert_eq!(canned(&stack, &jon).await, [team.id]);
    let refused = stack.asks(&jon.access().call(make("team", "mine"))).await;
    assert_eq!(refused.status, 403);
    let made = stack
        .asks(&jon.access().call(make("own", "zanzibar of Jon")))
        .await;
    let own: CannedResponse = made.into_value().expect("it is made");
    is_told(&mut jon, &own).await;
    assert_eq!(canned(&stack, &jon).await.len(), 2);
    assert_eq!(canned(&stack, &mira).await, [team.id], "his own is his");

    let access = visitor.client.access();
    let list = Call::get("/api/v1/canned-responses");
    let answer = stack.asks(&access.call(list)).await;
    assert_eq!(answer.status, 401);
    let forged = stack.asks(&access.call(make("team", "forged"))).await;
    assert_eq!(forged.status, 401);
    visitor.says("hello").await;
    let id = visitor.conversation();
    mira.opens(id).await;
    mira.says(id, "the end").await;
    visitor.sees("the end").await;
    let log = visitor.client.log(id).expect("it is followed");
    assert!(!format!("{:?}", log.lines()).contains("zanzibar"));

    let path = format!("/api/v1/canned-responses/{}", team.id);
    let removal = Call::new(Method::DELETE, path);
    let removed = stack.asks(&mira.access().call(removal)).await;
    assert_eq!(removed.status, 204);
    is_told(&mut jon, &team).await;
    assert_eq!(canned(&stack, &jon).await, [own.id]);
    stack
}
