//! The other nodes as presence sees them: what they told of their visitors and agents, and what they are to be
//! told of ours.
//!
//! Visitors are told to a workspace only while some node watches them there, changes collected for a moment. A
//! node that missed something asks for all of it again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bus::Reach;
use presence::agents::Agents;
use presence::bytes;
use presence::everywhere::Everywhere;
use presence::roster::{BEAT, Roster, Verdict};
use presence::state::{Change, Visitors};
use presence::team::{self, Member, Team};
use protocol::id::{NodeId, VisitorId, WorkspaceId};
use protocol::visitor::LiveVisitor;
use world::HashMap;

use crate::nodes::{News, Presence, Sign};
use crate::router::Router;

/// How often other nodes are told and looked after.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// How long a node that asked for visitors is told of them without asking again, and how often one that
/// watches says so, and one that is watched says something.
const WATCH_TERM: Duration = Duration::from_secs(30);
const WATCH_PERIOD: Duration = Duration::from_secs(10);

/// Rows of one message, their bytes, and ids of those who left in one: the bus takes no news over 1 MiB.
const ROWS_MAX: usize = 200;
const ROWS_BYTES_MAX: usize = 256 * 1024;
const GONE_MAX: usize = 5_000;

/// What is known of the other nodes, and owed to them.
pub(crate) struct Around {
    router: Router,
    pub(crate) everywhere: Everywhere,
    pub(crate) team: Team,
    roster: Roster,
    /// Workspaces whose visitors somebody here watches, and when the others are told so again.
    watched: HashMap<WorkspaceId, Duration>,
    /// Workspaces whose visitors another node watches.
    wanted: HashMap<WorkspaceId, Wanted>,
    /// Workspaces of which something was missed.
    missed: BTreeSet<WorkspaceId>,
    /// Workspaces of which another node missed something, and whether it watches visitors.
    asked: BTreeMap<WorkspaceId, bool>,
    /// Our visitors that changed since the others were told.
    changed: BTreeMap<WorkspaceId, BTreeSet<VisitorId>>,
    /// Workspaces of which agents are here, and when the others were last told who.
    staffed: HashMap<WorkspaceId, Duration>,
    beat_at: Duration,
    was_in_reach: bool,
}

/// How another node watches the visitors of a workspace.
struct Wanted {
    /// Until when it does, unless it says so again.
    until: Duration,
    /// When it was last told anything of them.
    told_at: Duration,
}

/// What came of something that another node told, or of time.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Visitors, as lists shall show them.
    pub(crate) changes: Vec<Change>,
    /// Workspaces whose agents may have changed.
    pub(crate) teams: Vec<WorkspaceId>,
    /// Workspaces of which another node wants to know who looks at what.
    pub(crate) asked: Vec<WorkspaceId>,
}

impl Around {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            everywhere: Everywhere::new(),
            team: Team::new(),
            roster: Roster::default(),
            watched: HashMap::default(),
            wanted: HashMap::default(),
            missed: BTreeSet::new(),
            asked: BTreeMap::new(),
            changed: BTreeMap::new(),
            staffed: HashMap::default(),
            beat_at: Duration::ZERO,
            was_in_reach: false,
        }
    }

    /// Something changed among our visitors. Gives what lists shall show.
    pub(crate) fn here(&mut self, change: &Change) -> Option<Change> {
        let workspace_id = change.workspace_id;
        if self.wanted.contains_key(&workspace_id) {
            let changed = self.changed.entry(workspace_id).or_default();
            changed.insert(change.row.id);
        }
        self.everywhere.here(change)
    }

    /// Somebody here watches the visitors of a workspace.
    pub(crate) fn watch(&mut self, workspace_id: WorkspaceId) {
        if !self.watched.contains_key(&workspace_id) {
            let again_at = self.now() + WATCH_PERIOD;
            self.watched.insert(workspace_id, again_at);
            self.missed.insert(workspace_id);
        }
    }

    /// Nobody here does any more.
    pub(crate) fn unwatch(&mut self, workspace_id: WorkspaceId) {
        self.watched.remove(&workspace_id);
        self.everywhere.forget(workspace_id);
    }

    /// Something of a workspace was missed. It may have been a question, which nobody asks twice: so the others
    /// are told all again, too.
    pub(crate) fn miss(&mut self, workspace_id: WorkspaceId) {
        self.missed.insert(workspace_id);
        let is_wanted = self.wanted.contains_key(&workspace_id);
        *self.asked.entry(workspace_id).or_default() |= is_wanted;
    }

    /// Another node gave a sign.
    pub(crate) fn sign(&mut self, node_id: NodeId, sign: Sign) -> Outcome {
        match sign {
            Sign::Beat => self.hear(node_id),
            Sign::Goodbye => {
                let now_ms = self.router.world().clock.now_ms();
                self.roster.part(node_id, self.now());
                self.everywhere.part(node_id, now_ms);
                self.team.part(node_id, now_ms);
                self.router.signals().forget(node_id);
                Outcome::default()
            }
        }
    }

    /// Another node told something of a workspace. Agents' choices are the caller's.
    pub(crate) fn told(
        &mut self,
        workspace_id: WorkspaceId,
        node_id: NodeId,
        presence: Presence,
    ) -> Outcome {
        // It would be taken for a node that is there, and soon for one that died: its people would leave too early.
        if self.roster.has_parted(node_id) {
            return Outcome::default();
        }
        let mut outcome = self.hear(node_id);
        match presence {
            Presence::Ask { visitors } => {
                *self.asked.entry(workspace_id).or_default() |= visitors;
                let now = self.now();
                // Whoever asks may not know who watches: somebody of the workspace has just come there.
                if let Some(again_at) = self.watched.get_mut(&workspace_id) {
                    *again_at = now;
                }
            }
            Presence::Watch => {
                let until = self.now() + WATCH_TERM;
                match self.wanted.get_mut(&workspace_id) {
                    Some(wanted) => wanted.until = until,
                    // It lapsed, and changes went untold since.
                    None => drop(self.asked.insert(workspace_id, true)),
                }
            }
            Presence::Agents { members } => {
                let now = self.now();
                self.team.told(node_id, workspace_id, members, now);
                outcome.teams.push(workspace_id);
            }
            Presence::Chose { agent_id, choice } => {
                self.team.choose(workspace_id, agent_id, choice);
                outcome.teams.push(workspace_id);
            }
            Presence::Visitors { rows, gone } => {
                if self.watched.contains_key(&workspace_id) {
                    let all = &mut self.everywhere;
                    outcome
                        .changes
                        .extend(all.told(node_id, workspace_id, rows, &gone));
                }
            }
            Presence::All {
                rows,
                is_first,
                is_last,
            } => {
                if self.watched.contains_key(&workspace_id) {
                    let all = &mut self.everywhere;
                    if is_first {
                        all.begin(node_id, workspace_id);
                    }
                    let changes = &mut outcome.changes;
                    changes.extend(all.told(node_id, workspace_id, rows, &[]));
                    if is_last {
                        changes.extend(all.end(node_id, workspace_id));
                    }
                }
            }
        }
        outcome
    }

    /// Time has passed: looks who is still there, and tells the others what they are owed.
    pub(crate) fn tick(&mut self, visitors: &Visitors, agents: &Agents) -> Outcome {
        let now = self.now();
        let is_in_reach = *self.router.bus().reach().borrow() == Reach::Up;
        self.roster.reach(is_in_reach, now);
        if let Some((at, living)) = self.router.nodes().roll() {
            self.roster.call(at, living);
        }
        let mut outcome = Outcome::default();
        for verdict in self.roster.check(now) {
            self.judge(verdict, &mut outcome);
        }
        let now_ms = self.router.world().clock.now_ms();
        outcome.changes.extend(self.everywhere.advance(now_ms));
        outcome.teams.extend(self.team.advance(now_ms));
        let overdue = self.team.look(now);
        outcome.teams.extend(overdue.gone);
        self.wanted.retain(|_, wanted| wanted.until > now);
        if !is_in_reach {
            // All is told again once the bus is back.
            self.was_in_reach = false;
            self.changed.clear();
            return outcome;
        }
        if !std::mem::replace(&mut self.was_in_reach, true) {
            // The others may have been in reach of each other all the while, and know of no gap.
            for workspace_id in self.router.nodes().followed() {
                let is_wanted = self.wanted.contains_key(&workspace_id);
                *self.asked.entry(workspace_id).or_default() |= is_wanted;
            }
        }
        if now >= self.beat_at {
            self.beat_at = now + BEAT;
            self.router.nodes().sign(&self.router, Sign::Beat);
        }
        self.ask(now);
        for workspace_id in overdue.ask {
            // Where nobody is here any more, the answer would not be heard.
            if self.router.nodes().concerns(workspace_id) {
                self.tell(workspace_id, || Presence::Ask { visitors: false });
            }
        }
        outcome.asked = self.answer(visitors, agents, now);
        self.tell_changes(visitors, now);
        self.break_silence(now);
        self.tell_agents_again(agents, now);
        outcome
    }

    fn now(&self) -> Duration {
        self.router.world().clock.elapsed()
    }

    fn hear(&mut self, node_id: NodeId) -> Outcome {
        let mut outcome = Outcome::default();
        if let Some(verdict) = self.roster.hear(node_id, self.now()) {
            self.judge(verdict, &mut outcome);
        }
        outcome
    }

    fn judge(&mut self, verdict: Verdict, outcome: &mut Outcome) {
        match verdict {
            Verdict::New(_) => self.missed.extend(self.router.nodes().followed()),
            Verdict::Heard(node_id) => {
                self.team.doubt(node_id, false, self.now());
                outcome
                    .changes
                    .extend(self.everywhere.doubt(node_id, false));
            }
            Verdict::Silent(node_id) => {
                self.team.doubt(node_id, true, self.now());
                outcome.changes.extend(self.everywhere.doubt(node_id, true));
            }
            Verdict::Gone(node_id) => {
                tracing::warn!(node.id = %node_id, "a node is gone, and its connections with it");
                outcome.changes.extend(self.everywhere.lose(node_id));
                outcome.teams.extend(self.team.lose(node_id));
                self.router.signals().forget(node_id);
            }
        }
    }

    /// Asks for what was missed, and says what is still watched.
    fn ask(&mut self, now: Duration) {
        for workspace_id in std::mem::take(&mut self.missed) {
            let watched = self.watched.get_mut(&workspace_id);
            let visitors = watched.map(|again_at| *again_at = now + WATCH_PERIOD);
            let visitors = visitors.is_some();
            self.tell(workspace_id, || Presence::Ask { visitors });
        }
        for (workspace_id, again_at) in &mut self.watched {
            if now >= *again_at {
                *again_at = now + WATCH_PERIOD;
                let news = || News::Presence(Presence::Watch);
                self.router.nodes().tell(&self.router, *workspace_id, news);
            }
        }
    }

    /// Tells all that others asked for.
    fn answer(&mut self, visitors: &Visitors, agents: &Agents, now: Duration) -> Vec<WorkspaceId> {
        let asked = std::mem::take(&mut self.asked);
        for (workspace_id, wants_visitors) in &asked {
            self.tell_agents(*workspace_id, agents.members(*workspace_id));
            if !wants_visitors {
                continue;
            }
            let wanted = Wanted {
                until: now + WATCH_TERM,
                told_at: now,
            };
            self.wanted.insert(*workspace_id, wanted);
            self.changed.remove(workspace_id);
            let rows = visitors.of_workspace(*workspace_id);
            let mut parts = parts(rows.map(|row| &**row));
            if parts.is_empty() {
                parts.push(Vec::new());
            }
            let last = parts.len() - 1;
            for (index, rows) in parts.into_iter().enumerate() {
                self.tell(*workspace_id, || Presence::All {
                    rows,
                    is_first: index == 0,
                    is_last: index == last,
                });
            }
        }
        asked.into_keys().collect()
    }

    fn tell_changes(&mut self, visitors: &Visitors, now: Duration) {
        for (workspace_id, ids) in std::mem::take(&mut self.changed) {
            if let Some(wanted) = self.wanted.get_mut(&workspace_id) {
                wanted.told_at = now;
            }
            let (here, gone): (Vec<_>, Vec<_>) = ids
                .into_iter()
                .partition(|visitor_id| visitors.get(*visitor_id).is_some());
            let rows = here
                .iter()
                .filter_map(|visitor_id| visitors.get(*visitor_id));
            for rows in parts(rows) {
                let gone = Vec::new();
                self.tell(workspace_id, || Presence::Visitors { rows, gone });
            }
            for gone in gone.chunks(GONE_MAX) {
                let (rows, gone) = (Vec::new(), gone.to_vec());
                self.tell(workspace_id, || Presence::Visitors { rows, gone });
            }
        }
    }

    /// Tells the others who of a workspace is here.
    pub(crate) fn tell_agents(&mut self, workspace_id: WorkspaceId, members: Vec<Member>) {
        if members.is_empty() {
            self.staffed.remove(&workspace_id);
        } else {
            self.staffed.insert(workspace_id, self.now());
        }
        self.tell(workspace_id, || Presence::Agents { members });
    }

    /// Says once more who is here, where nothing was said of it for a while: one message each ten seconds for a
    /// workspace, of some 150 bytes and as many for each agent.
    fn tell_agents_again(&mut self, agents: &Agents, now: Duration) {
        let due = self.staffed.iter();
        let due = due.filter(|(_, told_at)| now >= **told_at + team::SAY_PERIOD);
        let due: Vec<_> = due.map(|(workspace_id, _)| *workspace_id).collect();
        for workspace_id in due {
            self.tell_agents(workspace_id, agents.members(workspace_id));
        }
    }

    /// What was lost shows by a gap before the next news. So there is always a next one, also where the last change
    /// was that the last visitor left.
    fn break_silence(&mut self, now: Duration) {
        for (workspace_id, wanted) in &mut self.wanted {
            if now >= wanted.told_at + WATCH_PERIOD {
                wanted.told_at = now;
                let (rows, gone) = (Vec::new(), Vec::new());
                let news = || News::Presence(Presence::Visitors { rows, gone });
                self.router.nodes().tell(&self.router, *workspace_id, news);
            }
        }
    }

    fn tell(&self, workspace_id: WorkspaceId, presence: impl FnOnce() -> Presence) {
        let news = || News::Presence(presence());
        self.router.nodes().tell(&self.router, workspace_id, news);
    }
}

/// Rows in parts, each of which one message holds.
fn parts<'a>(rows: impl Iterator<Item = &'a LiveVisitor>) -> Vec<Vec<LiveVisitor>> {
    let mut parts: Vec<Vec<LiveVisitor>> = Vec::new();
    let mut part_bytes = 0;
    for row in rows {
        let row_bytes = bytes::of_row(row);
        match parts.last_mut() {
            Some(part) if part.len() < ROWS_MAX && part_bytes + row_bytes <= ROWS_BYTES_MAX => {
                part.push(row.clone());
                part_bytes += row_bytes;
            }
            Some(_) | None => {
                parts.push(vec![row.clone()]);
                part_bytes = row_bytes;
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use presence::team::Choice;
    use protocol::agent::{Screen, Sight};
    use protocol::id::{AgentId, ConversationId, Id, SiteId};
    use protocol::visitor::{Browser, Device, PresenceState, Source};

    use super::*;

    fn row(number: u32, trail: Vec<String>) -> LiveVisitor {
        LiveVisitor {
            id: VisitorId::from_bits(u128::from(number)),
            version: 1,
            site_id: SiteId::from_bits(1),
            state: PresenceState::Active,
            contact_id: None,
            name: "Ana".to_owned(),
            conversation_id: None,
            page: None,
            trail,
            page_count: 1,
            event_count: 0,
            last_event: None,
            tab_count: 1,
            visit_count: 0,
            source: Source::default(),
            browser: Browser {
                device: Device::Desktop,
                name: "Firefox".to_owned(),
                system: "Linux".to_owned(),
                language: None,
                time_zone: None,
                country: None,
                city: None,
            },
            entered_at_ms: 0,
            active_at_ms: 0,
            stale: false,
        }
    }

    /// With room for the sender's name.
    fn fits(presence: Presence) {
        let bytes = serde_json::to_vec(&News::Presence(presence)).unwrap().len();
        assert!(bytes + 1_000 < bus::NEWS_BYTES_MAX, "{bytes}");
    }

    /// In how many parts so many rows with a trail like this are told; each fits, and none is missing.
    fn check(count: u32, trail: &[String]) -> usize {
        let rows: Vec<_> = (0..count)
            .map(|number| row(number, trail.to_vec()))
            .collect();
        let parts = parts(rows.iter());
        for rows in &parts {
            fits(Presence::All {
                rows: rows.clone(),
                is_first: true,
                is_last: true,
            });
        }
        assert_eq!(parts.concat(), rows);
        parts.len()
    }

    #[test]
    fn no_message_is_larger_than_the_bus_takes_however_long_the_pages_addresses_are() {
        assert_eq!(check(0, &[]), 0);
        assert_eq!(check(100, &[]), 1);
        // 200 of them would be 3 MiB, which the bus does not take.
        let long = vec!["x".repeat(protocol::limit::URL_BYTES_MAX); 8];
        assert!(check(200, &long) > 12);
    }

    /// What is said again each ten seconds, without what the bus adds.
    #[test]
    fn who_of_the_team_is_here_takes_few_bytes() {
        let member = |number| Member {
            agent_id: AgentId::from_bits(number),
            is_here: true,
            choice: Choice::default().then(false, 1_795_000_000_000),
            sight: Sight::of(
                Some(Screen::Conversation),
                Some(ConversationId::from_bits(number)),
                None,
            ),
        };
        let bytes = |count| {
            let members = (0..count).map(member).collect();
            let news = News::Presence(Presence::Agents { members });
            serde_json::to_vec(&news).unwrap().len()
        };
        assert!(bytes(0) < 50, "{}", bytes(0));
        assert!(bytes(50) < 50 * 220, "{}", bytes(50));
    }

    #[test]
    fn those_who_left_fit_into_one_message() {
        fits(Presence::Visitors {
            rows: Vec::new(),
            gone: vec![VisitorId::from_bits(u128::MAX); GONE_MAX],
        });
    }
}
