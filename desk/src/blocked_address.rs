//! Blocked addresses: from where nobody comes into a workspace, neither visitors nor its own team. Who blocks
//! does not lock himself out unless he says so.

use protocol::blocked_address::{BlockedAddress, NewBlockedAddress};
use protocol::id::BlockedAddressId;
use protocol::limit;
use protocol::network::Network;
use protocol::permission::{Actor, Permission, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use router::Part;

use crate::audit::{By, Differences};
use crate::error::Result;
use crate::field;
use crate::{Caller, Desk, stored};

/// A network out of what somebody wrote.
fn network(text: &str) -> Result<Network, Rejection> {
    if text.len() > limit::NETWORK_BYTES_MAX {
        return Err(Rejection::of(ErrorCode::TooLong, "network"));
    }
    let network = text.trim().parse();
    network.map_err(|_| Rejection::of(ErrorCode::Invalid, "network"))
}

/// What the log keeps: networks and reasons are no person's words.
fn differences(before: Option<&BlockedAddress>, after: Option<&BlockedAddress>) -> Differences {
    let mut differences = Differences::default();
    let network = |one: Option<&BlockedAddress>| one.map(|one| one.network.clone());
    let reason = |one: Option<&BlockedAddress>| {
        let reason = one.map(|one| one.reason.clone());
        reason.unwrap_or_default()
    };
    differences.note("network", &network(before), &network(after));
    differences.note("reason", &reason(before), &reason(after));
    differences
}

impl Desk {
    /// What is blocked.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn blocked_addresses(&self, actor: &Actor) -> Result<Vec<BlockedAddress>> {
        let scope = actor.may(Permission::SettingsWrite)?;
        Ok(storage::blocked_address::list(&self.0.db, &scope).await?)
    }

    /// Blocks a network. Who is connected from there is sent away within two seconds, on every node.
    ///
    /// # Errors
    /// `forbidden`; `invalid` or `too_long` of `network`, `too_long` or `invalid` of `reason`; `invalid` of
    /// `including_me` where the caller's own address belongs to it and he did not say so; `already_exists`,
    /// `too_many`.
    pub async fn block_address(
        &self,
        actor: &Actor,
        new: &NewBlockedAddress,
        caller: Option<&Caller>,
    ) -> Result<BlockedAddress> {
        actor.may(Permission::SettingsWrite)?;
        let network = network(&new.network)?;
        let is_own = caller.is_some_and(|caller| network.has(caller.address));
        if is_own && !new.including_me {
            return Err(Rejection::of(ErrorCode::Invalid, "including_me").into());
        }
        let blocked = BlockedAddress {
            id: self.0.world.ids.next(),
            network: network.to_string(),
            reason: field::line(new.reason.as_deref().unwrap_or_default(), "reason")?,
            agent_id: match actor.principal {
                Principal::Agent(agent) => Some(agent.agent_id),
                Principal::Key(_) | Principal::Visitor(_) | Principal::System => None,
            },
            created_at_ms: self.now_ms(),
        };
        let differences = differences(None, Some(&blocked));
        let by = By { actor, caller };
        let change = by.change(
            "address.blocked",
            blocked.id,
            differences,
            blocked.created_at_ms,
        );
        let written = storage::blocked_address::create(&self.0.db, &blocked, &change).await?;
        let taken = Rejection::of(ErrorCode::AlreadyExists, "network");
        stored(written).map_err(|error| error.told_as(ErrorCode::AlreadyExists, taken))?;
        self.changed(actor.workspace_id, Part::BlockedAddress(blocked.id));
        Ok(blocked)
    }

    /// Lets a network in again.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn unblock_address(
        &self,
        actor: &Actor,
        id: BlockedAddressId,
        caller: Option<&Caller>,
    ) -> Result<()> {
        actor.may(Permission::SettingsWrite)?;
        let before = storage::blocked_address::find(&self.0.db, actor.workspace_id, id).await?;
        let before = before.ok_or(ErrorCode::NotFound)?;
        let differences = differences(Some(&before), None);
        let by = By { actor, caller };
        let change = by.change("address.unblocked", id, differences, self.now_ms());
        if !storage::blocked_address::remove(&self.0.db, id, &change).await? {
            return Err(ErrorCode::NotFound.into());
        }
        self.changed(actor.workspace_id, Part::BlockedAddress(id));
        Ok(())
    }
}
