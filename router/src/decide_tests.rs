//! Decisions, case by case.

use protocol::conversation::{Channel, Handler, WaitingOn};
use protocol::id::{
    AttachmentId, ContactId, ConversationId, EntryId, Id, LoginSessionId, SiteId, UserId,
    VisitorId, WorkspaceId,
};
use protocol::message::Message;
use protocol::permission::{AgentActor, KeyActor, Permissions, Role};
use protocol::text::Body;

use super::*;

const NOW_MS: u64 = 1_800_000_000_000;
const ME: u128 = 1;
const OTHER: u128 = 2;
const GONE: u128 = 3;

#[path = "decide_words_tests.rs"]
mod words;

fn agent_id(bits: u128) -> AgentId {
    AgentId::from_bits(bits)
}

fn agent(role: Role) -> Actor {
    Actor {
        workspace_id: WorkspaceId::from_bits(1),
        principal: Principal::Agent(AgentActor {
            agent_id: agent_id(ME),
            user_id: UserId::from_bits(1),
            session_id: LoginSessionId::from_bits(1),
            permissions: Permissions::of_role(role),
        }),
    }
}

fn program(principal: Principal) -> Actor {
    Actor {
        workspace_id: WorkspaceId::from_bits(1),
        principal,
    }
}

fn visitor(proved: Option<u128>) -> Actor {
    program(Principal::Visitor(VisitorActor {
        visitor_id: VisitorId::from_bits(1),
        site_id: SiteId::from_bits(1),
        contact_id: proved.map(ContactId::from_bits),
    }))
}

fn conversation(state: State) -> Conversation {
    Conversation {
        id: ConversationId::from_bits(1),
        number: 1,
        version: 5,
        channel: Channel::Chat,
        site_id: SiteId::from_bits(1),
        contact_id: ContactId::from_bits(1),
        contact_name: String::new(),
        contact_version: 1,
        contact_erased: false,
        visitor_id: Some(VisitorId::from_bits(1)),
        state,
        handler: Handler::Queue,
        assignee_id: None,
        department_id: None,
        priority: 2,
        language: None,
        previous_id: None,
        waiting_on: WaitingOn::Agent,
        waiting_since_at_ms: NOW_MS,
        snoozed_until_ms: (state == State::Snoozed).then_some(NOW_MS + 1_000),
        spam: false,
        seq: 3,
        customer_seq: 1,
        preview: None,
        created_at_ms: NOW_MS,
        active_at_ms: NOW_MS,
    }
}

fn member(bits: u128) -> Agent {
    Agent {
        id: agent_id(bits),
        version: 1,
        user_id: UserId::from_bits(bits),
        name: "A".to_owned(),
        picture: None,
        email: String::new(),
        role: Role::Agent,
        grants: Vec::new(),
        time_zone: String::new(),
        deactivated: bits == GONE,
        created_at_ms: 0,
    }
}

fn entry(author: Author, is_note: bool) -> Entry {
    let message = Message {
        format: Format::Plain,
        body: "words".to_owned(),
        language: None,
        reply_to_id: None,
        attachments: Vec::new(),
        edited_at_ms: None,
        deleted_at_ms: None,
    };
    Entry {
        id: EntryId::from_bits(9),
        conversation_id: ConversationId::from_bits(1),
        seq: 2,
        public_seq: (!is_note).then_some(2),
        sent_at_ms: NOW_MS,
        author,
        client_id: None,
        content: if is_note {
            Content::Note { message }
        } else {
            Content::Message { message }
        },
    }
}

fn by_agent(bits: u128) -> Author {
    Author::Agent {
        agent_id: agent_id(bits),
    }
}

fn by_key(bits: u128) -> Author {
    Author::Key {
        key_id: Id::from_bits(bits),
    }
}

fn by_customer(visitor: u128, contact: u128) -> Author {
    Author::Visitor {
        visitor_id: VisitorId::from_bits(visitor),
        contact_id: ContactId::from_bits(contact),
    }
}

/// What everything is decided on, unless a case says otherwise.
struct Case {
    conversation: Conversation,
    participants: Vec<AgentId>,
    target: Option<Entry>,
    is_blocked: bool,
    now_ms: u64,
}

fn case(state: State) -> Case {
    Case {
        conversation: conversation(state),
        participants: Vec::new(),
        target: None,
        is_blocked: false,
        now_ms: NOW_MS,
    }
}

impl Case {
    fn about(target: Entry) -> Self {
        Self {
            target: Some(target),
            ..case(State::Open)
        }
    }

    fn decide(&self, actor: &Actor, command: &Command) -> Result<Decision, Rejection> {
        let agents = [member(ME), member(OTHER), member(GONE)];
        decide(
            actor,
            command,
            Situation {
                conversation: &self.conversation,
                participants: &self.participants,
                target: self.target.as_ref(),
                agents: &agents,
                is_blocked: self.is_blocked,
                now_ms: self.now_ms,
            },
        )
    }

    /// The contents that are appended; none where nothing changes.
    fn contents(&self, actor: &Actor, command: &Command) -> Result<Vec<NewContent>, ErrorCode> {
        match self.decide(actor, command) {
            Ok(Decision::Append { contents, .. }) => Ok(contents),
            Ok(Decision::Nothing) => Ok(Vec::new()),
            Err(rejection) => Err(rejection.code),
        }
    }
}

fn id() -> ConversationId {
    ConversationId::from_bits(1)
}

fn draft() -> Draft {
    Draft {
        body: Some(Body::parse("hello").unwrap()),
        format: Format::Plain,
        reply_to_id: None,
        attachment_ids: Vec::new(),
    }
}

fn send() -> Command {
    Command::SendMessage {
        conversation_id: Some(id()),
        draft: draft(),
    }
}

fn edit() -> Command {
    Command::EditMessage {
        conversation_id: id(),
        entry_id: EntryId::from_bits(9),
        body: Body::parse("better").unwrap(),
    }
}

fn delete() -> Command {
    Command::DeleteMessage {
        conversation_id: id(),
        entry_id: EntryId::from_bits(9),
    }
}

fn assign(bits: Option<u128>) -> Command {
    Command::Assign {
        conversation_id: id(),
        agent_id: bits.map(agent_id),
    }
}

fn snooze(until_ms: u64) -> Command {
    Command::Snooze {
        conversation_id: id(),
        until_ms,
    }
}

/// What a conversation's commands are called in its log.
fn kinds(contents: Result<Vec<NewContent>, ErrorCode>) -> Vec<&'static str> {
    let contents = contents.expect("accepted");
    contents
        .iter()
        .map(|content| match content {
            NewContent::Message(_) => "message",
            NewContent::Note(_) => "note",
            NewContent::Joined { .. } => "joined",
            NewContent::Left { .. } => "left",
            NewContent::Assigned { .. } => "assigned",
            NewContent::Reopened { .. } => "reopened",
            NewContent::Closed => "closed",
            NewContent::Snoozed { .. } => "snoozed",
            NewContent::Edited { .. } => "edited",
            NewContent::Deleted { .. } => "deleted",
            NewContent::Moved { .. } => "moved",
            NewContent::Prioritized { .. } => "prioritized",
            NewContent::SpamMarked { .. } => "spam_marked",
            NewContent::VisitorBlocked { .. } => "visitor_blocked",
        })
        .collect()
}

#[test]
fn whoever_answers_opens_joins_and_owns() {
    let me = agent(Role::Agent);
    let fresh = case(State::Open);
    assert_eq!(
        kinds(fresh.contents(&me, &send())),
        ["joined", "assigned", "message"]
    );
    let closed = case(State::Closed);
    assert_eq!(
        kinds(closed.contents(&me, &send())),
        ["reopened", "joined", "assigned", "message"]
    );
    let mut taken = case(State::Open);
    taken.conversation.assignee_id = Some(agent_id(OTHER));
    assert_eq!(kinds(taken.contents(&me, &send())), ["joined", "message"]);
    taken.participants = vec![agent_id(ME)];
    assert_eq!(kinds(taken.contents(&me, &send())), ["message"]);
}

#[test]
fn only_a_decision_that_rests_on_facts_is_bound_to_their_version() {
    let me = agent(Role::Agent);
    let version = |case: &Case, command: &Command| match case.decide(&me, command).unwrap() {
        Decision::Append { guard, .. } => guard.version,
        Decision::Nothing => panic!("something changes"),
    };
    let mut taken = case(State::Open);
    assert_eq!(version(&taken, &send()), Some(5));
    taken.conversation.assignee_id = Some(agent_id(ME));
    taken.participants = vec![agent_id(ME)];
    assert_eq!(version(&taken, &send()), None);
    assert_eq!(version(&taken, &assign(None)), Some(5));
}

#[test]
fn what_is_so_already_changes_nothing() {
    let me = agent(Role::Agent);
    let mut here = case(State::Open);
    here.conversation.assignee_id = Some(agent_id(ME));
    here.participants = vec![agent_id(ME)];
    for command in [
        assign(Some(ME)),
        Command::Join {
            conversation_id: id(),
        },
        Command::Reopen {
            conversation_id: id(),
        },
        Command::Prioritize {
            conversation_id: id(),
            priority: 2,
        },
        Command::MarkSpam {
            conversation_id: id(),
            spam: false,
        },
        Command::BlockVisitor {
            conversation_id: id(),
            blocked: false,
        },
        Command::Move {
            conversation_id: id(),
            department_id: None,
        },
    ] {
        assert_eq!(
            here.decide(&me, &command),
            Ok(Decision::Nothing),
            "{command:?}"
        );
    }
    let close = Command::Close {
        conversation_id: id(),
    };
    assert_eq!(
        case(State::Closed).decide(&me, &close),
        Ok(Decision::Nothing)
    );
    let leave = Command::Leave {
        conversation_id: id(),
    };
    assert_eq!(case(State::Open).decide(&me, &leave), Ok(Decision::Nothing));
}

#[test]
fn a_closed_conversation_is_nobodys_work() {
    let me = agent(Role::Owner);
    for command in [
        assign(Some(OTHER)),
        Command::Join {
            conversation_id: id(),
        },
        snooze(NOW_MS + 1),
    ] {
        let code = case(State::Closed).contents(&me, &command);
        assert_eq!(code, Err(ErrorCode::ConversationState), "{command:?}");
    }
}

#[test]
fn values_out_of_bounds_are_refused_with_their_field() {
    let me = agent(Role::Owner);
    let department = protocol::id::DepartmentId::from_bits(1);
    let cases = [
        (snooze(NOW_MS), "until_ms"),
        (snooze(NOW_MS + limit::SNOOZE_MS_MAX + 1), "until_ms"),
        (
            Command::Prioritize {
                conversation_id: id(),
                priority: 0,
            },
            "priority",
        ),
        (
            Command::Prioritize {
                conversation_id: id(),
                priority: 5,
            },
            "priority",
        ),
        (assign(Some(77)), "agent_id"),
        (assign(Some(GONE)), "agent_id"),
        (
            Command::Move {
                conversation_id: id(),
                department_id: Some(department),
            },
            "department_id",
        ),
    ];
    for (command, field) in cases {
        let refused = case(State::Open).decide(&me, &command).unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (ErrorCode::Invalid, Some(field))
        );
    }
    let longest = snooze(NOW_MS + limit::SNOOZE_MS_MAX);
    assert_eq!(
        kinds(case(State::Open).contents(&me, &longest)),
        ["snoozed"]
    );
}

#[test]
fn drafts_have_words_or_files_and_not_too_many() {
    let check = |draft: &Draft, formats| {
        let refused = message_of(formats, draft).unwrap_err();
        (refused.code, refused.field.unwrap())
    };
    let empty = Draft {
        body: None,
        ..draft()
    };
    assert_eq!(
        check(&empty, TEAM_FORMATS),
        (ErrorCode::Empty, "body".into())
    );
    let most = limit::ATTACHMENTS_MAX as u128;
    let files = |count: u128| (0..count).map(AttachmentId::from_bits).collect::<Vec<_>>();
    let many = Draft {
        attachment_ids: files(most + 1),
        ..draft()
    };
    assert_eq!(
        check(&many, TEAM_FORMATS),
        (ErrorCode::TooMany, "attachment_ids".into())
    );
    let twice = Draft {
        attachment_ids: [files(1), files(1)].concat(),
        ..draft()
    };
    assert_eq!(
        check(&twice, TEAM_FORMATS),
        (ErrorCode::Invalid, "attachment_ids".into())
    );
    let rich = Draft {
        format: Format::Markdown,
        ..draft()
    };
    assert_eq!(
        check(&rich, VISITOR_FORMATS),
        (ErrorCode::Invalid, "format".into())
    );
    assert!(message_of(TEAM_FORMATS, &rich).is_ok());
    let only_files = Draft {
        body: None,
        attachment_ids: files(most),
        ..draft()
    };
    assert!(message_of(VISITOR_FORMATS, &only_files).is_ok());
}

#[test]
fn visitors_do_nothing_of_the_teams() {
    let me = visitor(None);
    for command in [
        Command::AddNote {
            conversation_id: id(),
            draft: draft(),
            mentions: vec![],
        },
        assign(None),
        Command::Join {
            conversation_id: id(),
        },
        snooze(NOW_MS + 1),
        Command::Reopen {
            conversation_id: id(),
        },
        Command::Prioritize {
            conversation_id: id(),
            priority: 4,
        },
        Command::MarkSpam {
            conversation_id: id(),
            spam: true,
        },
        Command::BlockVisitor {
            conversation_id: id(),
            blocked: false,
        },
    ] {
        let code = case(State::Open).contents(&me, &command);
        assert_eq!(code, Err(ErrorCode::Forbidden), "{command:?}");
    }
    let close = Command::Close {
        conversation_id: id(),
    };
    assert_eq!(kinds(case(State::Open).contents(&me, &close)), ["closed"]);
    let mut blocked = case(State::Open);
    blocked.is_blocked = true;
    assert_eq!(blocked.contents(&me, &close), Err(ErrorCode::Blocked));
}

#[test]
fn a_timer_wakes_only_what_still_rests_until_then() {
    let timer = program(Principal::System);
    let wake = Command::Reopen {
        conversation_id: id(),
    };
    let mut resting = case(State::Snoozed);
    // Put to rest anew, until later.
    assert_eq!(resting.decide(&timer, &wake), Ok(Decision::Nothing));
    resting.now_ms = NOW_MS + 1_000;
    assert_eq!(
        resting.contents(&timer, &wake),
        Ok(vec![NewContent::Reopened {
            cause: ReopenCause::SnoozeEnded,
            from: State::Snoozed,
        }])
    );
    assert_eq!(
        case(State::Closed).decide(&timer, &wake),
        Ok(Decision::Nothing)
    );
    let me = agent(Role::Agent);
    assert_eq!(
        case(State::Closed).contents(&me, &wake),
        Ok(vec![NewContent::Reopened {
            cause: ReopenCause::Agent,
            from: State::Closed,
        }])
    );
}

#[test]
fn leaving_gives_the_conversation_back() {
    let me = agent(Role::Agent);
    let mut here = case(State::Open);
    here.participants = vec![agent_id(ME)];
    let leave = Command::Leave {
        conversation_id: id(),
    };
    assert_eq!(kinds(here.contents(&me, &leave)), ["left"]);
    here.conversation.assignee_id = Some(agent_id(ME));
    assert_eq!(kinds(here.contents(&me, &leave)), ["assigned", "left"]);
}
