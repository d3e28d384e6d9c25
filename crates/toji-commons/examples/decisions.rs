//! How many decisions a core makes in a second, over a commons of 60 organisations with five people each, 2,000 data
//! sets and 300 agreements: `cargo run --release -p toji-commons --example decisions`.
//!
//! Prints decisions per second of one core for the engine alone and for the seat that the house asks, which words its
//! reason; the requests are random with a fixed seed, so that every clause takes part.

#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant as Clock;
use toji_commons::agreement::{
    Agreement, Area, DataSet, Feedback, Granted, IndustrialUse, Listing, Organisation, Patents, Person, Purpose, Role, Terms,
};
use toji_commons::decide::{Action, Commons, Place, Places, Request, Seat};
use toji_core::{Belongs, Digest, Gate, Id, Instant, Principal, Resource, Result};

const ORGANISATIONS: usize = 60;
const DATA_SETS: usize = 2_000;
const AGREEMENTS: usize = 300;
const REQUESTS: usize = 2_000_000;

/// A generator of 64 bits (SplitMix64), enough to mix requests.
struct Mix(u64);

impl Mix {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
    fn one<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let at = self.below(of.len());
        of.get(at).copied()
    }
}

#[derive(Debug)]
struct ByName;

impl Places for ByName {
    fn named(&self, _kind: &str) -> bool {
        true
    }
    fn place(&self, what: Resource<'_>) -> Place {
        match what {
            Resource::Record { id, .. } => Id::parse(id).map_or(Place::Nowhere, Place::DataSet),
            _ => Place::Nowhere,
        }
    }
    fn taken(&self, _member: &Id, _data_set: &Id, _agreement: &Id) -> bool {
        true
    }
    fn secret(&self, _data_set: &Id) -> bool {
        false
    }
    fn approved(&self, _person: &Id, _data_set: &Id, _now: Instant) -> bool {
        false
    }
}

fn commons(mix: &mut Mix) -> Result<Commons> {
    let id = |text: String| Id::parse(&text);
    let mut commons = Commons::new();
    for o in 0..ORGANISATIONS {
        let listing = if mix.below(20) == 0 { Listing::Review } else { Listing::Clear };
        let country = mix.one(&["JP", "JP", "JP", "US", "DE"]).unwrap_or("JP").to_owned();
        let joined = (mix.below(10) > 0).then_some(Instant(0));
        commons.organisation(Organisation { id: id(format!("org{o}"))?, country, listing, covered: false, joined, left: None });
        for p in 0..5 {
            let roles = mix.one(&Role::ALL).into_iter().chain([Role::Scientist]).collect();
            commons.person(Person { id: id(format!("p{o}-{p}"))?, organisation: id(format!("org{o}"))?, roles })?;
        }
    }
    for d in 0..DATA_SETS {
        let owner = id(format!("org{}", d % ORGANISATIONS))?;
        let area = mix.one(&Area::ALL).unwrap_or(Area::Competitive);
        let embargo = (mix.below(3) == 0).then_some(Instant(500));
        commons.data_set(DataSet { id: id(format!("ds{d}"))?, owner, area, embargo, human_derived: mix.below(50) == 0 })?;
    }
    for a in 0..AGREEMENTS {
        let parties: BTreeSet<Id> = (0..6).map(|_| id(format!("org{}", mix.below(ORGANISATIONS)))).collect::<Result<_>>()?;
        if parties.len() < 2 {
            continue;
        }
        let data_sets = (0..20).map(|_| id(format!("ds{}", mix.below(DATA_SETS)))).collect::<Result<_>>()?;
        let terms = Terms {
            from: Instant(0),
            until: Instant(1_000),
            purposes: BTreeSet::from([Purpose::Research, Purpose::Benchmark]),
            grants: BTreeSet::from([Granted::Compute, Granted::Read, Granted::Train]),
            industrial_use: IndustrialUse::Permitted,
            patents: Patents::Notice { within_days: 30 },
            early_access: parties.iter().take(1).cloned().collect(),
            countries: None,
            feedback: (a % 2 == 0).then_some(Feedback { units: 1, within_days: 90 }),
        };
        commons.agreement(Agreement {
            id: id(format!("ag{a}"))?,
            version: 1,
            text: Digest::of(b"text"),
            parties,
            data_sets,
            terms,
        })?;
    }
    Ok(commons)
}

fn main() -> Result<()> {
    let mut mix = Mix(7);
    let commons = commons(&mut mix)?;
    let people: Vec<Id> = commons.persons().map(|p| p.id.clone()).collect();
    let sets: Vec<Id> = commons.data_sets().map(|d| d.id.clone()).collect();
    let asked: Vec<(usize, usize, Action, Purpose)> = (0..REQUESTS)
        .map(|_| {
            let action = mix.one(&Action::ALL).unwrap_or(Action::Read);
            (mix.below(people.len()), mix.below(sets.len()), action, mix.one(&Purpose::ALL).unwrap_or(Purpose::Research))
        })
        .collect();
    let begun = Clock::now();
    let mut yes = 0;
    for (who, set, action, purpose) in &asked {
        let request =
            Request { who: &people[*who], action: *action, data_set: &sets[*set], purpose: *purpose, now: Instant(100) };
        yes += usize::from(black_box(commons.decide(black_box(&request))).allow());
    }
    let engine = begun.elapsed().as_secs_f64();
    let seat = Seat::new(Arc::new(commons.clone()), Arc::new(ByName), Purpose::Research, Instant(100));
    let begun = Clock::now();
    let mut seen = 0;
    for (who, set, _, _) in &asked {
        let who = Principal { id: people[*who].to_string(), organisation: None };
        let what = Resource::Record { kind: "run", id: sets[*set].as_str(), of: Belongs::default() };
        seen += usize::from(black_box(seat.decide(&who, toji_core::Action::Read, what)).allow);
    }
    let house = begun.elapsed().as_secs_f64();
    let rate = |seconds: f64| REQUESTS as f64 / seconds;
    println!("engine: {:.0} decisions/s of one core, {yes} of {REQUESTS} allowed", rate(engine));
    println!("seat:   {:.0} decisions/s of one core, {seen} of {REQUESTS} allowed", rate(house));
    Ok(())
}
