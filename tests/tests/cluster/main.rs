//! Two nodes as real processes on one Postgres and one Redis: one installation, whatever of it dies.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use loadtest::Error;
use loadtest::client::http::{Call, Http};
use loadtest::client::{Access, Client, News};
use loadtest::node::proxy::Proxy;
use protocol::command::Command;
use protocol::frame::{ClientFrame, Watch};
use protocol::news::{AgentNews, VisitorNews};
use protocol::node::NodeState;
use protocol::rejection::ErrorCode;
use protocol::trouble::TroubleKind;
use protocol::view::{InboxFilter, VisitorList};
use serde_json::json;
use tests::cluster::{AHEAD_MS, Cluster, run, run_on_own_postgres};
use tests::home::Step;
use tests::person::message;
use tests::{Agent, Visitor};

mod bus;
mod name;
mod presence;

use crate::bus::redis_is_killed_and_comes_back;
use crate::name::nodes_have_one_name;
use crate::presence::{Lookout, is_here_on_the_other_node, they_are};

/// How long a connection may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many lines each side says just before its store goes, and while the store is away.
const LINES_UNDER_WAY: usize = 5;
const LINES_INTO_THE_VOID: usize = 10;

/// How long an address is locked out from which too many guesses came.
const LOCKOUT_MS: u64 = 15 * 60 * 1_000;

/// Visitors of a killed node who do not come back.
const GHOSTS: usize = 3;

/// How long after its death the visitors of a node may still be shown.
const GHOST_MAX: Duration = Duration::from_secs(10);

const READY: &str = "ready\n";
const DIFFERING: &str =
    "ready, but other nodes have other settings: data_dir/files, retention.visitor_days\n";
const WAITS_FOR_STORE: &str = "the server cannot start anew yet";

#[test]
fn two_nodes_are_one_installation() {
    run(they_talk_over_two_nodes);
}

#[test]
fn nodes_of_one_name_are_nodes_of_their_own() {
    run(nodes_have_one_name);
}

#[test]
fn a_killed_node_loses_only_sockets() {
    run(one_of_two_is_killed);
}

#[test]
fn without_redis_it_is_slower_and_never_wrong() {
    run(redis_is_killed_and_comes_back);
}

#[test]
fn a_rolling_restart_loses_nothing() {
    run(each_node_is_restarted_in_turn);
}

#[test]
fn two_releases_serve_one_store() {
    run(a_successor_brings_the_store_up_to_date);
}

#[test]
fn a_killed_postgres_loses_nothing() {
    run_on_own_postgres(postgres_is_killed_and_comes_back);
}

#[test]
fn a_postgres_that_stands_still_loses_nothing() {
    run_on_own_postgres(postgres_stands_still_and_goes_on);
}

#[test]
fn a_store_that_is_away_after_a_failover_is_waited_for() {
    run_on_own_postgres(a_standby_takes_over_that_one_node_cannot_reach);
}

async fn they_talk_over_two_nodes(cluster: Cluster) -> Cluster {
    let mut visitor = cluster.visitor(0).await;
    let mut agent = cluster.agent(1).await;
    let watch = Watch::Inbox(InboxFilter::All.into());
    agent.client.watch(watch).await.expect("the line is up");
    visitor.says("Is anybody there?").await;
    let id = visitor.conversation();
    let row = |news: &News| match news {
        News::Agent(AgentNews::InboxChanges { rows, .. } | AgentNews::Inbox { rows, .. }) => {
            rows.iter().any(|row| row.id == id).then_some(())
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    let row = agent.client.hears("the row on the other node", row).await;
    row.expect("it comes");
    agent.opens(id).await;
    agent.sees(id, "Is anybody there?").await;
    for round in 0..10 {
        agent.says(id, &format!("answer {round}")).await;
        visitor.sees(&format!("answer {round}")).await;
        visitor.says(&format!("question {round}")).await;
        agent.sees(id, &format!("question {round}")).await;
    }
    let typing = ClientFrame::Typing {
        conversation_id: Some(id),
        text: None,
        active: true,
    };
    agent.signals(typing).await;
    let typing = |news: &News| match news {
        News::Visitor(VisitorNews::Typing { active, .. }) => active.then_some(()),
        News::Agent(_) | News::Visitor(_) => None,
    };
    let typing = visitor.client.hears("that the agent types", typing).await;
    typing.expect("it comes");
    let visitors = Watch::Visitors(VisitorList::default());
    agent.client.watch(visitors).await.expect("the line is up");
    let listed = |news: &News| match news {
        News::Agent(
            AgentNews::Visitors { counts, .. } | AgentNews::VisitorChanges { counts, .. },
        ) => (counts.active + counts.idle == 1).then_some(()),
        News::Agent(_) | News::Visitor(_) => None,
    };
    let listed = agent.client.hears("the visitor in the list", listed).await;
    listed.expect("it comes");
    is_here_on_the_other_node(&mut agent, visitor.id()).await;
    // Assigned by a colleague's hand on the other node.
    let mut second = cluster.agent(0).await;
    second.opens(id).await;
    let release = Command::Assign {
        conversation_id: id,
        agent_id: None,
    };
    second.does(release).await;
    agent.sees_kind(id, "assigned").await;
    let people = &mut [&mut visitor.client, &mut agent.client, &mut second.client];
    cluster.agree(1, id, people).await;
    what_a_node_gave_out_the_other_takes(&cluster).await;
    who_guessed_too_often_waits_at_each_node(&cluster).await;
    who_cannot_be_with_the_others_does_not_start(&cluster).await;
    let stored = cluster.stored(1, id).await;
    let soon_ms = cluster.world.clock.now_ms() + AHEAD_MS / 2;
    let is_past = stored.iter().all(|entry| entry.sent_at_ms < soon_ms);
    assert!(is_past, "the time of the store, on each node: {stored:?}");
    cluster
}

/// Sessions and tokens end by the time of the store, not by a node's.
async fn what_a_node_gave_out_the_other_takes(cluster: &Cluster) {
    for (from, to) in [(0, 1), (1, 0)] {
        let owner = cluster.owner(from).await;
        assert_eq!(cluster.troubles_of(to, &owner).await, []);
        let mut http = Http::new(cluster.server(from).await);
        let given = owner.socket_token(&mut http).await;
        let token = given.expect("the owner may connect").token;
        let (world, server) = (cluster.world.clone(), cluster.server(to).await);
        let client = Client::new(world, server, Access::Agent(owner)).with_token(&token);
        Agent { client }.connects().await;
        let mut visitor = cluster.visitor(from).await;
        visitor.client.move_to(cluster.server(to).await);
        visitor.connects().await;
    }
}

/// Guesses count, and a lockout ends, by the time of the store.
async fn who_guessed_too_often_waits_at_each_node(cluster: &Cluster) {
    let login = json!({ "email": "guesser@example.com", "password": "a wrong guess" });
    let guess = async |node| {
        let call = Call::post("/api/v1/login", &login).header("x-forwarded-for", "192.0.2.9");
        let answer = Http::new(cluster.server(node).await).send(&call).await;
        match answer.expect("it answers").into_body() {
            Err(Error::Refused(problem)) => *problem,
            Err(error) => panic!("no refusal: {error}"),
            Ok(_) => panic!("a guess is let in"),
        }
    };
    for node in [0, 1, 0, 1, 0] {
        assert_eq!(guess(node).await.code, ErrorCode::WrongCredentials);
    }
    for node in [0, 1] {
        let locked = guess(node).await;
        assert_eq!(locked.code, ErrorCode::LockedOut);
        // What passed since is less than what their clocks are apart.
        let left_ms = locked.retry_after_ms.expect("it is known");
        let expected_ms = LOCKOUT_MS - AHEAD_MS / 2..=LOCKOUT_MS;
        assert!(expected_ms.contains(&left_ms), "node {node}: {left_ms} ms");
    }
}

/// Nodes that could not hear the others, or not read their files, end and say why.
async fn who_cannot_be_with_the_others_does_not_start(cluster: &Cluster) {
    // Nobody listens at the bucket's address: it is known by its name all the same.
    let deaf = [("SWITCHBOARD_REDIS_PREFIX", "another")];
    let elsewhere = [
        ("SWITCHBOARD_ATTACHMENTS_S3_BUCKET", "files"),
        ("SWITCHBOARD_ATTACHMENTS_S3_ENDPOINT", "http://127.0.0.1:9"),
        ("SWITCHBOARD_ATTACHMENTS_S3_ACCESS_KEY_ID", "id"),
        ("SWITCHBOARD_ATTACHMENTS_S3_SECRET_ACCESS_KEY", "secret"),
    ];
    let (deaf, elsewhere) = tokio::join!(cluster.refuses(&deaf), cluster.refuses(&elsewhere));
    assert!(
        deaf.contains("whose bus has another redis_prefix"),
        "{deaf}"
    );
    assert!(
        elsewhere.contains("which keeps uploaded files elsewhere"),
        "{elsewhere}"
    );
    for node in 0..2 {
        cluster.says(node, READY).await;
    }
}

async fn one_of_two_is_killed(mut cluster: Cluster) -> Cluster {
    let mut visitor = cluster.visitor(0).await;
    let mut ghosts = Vec::new();
    for _ in 0..GHOSTS {
        ghosts.push(cluster.visitor(0).await);
    }
    let mut agent = cluster.agent(1).await;
    visitor.says("hello").await;
    ghosts[0].says("I shall be gone").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    let visitors = Watch::Visitors(VisitorList::default());
    agent.client.watch(visitors).await.expect("the line is up");
    let mut gone = BTreeMap::new();
    they_are(1 + GHOSTS, &mut gone, &mut agent).await;
    assert_eq!(gone, BTreeMap::new());
    let owner = cluster.owner(1).await;
    let ready = |count: usize| (NodeState::Ready, count as u64);
    let both = [ready(1), ready(1 + GHOSTS)];
    cluster.lists(1, &owner, &both).await;
    let clock = cluster.world.clock.clone();
    let killed_at = clock.elapsed();
    cluster.loses(0).await;
    visitor.client.move_to(cluster.server(1).await);
    visitor.connects().await;
    visitor.says("still here").await;
    agent.sees(id, "still here").await;
    they_are(1, &mut gone, &mut agent).await;
    let shown_for = clock.elapsed() - killed_at;
    assert!(shown_for <= GHOST_MAX, "ghosts for {shown_for:?}");
    cluster.lists(1, &owner, &[ready(2)]).await;
    cluster.regains(0).await;
    for ghost in &mut ghosts {
        ghost.client.move_to(cluster.server(0).await);
        ghost.connects().await;
    }
    they_are(1 + GHOSTS, &mut gone, &mut agent).await;
    // Who came back at once was there all the while; each other one left once.
    let ids = ghosts.iter().map(|ghost| (ghost.id(), 1));
    assert_eq!(gone, ids.collect());
    let people = &mut [&mut visitor.client, &mut agent.client];
    cluster.agree(0, id, people).await;
    cluster
}

async fn each_node_is_restarted_in_turn(mut cluster: Cluster) -> Cluster {
    let mut visitor = cluster.visitor(0).await;
    let mut agent = cluster.agent(1).await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    // One who does not come back from the second of them.
    let leaver = cluster.visitor(1).await;
    let lookout = Lookout::begins(&cluster, 1, leaver.id()).await;
    for (drained, other) in [(0, 1), (1, 0)] {
        cluster.drains(drained).await;
        for client in [&mut visitor.client, &mut agent.client] {
            client.move_to(cluster.server(other).await);
            client.connect().await.expect("the other one lets them in");
        }
        visitor.says(&format!("without {drained}")).await;
        agent.sees(id, &format!("without {drained}")).await;
        agent.says(id, &format!("on {other}")).await;
        visitor.sees(&format!("on {other}")).await;
        // Settings are changed in the same round, and the files move.
        cluster.keeps_files_apart(drained);
        let settings = [("SWITCHBOARD_RETENTION_VISITOR_DAYS", "30")];
        cluster.regains_with(drained, &settings).await;
        let said = if drained == 0 { DIFFERING } else { READY };
        for node in 0..2 {
            cluster.says(node, said).await;
        }
        if drained == 0 {
            let troubles = cluster.troubles(other).await;
            assert_eq!(troubles.len(), 1, "{troubles:?}");
            assert_eq!(troubles[0].kind, TroubleKind::SettingsDiffer);
            assert_eq!(troubles[0].reason, "data_dir/files, retention.visitor_days");
        }
    }
    let told = lookout.told(&cluster).await;
    // Who came to the other node was here all the while.
    assert_eq!(told.gone, [leaver.id()]);
    assert_eq!(told.here, BTreeSet::from([visitor.id(), leaver.id()]));
    let people = &mut [&mut visitor.client, &mut agent.client];
    cluster.agree(1, id, people).await;
    cluster
}

/// A rolling upgrade, as the nodes of before live through it: what the newer program does to the store is done while
/// they serve, and each is restarted in it; once the newer program takes something away, none of them starts.
async fn a_successor_brings_the_store_up_to_date(mut cluster: Cluster) -> Cluster {
    let (mut visitor, mut agent) = they_have_talked(&cluster).await;
    they_say(0..LINES_UNDER_WAY, &mut visitor, &mut agent).await;
    let last = LINES_UNDER_WAY + LINES_INTO_THE_VOID;
    let talk = they_say(LINES_UNDER_WAY..last, &mut visitor, &mut agent);
    tokio::join!(talk, cluster.takes_step(Step::Expands));
    all_of_it_comes(&cluster, &mut visitor, &mut agent).await;
    let id = visitor.conversation();
    for (drained, other) in [(0, 1), (1, 0)] {
        cluster.drains(drained).await;
        for client in [&mut visitor.client, &mut agent.client] {
            client.move_to(cluster.server(other).await);
        }
        visitor.says(&format!("without {drained}")).await;
        agent.sees(id, &format!("without {drained}")).await;
        cluster.regains(drained).await;
        cluster.says(drained, READY).await;
        let suits = "which suits this program";
        assert_eq!(cluster.nodes[drained].said_count(suits), 1);
        agent.client.move_to(cluster.server(drained).await);
        agent.connects().await;
        agent.says(id, &format!("from {drained}")).await;
        visitor.sees(&format!("from {drained}")).await;
    }
    cluster.takes_step(Step::Contracts).await;
    let refused = cluster.refuses(&[]).await;
    let why = "the store has schema 7, which takes a program that knows 6 or more, and this program knows 5";
    assert!(refused.contains(why), "{refused}");
    visitor.says("who serves, serves on").await;
    agent.sees(id, "who serves, serves on").await;
    let people = &mut [&mut visitor.client, &mut agent.client];
    cluster.agree(1, id, people).await;
    cluster
}

/// Visitor and agent, at a node each, who have talked.
async fn they_have_talked(cluster: &Cluster) -> (Visitor, Agent) {
    let mut visitor = cluster.visitor(0).await;
    let mut agent = cluster.agent(1).await;
    visitor.says("hello").await;
    agent.opens(visitor.conversation()).await;
    agent.says(visitor.conversation(), "welcome").await;
    visitor.sees("welcome").await;
    (visitor, agent)
}

/// Each side says lines, and waits for none of them.
async fn they_say(lines: Range<usize>, visitor: &mut Visitor, agent: &mut Agent) {
    let id = visitor.conversation();
    for line in lines {
        let question = message(None, &format!("question {line}"));
        visitor.client.send(question).await;
        let answer = message(Some(id), &format!("answer {line}"));
        agent.client.send(answer).await;
    }
}

/// What was said comes, once and in order, and all goes on.
async fn all_of_it_comes(cluster: &Cluster, visitor: &mut Visitor, agent: &mut Agent) {
    let id = visitor.conversation();
    let last = LINES_UNDER_WAY + LINES_INTO_THE_VOID - 1;
    // Each sends again what it was refused, while it looks.
    visitor.sees(&format!("question {last}")).await;
    agent.sees(id, &format!("answer {last}")).await;
    visitor.sees(&format!("answer {last}")).await;
    agent.sees(id, &format!("question {last}")).await;
    visitor.says("and on").await;
    agent.sees(id, "and on").await;
    let said = |speaker: &str, screen: &[String]| -> Vec<String> {
        let lines = screen.iter().filter(|line| line.starts_with(speaker));
        lines.cloned().collect()
    };
    for speaker in ["question", "answer"] {
        let expected: Vec<_> = (0..=last).map(|line| format!("{speaker} {line}")).collect();
        assert_eq!(said(speaker, &visitor.screen()), expected);
        assert_eq!(said(speaker, &agent.screen(id)), expected);
    }
    for node in 0..2 {
        cluster.says(node, READY).await;
    }
    let people = &mut [&mut visitor.client, &mut agent.client];
    cluster.agree(0, id, people).await;
}

async fn postgres_is_killed_and_comes_back(mut cluster: Cluster) -> Cluster {
    let (mut visitor, mut agent) = they_have_talked(&cluster).await;
    // Some of it is stored, some is not, and of some nobody is told.
    they_say(0..LINES_UNDER_WAY, &mut visitor, &mut agent).await;
    cluster.postgres().kill().await.expect("it was running");
    let is_up = cluster.answers(0).await;
    assert!(!is_up, "a node without its store is not ready");
    let into_the_void = LINES_UNDER_WAY..LINES_UNDER_WAY + LINES_INTO_THE_VOID;
    they_say(into_the_void, &mut visitor, &mut agent).await;
    cluster.regains_postgres().await;
    all_of_it_comes(&cluster, &mut visitor, &mut agent).await;
    a_standby_takes_over_that_lacks_what_was_said_last(&mut cluster, &mut visitor, &mut agent)
        .await;
    cluster
}

/// What was acknowledged and is gone, both sides say again, once; also somebody whose whole conversation is gone.
async fn a_standby_takes_over_that_lacks_what_was_said_last(
    cluster: &mut Cluster,
    visitor: &mut Visitor,
    agent: &mut Agent,
) {
    let id = visitor.conversation();
    let epoch = visitor.client.epoch();
    let mut newcomer = cluster.visitor(1).await;
    let kept = cluster.stored(0, id).await;
    let copied = cluster.postgres().copy().await;
    copied.expect("it is copied while it serves");
    visitor.says("lost by the visitor").await;
    agent.says(id, "lost by the agent").await;
    newcomer.says("lost with its conversation").await;
    visitor.sees("lost by the agent").await;
    agent.sees(id, "lost by the visitor").await;
    cluster.fails_over().await;
    let people = [&mut visitor.client, &mut agent.client, &mut newcomer.client];
    they_come_back(epoch, people).await;
    visitor.says("and on with what is left").await;
    agent.sees(id, "and on with what is left").await;
    visitor.sees("lost by the agent").await;
    agent.sees(id, "lost by the visitor").await;
    newcomer.sees("lost with its conversation").await;
    let stored = cluster.stored(1, id).await;
    let (before, since) = stored.split_at(kept.len());
    assert_eq!(before, kept, "what the standby had is as it was");
    assert_eq!(since.len(), 3, "and what it lacked came once: {since:?}");
    let people = &mut [&mut visitor.client, &mut agent.client];
    all_have_an_outcome(people).await;
    cluster.agree(1, id, people).await;
}

/// All are let in again, to another epoch than this.
async fn they_come_back<const N: usize>(epoch: u64, people: [&mut Client; N]) {
    let is_elsewhere = |client: &Client| {
        let is_elsewhere = client.is_connected() && client.epoch() != epoch;
        is_elsewhere.then_some(())
    };
    for client in people {
        let moved = client.until("another epoch", is_elsewhere).await;
        moved.expect("the nodes start anew, and let everybody in");
    }
}

/// All that went again got an outcome, also what was stored.
async fn all_have_an_outcome(people: &mut [&mut Client]) {
    for client in people {
        let settled = |client: &Client| client.outbox().pending().is_empty().then_some(());
        let settled = client.until("an outcome of each", settled).await;
        settled.expect("it comes");
    }
}

/// A node that finds another history, and then no store at all, waits for it; it ends when it is told to.
async fn a_standby_takes_over_that_one_node_cannot_reach(mut cluster: Cluster) -> Cluster {
    let store = cluster.grows_behind_a_proxy().await;
    let mut visitor = cluster.visitor(2).await;
    let mut agent = cluster.agent(0).await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    let epoch = visitor.client.epoch();
    let copied = cluster.postgres().copy().await;
    copied.expect("it is copied while it serves");
    visitor.says("lost").await;
    agent.sees(id, "lost").await;
    the_node_behind_the_proxy_waits(&mut cluster, &store, 2).await;
    they_come_back(epoch, [&mut agent.client]).await;
    agent.says(id, "while a node waits").await;
    store.admit(u64::MAX);
    they_come_back(epoch, [&mut visitor.client]).await;
    visitor.sees("while a node waits").await;
    all_have_an_outcome(&mut [&mut visitor.client, &mut agent.client]).await;
    agent.sees(id, "lost").await;
    let people = &mut [&mut visitor.client, &mut agent.client];
    cluster.agree(2, id, people).await;
    let copied = cluster.postgres().copy().await;
    copied.expect("it is copied while it serves");
    the_node_behind_the_proxy_waits(&mut cluster, &store, 1).await;
    cluster.drains(2).await;
    cluster
}

/// The node finds by one connection that another server has the store, and gets no second one. It tries again.
async fn the_node_behind_the_proxy_waits(cluster: &mut Cluster, store: &Proxy, times: usize) {
    let before = cluster.nodes[2].said_count(WAITS_FOR_STORE);
    store.admit(0);
    cluster.fails_over().await;
    store.admit(1);
    cluster.logs(2, before + times, WAITS_FOR_STORE).await;
    assert_eq!(store.places(), 0, "it has found another history");
}

async fn postgres_stands_still_and_goes_on(mut cluster: Cluster) -> Cluster {
    let (mut visitor, mut agent) = they_have_talked(&cluster).await;
    they_say(0..LINES_UNDER_WAY, &mut visitor, &mut agent).await;
    cluster.postgres().pause().expect("it runs");
    let into_the_void = LINES_UNDER_WAY..LINES_UNDER_WAY + LINES_INTO_THE_VOID;
    they_say(into_the_void, &mut visitor, &mut agent).await;
    let is_up = cluster.answers(1).await;
    assert!(!is_up, "a node whose store stands still is not ready");
    cluster.postgres().resume().expect("it runs");
    all_of_it_comes(&cluster, &mut visitor, &mut agent).await;
    cluster
}
