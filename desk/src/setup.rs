//! Set-up: the first owner, workspace and site, by a one-time link or unattended; and members that
//! an operator adds at the machine itself.

use protocol::agent::Agent;
use protocol::id::{LoginSessionId, SiteId, WorkspaceId};
use protocol::permission::{Actor, AgentActor, Permissions, Principal, Role};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::setup::{Setup, SetupDone, SetupState};
use protocol::site::NewSite;
use protocol::text::{Email, Name};
use protocol::workspace::Workspace;
use router::Part;
use storage::session::SessionRow;
use storage::setup::{Account, Installation, NewMember as MemberRow};
use storage::user::UserRow;
use subtle::ConstantTimeEq;

use crate::audit::{By, Differences};
use crate::error::Result;
use crate::login::SignedIn;
use crate::password::NewPassword;
use crate::session::UserSession;
use crate::{Caller, Desk, field, origin, secret, stored};

/// What unattended set-up found or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattended {
    /// Whether it was made now; nothing of an installation that exists is ever changed.
    pub made: bool,
    /// The key of the first site, for the embed tag; absent where all sites are gone.
    pub site_key: Option<SiteId>,
}

/// A member whom an operator adds.
#[derive(Clone)]
pub struct NewMember {
    /// The address to sign in with.
    pub email: String,
    /// The name to be seen.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The password; ignored where the address has an account.
    pub password: String,
    /// The workspace; the only one when absent.
    pub workspace_id: Option<WorkspaceId>,
}

/// All that set-up needs, checked.
struct Plan {
    name: Name,
    email: Email,
    password: NewPassword,
    workspace_name: Name,
    time_zone: String,
    site: NewSite,
}

impl Desk {
    /// Whether set-up was done.
    ///
    /// # Errors
    /// The store's.
    pub async fn setup_state(&self) -> Result<SetupState> {
        let done = storage::setup::is_done(&self.0.db).await?;
        Ok(SetupState { done })
    }

    /// A fresh secret for the set-up link; the former one stops counting. Nothing once set-up is done.
    ///
    /// # Errors
    /// The store's.
    pub async fn issue_setup_token(&self) -> Result<Option<String>> {
        if storage::setup::is_done(&self.0.db).await? {
            return Ok(None);
        }
        let token = secret::make(&self.0.world.ids, secret::SETUP_PREFIX);
        storage::setup::put_token(&self.0.db, &secret::hash(&token)).await?;
        Ok(Some(token))
    }

    /// Sets Switchboard up and signs the owner in.
    ///
    /// # Errors
    /// `already_set_up`, `link_invalid`, `password_weak`, and what is wrong with the site.
    pub async fn set_up(&self, setup: Setup, caller: &Caller) -> Result<(SetupDone, SignedIn)> {
        if storage::setup::is_done(&self.0.db).await? {
            return Err(ErrorCode::AlreadySetUp.into());
        }
        self.check_setup_token(&setup.token).await?;
        let hints = [
            setup.email.as_str(),
            setup.name.as_str(),
            setup.workspace_name.as_str(),
        ];
        let plan = Plan {
            password: NewPassword::parse(&setup.password, &hints)?,
            time_zone: field::time_zone_or_default(setup.time_zone.as_deref()),
            name: setup.name,
            email: setup.email,
            workspace_name: setup.workspace_name,
            site: setup.site,
        };
        let (installation, secret) = self.install(plan, Some(caller)).await?;
        let done = SetupDone {
            workspace_id: installation.workspace.id,
            site: installation.site,
        };
        let session = installation
            .session
            .expect("a caller was given, so there is a session");
        let signed_in = SignedIn {
            me: self.me_of(&installation.user).await?,
            session: UserSession {
                session_id: session.id,
                user_id: session.user_id,
                expires_at_ms: session.expires_at_ms,
            },
            secret,
        };
        Ok((done, signed_in))
    }

    async fn check_setup_token(&self, token: &str) -> Result<()> {
        let known = storage::setup::token_hash(&self.0.db).await?;
        let given = secret::hash(token);
        let same = known.is_some_and(|known| bool::from(known.ct_eq(&given)));
        if same {
            Ok(())
        } else {
            Err(ErrorCode::LinkInvalid.into())
        }
    }

    /// Sets Switchboard up without a person: owner, workspace, and a site that every loopback origin
    /// may use. Does nothing where set-up was done, so it may run at every start.
    ///
    /// # Errors
    /// `invalid` of `email`, `password_weak`.
    pub async fn set_up_unattended(&self, email: &str, password: &str) -> Result<Unattended> {
        if storage::setup::is_done(&self.0.db).await? {
            return self.found_set_up().await;
        }
        let email = Email::parse(email)?;
        let password = NewPassword::parse(password, &[email.as_str()])?;
        let plan = Plan {
            name: Name::parse(name_in(email.as_str()))?,
            email,
            password,
            workspace_name: Name::parse("My workspace")?,
            time_zone: field::TIME_ZONE_DEFAULT.to_owned(),
            site: NewSite {
                name: Name::parse("First site")?,
                domain: String::new(),
                allowed_origins: vec![origin::LOOPBACK.to_owned()],
                theme: None,
            },
        };
        match self.install(plan, None).await {
            Ok((installation, _)) => Ok(Unattended {
                made: true,
                site_key: Some(installation.site.id),
            }),
            // Another node was faster.
            Err(error) if error.rejection().code == ErrorCode::AlreadySetUp => {
                self.found_set_up().await
            }
            Err(error) => Err(error),
        }
    }

    async fn found_set_up(&self) -> Result<Unattended> {
        let workspaces = storage::workspace::list(&self.0.db).await?;
        let mut site_key = None;
        if let Some(first) = workspaces.first() {
            let scope = system(first.id).may(protocol::permission::Permission::SitesWrite)?;
            let sites = storage::site::list(&self.0.db, &scope).await?;
            site_key = sites.iter().find(|site| !site.archived).map(|site| site.id);
        }
        Ok(Unattended {
            made: false,
            site_key,
        })
    }

    /// Makes everything in one transaction; gives it and the session's secret (empty without a caller).
    async fn install(&self, plan: Plan, caller: Option<&Caller>) -> Result<(Installation, String)> {
        let ids = &self.0.world.ids;
        let now_ms = self.now_ms();
        let user = UserRow {
            id: ids.next(),
            email: plan.email.as_str().to_owned(),
            password_hash: self.0.hashing.hash(&plan.password).await?,
            created_at_ms: now_ms,
        };
        let (session, session_secret) = caller
            .map(|caller| self.new_session(user.id, caller))
            .unzip();
        let installation = Installation {
            workspace: Workspace::new(ids.next(), plan.workspace_name.as_str(), &plan.time_zone),
            member: MemberRow {
                id: ids.next(),
                name: plan.name.as_str().to_owned(),
                role: Role::Owner,
                time_zone: plan.time_zone,
            },
            site: self.site_of(plan.site)?,
            secrets: self.first_site_secrets(),
            user,
            session,
        };
        let actor = owner_of(&installation);
        let by = By {
            actor: &actor,
            caller,
        };
        let workspace_id = installation.workspace.id;
        let change = by.change(
            "workspace.created",
            workspace_id,
            Differences::default(),
            now_ms,
        );
        let written = storage::setup::create(&self.0.db, &installation, &change).await?;
        stored(written)
            .map_err(|error| error.told_as(ErrorCode::AlreadyExists, ErrorCode::AlreadySetUp))?;
        self.changed(workspace_id, Part::Workspace);
        self.changed(workspace_id, Part::Site(installation.site.id));
        Ok((installation, session_secret.unwrap_or_default()))
    }

    /// Adds a member without an invitation: `switchboard user add`. An address that has an account
    /// keeps its password.
    ///
    /// # Errors
    /// `already_exists` for a member, `password_weak`, `too_many`, `not_found` of `workspace_id`.
    pub async fn add_user(&self, new: &NewMember) -> Result<Agent> {
        let email = Email::parse(&new.email)?;
        let name = Name::parse(&new.name)?;
        let workspace = self.workspace_named(new.workspace_id).await?;
        let account = match storage::user::by_email(&self.0.db, email.as_str()).await? {
            Some(user) => Account::Existing(user),
            None => {
                let hints = [email.as_str(), name.as_str(), workspace.name.as_str()];
                let password = NewPassword::parse(&new.password, &hints)?;
                Account::New(self.new_user(&email, &password).await?)
            }
        };
        let member = MemberRow {
            id: self.0.world.ids.next(),
            name: name.as_str().to_owned(),
            role: new.role,
            time_zone: workspace.time_zone,
        };
        let actor = system(workspace.id);
        let by = By {
            actor: &actor,
            caller: None,
        };
        let mut differences = Differences::default();
        differences.note("role", &None, &Some(new.role));
        let change = by.change("agent.added", member.id, differences, self.now_ms());
        let written = storage::agent::create(&self.0.db, &account, &member, &change).await?;
        let agent = stored(written)?;
        self.changed(workspace.id, Part::Agent(agent.id));
        Ok(agent)
    }

    async fn workspace_named(&self, workspace_id: Option<WorkspaceId>) -> Result<Workspace> {
        let mut workspaces = storage::workspace::list(&self.0.db).await?;
        let several = workspaces.len() > 1;
        match workspace_id {
            Some(id) => workspaces.retain(|workspace| workspace.id == id),
            None if several => {
                return Err(Rejection::of(ErrorCode::Invalid, "workspace").into());
            }
            None => {}
        }
        workspaces
            .pop()
            .ok_or_else(|| Rejection::of(ErrorCode::NotFound, "workspace").into())
    }

    /// A user's row with a new password.
    pub(crate) async fn new_user(&self, email: &Email, password: &NewPassword) -> Result<UserRow> {
        Ok(UserRow {
            id: self.0.world.ids.next(),
            email: email.as_str().to_owned(),
            password_hash: self.0.hashing.hash(password).await?,
            created_at_ms: self.now_ms(),
        })
    }
}

/// The server itself, in a workspace.
pub(crate) fn system(workspace_id: WorkspaceId) -> Actor {
    Actor {
        workspace_id,
        principal: Principal::System,
    }
}

fn owner_of(installation: &Installation) -> Actor {
    let session_id = |session: &SessionRow| session.id;
    let session_id = installation.session.as_ref().map(session_id);
    match session_id {
        Some(session_id) => member_actor(
            installation.workspace.id,
            &installation.member,
            installation.user.id,
            session_id,
        ),
        None => system(installation.workspace.id),
    }
}

/// A member who acts while he becomes one.
pub(crate) fn member_actor(
    workspace_id: WorkspaceId,
    member: &MemberRow,
    user_id: protocol::id::UserId,
    session_id: LoginSessionId,
) -> Actor {
    Actor {
        workspace_id,
        principal: Principal::Agent(AgentActor {
            agent_id: member.id,
            user_id,
            session_id,
            permissions: Permissions::of_role(member.role),
        }),
    }
}

/// A name for somebody of whom only an address is known: what stands before the `@`.
fn name_in(email: &str) -> &str {
    email
        .split('@')
        .next()
        .filter(|name| !name.is_empty())
        .unwrap_or(email)
}
