//! Erasures: who was erased, who does it, and what may be shown of them after that.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use hyper::Method;
use loadtest::Error;
use loadtest::client::AgentAccess;
use loadtest::client::http::{Call, Http, Server};
use protocol::id::{ContactId, ConversationId};
use world::{Clock, World};

/// How long whoever erases waits for an answer, and before he asks again.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// What everybody of a simulation shares about the erased. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Erasures(Rc<RefCell<Known>>);

#[derive(Default)]
struct Known {
    /// Whose conversations are whose, as the team was told.
    contacts: BTreeMap<ConversationId, ContactId>,
    begun: BTreeSet<ContactId>,
    /// Since when they are told to be erased.
    done: BTreeMap<ContactId, Duration>,
}

impl Erasures {
    /// Notes whose conversation it is.
    pub(crate) fn note(&self, conversation_id: ConversationId, contact_id: ContactId) {
        let contacts = &mut self.0.borrow_mut().contacts;
        contacts.insert(conversation_id, contact_id);
    }

    /// Whose conversation it is.
    pub(crate) fn contact_of(&self, conversation_id: ConversationId) -> Option<ContactId> {
        self.0.borrow().contacts.get(&conversation_id).copied()
    }

    /// Whether nobody of this conversation was there any more at a time.
    pub(crate) fn was_done(&self, conversation_id: ConversationId, at: Duration) -> bool {
        let known = self.0.borrow();
        let contact_id = known.contacts.get(&conversation_id);
        let done = contact_id.and_then(|id| known.done.get(id));
        done.is_some_and(|done| *done < at)
    }

    /// Whether an erasure was told as done.
    pub(crate) fn is_done(&self, contact_id: ContactId) -> bool {
        self.0.borrow().done.contains_key(&contact_id)
    }

    /// Erasures that nobody was told the end of.
    pub(crate) fn findings(&self) -> Vec<String> {
        let known = self.0.borrow();
        let open = known.begun.iter();
        let open = open.filter(|id| !known.done.contains_key(id));
        open.map(|id| format!("{id} is still being erased"))
            .collect()
    }

    /// Begins to erase somebody; nothing where that was begun already.
    pub(crate) fn begin(&self, contact_id: ContactId) -> bool {
        self.0.borrow_mut().begun.insert(contact_id)
    }

    fn end(&self, contact_id: ContactId, clock: &Clock) {
        let done = &mut self.0.borrow_mut().done;
        done.insert(contact_id, clock.elapsed());
    }
}

/// Asks one server after the other until one says that it is done.
///
/// # Errors
/// What no other try changes.
pub(crate) async fn erase(
    world: &World,
    somewhere: impl Fn() -> Server,
    owner: &AgentAccess,
    contact_id: ContactId,
    erasures: &Erasures,
) -> Result<(), Error> {
    loop {
        let mut http = Http::new(somewhere());
        let path = format!("/api/v1/contacts/{contact_id}");
        let call = owner.call(Call::new(Method::DELETE, path));
        let asked = world.clock.timeout(PATIENCE, http.send(&call)).await;
        match asked.unwrap_or(Err(Error::Silent)) {
            Ok(answer) => match answer.into_body() {
                Ok(_) => break,
                Err(error) if error.is_passing() => {}
                Err(error) => return Err(error),
            },
            Err(error) if error.is_passing() => {}
            Err(error) => return Err(error),
        }
        world.clock.sleep(PAUSE).await;
    }
    erasures.end(contact_id, &world.clock);
    Ok(())
}
