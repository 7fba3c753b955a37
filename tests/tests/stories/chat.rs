//! Talking: both ways, tried again, in two tabs, changed afterwards.

use loadtest::client::{Log, News};
use protocol::command::Command;
use protocol::frame::ClientFrame;
use protocol::news::{AgentNews, VisitorNews};
use protocol::rejection::ErrorCode;
use protocol::text::Body;
use tests::Stack;
use tests::person::message;

tests::stories! {
    a_visitor_and_an_agent_talk_both_ways
    a_retry_of_a_send_is_stored_once
    the_same_id_with_other_words_is_refused
    two_tabs_are_one_visitor
    words_are_edited_and_taken_back_on_every_screen
    typing_and_reading_reach_the_other_side
}

async fn a_visitor_and_an_agent_talk_both_ways(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    let ack = visitor.says("Is anybody there?").await;
    let id = visitor.conversation();
    assert_eq!(ack.number, Some(1));
    agent.opens(id).await;
    agent.sees(id, "Is anybody there?").await;
    agent.says(id, "Yes. How can I help?").await;
    visitor.sees("Yes. How can I help?").await;
    for round in 0..20 {
        visitor.says(&format!("question {round}")).await;
        agent.sees(id, &format!("question {round}")).await;
        agent.says(id, &format!("answer {round}")).await;
        visitor.sees(&format!("answer {round}")).await;
    }
    assert_eq!(visitor.screen(), agent.screen(id));
    stack
        .agree(id, &mut [&mut visitor.client, &mut agent.client])
        .await;
    stack
}

async fn a_retry_of_a_send_is_stored_once(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let client_id = visitor.client.new_client_id();
    let words = message(None, "only once");
    visitor
        .client
        .send_as(client_id.clone(), words.clone())
        .await;
    let first = visitor.client.outcome(&client_id).await.expect("accepted");
    visitor.conversation = first.conversation_id;

    // The same again on this connection, on another one, and over plain HTTP.
    let again = ClientFrame::Command {
        client_id: client_id.clone(),
        command: words.clone(),
    };
    for _ in 0..2 {
        visitor.client.signal(&again).await.expect("the line is up");
        let heard = |news: &News| match news {
            News::Visitor(VisitorNews::Ack(ack)) => Some(ack.clone()),
            News::Visitor(_) | News::Agent(_) => None,
        };
        let ack = visitor.client.hears("the same answer", heard).await;
        assert_eq!(ack.expect("accepted again"), first);
        visitor.client.cut();
        visitor.connects().await;
    }
    let posted = loadtest::client::http::Call::post("/api/v1/frames", &again);
    let posted = visitor.client.access().call(posted);
    let answer = stack.asks(&posted).await.into_body().expect("accepted");
    let answer: Vec<VisitorNews> = serde_json::from_slice(&answer).expect("frames");
    assert_eq!(answer, [VisitorNews::Ack(first)]);
    assert_eq!(stack.stored(visitor.conversation()).await.len(), 1);
    stack
}

async fn the_same_id_with_other_words_is_refused(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("first words").await;
    let id = visitor.conversation();
    let item = visitor
        .client
        .outbox()
        .items()
        .next()
        .expect("it was sent")
        .clone();
    let other = ClientFrame::Command {
        client_id: item.client_id.clone(),
        command: message(None, "other words"),
    };
    visitor.client.signal(&other).await.expect("the line is up");
    let heard = |news: &News| match news {
        News::Visitor(VisitorNews::Rejected(rejected)) => Some(rejected.clone()),
        News::Visitor(_) | News::Agent(_) => None,
    };
    let rejected = visitor
        .client
        .hears("a refusal", heard)
        .await
        .expect("it comes");
    assert_eq!(rejected.problem.code, ErrorCode::ClientIdReused);
    assert_eq!(stack.stored(id).await.len(), 1);
    stack
}

async fn two_tabs_are_one_visitor(stack: Stack) -> Stack {
    let mut first = stack.visitor().await;
    let mut second = stack.tab_of(first.access().clone());
    second.connects().await;
    let mut agent = stack.agent().await;

    // A conversation that begins in one tab appears in the other by itself.
    first.says("from the first tab").await;
    second.sees("from the first tab").await;
    let id = first.conversation();
    assert_eq!(second.conversation(), id);
    second.says("from the second tab").await;
    first.sees("from the second tab").await;
    agent.opens(id).await;
    agent.says(id, "to both").await;
    first.sees("to both").await;
    second.sees("to both").await;

    // Both speak at once: one order for all.
    for round in 0..10 {
        let one = message(None, &format!("first {round}"));
        let two = message(None, &format!("second {round}"));
        let one = first.client.send(one).await;
        let two = second.client.send(two).await;
        first.client.outcome(&one).await.expect("accepted");
        second.client.outcome(&two).await.expect("accepted");
    }
    let last = stack
        .stored(id)
        .await
        .last()
        .and_then(|entry| entry.public_seq);
    let last = last.expect("the last entry is a message");
    first.has(last).await;
    second.has(last).await;
    let numbers = |log: Option<&Log>| log.map(|log| log.lines().to_vec());
    assert_eq!(
        numbers(first.client.log(id)),
        numbers(second.client.log(id))
    );
    let stored = stack.stored(id).await;
    agent
        .has(id, stored.last().expect("it is not empty").seq)
        .await;
    stack
        .agree(
            id,
            &mut [&mut first.client, &mut second.client, &mut agent.client],
        )
        .await;
    stack
}

async fn words_are_edited_and_taken_back_on_every_screen(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    let ack = visitor.says("my number is 12").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    let first = ack.entry_id.expect("a message makes an entry");
    let edit = Command::EditMessage {
        conversation_id: id,
        entry_id: first,
        body: Body::parse("my number is 21").expect("a text"),
    };
    visitor
        .tries(edit.clone())
        .await
        .expect("one's own words may change");
    agent.sees(id, "my number is 21").await;
    let reply = agent.says(id, "thank you, 12").await;
    visitor.sees("thank you, 12").await;

    // Nobody changes another's words.
    let foreign = Command::EditMessage {
        conversation_id: id,
        entry_id: reply.entry_id.expect("a message makes an entry"),
        body: Body::parse("thank you, fool").expect("a text"),
    };
    let refused = visitor.tries(foreign).await.expect_err("it is not his");
    assert_eq!(refused.code(), Some(ErrorCode::Forbidden));
    agent
        .does(Command::DeleteMessage {
            conversation_id: id,
            entry_id: reply.entry_id.expect("a message makes an entry"),
        })
        .await;
    let gone = |client: &loadtest::client::Client| {
        (!tests::person::holds(client, id, "thank you, 12")).then_some(())
    };
    visitor
        .client
        .until("the deletion", gone)
        .await
        .expect("it comes");
    assert_eq!(visitor.screen(), ["my number is 21"]);

    // Who reads the log later finds today's words and a tombstone.
    let mut late = stack.colleague("Late").await;
    late.opens(id).await;
    let stored = serde_json::to_string(&stack.stored(id).await).expect("entries are JSON");
    assert!(!stored.contains("my number is 12") && !stored.contains("thank you, 12"));
    assert_eq!(late.screen(id), ["my number is 21"]);
    stack
        .agree(id, &mut [&mut visitor.client, &mut late.client])
        .await;
    stack
}

async fn typing_and_reading_reach_the_other_side(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    let mut agent = stack.agent().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    agent.opens(id).await;

    let typing = ClientFrame::Typing {
        conversation_id: Some(id),
        text: Some("I would li".to_owned()),
        active: true,
    };
    visitor
        .client
        .signal(&typing)
        .await
        .expect("the line is up");
    let shown = |news: &News| match news {
        News::Agent(AgentNews::Typing { text, active, .. }) => active.then(|| text.clone()),
        News::Agent(_) | News::Visitor(_) => None,
    };
    let text = agent.client.hears("that the visitor types", shown).await;
    assert_eq!(
        text.expect("it comes"),
        None,
        "nobody reads along unless the site says so"
    );

    let typing = ClientFrame::Typing {
        conversation_id: Some(id),
        text: Some("a secret draft".to_owned()),
        active: true,
    };
    agent.signals(typing).await;
    let shown = |news: &News| match news {
        News::Visitor(news @ VisitorNews::Typing { .. }) => serde_json::to_string(news).ok(),
        News::Agent(_) | News::Visitor(_) => None,
    };
    let frame = visitor.client.hears("that the agent types", shown).await;
    assert!(!frame.expect("it comes").contains("secret"));

    agent.says(id, "hello to you").await;
    visitor.sees("hello to you").await;
    let number = visitor.client.log(id).expect("it is followed").number();
    let read = ClientFrame::Read {
        conversation_id: id,
        number,
    };
    visitor.client.signal(&read).await.expect("the line is up");
    let last = stack.stored(id).await.last().expect("it is not empty").seq;
    let seen = |news: &News| match news {
        News::Agent(AgentNews::Marks { marks, .. }) => (marks.read >= last).then_some(()),
        News::Agent(_) | News::Visitor(_) => None,
    };
    agent
        .client
        .hears("the read mark", seen)
        .await
        .expect("it comes");
    stack
}
