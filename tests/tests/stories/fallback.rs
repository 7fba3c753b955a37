//! Where sockets are blocked: the same frames over plain HTTP, with the same promises.

use loadtest::client::http::Call;
use loadtest::client::news::Side;
use loadtest::client::{News, Transport};
use protocol::command::Ack;
use protocol::frame::{ClientFrame, Follow, Hello, Purpose, StreamRequest, Watch};
use protocol::id::{ConversationId, Id};
use protocol::news::{Continuity, VisitorNews};
use protocol::rejection::ErrorCode;
use protocol::text::ClientId;
use protocol::view::InboxFilter;
use tests::person::message;
use tests::{Agent, Stack, Visitor};

tests::stories! {
    both_sides_talk_over_plain_http
    a_broken_stream_resumes_without_a_gap
    long_poll_gives_what_is_missing
    a_program_sends_commands_without_a_stream
}

async fn visitor_over_http(stack: &Stack) -> Visitor {
    let visitor = stack.visitor_with(None).await;
    let mut visitor = Visitor {
        client: visitor.client.over(Transport::Stream),
        conversation: None,
    };
    visitor.connects().await;
    visitor
}

async fn both_sides_talk_over_plain_http(stack: Stack) -> Stack {
    let mut visitor = visitor_over_http(&stack).await;
    visitor.says("Is the firewall between us?").await;
    let id = visitor.conversation();
    let agent = stack.agent().await;
    let mut agent = Agent {
        client: agent.client.over(Transport::Stream),
    };
    // What is followed is part of the stream's request.
    agent.client.follows(id);
    agent.connects().await;
    agent.sees(id, "Is the firewall between us?").await;
    for round in 0..10 {
        agent.says(id, &format!("answer {round}")).await;
        visitor.sees(&format!("answer {round}")).await;
        visitor.says(&format!("question {round}")).await;
        agent.sees(id, &format!("question {round}")).await;
    }
    stack
        .agree(id, &mut [&mut visitor.client, &mut agent.client])
        .await;
    stack
}

async fn a_broken_stream_resumes_without_a_gap(stack: Stack) -> Stack {
    let mut visitor = visitor_over_http(&stack).await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    let mut agent = stack.agent().await;
    agent.opens(id).await;
    for round in 0..12 {
        if round % 3 == 0 {
            visitor.client.cut();
        }
        agent.says(id, &format!("line {round}")).await;
    }
    visitor.sees("line 11").await;
    let lines: Vec<String> = (0..12).map(|round| format!("line {round}")).collect();
    assert_eq!(visitor.screen()[1..], lines);
    stack
        .agree(id, &mut [&mut visitor.client, &mut agent.client])
        .await;
    stack
}

async fn long_poll_gives_what_is_missing(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("one").await;
    let id = visitor.conversation();
    visitor.has(1).await;
    let position = visitor.client.log(id).and_then(|log| log.position());
    visitor.client.hang_up().await;
    let mut agent = stack.agent().await;
    agent.says(id, "two").await;

    let request = StreamRequest {
        hello: Hello {
            token: visitor.access().session.token.clone(),
            purpose: Purpose::Full,
            page: None,
            resume: vec![Follow {
                conversation_id: id,
                position,
            }],
        },
        watch: Vec::new(),
        wait_ms: Some(10_000),
    };
    let call = Call::post("/api/v1/stream", &request).header("origin", stack.origin());
    let body = stack.asks(&call).await.into_body().expect("frames");
    let news = News::read_list(Side::Visitor, &body).expect("frames");
    let News::Visitor(VisitorNews::Welcome { staff, .. }) = &news[0] else {
        panic!("the first is no welcome: {news:?}");
    };
    // The agent came after the session began, and nothing was told of it to nobody.
    assert!(staff.online && staff.people.len() == 1, "{staff:?}");
    let batch = news.iter().find_map(|news| match news {
        News::Visitor(VisitorNews::Entries(batch)) => Some(batch),
        News::Visitor(_) | News::Agent(_) => None,
    });
    let batch = batch.expect("what is missing is there");
    assert_eq!(batch.continuity, Continuity::Resumed);
    let last = batch.entries.last().expect("something is missing");
    assert_eq!(last.number, stack.last_public(id).await);
    assert!(serde_json::to_string(last).expect("JSON").contains("two"));
    stack
}

async fn a_program_sends_commands_without_a_stream(stack: Stack) -> Stack {
    let mut visitor = stack.visitor().await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    let agent = stack.agent().await;
    let command = message(Some(id), "from a program");
    let call = Call::post("/api/v1/commands", &command).header("idempotency-key", "program-1");
    let call = agent.access().call(call);
    let first: Ack = stack.asks(&call).await.into_value().expect("accepted");
    let second: Ack = stack
        .asks(&call)
        .await
        .into_value()
        .expect("accepted again");
    assert_eq!(first, second);
    visitor.sees("from a program").await;
    let said = visitor.screen();
    assert_eq!(
        said.iter().filter(|text| *text == "from a program").count(),
        1
    );

    // What needs a connection is refused here and changes nothing.
    let watch = ClientFrame::Watch(Watch::Inbox(InboxFilter::All.into()));
    let token = visitor.access().session.token.clone();
    let call = Call::post("/api/v1/frames", &watch)
        .bearer(&token)
        .header("origin", stack.origin());
    let before = stack.stored(id).await;
    let body = stack.asks(&call).await.into_body().expect("frames");
    let news = News::read_list(Side::Visitor, &body).expect("frames");
    let [News::Visitor(VisitorNews::Error { problem })] = &news[..] else {
        panic!("{news:?}");
    };
    assert_eq!(problem.code, ErrorCode::OutOfOrder);
    // So is a command for somebody else's conversation.
    let frame = ClientFrame::Command {
        client_id: ClientId::parse("refused").expect("an id"),
        command: message(Some(ConversationId::from_bits(1)), "psst"),
    };
    let call = Call::post("/api/v1/frames", &frame)
        .bearer(&token)
        .header("origin", stack.origin());
    let body = stack.asks(&call).await.into_body().expect("frames");
    let news = News::read_list(Side::Visitor, &body).expect("frames");
    let [News::Visitor(VisitorNews::Rejected(rejected))] = &news[..] else {
        panic!("{news:?}");
    };
    assert_eq!(rejected.problem.code, ErrorCode::NotFound);
    assert_eq!(stack.stored(id).await, before, "nothing was stored");
    stack
}
