//! The three servers of a comparison, each a process of its own on loopback: N and T of this program, S the
//! binary `switchboard` beside it.

use std::process::Stdio;
use std::time::Duration;

use protocol::id::ConversationId;
use protocol::workspace::{Settings, Workspace, WorkspaceChange};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use world::World;

use super::crowd::Who;
use super::token::Key;
use super::wire::{self, Wire, is_a};
use crate::Error;
use crate::client::http::Call;
use crate::client::{Access, Server};
use crate::fleet::moment;
use crate::process::Usage;
use crate::scenario::cast::{self, Doors};
use crate::target::{Stage, Target};

/// How long a server may take until it listens.
const START_MAX: Duration = Duration::from_secs(60);

/// Between two looks at what servers use: longer than any of them collects what it stores.
const LOOK: Duration = Duration::from_secs(1);

/// Processor time between two looks of a server that has nothing left to do: a hundredth of a core.
const QUIET_SECONDS: f64 = 0.01;

/// How long servers may take to finish with those who came.
const SETTLE_MAX: Duration = Duration::from_secs(12);

/// Numbers of those who are no part of a crowd.
const SPEAKER: u64 = 1 << 32;
const CONSOLE: u64 = SPEAKER + 1;

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// N.
    Naive,
    /// T.
    Tuned,
    /// S.
    Switchboard,
}

impl Which {
    /// All three, in the order of their letters in the table of figures.
    pub const ALL: [Self; 3] = [Self::Naive, Self::Tuned, Self::Switchboard];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Tuned => "tuned",
            Self::Switchboard => "switchboard",
        }
    }

    /// Its letter in ratios.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::Naive => "N",
            Self::Tuned => "T",
            Self::Switchboard => "S",
        }
    }
}

/// A running server.
pub struct Arm {
    /// Which one.
    pub which: Which,
    world: World,
    server: Server,
    url: String,
    place: Place,
}

/// What stands behind it.
enum Place {
    Stand { process: Box<Child>, key: Key },
    Switchboard(Box<Stage>),
}

/// A conversation, and the token of its visitor.
pub struct Room {
    /// Which.
    pub conversation_id: ConversationId,
    token: String,
}

impl Arm {
    /// Starts all three.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start_all(world: &World, seed: u64) -> Result<Vec<Self>, Error> {
        let mut arms = Vec::new();
        for which in Which::ALL {
            arms.push(Self::start(world, seed, which).await?);
        }
        Ok(arms)
    }

    /// Starts one.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(world: &World, seed: u64, which: Which) -> Result<Self, Error> {
        let (url, place) = match which {
            Which::Naive | Which::Tuned => stand(world, which).await?,
            Which::Switchboard => {
                let target = Target {
                    own: true,
                    ..Target::default()
                };
                let stage = target.resolve(world, seed).await?;
                read_along(&stage).await?;
                let url = stage.urls.first().cloned().unwrap_or_default();
                (url, Place::Switchboard(Box::new(stage)))
            }
        };
        Ok(Self {
            which,
            world: world.clone(),
            server: Server::find(&url).await?,
            url,
            place,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What its process has used so far.
    ///
    /// # Errors
    /// It has ended.
    pub fn usage(&self) -> Result<Usage, Error> {
        let pid = match &self.place {
            Place::Stand { process, .. } => process.id(),
            Place::Switchboard(stage) => stage.server_pid,
        };
        Usage::of(pid.ok_or_else(|| Error::Node(format!("{} has ended", self.which.name())))?)
    }

    /// Visitors, each of his own.
    #[must_use]
    pub fn visitors(&self) -> Who {
        match &self.place {
            Place::Stand { key, .. } => Who::Signed(key.clone()),
            Place::Switchboard(stage) => Who::Sessions(Box::new(stage.setting(0))),
        }
    }

    /// Those who follow a room: at Switchboard more tabs of its visitor.
    #[must_use]
    pub fn followers(&self, room: &Room) -> Who {
        match &self.place {
            Place::Stand { key, .. } => Who::Signed(key.clone()),
            Place::Switchboard(_) => Who::Token(room.token.clone()),
        }
    }

    /// A new conversation. At Switchboard it begins with a first message of its visitor.
    ///
    /// # Errors
    /// Switchboard refuses it.
    pub async fn room(&self) -> Result<Room, Error> {
        match &self.place {
            Place::Stand { key, .. } => Ok(Room {
                conversation_id: self.world.ids.next(),
                token: key.sign(SPEAKER),
            }),
            Place::Switchboard(stage) => {
                let setting = stage.setting(0);
                let doors = Doors::find(&setting).await?;
                let customer = Box::pin(cast::customer(&self.world, &setting, &doors, 0));
                let (customer, conversation_id) = customer.await?;
                let Access::Visitor(visitor) = customer.access() else {
                    return Err(Error::Broken("a customer is a visitor".to_owned()));
                };
                Ok(Room {
                    conversation_id,
                    token: visitor.session.token.clone(),
                })
            }
        }
    }

    /// A connection of a room's visitor, who has heard that he is welcome.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn speaker(&self, room: &Room) -> Result<Wire, Error> {
        let mut wire = Wire::open(&self.server).await?;
        let origin = self.server.origin();
        wire.say(&wire::hello(&room.token, Some(&origin), &[]))
            .await?;
        wire.until(|text| is_a(text, "welcome")).await?;
        Ok(wire)
    }

    /// A connection that follows a room and sees who types there: at Switchboard a console of the owner.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn console(&self, room: &Room) -> Result<Wire, Error> {
        let token = match &self.place {
            Place::Stand { key, .. } => key.sign(CONSOLE),
            Place::Switchboard(stage) => {
                let token = stage.owner()?.socket_token(&mut stage.http()).await;
                token?.token
            }
        };
        let follows = [room.conversation_id];
        let mut wire = Wire::open(&self.server).await?;
        wire.enter(&wire::hello(&token, None, &follows), follows.len())
            .await?;
        Ok(wire)
    }
}

/// Lets the team see what visitors write: the words of a signal say when it was due.
async fn read_along(stage: &Stage) -> Result<(), Error> {
    let (owner, mut http) = (stage.owner()?, stage.http());
    let path = "/api/v1/workspace";
    let workspace: Workspace = http.ask(&owner.call(Call::get(path))).await?;
    let change = WorkspaceChange {
        settings: Some(Settings {
            typing_preview: true,
            ..workspace.settings
        }),
        ..WorkspaceChange::default()
    };
    let version = format!("\"{}\"", workspace.version);
    let call = Call::new(hyper::Method::PATCH, path).json(&change);
    let call = owner.call(call.header("if-match", version));
    http.send(&call).await?.into_body()?;
    Ok(())
}

/// What all of them have used so far.
///
/// # Errors
/// One has ended.
pub(super) fn usages(arms: &[Arm]) -> Result<Vec<Usage>, Error> {
    arms.iter().map(Arm::usage).collect()
}

/// Waits until they are done with those who came, as with storing who that was; with what they have used
/// by then. On a machine that is busy with something else a wait has an end, too.
///
/// # Errors
/// One has ended.
pub(super) async fn settle(world: &World, arms: &[Arm]) -> Result<Vec<Usage>, Error> {
    let until = moment::now() + SETTLE_MAX;
    let mut before = usages(arms)?;
    loop {
        world.clock.sleep(LOOK).await;
        let now = usages(arms)?;
        let is_quiet =
            |(before, now): (&Usage, &Usage)| now.cpu_seconds - before.cpu_seconds < QUIET_SECONDS;
        if before.iter().zip(&now).all(is_quiet) || moment::now() >= until {
            return Ok(now);
        }
        before = now;
    }
}

/// Starts arm N or T as a process of this program.
async fn stand(world: &World, which: Which) -> Result<(String, Place), Error> {
    let key = Key::new(world.ids.bytes());
    let mut process = Command::new(std::env::current_exe()?)
        .args(["arm", which.name(), "--key"])
        .arg(key.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = process.stdout.take().expect("the output is piped");
    let mut lines = BufReader::new(output).lines();
    let line = world.clock.timeout(START_MAX, lines.next_line()).await;
    let line = line.transpose()?.flatten().unwrap_or_default();
    let url = line.strip_prefix("listening on ");
    let failed = || Error::Node(format!("arm {} did not start", which.name()));
    let url = url.ok_or_else(failed)?.to_owned();
    let process = Box::new(process);
    Ok((url, Place::Stand { process, key }))
}
