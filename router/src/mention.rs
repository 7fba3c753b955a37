//! Whom a note names: a rule. What names a member he finds in what is asked of him (`todo.rs`).

use protocol::agent::Agent;
use protocol::id::AgentId;
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};

/// The members whom a note names: active ones of the team, each once, the writer not.
///
/// # Errors
/// `too_many` or `invalid` of `mentions`.
pub(crate) fn named(
    writer: Option<AgentId>,
    mentions: &[AgentId],
    agents: &[Agent],
) -> Result<Vec<AgentId>, Rejection> {
    if mentions.len() > limit::MENTIONS_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, "mentions"));
    }
    let mut named = Vec::with_capacity(mentions.len());
    for id in mentions {
        let member = agents.iter().find(|agent| agent.id == *id);
        if member.is_none_or(|agent| agent.deactivated) {
            return Err(Rejection::of(ErrorCode::Invalid, "mentions"));
        }
        if writer != Some(*id) && !named.contains(id) {
            named.push(*id);
        }
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use protocol::id::{Id, UserId};
    use protocol::permission::Role;

    use super::*;

    fn id(n: usize) -> AgentId {
        AgentId::from_bits(u128::try_from(n).expect("it is small"))
    }

    fn member(n: usize, deactivated: bool) -> Agent {
        Agent {
            id: id(n),
            version: 1,
            user_id: UserId::from_bits(1),
            name: "Ana".to_owned(),
            picture: None,
            email: "ana@example.com".to_owned(),
            role: Role::Agent,
            grants: Vec::new(),
            time_zone: "UTC".to_owned(),
            deactivated,
            created_at_ms: 0,
        }
    }

    #[test]
    fn active_members_are_named_once_and_the_writer_not() {
        let team = [member(1, false), member(2, false), member(3, true)];
        let told = named(Some(id(1)), &[id(2), id(1), id(2)], &team);
        assert_eq!(told, Ok(vec![id(2)]));
        assert_eq!(
            named(None, &[id(1)], &team),
            Ok(vec![id(1)]),
            "by a program"
        );
        let refused = Err(Rejection::of(ErrorCode::Invalid, "mentions"));
        for bad in [id(3), id(9)] {
            assert_eq!(named(Some(id(1)), &[id(2), bad], &team), refused);
        }
    }

    #[test]
    fn a_note_names_so_many_and_not_one_more() {
        let team: Vec<Agent> = (0..=limit::MENTIONS_MAX)
            .map(|n| member(n, false))
            .collect();
        let all: Vec<AgentId> = team.iter().map(|agent| agent.id).collect();
        assert_eq!(
            named(None, &all[1..], &team).map(|told| told.len()),
            Ok(limit::MENTIONS_MAX)
        );
        let refused = Err(Rejection::of(ErrorCode::TooMany, "mentions"));
        assert_eq!(named(None, &all, &team), refused);
    }
}
