//! What may be written behind `switchboard`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use protocol::id::{ContactId, WorkspaceId};
use protocol::permission::Role;

/// Self-hosted realtime customer messaging.
#[derive(Parser)]
#[command(version, name = "switchboard")]
pub(crate) struct Arguments {
    /// The configuration file (TOML); see switchboard.example.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server (the default)
    Serve,
    /// Bring the store's schema up to date and exit
    Migrate,
    /// Check the configuration and exit: 0 when it is right, 64 when not
    CheckConfig,
    /// Write a backup of the store and the uploaded files; a running server is asked to
    Backup {
        /// The new directory; `data_dir/backups/manual-…` with the time when left out
        directory: Option<PathBuf>,
    },
    /// Fill the store and the files from a backup; the server must be stopped
    Restore {
        /// A directory that `backup` wrote
        directory: PathBuf,
        /// Move present data aside instead of refusing
        #[arg(long)]
        replace: bool,
    },
    /// Copy the store into an empty one elsewhere and compare both row by row; the server must be stopped
    Copy {
        /// `postgres://…` or `sqlite:…`; better in `SWITCHBOARD_COPY_TO` where it holds a password
        #[arg(value_name = "DATABASE_URL")]
        to: Option<String>,
    },
    /// Erase for good
    #[command(subcommand)]
    Erase(Erase),
    /// Users and their passwords
    #[command(subcommand)]
    User(User),
}

#[derive(Subcommand)]
pub(crate) enum Erase {
    /// A contact with everything it wrote, was written and sent
    Contact {
        /// con_…, from the console's address line
        contact_id: ContactId,
    },
}

#[derive(Subcommand)]
pub(crate) enum User {
    /// Add a member to the team
    Add {
        /// The address to sign in with
        #[arg(long)]
        email: String,
        /// The name that customers see
        #[arg(long)]
        name: String,
        /// owner, admin or agent
        #[arg(long, default_value = "agent", value_parser = role)]
        role: Role,
        /// wsp_…, where there are several
        #[arg(long)]
        workspace: Option<WorkspaceId>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Give a user another password and sign him out everywhere
    ResetPassword {
        /// The address he signs in with
        #[arg(long)]
        email: String,
        #[command(flatten)]
        password: PasswordSource,
    },
}

/// A password is never an argument: other users of the machine can read those.
#[derive(Args)]
pub(crate) struct PasswordSource {
    /// Read the password from standard input instead of making one up and printing it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

fn role(text: &str) -> Result<Role, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "must be owner, admin or agent".to_owned())
}

/// Reads the arguments; on a wrong call explains and ends the process with 64 (EX_USAGE).
pub(crate) fn parse() -> Arguments {
    Arguments::try_parse().unwrap_or_else(|error| {
        let code = if error.use_stderr() { 64 } else { 0 };
        // A closed pipe leaves nobody to tell.
        let _ = error.print();
        std::process::exit(code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_role_is_one_of_three_words() {
        assert_eq!(role("admin"), Ok(Role::Admin));
        assert!(role("king").is_err());
    }
}
