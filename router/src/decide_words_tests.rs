//! Decisions about words that were said: who changes what, and until when.

use super::*;

#[test]
fn an_agent_edits_his_own_words_at_any_time_and_nobody_elses() {
    let me = agent(Role::Owner);
    let mut own = Case::about(entry(by_agent(ME), false));
    own.now_ms = NOW_MS + 10 * limit::VISITOR_EDIT_WINDOW_MS;
    assert_eq!(kinds(own.contents(&me, &edit())), ["edited"]);
    let others = Case::about(entry(by_agent(OTHER), false));
    assert_eq!(others.contents(&me, &edit()), Err(ErrorCode::Forbidden));
    let nothing = case(State::Open);
    assert_eq!(nothing.contents(&me, &edit()), Err(ErrorCode::NotFound));
}

#[test]
fn admins_take_back_any_agents_words_and_nobody_a_customers() {
    let (admin, plain) = (agent(Role::Admin), agent(Role::Agent));
    let others = Case::about(entry(by_agent(OTHER), true));
    assert_eq!(kinds(others.contents(&admin, &delete())), ["deleted"]);
    assert_eq!(
        others.contents(&plain, &delete()),
        Err(ErrorCode::Forbidden)
    );
    let customers = Case::about(entry(by_customer(1, 1), false));
    assert_eq!(
        customers.contents(&admin, &delete()),
        Err(ErrorCode::Forbidden)
    );
}

#[test]
fn a_visitor_changes_his_own_words_within_the_window() {
    let me = visitor(None);
    let mut own = Case::about(entry(by_customer(1, 1), false));
    own.now_ms = NOW_MS + limit::VISITOR_EDIT_WINDOW_MS;
    assert_eq!(kinds(own.contents(&me, &edit())), ["edited"]);
    assert_eq!(kinds(own.contents(&me, &delete())), ["deleted"]);
    own.now_ms += 1;
    assert_eq!(own.contents(&me, &edit()), Err(ErrorCode::EditWindowOver));
    // Another browser of the same contact counts only where that was proved.
    let elsewhere = Case::about(entry(by_customer(2, 1), false));
    assert_eq!(elsewhere.contents(&me, &edit()), Err(ErrorCode::Forbidden));
    assert_eq!(
        kinds(elsewhere.contents(&visitor(Some(1)), &edit())),
        ["edited"]
    );
}

#[test]
fn a_visitor_is_not_told_that_a_note_exists() {
    let note = Case::about(entry(by_agent(OTHER), true));
    for command in [edit(), delete()] {
        assert_eq!(
            note.contents(&visitor(None), &command),
            Err(ErrorCode::NotFound)
        );
    }
    assert!(check_reply(note.target.as_ref(), true).is_err());
    assert!(check_reply(note.target.as_ref(), false).is_ok());
    assert!(check_reply(None, false).is_err());
}

#[test]
fn what_was_taken_back_cannot_be_changed_any_more() {
    let mut gone = entry(by_agent(ME), false);
    if let Content::Message { message } = &mut gone.content {
        message.deleted_at_ms = Some(NOW_MS);
    }
    let gone = Case::about(gone);
    for command in [edit(), delete()] {
        let code = gone.contents(&agent(Role::Owner), &command);
        assert_eq!(code, Err(ErrorCode::EditWindowOver));
    }
}

#[test]
fn programs_need_their_scope_and_speak_without_taking_part() {
    let key = |permissions: &[Permission]| {
        program(Principal::Key(KeyActor {
            key_id: Id::from_bits(1),
            permissions: Permissions::of(permissions),
        }))
    };
    let close = Command::Close {
        conversation_id: id(),
    };
    let open = case(State::Open);
    let writer = key(&[Permission::ConversationsWrite]);
    assert_eq!(kinds(open.contents(&writer, &close)), ["closed"]);
    let reader = key(&[Permission::ConversationsRead]);
    assert_eq!(open.contents(&reader, &close), Err(ErrorCode::Forbidden));
    assert_eq!(open.contents(&reader, &send()), Err(ErrorCode::Forbidden));
    assert_eq!(kinds(open.contents(&writer, &send())), ["message"]);
    let closed = case(State::Closed);
    assert_eq!(
        kinds(closed.contents(&writer, &send())),
        ["reopened", "message"]
    );
    let conversation_id = id();
    for command in [
        Command::Join { conversation_id },
        Command::Leave { conversation_id },
    ] {
        let refused = open.contents(&writer, &command);
        assert_eq!(refused, Err(ErrorCode::Forbidden));
    }
    let Ok(Decision::Append { author, .. }) = open.decide(&writer, &send()) else {
        panic!("it is appended");
    };
    assert_eq!(author, by_key(1));
    assert_eq!(
        open.contents(&program(Principal::System), &send()),
        Err(ErrorCode::Forbidden)
    );
}

#[test]
fn programs_change_their_own_words_and_with_a_right_take_back_the_teams() {
    let key = |permissions: &[Permission]| {
        program(Principal::Key(KeyActor {
            key_id: Id::from_bits(1),
            permissions: Permissions::of(permissions),
        }))
    };
    let writer = key(&[Permission::ConversationsWrite]);
    let chief = key(&[Permission::ConversationsWrite, Permission::TeamWrite]);
    let (conversation_id, entry_id) = (id(), Id::from_bits(9));
    let edit = Command::EditMessage {
        conversation_id,
        entry_id,
        body: Body::parse("other words").unwrap(),
    };
    let delete = Command::DeleteMessage {
        conversation_id,
        entry_id,
    };
    let own = Case::about(entry(by_key(1), false));
    assert_eq!(kinds(own.contents(&writer, &edit)), ["edited"]);
    assert_eq!(kinds(own.contents(&writer, &delete)), ["deleted"]);
    for author in [by_key(2), by_agent(OTHER)] {
        let others = Case::about(entry(author, false));
        for (who, command) in [(&writer, &edit), (&writer, &delete), (&chief, &edit)] {
            let refused = others.contents(who, command);
            assert_eq!(refused, Err(ErrorCode::Forbidden));
        }
        assert_eq!(kinds(others.contents(&chief, &delete)), ["deleted"]);
    }
    let customers = Case::about(entry(by_customer(1, 1), false));
    let refused = customers.contents(&chief, &delete);
    assert_eq!(refused, Err(ErrorCode::Forbidden));
}
