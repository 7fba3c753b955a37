//! A run: time passes, what is planned is done, and in the end everybody holds what is stored.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use bus::Bus;
use loadtest::client::{Access, Client, Transport};
use storage::simulated::Store;
use world::net::simulated::Network;
use world::{Clock, Ids, World, simulation};

use crate::check::{self, Log};
use crate::erasure::Erasures;
use crate::node::{self, Ground, Node};
use crate::person::{Person, Place, Role, Told};
use crate::plan::{Act, Plan};
use crate::rights::{End, Rights};
use crate::screen::{Present, Screen};
use crate::shop::{BEGIN_MS, Shop};
use crate::trace::Trace;

/// How long after the last fault, and once nobody is away any more, everybody may take to agree.
const PATIENCE: Duration = Duration::from_secs(150);

/// How often it is looked whether they do, and how long they must.
const LOOK: Duration = Duration::from_secs(1);
const STAY: u32 = 3;

/// Turns of tasks between two moments. More are a task that never rests.
const TURNS_MAX: u64 = 2_000_000;

/// How a run ended.
pub(crate) struct Outcome {
    pub(crate) hash: u64,
    /// Turns of tasks.
    pub(crate) turn_count: u64,
    /// Entries that are stored.
    pub(crate) entry_count: usize,
    /// What is wrong; nothing if all is well.
    pub(crate) findings: Vec<String>,
    pub(crate) told: Vec<String>,
}

/// What is undone later.
enum Later {
    Start(usize),
    /// A run of it that was asked to end is over.
    Renew(usize, u64),
    Plug(usize),
    LetGo(usize),
}

struct Scene<'a> {
    plan: &'a Plan,
    shop: &'a Shop,
    clock: Clock,
    /// Whose turn it is.
    dice: Ids,
    ground: Ground,
    nodes: Vec<Option<Node>>,
    people: Vec<flume::Sender<Told>>,
    trace: Rc<RefCell<Trace>>,
    /// Who the first visitor is, for his other tabs.
    first: Place,
    erasures: Erasures,
    rights: Rights,
    later: BTreeMap<(Duration, u64), Later>,
    turn_count: u64,
    start_count: u64,
}

/// Runs a plan.
pub(crate) fn run(shop: &Shop, plan: &Plan, files: &std::path::Path) -> Outcome {
    simulation::clear();
    let mut scene = Scene::set(shop, plan, files);
    let mut findings = scene.play();
    let mut entry_count = 0;
    if findings.is_empty() {
        (findings, entry_count) = scene.settle();
    }
    let trace = Rc::clone(&scene.trace);
    let turn_count = scene.turn_count;
    drop(scene);
    simulation::clear();
    let trace = trace.borrow();
    Outcome {
        hash: trace.hash(),
        turn_count,
        entry_count,
        findings,
        told: trace.told().to_vec(),
    }
}

impl<'a> Scene<'a> {
    fn set(shop: &'a Shop, plan: &'a Plan, files: &std::path::Path) -> Self {
        let clock = Clock::manual(BEGIN_MS);
        let seeded = |part: u64| Ids::seeded(plan.seed ^ (part << 48), clock.clone());
        let world = World::of_machine(simulation::machine(), clock.clone(), seeded(1));
        let store = Store::start(&world, Some(&shop.image)).expect("a store begins");
        let network = Network::new(clock.clone(), seeded(2));
        let mut scene = Self {
            plan,
            shop,
            dice: seeded(3),
            ground: Ground {
                world,
                store,
                network,
                bus: bus::simulated::Network::default(),
                files: files.to_owned(),
            },
            nodes: Vec::new(),
            people: Vec::new(),
            trace: Rc::default(),
            first: Rc::default(),
            erasures: Erasures::default(),
            rights: Rights::default(),
            later: BTreeMap::new(),
            turn_count: 0,
            start_count: 0,
            clock,
        };
        for number in 0..plan.node_count {
            scene.nodes.push(None);
            scene.start(number);
        }
        for number in 0..plan.browser_count() + plan.agent_count {
            scene.enter(number);
        }
        scene
    }

    fn start(&mut self, number: usize) {
        self.start_count += 1;
        let seed = self.plan.seed ^ (self.start_count << 40) ^ (4 << 48);
        self.nodes[number] = Some(Node::start(&self.ground, number, seed));
    }

    fn enter(&mut self, number: usize) {
        let part = 16 + u64::try_from(number).expect("few people");
        let seeded = |part: u64| Ids::seeded(self.plan.seed ^ (part << 48), self.clock.clone());
        // Bounded; whoever rests has his orders wait.
        let (sender, told) = flume::bounded(1_024);
        let plan = self.plan;
        let agent = number.checked_sub(plan.browser_count());
        let (name, role) = match agent {
            None if number < plan.visitor_count => {
                let first = (number == 0).then(|| Rc::clone(&self.first));
                let role = Role::Visitor(self.shop.site_id, first);
                (format!("visitor {number}"), role)
            }
            None => (format!("tab {number}"), Role::Tab(Rc::clone(&self.first))),
            Some(agent) => {
                let access = Box::new(self.shop.agents[agent].clone());
                (format!("agent {number}"), Role::Agent(access))
            }
        };
        // People's clocks are wrong by minutes.
        let wrong_ms = self.ground.world.ids.below(600_000);
        let clock = self.clock.beside(BEGIN_MS - 300_000 + wrong_ms);
        let world = World::of_machine(simulation::machine(), clock, seeded(part));
        let person = Person {
            name,
            world: world.clone(),
            network: self.ground.network.clone(),
            node_count: self.plan.node_count,
            dice: seeded(part + 64),
            trace: Rc::clone(&self.trace),
            told,
            transport: if plan.is_without_sockets(number) {
                Transport::Stream
            } else {
                Transport::Socket
            },
            is_list_open: plan.is_list_open,
            screen: Screen::new(self.erasures.clone()),
            erasures: self.erasures.clone(),
            rights: self.rights.clone(),
            place: None,
            former: Vec::new(),
        };
        world.tracker.spawn_local(person.live(role));
        self.people.push(sender);
    }

    /// Does what is planned. Gives what went wrong at once.
    fn play(&mut self) -> Vec<String> {
        for step in &self.plan.steps {
            let at = Duration::from_millis(step.at_ms);
            if let Err(failure) = self.pass_until(at) {
                return failure;
            }
            self.act(step.act);
        }
        // What is undone later is undone now.
        while let Some((_, later)) = self.later.pop_first() {
            self.undo(&later);
        }
        for node in self.nodes.iter().flatten() {
            node.world.faults.heal();
        }
        self.ground.world.faults.heal();
        Vec::new()
    }

    /// Waits until everybody holds what is stored, and still does a while later.
    fn settle(&mut self) -> (Vec<String>, usize) {
        let end = self.clock.elapsed() + PATIENCE + self.plan.absence_max();
        let mut stayed = 0;
        loop {
            if let Err(failure) = self.pass_until(self.clock.elapsed() + LOOK) {
                return (failure, 0);
            }
            let (findings, entry_count) = self.look();
            stayed = if findings.is_empty() { stayed + 1 } else { 0 };
            let is_over = self.clock.elapsed() >= end;
            if stayed >= STAY || is_over {
                return (findings, entry_count);
            }
        }
    }

    /// Lets time pass.
    fn pass_until(&mut self, until: Duration) -> Result<(), Vec<String>> {
        loop {
            self.rest()?;
            let wake = self.clock.next_wake().unwrap_or(until);
            let undo = self.later.keys().next().map_or(until, |(at, _)| *at);
            let next = wake.min(undo).min(until);
            let now = self.clock.elapsed();
            if next > now {
                self.clock.advance(next - now);
            }
            if next == undo
                && let Some((place, later)) = self.later.pop_first()
            {
                if place.0 <= next {
                    self.undo(&later);
                } else {
                    self.later.insert(place, later);
                }
            }
            if next >= until && self.clock.next_wake().is_none_or(|wake| wake > until) {
                return self.rest();
            }
        }
    }

    /// Lets everybody go on who can, in an order that the seed decides.
    fn rest(&mut self) -> Result<(), Vec<String>> {
        let mut turns = 0;
        while simulation::step(&self.dice) {
            turns += 1;
            if turns > TURNS_MAX {
                return Err(vec![format!(
                    "{TURNS_MAX} turns of tasks, and no time passes"
                )]);
            }
        }
        self.turn_count += turns;
        let trace = self.trace.borrow();
        match trace.failures() {
            [] => Ok(()),
            failures => Err(failures.to_vec()),
        }
    }

    fn act(&mut self, act: Act) {
        let at = self.clock.elapsed();
        self.trace
            .borrow_mut()
            .note(at, "plan", &format!("{act:?}"));
        match act {
            Act::Say { who } => self.tell(who, Told::Say),
            Act::Note { who } => self.tell(who, Told::Note),
            Act::Edit { who } => self.tell(who, Told::Edit),
            Act::Delete { who } => self.tell(who, Told::Delete),
            Act::Close { who } => self.tell(who, Told::Close),
            Act::Type { who } => self.tell(who, Told::Type),
            Act::Read { who } => self.tell(who, Told::Read),
            Act::Erase => self.tell(self.plan.browser_count(), Told::Erase),
            Act::End { end } => self.end(end),
            Act::Repeat { who } => self.tell(who, Told::Repeat),
            Act::Cut { who } => self.tell(who, Told::Cut),
            Act::Leave { who, ms } => self.tell(who, Told::Leave(Duration::from_millis(ms))),
            Act::Rest { who, ms } => self.tell(who, Told::Rest(Duration::from_millis(ms))),
            Act::Kill { node, ms } => {
                if let Some(killed) = self.nodes[node].take() {
                    killed.kill();
                    self.later(ms, Later::Start(node));
                }
            }
            Act::Drain { node, ms } => {
                if let Some(drained) = &self.nodes[node] {
                    let run = drained.drain();
                    self.later(ms, Later::Renew(node, run));
                }
            }
            Act::Unplug { node, ms } => {
                if let Some(Bus::Simulated(seat)) = self.bus(node) {
                    seat.cut();
                    self.later(ms, Later::Plug(node));
                }
            }
            Act::LoseNews { node, count } => {
                if let Some(Bus::Simulated(seat)) = self.bus(node) {
                    seat.lose(count);
                }
            }
            Act::Hold { node, ms } => {
                for cable in self.ground.network.cables(node::address(node)) {
                    cable.hold();
                }
                self.later(ms, Later::LetGo(node));
            }
            Act::Refuse { node, count } => self.plant(node, "storage.batch", count),
            Act::Blind { node, count } => self.plant(node, "storage.read", count),
            Act::FailCommit { count } => {
                self.ground.world.faults.fail("storage.commit", 0, count);
            }
            Act::LoseAnswer { count } => {
                self.ground.world.faults.fail("storage.lost", 0, count);
            }
            Act::Panic { node, place } => self.plant(node, place.point(), 1),
            Act::Skew { node, ms } => {
                if let Some(node) = &self.nodes[node] {
                    let now_ms = node.world.clock.now_ms();
                    node.world
                        .clock
                        .set_now_ms(now_ms.saturating_add_signed(ms));
                }
            }
        }
    }

    fn bus(&self, node: usize) -> Option<&Bus> {
        self.nodes[node].as_ref().map(|node| &node.bus)
    }

    fn plant(&self, node: usize, point: &'static str, count: u64) {
        if let Some(node) = &self.nodes[node] {
            node.world.faults.fail(point, 0, count);
        }
    }

    fn tell(&self, who: usize, told: Told) {
        // Whoever gave up has said so.
        let _ = self.people[who].try_send(told);
    }

    /// The second agent signs out, or the first ends his rights.
    fn end(&self, end: End) {
        let number = match end {
            End::SignedOut => 1,
            End::Deactivated => 0,
        };
        let agent = Box::new(self.shop.agents[1].clone());
        self.tell(self.plan.browser_count() + number, Told::End(end, agent));
    }

    fn later(&mut self, ms: u64, later: Later) {
        let at = self.clock.elapsed() + Duration::from_millis(ms);
        let number = u64::try_from(self.later.len()).expect("few");
        self.later.insert((at, number), later);
    }

    fn undo(&mut self, later: &Later) {
        match later {
            Later::Start(node) => {
                if self.nodes[*node].is_none() {
                    self.start(*node);
                }
            }
            Later::Renew(node, run) => {
                if let Some(ended) = self.nodes[*node].take_if(|node| node.is_run(*run)) {
                    ended.kill();
                    self.start(*node);
                }
            }
            Later::Plug(node) => {
                if let Some(Bus::Simulated(seat)) = self.bus(*node) {
                    seat.mend();
                }
            }
            Later::LetGo(node) => {
                for cable in self.ground.network.cables(node::address(*node)) {
                    cable.let_go();
                }
            }
        }
    }

    /// What is wrong at this moment, and how many entries are stored.
    fn look(&mut self) -> (Vec<String>, usize) {
        let stored: Rc<RefCell<Option<Log>>> = Rc::default();
        let place = Rc::clone(&stored);
        let (store, world) = (self.ground.store.clone(), self.ground.world.clone());
        let owner = self.shop.agents[0].clone();
        self.ground.world.tracker.spawn_local(async move {
            let read = check::read(&store, &world, &owner).await;
            *place.borrow_mut() = Some(read);
        });
        let until = self.clock.elapsed() + Duration::from_millis(200);
        if let Err(failure) = self.pass_until(until) {
            return (failure, 0);
        }
        let Some(stored) = stored.borrow_mut().take() else {
            return (vec!["the store did not answer".to_owned()], 0);
        };
        let stored = Rc::new(stored);
        let accesses: Rc<RefCell<Vec<Access>>> = Rc::default();
        let answered = Rc::clone(&accesses);
        let is_answered = self.ask_all(move |client, _, _| {
            answered.borrow_mut().push(client.access().clone());
        });
        let is_there = |access: &&Access| !self.rights.are_over(access);
        let accesses = accesses.take();
        let there = accesses.iter().filter(is_there);
        let present = Rc::new(present(there, self.plan.is_list_open));
        let rights = self.rights.clone();
        let found: Rc<RefCell<Vec<String>>> = Rc::default();
        let (of, place) = (Rc::clone(&stored), Rc::clone(&found));
        let is_answered = is_answered.and_then(|()| {
            self.ask_all(move |client, screen, former| {
                let mut found = place.borrow_mut();
                if rights.are_over(client.access()) {
                    found.extend(rights.of_client(&of, client));
                    return;
                }
                found.extend(check::of_client(&of, client));
                found.extend(screen.findings(client, &present));
                for client in former {
                    found.extend(check::of_former(&of, client));
                }
            })
        });
        if let Err(failure) = is_answered {
            return (failure, 0);
        }
        let mut findings = found.take();
        findings.extend(check::of_store(&stored, &self.erasures));
        findings.extend(self.erasures.findings());
        findings.extend(self.rights.findings());
        (findings, check::count(&stored))
    }

    /// Looks at what everybody has before him.
    fn ask_all(
        &mut self,
        look: impl Fn(&Client, &Screen, &[Client]) + 'static,
    ) -> Result<(), Vec<String>> {
        let look = Rc::new(look);
        let answered = Rc::new(RefCell::new(0));
        for person in &self.people {
            let (look, answered) = (Rc::clone(&look), Rc::clone(&answered));
            let look = move |client: &Client, screen: &Screen, former: &[Client]| {
                *answered.borrow_mut() += 1;
                look(client, screen, former);
            };
            let _ = person.try_send(Told::Look(Box::new(look)));
        }
        self.rest()?;
        if *answered.borrow() == self.people.len() {
            return Ok(());
        }
        Err(vec!["somebody does not answer".to_owned()])
    }
}

fn present<'a>(accesses: impl Iterator<Item = &'a Access>, is_list_open: bool) -> Present {
    let mut present = Present {
        is_list_open,
        visitors: BTreeSet::new(),
        agents: BTreeSet::new(),
    };
    for access in accesses {
        match access {
            Access::Visitor(visitor) => present.visitors.insert(visitor.visitor_id()),
            Access::Agent(agent) => present.agents.insert(agent.agent_id),
        };
    }
    present
}
