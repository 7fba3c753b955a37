//! A connection before `hello`. It can do one thing: become an [`Identified`], or end.

use std::rc::Rc;

use protocol::frame::{ClientFrame, Follow, Hello, Page, Purpose};
use protocol::id::ConnectionId;
use protocol::limit;
use protocol::news::{AgentNews, ConnectionLimits, VisitorNews, Welcome};
use protocol::permission::{Actor, Principal, VisitorActor};
use protocol::rejection::{CloseCode, ErrorCode, Rejection};
use protocol::site::Site;
use protocol::widget::WidgetConfig;
use router::{Arrival, Topic, VisitorConnection};

use crate::browser::{self, Place};
use crate::connection::frame;
use crate::connection::identified::{Identified, Identity};
use crate::http::line::Line;
use crate::http::problem::Failure;
use crate::origin;
use crate::shard::Shard;
use crate::shard::mailbox::{Mailbox, Phase};
use crate::token::{AgentClaims, Claims, VisitorClaims};
use crate::visitor;

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
        mailbox.comes_from(caller.line.address);
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
                attachment_bytes_max: doors.config.limits.file_bytes_max(),
                attachment_types: doors.config.media_types.named(),
            },
        }
    }

    /// The visitor of a token, before his row is asked: one who was never proved is who the token says; who
    /// was is who the store says today.
    async fn claimed(&self, claims: &VisitorClaims) -> Result<Actor, Refused> {
        match claims.contact_id {
            Some(_) => Ok(visitor::known(&self.shard.doors, claims).await?.actor),
            None => Ok(visitor::unproved(claims)),
        }
    }

    async fn visitor(self, claims: &VisitorClaims, hello: Hello) -> Result<Identified, Refused> {
        let shard = Rc::clone(&self.shard);
        // It has said hello in time, however long it waits for its welcome.
        self.mailbox.identify(Phase::Visitor, claims.expires_at_ms);
        let _admitted = shard.arrivals.enter(&shard.doors.world.clock).await?;
        let actor = self.claimed(claims).await?;
        let Principal::Visitor(visitor) = actor.principal else {
            return Err(Rejection::from(ErrorCode::Unauthenticated).into());
        };
        let identity = self.identity(actor, hello.purpose);
        if visitor.contact_id.is_some() {
            self.mailbox.prove();
        }
        let mailbox = Rc::clone(&self.mailbox);
        let mut connection = Identified::new(Rc::clone(&shard), mailbox, &identity);
        connection.listen(match hello.purpose {
            Purpose::Full => Topic::Visitor(visitor.visitor_id),
            Purpose::Launcher => Topic::VisitorLauncher(visitor.visitor_id),
        });
        connection.listen(Topic::SiteVisitors(visitor.site_id));
        // Only now: what begins or ends meanwhile is in what is read, or comes as a notice.
        let (arrival, config) = match self.admit(claims, &actor).await {
            Ok(admitted) => admitted,
            Err(refused) => {
                connection.leave().await;
                return Err(refused);
            }
        };
        let page = self.greet(claims, &mut connection, &arrival, hello);
        if let Some(config) = config {
            connection.say(frame::encoded(&VisitorNews::Config(config)));
        }
        self.enter(&identity, visitor, page, arrival).await;
        Ok(connection)
    }

    /// Lets a visitor in, if his row and his site do. With how the widget looks, where his session may not know.
    async fn admit(
        &self,
        claims: &VisitorClaims,
        actor: &Actor,
    ) -> Result<(Arrival, Option<WidgetConfig>), Refused> {
        let router = &self.shard.doors.router;
        let address = self.caller.line.address;
        router.may_come_from(claims.workspace_id, address).await?;
        let arrival = router.visitor_welcome(actor).await?;
        visitor::may_enter(&arrival.stored.row, claims)?;
        let (workspace_id, site_id) = (claims.workspace_id, claims.site_id);
        let remembered = router.site(workspace_id, site_id).await?;
        if self.check_site(remembered.as_deref()).is_err() {
            // What is remembered lets in, and nothing else: a site may be new, or allow more since.
            let reader = &self.shard.doors.reader;
            let stored = storage::site::find(reader, workspace_id, site_id).await;
            self.check_site(stored.map_err(Failure::from)?.as_ref())?;
        }
        let begun_at_ms = claims.begun_at_ms();
        let config = router.widget_config_since(workspace_id, site_id, begun_at_ms);
        Ok((arrival, config.await?))
    }

    /// Whether a site takes visitors, from where this one comes.
    fn check_site(&self, site: Option<&Site>) -> Result<(), Rejection> {
        let site = site.filter(|site| !site.archived);
        let site = site.ok_or(ErrorCode::UnknownSite)?;
        let said = self.caller.origin.as_deref();
        origin::check(site, said, &self.caller.line.own_origin)
    }

    /// Says welcome, and follows what was asked for and what goes on. Gives the page in sight.
    fn greet(
        &self,
        claims: &VisitorClaims,
        connection: &mut Identified,
        arrival: &Arrival,
        hello: Hello,
    ) -> Option<Page> {
        connection.say(frame::encoded(&VisitorNews::Welcome {
            welcome: self.welcome(connection.connection_id(), claims.expires_at_ms),
            visitor_id: claims.visitor_id,
            conversation: arrival.stored.conversation.clone(),
            unread: arrival.stored.unread.count,
            reachable: arrival.stored.row.reachable,
            staff: self.shard.doors.router.staff(claims.workspace_id),
        }));
        if hello.purpose == Purpose::Full {
            let open = arrival.stored.conversation.as_ref().map(|open| open.id);
            let is_open = |one: &Follow| Some(one.conversation_id) == open;
            let resumed = hello.resume.iter().any(is_open);
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
        hello.page
    }

    /// Says that the visitor is here, with which browser and page.
    async fn enter(
        &self,
        identity: &Identity,
        visitor: VisitorActor,
        page: Option<Page>,
        arrival: Arrival,
    ) {
        // The session's request said language and time zone; a socket's does not.
        let said = &arrival.stored.row.browser;
        let place = self.caller.place.clone();
        let place = place.or_of_zone(said.time_zone.as_deref());
        let mut browser = browser::of_user_agent(&self.caller.user_agent, place);
        browser.language = said.language.clone();
        browser.time_zone = said.time_zone.clone();
        let connection = VisitorConnection {
            connection_id: identity.connection_id,
            workspace_id: identity.actor.workspace_id,
            visitor,
            purpose: identity.purpose,
            browser,
            page,
        };
        let router = &self.shard.doors.router;
        router.visitor_enter(connection, arrival).await;
    }

    async fn agent(self, claims: &AgentClaims, hello: Hello) -> Result<Identified, Refused> {
        let doors = self.shard.doors.clone();
        let own_origin = &self.caller.line.own_origin;
        if let Some(origin) = &self.caller.origin
            && **origin != **own_origin
        {
            return Err(Rejection::from(ErrorCode::OriginRefused).into());
        }
        let shard = Rc::clone(&self.shard);
        self.mailbox.identify(Phase::Agent, claims.expires_at_ms);
        let topics = [
            Topic::Session(claims.session_id),
            Topic::Agent(claims.agent_id),
            Topic::Team(claims.workspace_id),
        ];
        for topic in topics {
            shard.subscribe(topic, &self.mailbox);
        }
        // Only now: whose rights end from here on, or who is blocked, is ended by his topics.
        let (actor, expires_at_ms) = match self.member(claims).await {
            Ok(member) => member,
            Err(refused) => {
                for topic in topics {
                    shard.unsubscribe(topic, &self.mailbox);
                }
                return Err(refused);
            }
        };
        self.mailbox.identify(Phase::Agent, expires_at_ms);
        let identity = self.identity(actor, Purpose::Full);
        let connection_id = identity.connection_id;
        let mut connection = Identified::new(shard, Rc::clone(&self.mailbox), &identity);
        connection.listens(&topics);
        connection.say(frame::encoded(&AgentNews::Welcome {
            welcome: self.welcome(connection_id, expires_at_ms),
            agent_id: claims.agent_id,
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

    /// The member behind a token, who may come from here, and when his login session ends.
    async fn member(&self, claims: &AgentClaims) -> Result<(Actor, u64), Refused> {
        let doors = &self.shard.doors;
        let found = doors
            .desk
            .agent_by_session(claims.workspace_id, claims.agent_id, claims.session_id)
            .await
            .map_err(Failure::from)?;
        let actor = found.ok_or(Rejection::from(ErrorCode::Unauthenticated))?;
        let now_ms = doors.world.clock.now_ms();
        let session = storage::session::find(&doors.reader, claims.session_id, now_ms)
            .await
            .map_err(Failure::from)?;
        let session = session.ok_or(Rejection::from(ErrorCode::Unauthenticated))?;
        let address = self.caller.line.address;
        let may_come = doors.router.may_come_from(actor.workspace_id, address);
        may_come.await?;
        Ok((actor, session.expires_at_ms))
    }
}
