//! Worlds by the thousand: every combination of what clauses ask about, and random ones.

use crate::world::{World, agreement, organisation, person};
use crate::{day, id};
use std::collections::BTreeSet;
use toji_commons::agreement::{Area, DataSet, Granted, IndustrialUse, Listing, Patents, Purpose, Role, Terms};
use toji_core::Id;

/// How the asker's organisation stands to the owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Own,
    Party,
    Member,
    Outsider,
    Nobody,
}
/// What the agreement with the party is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deal {
    None,
    NotYet,
    Ended,
    ElsewhereOnly,
    ComputeOnly,
    NoIndustry,
    All,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    None,
    Over,
    Running,
    RunningWithEarlyAccess,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owed {
    Nothing,
    Later,
    Overdue,
}

pub(crate) const SIDES: [Side; 5] = [Side::Own, Side::Party, Side::Member, Side::Outsider, Side::Nobody];
pub(crate) const DEALS: [Deal; 7] =
    [Deal::NotYet, Deal::Ended, Deal::ElsewhereOnly, Deal::ComputeOnly, Deal::NoIndustry, Deal::None, Deal::All];
pub(crate) const WAITS: [Wait; 4] = [Wait::None, Wait::Over, Wait::Running, Wait::RunningWithEarlyAccess];
pub(crate) const OWED: [Owed; 3] = [Owed::Nothing, Owed::Later, Owed::Overdue];
pub(crate) const LISTINGS: [Listing; 3] = [Listing::Clear, Listing::Review, Listing::Blocked];
pub(crate) const PURPOSES: [Purpose; 3] = [Purpose::Research, Purpose::Benchmark, Purpose::Production];

/// One combination of all but role, action and purpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) area: Area,
    pub(crate) side: Side,
    pub(crate) deal: Deal,
    pub(crate) wait: Wait,
    pub(crate) owed: Owed,
    pub(crate) listing: Listing,
    pub(crate) human_derived: bool,
    pub(crate) covered: bool,
}

pub(crate) fn scenes() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for area in Area::ALL {
        for side in SIDES {
            // What an agreement says matters to its parties only; that it matters to nobody else is checked with two.
            let deals = if side == Side::Party { &DEALS[..] } else { &DEALS[5..] };
            for &deal in deals {
                for wait in WAITS {
                    for owed in OWED {
                        for listing in LISTINGS {
                            for (human_derived, covered) in [(false, false), (false, true), (true, false), (true, true)] {
                                scenes.push(Scene { area, side, deal, wait, owed, listing, human_derived, covered });
                            }
                        }
                    }
                }
            }
        }
    }
    scenes
}

pub(crate) fn role_person(role: Role) -> Id {
    id(&format!("p{}", Role::ALL.iter().position(|r| *r == role).unwrap()))
}

pub(crate) fn world_of(scene: &Scene) -> World {
    let asker = match scene.side {
        Side::Own => "kura",
        Side::Party => "amino",
        Side::Member | Side::Nobody => "enzyme",
        Side::Outsider => "trader",
    };
    let mut organisations: Vec<_> = ["kura", "amino", "enzyme", "trader"].map(|n| organisation(n, "JP")).to_vec();
    organisations[3].joined = None;
    for o in organisations.iter_mut().filter(|o| o.id == id(asker)) {
        o.listing = scene.listing;
        o.covered = scene.covered;
    }
    let persons = match scene.side {
        Side::Nobody => Vec::new(),
        _ => Role::ALL.iter().map(|r| person(role_person(*r).as_str(), asker, &[*r])).collect(),
    };
    let embargo = match scene.wait {
        Wait::None => None,
        Wait::Over => Some(day(0)),
        Wait::Running | Wait::RunningWithEarlyAccess => Some(day(1)),
    };
    let data_set = DataSet { id: id("koji"), owner: id("kura"), area: scene.area, embargo, human_derived: scene.human_derived };
    let mut deal = agreement("gi", &["kura", "amino"], &["koji"]);
    deal.terms.purposes.insert(Purpose::Production);
    match scene.deal {
        Deal::None | Deal::All => {}
        Deal::NotYet => deal.terms.from = day(1),
        Deal::Ended => deal.terms.until = day(0),
        Deal::ElsewhereOnly => deal.terms.countries = Some(BTreeSet::from(["FR".to_owned()])),
        Deal::ComputeOnly => deal.terms.grants = BTreeSet::from([Granted::Compute]),
        Deal::NoIndustry => {
            deal.terms.industrial_use = IndustrialUse::Forbidden;
            deal.terms.purposes.remove(&Purpose::Production);
        }
    }
    if scene.wait == Wait::RunningWithEarlyAccess {
        deal.terms.early_access.insert(id("amino"));
    }
    let duties = match scene.owed {
        Owed::Nothing => Vec::new(),
        Owed::Later => vec![(id(asker), 1, day(0))],
        Owed::Overdue => vec![(id(asker), 1, day(-1))],
    };
    let agreements = if scene.deal == Deal::None { Vec::new() } else { vec![deal] };
    World { organisations, persons, data_sets: vec![data_set], agreements, duties, noted: Some(day(0)) }
}

/// Chance with a seed.
pub(crate) struct Mix(pub(crate) u64);
impl Mix {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
    pub(crate) fn some<T: Copy + Ord>(&mut self, of: &[T], in_n: u64) -> BTreeSet<T> {
        of.iter().copied().filter(|_| self.below(in_n) == 0).collect()
    }
}

pub(crate) fn random_world(mix: &mut Mix) -> World {
    let names = ["kura", "amino", "enzyme", "trader"];
    let mut world = World { noted: (mix.below(4) == 0).then(|| day(mix.below(20) as i64 - 10)), ..World::default() };
    for name in names {
        let mut o = organisation(name, mix.one(&["JP", "FR"]));
        o.listing = mix.one(&[Listing::Clear, Listing::Clear, Listing::Clear, Listing::Review, Listing::Blocked]);
        o.covered = mix.below(6) == 0;
        o.joined = (mix.below(5) > 0).then(|| day(mix.below(30) as i64 - 25));
        o.left = (mix.below(5) == 0).then(|| day(mix.below(30) as i64 - 10));
        world.organisations.push(o);
        for p in 0..2 {
            let roles: Vec<Role> = mix.some(&Role::ALL, 4).into_iter().collect();
            world.persons.push(person(&format!("{name}-{p}"), name, &roles));
        }
        if mix.below(3) == 0 {
            world.duties.push((id(name), mix.below(2) as u32, day(mix.below(30) as i64 - 15)));
        }
    }
    for n in 0..4 {
        let embargo = (mix.below(3) == 0).then(|| day(mix.below(30) as i64 - 15));
        let (owner, area) = (id(mix.one(&names)), mix.one(&Area::ALL));
        world.data_sets.push(DataSet { id: id(&format!("ds{n}")), owner, area, embargo, human_derived: mix.below(6) == 0 });
    }
    for n in 0..mix.below(6) {
        let mut parties: BTreeSet<&str> = mix.some(&names, 2);
        parties.extend([names[0], names[1]]);
        let parties: Vec<&str> = parties.into_iter().collect();
        let mut a = agreement(&format!("a{n}"), &parties, &[]);
        a.data_sets = mix.some(&[0, 1, 2, 3], 2).into_iter().map(|d| id(&format!("ds{d}"))).collect();
        let from = mix.below(30) as i64 - 25;
        a.terms = Terms {
            from: day(from),
            until: day(from + 1 + mix.below(40) as i64),
            purposes: mix.some(&Purpose::ALL, 2),
            grants: mix.some(&[Granted::Compute, Granted::Read, Granted::Train, Granted::Export], 2),
            industrial_use: mix.one(&[IndustrialUse::Permitted, IndustrialUse::Forbidden]),
            patents: Patents::Free,
            early_access: parties.iter().filter(|_| mix.below(3) == 0).map(|p| id(p)).collect(),
            countries: (mix.below(4) == 0).then(|| BTreeSet::from(["JP".to_owned()])),
            feedback: None,
        };
        a.terms.purposes.insert(Purpose::Research);
        a.terms.grants.insert(Granted::Read);
        if a.terms.industrial_use == IndustrialUse::Forbidden {
            a.terms.purposes.remove(&Purpose::Production);
        }
        world.agreements.push(a);
    }
    world
}
