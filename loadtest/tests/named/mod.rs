//! Runs on what their user names: nodes that run already, a Postgres, a Redis.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use loadtest::client::Server;
use loadtest::client::http::{Call, Http};
use loadtest::node::redis::Redis;
use loadtest::node::{self, Node, Spec};
use serde_json::Value;
use tokio_postgres::NoTls;
use world::World;

use super::{TOOL, build_server, check_that_a_node_was_killed, outcome_by, run};

const PASSWORD: &str = "correct-horse-battery";

/// As whom the tool sets itself up.
const OWNER: [&str; 4] = ["--email", node::EMAIL, "--password", PASSWORD];

const METRICS_TOKEN: &str = "what-only-the-metrics-tell";

/// The second entry of a conversation, which is the first message of a plan, is gone once it was stored. Whoever stored it
/// is told that it stands.
const FORGET: &str = "
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM entry WHERE entry_id = NEW.entry_id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget AFTER INSERT ON entry FOR EACH ROW
    WHEN (NEW.seq = 2) EXECUTE FUNCTION forget();";

/// An empty database on the Postgres of the tests.
struct Database {
    name: String,
    server: String,
}

impl Database {
    async fn new(world: &World) -> Self {
        let server = std::env::vars()
            .find_map(|(name, value)| (name == "SWITCHBOARD_TEST_POSTGRES_URL").then_some(value))
            .expect(
                "SWITCHBOARD_TEST_POSTGRES_URL must name a Postgres for tests; `make test` starts one",
            );
        let secret = world.ids.bytes::<8>();
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("load_{secret}");
        execute(world, &server, &format!("CREATE DATABASE {name}")).await;
        Self { name, server }
    }

    fn url(&self) -> String {
        let (head, _) = self
            .server
            .rsplit_once('/')
            .expect("an address names a database");
        format!("{head}/{}", self.name)
    }

    async fn remove(self, world: &World) {
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        execute(world, &self.server, &statement).await;
    }
}

async fn execute(world: &World, url: &str, statement: &str) {
    let connected = tokio_postgres::connect(url, NoTls).await;
    let (client, connection) = connected.expect("Postgres can be reached");
    world.tracker.spawn(connection);
    let done = client.batch_execute(statement).await;
    done.expect("Postgres does what it is told");
}

/// Starts a node in a folder of a name; several of one folder share their files.
async fn node(world: &World, folder: &Path, name: &str, variables: &[(&str, String)]) -> Node {
    build_server();
    let token = ("SWITCHBOARD_METRICS_TOKEN", METRICS_TOKEN.to_owned());
    let variables = variables.iter().cloned().chain([token]);
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let mut node = Node::new(Spec {
        binary: Path::new(TOOL).with_file_name("switchboard"),
        home: folder.join(name),
        files: Some(folder.join("files")),
        email: node::EMAIL.to_owned(),
        password: PASSWORD.to_owned(),
        variables: variables.collect(),
    });
    node.start(world).await.expect("it starts");
    node
}

/// What a node's metrics tell under a name.
async fn metric(node: &Node, name: &str) -> u64 {
    let server = Server::find(&node.url()).await.expect("it has an address");
    let call = Call::get("/metrics").bearer(METRICS_TOKEN);
    let answer = Http::new(server).send(&call).await.expect("it answers");
    let text = answer.into_body().expect("the token is right");
    let text = String::from_utf8_lossy(&text);
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    let found = text.lines().find_map(value);
    found.unwrap_or_else(|| panic!("no {name} in {text}"))
}

fn count(report: &Value, name: &str) -> u64 {
    let value = report[name].as_u64();
    value.unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// Nobody rereads what he was shown, so all of them hold what is gone.
#[tokio::test]
async fn a_message_that_the_store_has_lost_is_found_and_told_with_its_history() {
    let world = World::system();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let database = Database::new(&world).await;
    let store = [("SWITCHBOARD_DATABASE_URL", database.url())];
    let node = node(&world, folder.path(), "node", &store).await;
    execute(&world, &database.url(), FORGET).await;
    let target = node.url();
    let verify = ["--target", &target, "verify", "--duration", "10s"];
    let few = ["--pairs", "1", "--rate", "20"];
    let arguments = [&OWNER[..], &verify, &few].concat();
    let (report, code, told) = outcome_by(Path::new(TOOL), &arguments);
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(report["good"], false);
    assert_eq!(count(&report, "acknowledged"), count(&report, "stored") + 1);
    // By its acknowledgement, and by each who was shown it: the visitor in two tabs, the agent, the observer.
    assert_eq!(count(&report, "lost"), 5, "{told}");
    // The hole that is left, in the team's numbers and in the visitor's, where more was said after it.
    assert!(count(&report, "reordered") <= 2, "{told}");
    for name in ["doubled", "refused", "unfinished", "unresumed"] {
        assert_eq!(count(&report, name), 0, "{told}");
    }
    assert!(told.contains("FAILED lost = 0  (was 5)"), "{told}");
    let finding = "lost: load 0 was acknowledged as number 2 and is not stored\n";
    let (_, rest) = told.split_once(finding).unwrap_or_else(|| panic!("{told}"));
    let history: Vec<&str> = rest
        .lines()
        .map_while(|line| line.strip_prefix("    "))
        .collect();
    let has = |who: &str, what: &str| {
        let is_it = |line: &&str| line.starts_with(who) && line.ends_with(what);
        assert!(history.iter().any(is_it), "{who} {what}: {told}");
    };
    has("visitor 0 at ", " s sent load 0");
    has("visitor 0 at ", " s got load 0 acknowledged number 2");
    for reader in ["visitor 0, second tab at ", "agent 0 at ", "observer 0 at "] {
        has(reader, " s was shown number 2");
    }
    // What was said later is another history.
    let is_later = |line: &&str| line.ends_with("sent load 20");
    assert!(!history.iter().any(is_later), "{told}");
    drop(node);
    database.remove(&world).await;
}

/// What is named is not the tool's to kill: the ways to it are cut, held and slowed.
#[tokio::test]
async fn nothing_is_lost_by_two_nodes_on_a_store_and_a_bus_that_are_named() {
    let world = World::system();
    let database = Database::new(&world).await;
    let redis = Redis::start(&world).await.expect("a Redis starts");
    let nodes = ["verify", "--faults", "--nodes", "2", "--rate", "40"];
    let (store, bus) = (database.url(), redis.url());
    let named = ["--database-url", &store, "--redis-url", &bus];
    let length = ["--duration", "20s", "--seed", "12"];
    let report = run(&[&nodes[..], &named, &length].concat());
    for name in ["lost", "doubled", "reordered", "refused", "unfinished"] {
        assert_eq!(count(&report, name), 0, "{name} in {report:#}");
    }
    assert!(count(&report, "acknowledged") > 0);
    assert_eq!(count(&report, "acknowledged"), count(&report, "stored"));
    check_that_a_node_was_killed(&report);
    let log = report["fault_log"].as_array().expect("a log of faults");
    for subject in ["store", "bus"] {
        let of_it = log.iter().filter(|done| done["subject"] == subject);
        let faults: Vec<_> = of_it.filter_map(|done| done["fault"].as_str()).collect();
        assert!(!faults.is_empty(), "{subject} in {log:#?}");
        let is_of_links = |fault: &&str| ["cut", "hold", "slow"].contains(fault);
        assert!(faults.iter().all(is_of_links), "{subject}: {faults:?}");
    }
    database.remove(&world).await;
}

#[tokio::test]
async fn a_talk_at_two_targets_is_divided_over_both() {
    let world = World::system();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let database = Database::new(&world).await;
    let redis = Redis::start(&world).await.expect("a Redis starts");
    let shared = [
        ("SWITCHBOARD_DATABASE_URL", database.url()),
        ("SWITCHBOARD_REDIS_URL", redis.url()),
    ];
    let first = node(&world, folder.path(), "first", &shared).await;
    let second = node(&world, folder.path(), "second", &shared).await;
    let urls = [first.url(), second.url()];
    let targets = ["--target", &urls[0], "--target", &urls[1]];
    let chat = ["chat", "--pairs", "12", "--pairs-per-agent", "3"];
    let rate = ["--rate", "24", "--seconds", "2"];
    let report = run(&[&OWNER[..], &targets, &chat, &rate].concat());
    assert_eq!(report["targets"], serde_json::json!(urls));
    assert_eq!(count(&report, "acknowledged"), 48);
    // Six visitors at each, who begin and then say two messages, and two of the four agents, who answer six.
    for node in [&first, &second] {
        let commands = metric(node, "switchboard_commands_accepted_total").await;
        assert!(commands >= 6 + 12 + 12, "{commands} at {}", node.url());
    }
    drop((first, second));
    database.remove(&world).await;
}

/// A node, and the same machine called by a name that is not loopback's: the way there is, so nothing leaves the machine.
async fn called_otherwise(world: &World, folder: &Path) -> (Node, String) {
    let node = node(world, folder, "node", &[]).await;
    let other = node.url().replace("127.0.0.1", "0.0.0.0");
    assert_ne!(other, node.url());
    (node, other)
}

#[tokio::test]
async fn many_connections_to_another_machine_need_a_yes() {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let (_node, target) = called_otherwise(&World::system(), folder.path()).await;
    let ended = |arguments: &[&str]| {
        let output = Command::new(TOOL)
            .args(["--target", &target])
            .args(OWNER)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the program runs");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        (output.status.code(), told)
    };
    let place = target.trim_start_matches("http://");
    let need = format!("101 connections to {place}, which is not this machine, need --yes");
    // All are counted: 38 who talk with 19 agents, 39 who page and 5 who watch; 50 visitors with 25 second tabs, 13 agents
    // and 13 observers; 99 who follow, one who speaks and the visitor.
    for arguments in [
        "idle --visitors 101",
        "soak --pairs 38 --pairs-per-agent 2 --visitors 39 --watchers 5",
        "verify --pairs 50 --pairs-per-agent 4",
        "room --followers 99",
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let (code, told) = ended(&arguments);
        assert!(code == Some(2) && told.contains(&need), "{code:?} {told}");
    }
    let idle = ["idle", "--connect-rate", "200", "--hold-s", "0"];
    for few_or_allowed in [&["--visitors", "20"][..], &["--visitors", "101", "--yes"]] {
        let (code, told) = ended(&[&idle[..], few_or_allowed].concat());
        assert_eq!(code, Some(0), "{told}");
    }
}

/// Runs the tool at a terminal, where somebody answers it; gives its code, and what stood there in the end.
fn answered(arguments: &[&str], answer: &str) -> (Option<i32>, String) {
    let line = [&[TOOL][..], arguments].concat().join(" ");
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Debian has `script`");
    // Open until the end: the terminal would close with it.
    let mut keyboard = script.stdin.take().expect("it is piped");
    writeln!(keyboard, "{answer}").expect("somebody reads");
    let output = script.wait_with_output().expect("it ends");
    drop(keyboard);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), told)
}

#[tokio::test]
async fn who_does_not_say_yes_at_a_terminal_opens_nothing() {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let (node, target) = called_otherwise(&World::system(), folder.path()).await;
    let to = ["--target", &target, "idle", "--visitors", "101"];
    let fast = ["--connect-rate", "200", "--hold-s", "0"];
    let arguments = [&OWNER[..], &to, &fast].concat();
    let place = target.trim_start_matches("http://");
    let question = format!("This opens 101 connections to {place} and may slow it down");
    for no in ["n", ""] {
        let (code, told) = answered(&arguments, no);
        assert_eq!(code, Some(2), "{no:?}: {told}");
        assert!(told.contains(&question), "{told}");
        assert!(told.contains("Go on? [y/N] "), "{told}");
        assert!(told.contains("not started"), "{told}");
    }
    // What the tool asks before it knows where it is, and what is asked here.
    let opened = "switchboard_accepted_total";
    let few = metric(&node, opened).await;
    assert!(few < 20, "{few}");
    let (code, told) = answered(&arguments, "y");
    assert_eq!(code, Some(0), "{told}");
    assert!(metric(&node, opened).await > few + 101);
}
