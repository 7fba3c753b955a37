//! Decisions: what a command means for a conversation as it is. Pure; its lane reads, stores and passes on.
//!
//! A decision rests on what was read a moment ago. What must hold when it is stored goes into the guard,
//! which the store checks under the conversation's lock; if it no longer holds, the lane reads and
//! decides again.

use protocol::agent::Agent;
use protocol::command::{Command, Draft};
use protocol::conversation::{Conversation, State};
use protocol::entry::{Author, Content, Entry, ReopenCause};
use protocol::id::AgentId;
use protocol::limit;
use protocol::message::Format;
use protocol::permission::{Actor, Permission, Principal, VisitorActor};
use protocol::rejection::{ErrorCode, Rejection};
use storage::entry::{Guard, NewContent, NewMessage};

use crate::mention;

/// What a decision about a conversation rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// The conversation as it is.
    pub(crate) conversation: &'a Conversation,
    /// The agents who take part.
    pub(crate) participants: &'a [AgentId],
    /// The entry that the command names: what is edited, taken back or answered.
    pub(crate) target: Option<&'a Entry>,
    /// The team.
    pub(crate) agents: &'a [Agent],
    /// Whether the conversation's visitor is blocked.
    pub(crate) is_blocked: bool,
    /// Now, by the store's clock.
    pub(crate) now_ms: u64,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    /// Append these, if the guard holds. The last one is acknowledged.
    Append {
        /// Who speaks.
        author: Author,
        /// What must still hold.
        guard: Guard,
        /// What to append, one to four.
        contents: Vec<NewContent>,
    },
    /// It is so already: nothing but the command itself is remembered.
    Nothing,
}

const ANY: &[State] = &[State::Open, State::Snoozed, State::Closed];
const ALIVE: &[State] = &[State::Open, State::Snoozed];

/// Decides a command about a conversation.
///
/// # Errors
/// What the speaker is told; nothing changes then.
pub(crate) fn decide(
    actor: &Actor,
    command: &Command,
    situation: Situation<'_>,
) -> Result<Decision, Rejection> {
    match actor.principal {
        Principal::Visitor(visitor) => {
            let author = Author::Visitor {
                visitor_id: visitor.visitor_id,
                contact_id: visitor
                    .contact_id
                    .unwrap_or(situation.conversation.contact_id),
            };
            let (states, contents) = by_visitor(&visitor, command, situation)?;
            let guard = Guard {
                states: states.to_vec(),
                fence: None,
                version: None,
                owner: Some(visitor),
            };
            Ok(append(author, guard, contents))
        }
        Principal::Agent(agent) => {
            actor.may(Permission::ConversationsWrite)?;
            let speaker = Speaker {
                author: Author::Agent {
                    agent_id: agent.agent_id,
                },
                agent_id: Some(agent.agent_id),
                cause: ReopenCause::Agent,
                may_take_back_all: agent.permissions.has(Permission::TeamWrite),
            };
            by_team(speaker, command, situation)
        }
        Principal::Key(key) => {
            actor.may(Permission::ConversationsWrite)?;
            let speaker = Speaker {
                author: Author::Key { key_id: key.key_id },
                agent_id: None,
                cause: ReopenCause::Agent,
                may_take_back_all: key.permissions.has(Permission::TeamWrite),
            };
            by_team(speaker, command, situation)
        }
        Principal::System => {
            let speaker = Speaker {
                author: Author::System,
                agent_id: None,
                cause: ReopenCause::SnoozeEnded,
                may_take_back_all: true,
            };
            by_team(speaker, command, situation)
        }
    }
}

/// What a visitor may write in.
pub(crate) const VISITOR_FORMATS: &[Format] = &[Format::Plain];

/// What the team may write in.
pub(crate) const TEAM_FORMATS: &[Format] = &[Format::Plain, Format::Markdown];

/// Checks what is written and gives it the form it is stored in.
///
/// # Errors
/// `empty`, `too_many` or `invalid`, with the field.
pub(crate) fn message_of(formats: &[Format], draft: &Draft) -> Result<NewMessage, Rejection> {
    let ids = &draft.attachment_ids;
    if draft.body.is_none() && ids.is_empty() {
        return Err(Rejection::of(ErrorCode::Empty, "body"));
    }
    if ids.len() > limit::ATTACHMENTS_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, "attachment_ids"));
    }
    if ids
        .iter()
        .enumerate()
        .any(|(index, id)| ids[..index].contains(id))
    {
        return Err(Rejection::of(ErrorCode::Invalid, "attachment_ids"));
    }
    if !formats.contains(&draft.format) {
        return Err(Rejection::of(ErrorCode::Invalid, "format"));
    }
    Ok(NewMessage {
        format: draft.format,
        body: draft
            .body
            .as_ref()
            .map_or_else(String::new, |body| body.as_str().to_owned()),
        language: None,
        reply_to_id: draft.reply_to_id,
        attachment_ids: ids.clone(),
        mentions: Vec::new(),
    })
}

/// Whether a message may answer this entry: a message, and one that the reader of the answer can see.
///
/// # Errors
/// `invalid` field `reply_to_id`.
pub(crate) fn check_reply(target: Option<&Entry>, is_public: bool) -> Result<(), Rejection> {
    let fits = target.is_some_and(|entry| {
        matches!(
            entry.content,
            Content::Message { .. } | Content::Note { .. }
        ) && (!is_public || entry.public_seq.is_some())
    });
    if fits {
        Ok(())
    } else {
        Err(Rejection::of(ErrorCode::Invalid, "reply_to_id"))
    }
}

/// Somebody of the team, or a program that acts for it.
#[derive(Debug, Clone, Copy)]
struct Speaker {
    author: Author,
    /// The agent; a program takes part in nothing and owns nothing.
    agent_id: Option<AgentId>,
    cause: ReopenCause,
    may_take_back_all: bool,
}

impl Speaker {
    /// Whether it is somebody who writes: an agent, or a program with a key.
    fn writes(&self) -> Result<(), Rejection> {
        match self.author {
            Author::Agent { .. } | Author::Key { .. } => Ok(()),
            Author::Visitor { .. } | Author::Ai | Author::System => {
                Err(ErrorCode::Forbidden.into())
            }
        }
    }

    fn agent(&self) -> Result<AgentId, Rejection> {
        self.agent_id.ok_or(ErrorCode::Forbidden.into())
    }
}

fn append(author: Author, guard: Guard, contents: Vec<NewContent>) -> Decision {
    if contents.is_empty() {
        return Decision::Nothing;
    }
    Decision::Append {
        author,
        guard,
        contents,
    }
}

fn by_visitor(
    visitor: &VisitorActor,
    command: &Command,
    situation: Situation<'_>,
) -> Result<(&'static [State], Vec<NewContent>), Rejection> {
    if situation.is_blocked {
        return Err(ErrorCode::Blocked.into());
    }
    match command {
        Command::EditMessage { body, .. } => {
            let target = visitors_target(visitor, situation)?;
            within_window(target, situation.now_ms)?;
            let edited = NewContent::Edited {
                target_id: target.id,
                body: body.as_str().to_owned(),
            };
            Ok((ANY, vec![edited]))
        }
        Command::DeleteMessage { .. } => {
            let target = visitors_target(visitor, situation)?;
            within_window(target, situation.now_ms)?;
            let target_id = target.id;
            Ok((ANY, vec![NewContent::Deleted { target_id }]))
        }
        Command::Close { .. } => Ok((ALIVE, close(situation))),
        // `SendMessage` does not come here: what it means is decided where it is stored, because it
        // may find or make its conversation.
        Command::SendMessage { .. }
        | Command::AddNote { .. }
        | Command::Identify { .. }
        | Command::StartConversation { .. }
        | Command::Assign { .. }
        | Command::Move { .. }
        | Command::Join { .. }
        | Command::Leave { .. }
        | Command::Snooze { .. }
        | Command::Reopen { .. }
        | Command::Prioritize { .. }
        | Command::MarkSpam { .. }
        | Command::BlockVisitor { .. } => Err(ErrorCode::Forbidden.into()),
    }
}

fn by_team(
    speaker: Speaker,
    command: &Command,
    situation: Situation<'_>,
) -> Result<Decision, Rejection> {
    if situation.conversation.contact_erased && adds_words(command) {
        return Err(ErrorCode::ConversationState.into());
    }
    let seen = [situation.conversation.state];
    let (states, contents): (&[State], _) = match command {
        Command::SendMessage { draft, .. } => (&seen, reply(speaker, draft, situation)?),
        Command::AddNote {
            draft, mentions, ..
        } => (&seen, note(speaker, draft, mentions, situation)?),
        Command::EditMessage { body, .. } => {
            let target_id = own_target(speaker.author, situation)?.id;
            let body = body.as_str().to_owned();
            (ANY, vec![NewContent::Edited { target_id, body }])
        }
        Command::DeleteMessage { .. } => {
            let target_id = take_back(speaker, situation)?;
            (ANY, vec![NewContent::Deleted { target_id }])
        }
        Command::Assign { agent_id, .. } => (ALIVE, assign(*agent_id, situation)?),
        Command::Move { department_id, .. } => {
            // No department can be made yet, so none can be named.
            if department_id.is_some() {
                return Err(Rejection::of(ErrorCode::Invalid, "department_id"));
            }
            let has_one = situation.conversation.department_id.is_some();
            let moved = NewContent::Moved {
                department_id: None,
            };
            (ALIVE, has_one.then_some(moved).into_iter().collect())
        }
        Command::Join { .. } => (ALIVE, join(speaker.agent()?, situation)?),
        Command::Leave { .. } => (ANY, leave(speaker.agent()?, situation)),
        Command::Snooze { until_ms, .. } => (ALIVE, snooze(*until_ms, situation)?),
        Command::Close { .. } => (ALIVE, close(situation)),
        Command::Reopen { .. } => (&seen, reopen(speaker.cause, situation)),
        Command::Prioritize { priority, .. } => (ANY, prioritize(*priority, situation)?),
        Command::MarkSpam { spam, .. } => {
            let changes = situation.conversation.spam != *spam;
            let marked = NewContent::SpamMarked { spam: *spam };
            (ANY, changes.then_some(marked).into_iter().collect())
        }
        Command::BlockVisitor { blocked, .. } => (ANY, block(*blocked, situation)?),
        Command::Identify { .. } | Command::StartConversation { .. } => {
            return Err(ErrorCode::Forbidden.into());
        }
    };
    let guard = Guard {
        version: rests_on_facts(&contents, situation).then_some(situation.conversation.version),
        ..Guard::team(states)
    };
    Ok(append(speaker.author, guard, contents))
}

/// Whether a command adds to what an erasure takes away.
fn adds_words(command: &Command) -> bool {
    match command {
        Command::SendMessage { .. }
        | Command::AddNote { .. }
        | Command::EditMessage { .. }
        | Command::Reopen { .. } => true,
        Command::DeleteMessage { .. }
        | Command::Identify { .. }
        | Command::StartConversation { .. }
        | Command::Assign { .. }
        | Command::Move { .. }
        | Command::Join { .. }
        | Command::Leave { .. }
        | Command::Snooze { .. }
        | Command::Close { .. }
        | Command::Prioritize { .. }
        | Command::MarkSpam { .. }
        | Command::BlockVisitor { .. } => false,
    }
}

/// Whether a decision would be another one if something else had changed meanwhile. Words alone may
/// stand beside whatever comes between; but not behind the end, where the person may have been erased. New words
/// rest on the state too: an end that was not seen here is one.
fn rests_on_facts(contents: &[NewContent], situation: Situation<'_>) -> bool {
    let is_over = situation.conversation.state == State::Closed;
    is_over
        || !matches!(
            contents,
            [NewContent::Message(_)
                | NewContent::Note(_)
                | NewContent::Edited { .. }
                | NewContent::Deleted { .. }]
        )
}

/// An answer is never refused for the conversation's rest or end: it opens it again. The agent who answers
/// takes part, and owns the conversation if nobody does; a program does neither.
fn reply(
    speaker: Speaker,
    draft: &Draft,
    situation: Situation<'_>,
) -> Result<Vec<NewContent>, Rejection> {
    speaker.writes()?;
    let message = written(draft, situation, true)?;
    let mut contents = Vec::with_capacity(4);
    if situation.conversation.state != State::Open {
        contents.push(NewContent::Reopened {
            cause: speaker.cause,
            from: situation.conversation.state,
        });
    }
    if let Some(agent_id) = speaker.agent_id {
        if !situation.participants.contains(&agent_id) {
            contents.push(NewContent::Joined { agent_id });
        }
        if situation.conversation.assignee_id.is_none() {
            contents.push(NewContent::Assigned {
                agent_id: Some(agent_id),
            });
        }
    }
    contents.push(NewContent::Message(message));
    Ok(contents)
}

fn note(
    speaker: Speaker,
    draft: &Draft,
    mentions: &[AgentId],
    situation: Situation<'_>,
) -> Result<Vec<NewContent>, Rejection> {
    speaker.writes()?;
    let mentions = mention::named(speaker.agent_id, mentions, situation.agents)?;
    let words = written(draft, situation, false)?;
    Ok(vec![NewContent::Note(NewMessage { mentions, ..words })])
}

fn written(
    draft: &Draft,
    situation: Situation<'_>,
    is_public: bool,
) -> Result<NewMessage, Rejection> {
    if draft.reply_to_id.is_some() {
        check_reply(situation.target, is_public)?;
    }
    message_of(TEAM_FORMATS, draft)
}

/// The message or note that the command names, if this speaker wrote it and it was not taken back.
fn own_target<'a>(author: Author, situation: Situation<'a>) -> Result<&'a Entry, Rejection> {
    let target = live_target(situation)?;
    if author == target.author {
        Ok(target)
    } else {
        Err(ErrorCode::Forbidden.into())
    }
}

/// The message that the command names, if this visitor wrote it, or the person he proved to be did in
/// another browser. He is not told that something exists which he cannot see.
fn visitors_target<'a>(
    visitor: &VisitorActor,
    situation: Situation<'a>,
) -> Result<&'a Entry, Rejection> {
    let target = situation.target.ok_or(ErrorCode::NotFound)?;
    if target.public_seq.is_none() {
        return Err(ErrorCode::NotFound.into());
    }
    let is_own = match target.author {
        Author::Visitor {
            visitor_id,
            contact_id,
        } => visitor_id == visitor.visitor_id || Some(contact_id) == visitor.contact_id,
        Author::Agent { .. } | Author::Key { .. } | Author::Ai | Author::System => false,
    };
    if !is_own {
        return Err(ErrorCode::Forbidden.into());
    }
    live_target(situation)
}

fn live_target<'a>(situation: Situation<'a>) -> Result<&'a Entry, Rejection> {
    let target = situation.target.ok_or(ErrorCode::NotFound)?;
    match &target.content {
        Content::Message { message } | Content::Note { message } => {
            if message.deleted_at_ms.is_some() {
                return Err(ErrorCode::EditWindowOver.into());
            }
            Ok(target)
        }
        Content::Edited { .. }
        | Content::Deleted { .. }
        | Content::Joined { .. }
        | Content::Left { .. }
        | Content::Assigned { .. }
        | Content::Moved { .. }
        | Content::Snoozed { .. }
        | Content::Reopened { .. }
        | Content::Closed
        | Content::Prioritized { .. }
        | Content::SpamMarked { .. }
        | Content::VisitorBlocked { .. } => Err(ErrorCode::NotFound.into()),
    }
}

fn within_window(target: &Entry, now_ms: u64) -> Result<(), Rejection> {
    if now_ms.saturating_sub(target.sent_at_ms) > limit::VISITOR_EDIT_WINDOW_MS {
        return Err(ErrorCode::EditWindowOver.into());
    }
    Ok(())
}

/// Admins may take back the words of any agent, program and the assistant; nobody a customer's.
fn take_back(
    speaker: Speaker,
    situation: Situation<'_>,
) -> Result<protocol::id::EntryId, Rejection> {
    let target = live_target(situation)?;
    let is_teams = !matches!(target.author, Author::Visitor { .. });
    if speaker.author == target.author || (speaker.may_take_back_all && is_teams) {
        Ok(target.id)
    } else {
        Err(ErrorCode::Forbidden.into())
    }
}

fn assign(
    agent_id: Option<AgentId>,
    situation: Situation<'_>,
) -> Result<Vec<NewContent>, Rejection> {
    alive(situation)?;
    if let Some(wanted) = agent_id {
        let is_active = |agent: &Agent| agent.id == wanted && !agent.deactivated;
        if !situation.agents.iter().any(is_active) {
            return Err(Rejection::of(ErrorCode::Invalid, "agent_id"));
        }
    }
    let changes = situation.conversation.assignee_id != agent_id;
    let assigned = NewContent::Assigned { agent_id };
    Ok(changes.then_some(assigned).into_iter().collect())
}

fn join(agent_id: AgentId, situation: Situation<'_>) -> Result<Vec<NewContent>, Rejection> {
    alive(situation)?;
    let is_new = !situation.participants.contains(&agent_id);
    let joined = NewContent::Joined { agent_id };
    Ok(is_new.then_some(joined).into_iter().collect())
}

/// Whoever steps out gives the conversation back as well.
fn leave(agent_id: AgentId, situation: Situation<'_>) -> Vec<NewContent> {
    if !situation.participants.contains(&agent_id) {
        return Vec::new();
    }
    let mut contents = Vec::new();
    if situation.conversation.assignee_id == Some(agent_id) {
        contents.push(NewContent::Assigned { agent_id: None });
    }
    contents.push(NewContent::Left { agent_id });
    contents
}

fn snooze(until_ms: u64, situation: Situation<'_>) -> Result<Vec<NewContent>, Rejection> {
    alive(situation)?;
    let latest_ms = situation.now_ms + limit::SNOOZE_MS_MAX;
    if until_ms <= situation.now_ms || until_ms > latest_ms {
        return Err(Rejection::of(ErrorCode::Invalid, "until_ms"));
    }
    let changes = situation.conversation.snoozed_until_ms != Some(until_ms);
    let snoozed = NewContent::Snoozed { until_ms };
    Ok(changes.then_some(snoozed).into_iter().collect())
}

fn close(situation: Situation<'_>) -> Vec<NewContent> {
    let is_over = situation.conversation.state == State::Closed;
    (!is_over)
        .then_some(NewContent::Closed)
        .into_iter()
        .collect()
}

fn reopen(cause: ReopenCause, situation: Situation<'_>) -> Vec<NewContent> {
    let wakes = match (situation.conversation.state, cause) {
        (State::Open, _) => false,
        // A timer only wakes what rests; what was closed meanwhile stays so, and what was put to rest
        // anew sleeps on.
        (state, ReopenCause::SnoozeEnded) => {
            let until_ms = situation.conversation.snoozed_until_ms;
            state == State::Snoozed && until_ms.is_none_or(|until| until <= situation.now_ms)
        }
        (State::Snoozed | State::Closed, ReopenCause::Agent | ReopenCause::Visitor) => true,
    };
    let reopened = NewContent::Reopened {
        cause,
        from: situation.conversation.state,
    };
    wakes.then_some(reopened).into_iter().collect()
}

fn prioritize(priority: u8, situation: Situation<'_>) -> Result<Vec<NewContent>, Rejection> {
    protocol::view::check_priority(priority, "priority")?;
    let changes = situation.conversation.priority != priority;
    let prioritized = NewContent::Prioritized { priority };
    Ok(changes.then_some(prioritized).into_iter().collect())
}

fn block(blocked: bool, situation: Situation<'_>) -> Result<Vec<NewContent>, Rejection> {
    if situation.conversation.visitor_id.is_none() {
        return Err(ErrorCode::NotFound.into());
    }
    let changes = situation.is_blocked != blocked;
    let entry = NewContent::VisitorBlocked { blocked };
    Ok(changes.then_some(entry).into_iter().collect())
}

fn alive(situation: Situation<'_>) -> Result<(), Rejection> {
    match situation.conversation.state {
        State::Open | State::Snoozed => Ok(()),
        State::Closed => Err(ErrorCode::ConversationState.into()),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
