//! A connection before `hello`. It can do one thing: become an [`Identified`], or end.

use std::rc::Rc;

use protocol::frame::{ClientFrame, Follow, Hello, Page, Purpose};
use protocol::id::ConnectionId;
use protocol::limit;
use protocol::news::{AgentNews, ConnectionLimits, VisitorNews, Welcome};
use protocol::permission::{Actor, AgentActor, Principal};
use protocol::rejection::{CloseCode, ErrorCode, Rejection};
use router::{Topic, VisitorConnection};

use crate::browser::{self, Place};
use crate::connection::frame;
use crate::connection::identified::{Identified, Identity};
use crate::http::line::Line;
use crate::http::problem::Failure;
use crate::origin;
use crate::shard::Shard;
use crate::shard::mailbox::{Mailbox, Phase};
use crate::token::{AgentClaims, Claims, VisitorClaims};
use crate::visitor::{self, Known};

/// What is known of the other end before it says who it is.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) line: Line,
    pub(crate) origin: Option<Box<str>>,
    pub(crate) user_agent: Box<str>,
    pub(crate) place: Place,
}

/// Why a connection was not let in.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What is told.
    pub(crate) rejection: Rejection,
    /// How the connection ends.
    pub(crate) code: CloseCode,
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        let code = match rejection.code {
            ErrorCode::TokenExpired => CloseCode::TokenExpired,
            ErrorCode::Unauthenticated => CloseCode::Unauthenticated,
            ErrorCode::OriginRefused | ErrorCode::UnknownSite => CloseCode::OriginRefused,
            ErrorCode::Blocked | ErrorCode::Forbidden => CloseCode::Revoked,
            ErrorCode::Unavailable | ErrorCode::StorageFull | ErrorCode::Internal => {
                CloseCode::Unavailable
            }
            ErrorCode::RateLimited | ErrorCode::LockedOut | ErrorCode::TooSlow => {
                CloseCode::Unavailable
            }
            ErrorCode::Malformed
            | ErrorCode::Invalid
            | ErrorCode::TooLarge
            | ErrorCode::TooLong
            | ErrorCode::TooMany
            | ErrorCode::Empty
            | ErrorCode::OutOfOrder
            | ErrorCode::IdentityInvalid
            | ErrorCode::WrongCredentials
            | ErrorCode::NotFound
            | ErrorCode::VersionConflict
            | ErrorCode::ClientIdReused
            | ErrorCode::AlreadyExists
            | ErrorCode::ConversationState
            | ErrorCode::EditWindowOver
            | ErrorCode::LastOwner
            | ErrorCode::AlreadySetUp
            | ErrorCode::LinkInvalid
            | ErrorCode::PasswordWeak
            | ErrorCode::FileType => CloseCode::ProtocolError,
        };
        Self { rejection, code }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        failure.log();
        failure.rejection().clone().into()
    }
}

/// A connection that has not said who it is.
pub(crate) struct Unidentified {
    shard: Rc<Shard>,
    mailbox: Rc<Mailbox>,
    caller: Box<Caller>,
}

impl Unidentified {
    pub(crate) fn new(shard: Rc<Shard>, mailbox: Rc<Mailbox>, caller: Box<Caller>) -> Self {
        Self {
            shard,
            mailbox,
            caller,
        }
    }

    /// Takes the first frame, which must be `hello`.
    pub(crate) async fn on_text(self, text: &[u8]) -> Result<Identified, Refused> {
        match serde_json::from_slice::<ClientFrame>(text) {
            Ok(ClientFrame::Hello(hello)) => self.on_hello(hello).await,
            Ok(_) => Err(Rejection::from(ErrorCode::OutOfOrder).into()),
            Err(error) => Err(protocol::text::rejection_in(&error).into()),
        }
    }

    /// Reads who it is, says welcome, and begins what was asked for.
    pub(crate) async fn on_hello(self, hello: Hello) -> Result<Identified, Refused> {
        if hello.resume.len() > limit::RESUMES_MAX {
            return Err(Rejection::of(ErrorCode::TooMany, "resume").into());
        }
        let now_ms = self.shard.doors.world.clock.now_ms();
        match self.shard.doors.tokens.read(&hello.token, now_ms)? {
            Claims::Visitor(claims) => self.visitor(&claims, hello).await,
            Claims::Agent(claims) => self.agent(&claims, hello).await,
        }
    }

    fn identity(&self, actor: Actor, purpose: Purpose) -> Identity {
        Identity {
            actor,
            purpose,
            connection_id: self.shard.doors.world.ids.next(),
            exempt: self.caller.line.exempt,
        }
    }

    fn welcome(&self, connection_id: ConnectionId, expires_at_ms: u64) -> Welcome {
        let doors = &self.shard.doors;
        let small = |number: usize| u32::try_from(number).expect("the limits are small numbers");
        Welcome {
            connection_id,
            epoch: doors.reader.epoch(),
            now_ms: doors.world.clock.now_ms(),
            token_expires_at_ms: expires_at_ms,
            limits: ConnectionLimits {
                frame_bytes_max: small(limit::FRAME_BYTES_MAX),
                body_bytes_max: small(limit::BODY_BYTES_MAX),
                beat_ms: limit::BEAT_MS,
                silence_ms_max: limit::SILENCE_MS_MAX,
                resend_ms: limit::RESEND_MS,
            },
        }
    }

    async fn visitor(self, claims: &VisitorClaims, hello: Hello) -> Result<Identified, Refused> {
        let doors = self.shard.doors.clone();
        let known = visitor::known(&doors, claims).await?;
        let said = self.caller.origin.as_deref();
        origin::check(&known.site, said, &self.caller.line.own_origin)?;
        let identity = self.identity(known.actor, hello.purpose);
        let connection_id = identity.connection_id;
        self.mailbox.identify(Phase::Visitor, claims.expires_at_ms);
        if known.visitor.contact_id.is_some() {
            self.mailbox.prove();
        }
        let shard = Rc::clone(&self.shard);
        let mut connection = Identified::new(shard, Rc::clone(&self.mailbox), &identity);
        let visitor_id = known.visitor.visitor_id;
        connection.listen(match hello.purpose {
            Purpose::Full => Topic::Visitor(visitor_id),
            Purpose::Launcher => Topic::VisitorLauncher(visitor_id),
        });
        connection.listen(Topic::SiteVisitors(known.visitor.site_id));
        // Only now: a conversation that begins meanwhile is in the facts, or comes as a notice.
        let facts = match doors.router.visitor_welcome(&known.actor).await {
            Ok(facts) => facts,
            Err(rejection) => {
                connection.leave().await;
                return Err(rejection.into());
            }
        };
        let open = facts.conversation.as_ref().map(|open| open.id);
        connection.say(frame::encoded(&VisitorNews::Welcome {
            welcome: self.welcome(connection_id, claims.expires_at_ms),
            visitor_id,
            conversation: facts.conversation,
            unread: facts.unread,
        }));
        if hello.purpose == Purpose::Full {
            let resumed = hello
                .resume
                .iter()
                .any(|one| Some(one.conversation_id) == open);
            for follow in hello.resume {
                connection.follow(follow);
            }
            if let Some(conversation_id) = open
                && !resumed
            {
                connection.follow(Follow {
                    conversation_id,
                    position: None,
                });
            }
        }
        self.enter(&known, connection_id, hello.purpose, hello.page)
            .await;
        Ok(connection)
    }

    /// Says that the visitor is here, with which browser and page.
    async fn enter(
        &self,
        known: &Known,
        connection_id: ConnectionId,
        purpose: Purpose,
        page: Option<Page>,
    ) {
        let mut browser =
            browser::of_user_agent(&self.caller.user_agent, self.caller.place.clone());
        // The session's request said these; a socket's does not.
        browser.language = known.row.browser.language.clone();
        browser.time_zone = known.row.browser.time_zone.clone();
        let connection = VisitorConnection {
            connection_id,
            workspace_id: known.actor.workspace_id,
            visitor: known.visitor,
            purpose,
            browser,
            page,
        };
        self.shard.doors.router.visitor_enter(connection).await;
    }

    async fn agent(self, claims: &AgentClaims, hello: Hello) -> Result<Identified, Refused> {
        let doors = self.shard.doors.clone();
        let own_origin = &self.caller.line.own_origin;
        if let Some(origin) = &self.caller.origin
            && **origin != **own_origin
        {
            return Err(Rejection::from(ErrorCode::OriginRefused).into());
        }
        let (actor, agent, expires_at_ms) = self.member(claims).await?;
        let identity = self.identity(actor, Purpose::Full);
        let connection_id = identity.connection_id;
        self.mailbox.identify(Phase::Agent, expires_at_ms);
        let shard = Rc::clone(&self.shard);
        let mut connection = Identified::new(shard, Rc::clone(&self.mailbox), &identity);
        connection.listen(Topic::Session(agent.session_id));
        connection.listen(Topic::Agent(agent.agent_id));
        connection.listen(Topic::Team(actor.workspace_id));
        connection.say(frame::encoded(&AgentNews::Welcome {
            welcome: self.welcome(connection_id, expires_at_ms),
            agent_id: agent.agent_id,
        }));
        doors.router.agent_enter(&actor, connection_id).await;
        match doors.router.team(&actor).await {
            Ok(team) => connection.say(team.text),
            Err(rejection) => connection.say(frame::error(&rejection)),
        }
        for follow in hello.resume {
            connection.follow(follow);
        }
        Ok(connection)
    }

    /// The member behind a token, and when his login session ends.
    async fn member(&self, claims: &AgentClaims) -> Result<(Actor, AgentActor, u64), Refused> {
        let doors = &self.shard.doors;
        let found = doors
            .desk
            .agent_by_session(claims.workspace_id, claims.agent_id, claims.session_id)
            .await
            .map_err(Failure::from)?;
        let actor = found.ok_or(Rejection::from(ErrorCode::Unauthenticated))?;
        let Principal::Agent(agent) = actor.principal else {
            return Err(Rejection::from(ErrorCode::Unauthenticated).into());
        };
        let now_ms = doors.world.clock.now_ms();
        let session = storage::session::find(&doors.reader, claims.session_id, now_ms)
            .await
            .map_err(Failure::from)?;
        let session = session.ok_or(Rejection::from(ErrorCode::Unauthenticated))?;
        Ok((actor, agent, session.expires_at_ms))
    }
}
