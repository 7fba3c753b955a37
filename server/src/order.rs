//! Orders: what an operator asks for at the machine itself. A running server carries them out when
//! asked over its admin socket; without one the subcommand does it alone.

use std::path::PathBuf;

use desk::{Desk, NewMember};
use protocol::id::{ContactId, WorkspaceId};
use protocol::permission::{Actor, Principal, Role};
use protocol::rejection::ErrorCode;
use serde::{Deserialize, Serialize};
use storage::Reader;

use crate::backup::Backups;
use crate::error::{Error, Result};

/// What an operator may ask for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Write a backup.
    Backup {
        /// The new directory; one named after the time where none is given.
        directory: Option<PathBuf>,
    },
    /// Erase a contact with all that was said, for good.
    EraseContact {
        /// Whom.
        contact_id: ContactId,
    },
    /// Add a member to a team.
    AddUser {
        /// The address to sign in with.
        email: String,
        /// The name to be seen.
        name: String,
        /// The role.
        role: Role,
        /// The password; ignored where the address has an account.
        password: String,
        /// The workspace; the only one when absent.
        workspace_id: Option<WorkspaceId>,
    },
    /// Give a user another password and sign him out everywhere.
    ResetPassword {
        /// The address he signs in with.
        email: String,
        /// The new password.
        password: String,
    },
}

/// What carrying out an order takes.
#[derive(Clone)]
pub struct Clerk {
    /// The store, for reading.
    pub reader: Reader,
    /// Product rules.
    pub desk: Desk,
    /// Backups.
    pub backups: Backups,
}

impl Clerk {
    /// Carries an order out and says in a sentence what was done.
    ///
    /// # Errors
    ///
    /// Refused, or failed.
    pub async fn carry_out(&self, order: Order) -> Result<String> {
        match order {
            Order::Backup { directory } => {
                let path = self.backups.write(directory).await?;
                Ok(format!("backup written to {}", path.display()))
            }
            Order::EraseContact { contact_id } => self.erase(contact_id).await,
            Order::AddUser {
                email,
                name,
                role,
                password,
                workspace_id,
            } => {
                let member = NewMember {
                    email,
                    name,
                    role,
                    password,
                    workspace_id,
                };
                let agent = self.desk.add_user(&member).await?;
                Ok(format!(
                    "{} was added as {}",
                    agent.email,
                    agent.role.as_str()
                ))
            }
            Order::ResetPassword { email, password } => {
                self.desk.reset_password(&email, &password).await?;
                Ok(format!(
                    "{email} has a new password and is signed out everywhere"
                ))
            }
        }
    }

    /// Looks for the contact in every workspace: an operator knows its id from the console alone.
    async fn erase(&self, contact_id: ContactId) -> Result<String> {
        for workspace in storage::workspace::list(&self.reader).await? {
            let actor = Actor {
                workspace_id: workspace.id,
                principal: Principal::System,
            };
            match self.desk.erase_contact(&actor, contact_id).await {
                Ok(()) => return Ok(format!("{contact_id} was erased")),
                Err(desk::Error::Rejected(rejection)) if rejection.code == ErrorCode::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Answered(format!("{contact_id} does not exist")))
    }
}
