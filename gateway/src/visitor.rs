//! Who a visitor's token stands for today: the row behind it decides at every door and every `hello`.

use protocol::permission::{Actor, Principal, VisitorActor};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::site::Site;
use storage::visitor::VisitorRow;

use crate::Doors;
use crate::http::problem::Failure;
use crate::token::VisitorClaims;

/// A visitor whose row was read just now.
pub(crate) struct Known {
    pub(crate) actor: Actor,
    pub(crate) site: Site,
}

/// Reads the rows behind a token.
///
/// # Errors
/// `unauthenticated` where the visitor was erased or logged out, `token_expired` where the token is from
/// before the visitor was proved, `blocked`, `unknown_site` where the site was archived, or a fault.
pub(crate) async fn known(doors: &Doors, claims: &VisitorClaims) -> Result<Known, Failure> {
    let (workspace_id, site_id) = (claims.workspace_id, claims.site_id);
    let visitor_id = claims.visitor_id;
    let found =
        storage::visitor::find_with_site(&doors.reader, workspace_id, visitor_id, site_id).await?;
    let row = found.0.ok_or(ErrorCode::Unauthenticated)?;
    may_enter(&row, claims)?;
    let site = found
        .1
        .filter(|site| !site.archived)
        .ok_or(ErrorCode::UnknownSite)?;
    // The token says what was proved when it was made, the row what is true now.
    let proved = row.proved.then_some(row.contact_id).flatten();
    let visitor = VisitorActor {
        visitor_id: claims.visitor_id,
        site_id: claims.site_id,
        contact_id: claims.contact_id.and(proved),
    };
    Ok(Known {
        actor: Actor {
            workspace_id: claims.workspace_id,
            principal: Principal::Visitor(visitor),
        },
        site,
    })
}

/// Whether somebody signed in with this browser since the token was made: whoever kept it proved nothing, so
/// it is not the person's. A token that names a contact is, also where another speaks for that one by now.
pub(crate) fn is_from_before(row: &VisitorRow, claims: &VisitorClaims) -> bool {
    row.proved && claims.contact_id.is_none()
}

/// Who a token of a visitor stands for whom nobody proved when it was made.
pub(crate) fn unproved(claims: &VisitorClaims) -> Actor {
    Actor {
        workspace_id: claims.workspace_id,
        principal: Principal::Visitor(VisitorActor {
            visitor_id: claims.visitor_id,
            site_id: claims.site_id,
            contact_id: None,
        }),
    }
}

/// The row behind a token, if the token is still of its generation.
pub(crate) async fn standing(doors: &Doors, claims: &VisitorClaims) -> Result<VisitorRow, Failure> {
    let row = storage::visitor::find(&doors.reader, claims.workspace_id, claims.visitor_id).await?;
    let row = row.filter(|row| is_standing(row, claims));
    row.ok_or_else(|| Rejection::from(ErrorCode::Unauthenticated).into())
}

/// Whether the row behind a token lets its visitor in.
///
/// # Errors
/// `unauthenticated` where he was erased or logged out, `blocked`, `token_expired` where somebody signed in
/// with this browser since.
pub(crate) fn may_enter(row: &VisitorRow, claims: &VisitorClaims) -> Result<(), Rejection> {
    if !is_standing(row, claims) {
        return Err(ErrorCode::Unauthenticated.into());
    }
    if row.blocked {
        return Err(ErrorCode::Blocked.into());
    }
    if is_from_before(row, claims) {
        return Err(ErrorCode::TokenExpired.into());
    }
    Ok(())
}

/// Whether the row is still what the token was made for.
fn is_standing(row: &VisitorRow, claims: &VisitorClaims) -> bool {
    !row.erased && row.generation == claims.generation && row.site_id == claims.site_id
}
