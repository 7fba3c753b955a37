//! Who a client is, and how it gets the tokens that say so.

use protocol::id::{AgentId, SiteId, VisitorId, WorkspaceId};
use protocol::setup::{LoggedIn, SocketToken};
use protocol::site::Site;
use protocol::widget::VisitorSession;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Error;
use crate::client::http::{Call, Http};
use crate::client::news::Side;

/// A visitor's browser on a page. It is written for the tool's own workers alone.
#[derive(Clone, Serialize, Deserialize)]
pub struct VisitorAccess {
    /// The site key of the page's embed tag.
    pub site_key: SiteId,
    /// The page's origin.
    pub origin: String,
    /// A signed identity that the page has for its user.
    pub identity: Option<String>,
    /// The session, as last renewed.
    pub session: VisitorSession,
}

/// A member of the team who signed in. It is written for the tool's own workers alone.
#[derive(Clone, Serialize, Deserialize)]
pub struct AgentAccess {
    /// The login session's secret.
    pub bearer: String,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// As whom.
    pub agent_id: AgentId,
}

/// Who a client is.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "one per client; visitors are the most of them"
)]
pub enum Access {
    /// A visitor.
    Visitor(VisitorAccess),
    /// An agent.
    Agent(AgentAccess),
}

impl VisitorAccess {
    /// Begins a session as somebody new.
    ///
    /// # Errors
    /// The server's refusal, or the network's failure.
    pub async fn begin(
        http: &mut Http,
        site_key: SiteId,
        origin: &str,
        identity: Option<String>,
    ) -> Result<Self, Error> {
        let session = begin(http, site_key, origin, None, identity.as_deref()).await?;
        Ok(Self {
            site_key,
            origin: origin.to_owned(),
            identity,
            session,
        })
    }

    /// Renews the session: the same visitor with a fresh token.
    ///
    /// # Errors
    /// The server's refusal, or the network's failure.
    pub async fn renew(&mut self, http: &mut Http) -> Result<(), Error> {
        let token = Some(self.session.token.as_str());
        let identity = self.identity.as_deref();
        self.session = begin(http, self.site_key, &self.origin, token, identity).await?;
        Ok(())
    }

    /// Who this browser is.
    #[must_use]
    pub fn visitor_id(&self) -> VisitorId {
        self.session.visitor_id
    }
}

async fn begin(
    http: &mut Http,
    site_key: SiteId,
    origin: &str,
    token: Option<&str>,
    identity: Option<&str>,
) -> Result<VisitorSession, Error> {
    let body = json!({ "site_key": site_key, "token": token, "identity": identity });
    let call = Call::post("/api/v1/visitor/session", &body).header("origin", origin);
    http.ask(&call).await
}

impl AgentAccess {
    /// Signs in. A user of several workspaces gets the first.
    ///
    /// # Errors
    /// The server's refusal, or the network's failure.
    pub async fn sign_in(http: &mut Http, email: &str, password: &str) -> Result<Self, Error> {
        let body = json!({ "email": email, "password": password });
        let call = Call::post("/api/v1/login?bearer=true", &body);
        Self::of(http.ask(&call).await?)
    }

    /// The member behind an answer that hands the session's secret over. Of several workspaces it is
    /// the first.
    ///
    /// # Errors
    /// The answer names no workspace or no secret.
    pub fn of(signed_in: LoggedIn) -> Result<Self, Error> {
        let membership = signed_in.me.memberships.first();
        let membership =
            membership.ok_or_else(|| Error::Malformed("no workspace after sign-in".into()))?;
        let missing = || Error::Malformed("no secret after sign-in".into());
        Ok(Self {
            workspace_id: membership.workspace_id,
            agent_id: membership.agent_id,
            bearer: signed_in.secret.ok_or_else(missing)?,
        })
    }

    /// A request with this member's credentials.
    #[must_use]
    pub fn call(&self, call: Call) -> Call {
        call.bearer(&self.bearer)
            .header("switchboard-workspace", self.workspace_id.to_string())
    }

    /// A short-lived token to open one connection with.
    ///
    /// # Errors
    /// The server's refusal, or the network's failure.
    pub async fn socket_token(&self, http: &mut Http) -> Result<SocketToken, Error> {
        let call = Call::new(hyper::Method::POST, "/api/v1/socket-token");
        http.ask(&self.call(call)).await
    }

    /// The sites of the workspace: the first page.
    ///
    /// # Errors
    /// The server's refusal, or the network's failure.
    pub async fn sites(&self, http: &mut Http) -> Result<Vec<Site>, Error> {
        let call = self.call(Call::get("/api/v1/sites"));
        let page: protocol::page::Page<Site> = http.ask(&call).await?;
        Ok(page.items)
    }
}

impl Access {
    /// Which side this is.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            Self::Visitor(_) => Side::Visitor,
            Self::Agent(_) => Side::Agent,
        }
    }

    /// The token for `hello`.
    ///
    /// # Errors
    /// The server's refusal, or the network's failure.
    pub async fn token(&self, http: &mut Http) -> Result<String, Error> {
        match self {
            Self::Visitor(visitor) => Ok(visitor.session.token.clone()),
            Self::Agent(agent) => Ok(agent.socket_token(http).await?.token),
        }
    }

    /// The origin of the page this client runs on, for the socket's handshake; programs have none.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        match self {
            Self::Visitor(visitor) => Some(&visitor.origin),
            Self::Agent(_) => None,
        }
    }

    /// A request with the credentials for HTTP.
    #[must_use]
    pub fn call(&self, call: Call) -> Call {
        match self {
            Self::Visitor(visitor) => call
                .bearer(&visitor.session.token)
                .header("origin", visitor.origin.clone()),
            Self::Agent(agent) => agent.call(call),
        }
    }
}
