//! Who takes part in a verification: visitors with one tab or two, some over plain HTTP, agents who
//! answer them, and observers who only read.

use std::sync::Arc;

use super::person::{Manners, Person, SaidCounts};
use super::{PURPOSE, Share};
use crate::Error;
use crate::client::{Access, Client, Transport};
use crate::fleet::worker::Worker;
use crate::measure::Tally;
use crate::scenario::cast::{self, Doors};
use crate::scenario::talk::Part;

/// One of so many visitors is connected over plain HTTP.
const STREAMS: u64 = 6;

/// One of so many visitors has a second tab.
const TABS: u64 = 2;

/// How many connections so many conversations have: of visitors and their second tabs, agents and observers.
pub(super) fn connections(pairs: u64, pairs_per_agent: u64) -> u64 {
    pairs + pairs.div_ceil(TABS) + 2 * pairs.div_ceil(pairs_per_agent)
}

/// Lets everybody of a worker come.
///
/// # Errors
/// The server's refusal, or the network's failure.
pub(super) async fn gather(worker: &Worker, share: &Share) -> Result<Vec<Person>, Error> {
    let doors = Doors::find(&share.setting).await?;
    let said = Arc::new(SaidCounts::new(share.stretch));
    let house = House {
        worker,
        share,
        doors: &doors,
        said: &said,
    };
    let clock = &worker.world.clock;
    let customer =
        async |index| cast::patiently(clock, async || Box::pin(house.customer(index)).await).await;
    let customers = cast::each(share.stretch.range(), customer).await?;
    let parts: Vec<Part> = customers.iter().map(|people| people[0].parts[0]).collect();
    let chunk = usize::try_from(share.pairs_per_agent).expect("at most 64");
    let chunks: Vec<&[Part]> = parts.chunks(chunk).collect();
    let team = async |index: u64| {
        let parts = chunks[usize::try_from(index).expect("a count")];
        let number = share.stretch.first / share.pairs_per_agent + index;
        let names = [format!("agent {number}"), format!("observer {number}")];
        let agent = async || house.agent((&names[0], number), parts).await;
        let observer = async || house.agent((&names[1], number + 1), parts).await;
        let agent = cast::patiently(clock, agent);
        let observer = cast::patiently(clock, observer);
        let (agent, observer) = futures_util::try_join!(agent, observer)?;
        Ok([agent, observer.listening()])
    };
    let teams = cast::each(0..chunks.len() as u64, team).await?;
    let people = customers.into_iter().flatten();
    Ok(people.chain(teams.into_iter().flatten()).collect())
}

/// What everybody of a worker shares.
struct House<'a> {
    worker: &'a Worker,
    share: &'a Share,
    doors: &'a Doors,
    said: &'a Arc<SaidCounts>,
}

impl House<'_> {
    /// A visitor with a conversation, and perhaps a second tab.
    async fn customer(&self, index: u64) -> Result<Vec<Person>, Error> {
        let Self {
            worker,
            share,
            doors,
            ..
        } = *self;
        let world = &worker.world;
        let transport = match index % STREAMS {
            0 => Transport::Stream,
            _ => Transport::Socket,
        };
        let visitor = cast::visitor(world, &share.setting, doors, index, PURPOSE).await?;
        let access = visitor.access().clone();
        let mut visitor = visitor.over(transport);
        visitor.connect().await?;
        let ack = visitor
            .settle(cast::say(None, &cast::body("Hello.")))
            .await?;
        let missing = || Error::Broken("an acknowledged message is nowhere".to_owned());
        let part = Part {
            pair: index,
            conversation_id: ack.conversation_id.ok_or_else(missing)?,
        };
        let mut clients = vec![(format!("visitor {index}"), visitor)];
        if index.is_multiple_of(TABS) {
            let server = doors.server_of(index + 1).clone();
            let mut tab = Client::new(world.clone(), server, access);
            tab.connect().await?;
            clients.push((format!("visitor {index}, second tab"), tab));
        }
        let mut people = Vec::new();
        for (tab, (name, mut client)) in clients.into_iter().enumerate() {
            let there = |client: &Client| client.log(part.conversation_id).map(|_| ());
            client
                .until("the beginning of the conversation", there)
                .await?;
            worker.tallies.add(Tally::Connected);
            let dice = share.setting.dice(world, index * 4 + tab as u64);
            let manners = manners(share);
            let person = Person::new(
                worker,
                self.said,
                (name, client),
                vec![part],
                (manners, dice),
            );
            people.push(if tab == 0 { person } else { person.listening() });
        }
        Ok(people)
    }

    /// A member of the team who follows some conversations.
    async fn agent(&self, (name, number): (&str, u64), parts: &[Part]) -> Result<Person, Error> {
        let Self {
            worker,
            share,
            doors,
            ..
        } = *self;
        let world = &worker.world;
        let server = doors.server_of(number);
        let member = cast::member(world, server, share.setting.owner()?).await?;
        let mut client = Client::new(world.clone(), server.clone(), Access::Agent(member));
        client.connect().await?;
        for part in parts {
            client.follow(part.conversation_id).await?;
        }
        worker.tallies.add(Tally::Connected);
        let dice = share.setting.dice(
            world,
            1 << 40 | number << 1 | u64::from(name.starts_with('o')),
        );
        let named = (name.to_owned(), client);
        let manners = (manners(share), dice);
        Ok(Person::new(
            worker,
            self.said,
            named,
            parts.to_vec(),
            manners,
        ))
    }
}

fn manners(share: &Share) -> Manners {
    match share.is_rough {
        true => Manners::Bad,
        false => Manners::Good,
    }
}
