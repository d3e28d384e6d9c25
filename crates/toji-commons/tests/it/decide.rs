//! The decision: every combination against the naive evaluator, random worlds, properties, stories in time.

use crate::scenes::{Deal, Mix, Owed, PURPOSES, Scene, Side, Wait, random_world, role_person, scenes, world_of};
use crate::world::{World, agreement, naive, organisation, person};
use crate::{day, id};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use toji_commons::account::{Cause, DutyTerms, Ledger, Transaction};
use toji_commons::agreement::{Area, DataSet, Feedback, Granted, Listing, Patents, Purpose, Role};
use toji_commons::decide::{Action, Changed, Clause, Commons, Obligation, Place, Places, Request, Seat};
use toji_core::{Access, Belongs, Digest, Id, Instant, Principal, Resource};

fn word(clause: Clause) -> String {
    serde_json::to_value(clause).unwrap().as_str().unwrap().to_owned()
}

/// Roles × actions × areas × sides × agreements × embargo × duties × lists × human-derived × covered × purpose.
#[test]
fn the_whole_table_agrees_with_the_naive_evaluator() {
    let data_set = id("koji");
    let mut rows = 0u64;
    let mut tally: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for scene in scenes() {
        let world = world_of(&scene);
        let commons = world.commons();
        for role in Role::ALL {
            let who = role_person(role);
            for action in Action::ALL {
                for purpose in PURPOSES {
                    let request = Request { who: &who, action, data_set: &data_set, purpose, now: day(0) };
                    let decision = commons.decide(&request);
                    let (clause, by) = naive(&world, &request);
                    let name = word_of(decision.clause);
                    assert_eq!((name, &decision.agreement), (clause, &by), "{scene:?} {role:?} {action:?} {purpose:?}");
                    properties(&scene, role, action, purpose, decision.allow());
                    *tally.entry((scene.area.code(), name)).or_default() += 1;
                    rows += 1;
                }
            }
        }
    }
    assert_eq!(rows, 4 * (7 + 4 * 2) * 4 * 3 * 3 * 4 * 11 * 6 * 3);
    let mut text = String::new();
    for ((area, clause), n) in tally {
        writeln!(text, "{area}\t{clause}\t{n}").unwrap();
    }
    // Any change of a clause changes this file, for people to look at.
    assert_eq!(text, include_str!("data/table.tsv"), "\n{text}");
}

/// Names without allocation, for millions of rows.
fn word_of(clause: Clause) -> &'static str {
    use std::sync::OnceLock;
    static NAMES: OnceLock<Vec<(Clause, String)>> = OnceLock::new();
    let all = [
        Clause::ClockSetBack,
        Clause::Unknown,
        Clause::CoveredPerson,
        Clause::Open,
        Clause::NoAccount,
        Clause::SeparationOfDuties,
        Clause::Role,
        Clause::Own,
        Clause::WriteOwnOnly,
        Clause::Listed,
        Clause::ListingReview,
        Clause::CleanRoom,
        Clause::NeverExported,
        Clause::Membership,
        Clause::FeedbackOverdue,
        Clause::Catalogue,
        Clause::NoAgreement,
        Clause::NotInForce,
        Clause::Territory,
        Clause::NotGranted,
        Clause::Purpose,
        Clause::Embargo,
        Clause::Agreement,
    ];
    let names = NAMES.get_or_init(|| all.iter().map(|c| (*c, word(*c))).collect());
    &names.iter().find(|(c, _)| *c == clause).unwrap().1
}

/// What must hold whatever the clauses: said of the scene alone.
fn properties(scene: &Scene, role: Role, action: Action, purpose: Purpose, allow: bool) {
    let Scene { area, side, deal, wait, owed, listing, human_derived, covered } = *scene;
    let own = side == Side::Own;
    let data = action != Action::Describe;
    let running = matches!(wait, Wait::Running | Wait::RunningWithEarlyAccess);
    let open = area == Area::Public && !running;
    let case = || format!("{scene:?} {role:?} {action:?} {purpose:?}");
    if !allow {
        // One's own data stays one's own, whatever lists, duties and agreements say.
        let apart = matches!(role, Role::Operator | Role::Auditor | Role::Guest | Role::AiService);
        let kept = own && !apart && action == Action::Read && !(human_derived && covered);
        assert!(!kept, "own data refused: {}", case());
        return;
    }
    // P1: nobody reads what is in the competitive area but its owner and whom an agreement grants it.
    let granted = side == Side::Party && matches!(deal, Deal::All | Deal::NoIndustry | Deal::ComputeOnly);
    assert!(area != Area::Competitive || own || granted, "P1: {}", case());
    // P2: no covered person is given anything human-derived.
    assert!(!(human_derived && (covered || side == Side::Nobody)), "P2: {}", case());
    // P3: no embargo is passed without early access.
    let waits = running && !(wait == Wait::RunningWithEarlyAccess && side == Side::Party);
    assert!(own || !data || !waits, "P3: {}", case());
    // P4: nobody but the owner takes cooperative data out.
    assert!(!(area == Area::Cooperative && action == Action::Export && !own), "P4: {}", case());
    // Nothing but computing leaves a clean room.
    assert!(own || area != Area::CleanRoom || matches!(action, Action::Compute | Action::Describe), "clean room: {}", case());
    // Listed organisations, overdue members, and operators see no data of others that is not open.
    assert!(own || open || listing == Listing::Clear, "lists: {}", case());
    assert!(own || area != Area::Cooperative || !data || owed != Owed::Overdue, "overdue: {}", case());
    assert!(open || !data || !matches!(role, Role::Operator | Role::Auditor | Role::Guest), "duties apart: {}", case());
    assert!(own || action != Action::Write, "write: {}", case());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// 2,000 worlds with 500 requests each: a million.
    #[test]
    fn random_requests_agree_with_the_naive_evaluator(seed in any::<u64>()) {
        let mut mix = Mix(seed);
        let world = random_world(&mut mix);
        let commons = world.commons();
        for _ in 0..500 {
            let who = match mix.below(12) {
                0 => id("stranger"),
                _ => world.persons[mix.below(8) as usize].id.clone(),
            };
            let data_set = id(&format!("ds{}", mix.below(20).min(mix.below(5))));
            let (action, purpose) = (mix.one(&Action::ALL), mix.one(&Purpose::ALL));
            let now = day(mix.below(30) as i64 - 15);
            let request = Request { who: &who, action, data_set: &data_set, purpose, now };
            let decision = commons.decide(&request);
            let (clause, by) = naive(&world, &request);
            prop_assert_eq!((word_of(decision.clause), &decision.agreement), (clause, &by), "{:?} in {:?}", request, world);
            prop_assert_eq!(decision.allow(), ["open", "own", "catalogue", "agreement"].contains(&clause));
        }
    }
}

/// Three companies over time: embargo, early access, a duty that falls overdue, feedback, the end of the term.
#[test]
fn time_is_an_input_of_the_decision() {
    let mut world = World {
        organisations: ["kura", "amino", "enzyme"].map(|n| organisation(n, "JP")).to_vec(),
        persons: vec![
            person("owner", "kura", &[Role::Scientist]),
            person("early", "amino", &[Role::Scientist]),
            person("late", "enzyme", &[Role::Scientist]),
        ],
        data_sets: vec![DataSet {
            id: id("koji"),
            owner: id("kura"),
            area: Area::Cooperative,
            embargo: Some(day(30)),
            human_derived: false,
        }],
        ..World::default()
    };
    let mut deal = agreement("gi", &["kura", "amino", "enzyme"], &["koji"]);
    deal.terms.early_access.insert(id("amino"));
    deal.terms.feedback = Some(Feedback { units: 2, within_days: 40 });
    deal.terms.patents = Patents::Notice { within_days: 30 };
    world.agreements.push(deal);
    let mut commons = world.commons();
    let asked = |commons: &Commons, who: &str, action, now| {
        commons.decide(&Request { who: &id(who), action, data_set: &id("koji"), purpose: Purpose::Research, now })
    };
    let read = |commons: &Commons, who: &str, now| asked(commons, who, Action::Read, now).clause;
    let nanosecond_before = day(30).plus_ns(-1).unwrap();
    assert_eq!(read(&commons, "owner", day(0)), Clause::Own);
    assert_eq!(read(&commons, "late", nanosecond_before), Clause::Embargo);
    assert_eq!(read(&commons, "late", day(30)), Clause::Agreement);
    let early = asked(&commons, "early", Action::Read, day(0));
    assert_eq!(
        early.obligations,
        [
            Obligation::Feedback { units: 2, due: day(40) },
            Obligation::PatentNotice { within_days: 30 },
            Obligation::UseEnds { at: day(100) }
        ]
    );
    assert!(early.reason().en.contains("gi") && early.reason().ja.contains("gi"));
    early.demand().unwrap();

    // What was taken becomes a duty in the ledger, and the ledger bars its debtor from the day after it is due.
    let mut ledger = Ledger::new();
    let duty = Some(DutyTerms { duty: id("d1"), units: 2, due: day(40) });
    let taking = Cause::Taking { member: id("amino"), agreement: id("gi"), data_set: id("koji"), units: 1, duty };
    ledger.post(Transaction { id: id("t1"), at: day(0), cause: taking }).unwrap();
    commons.take_duties(&ledger, day(40));
    assert_eq!(read(&commons, "early", day(40)), Clause::Agreement);
    assert_eq!(read(&commons, "early", day(41)), Clause::FeedbackOverdue);
    assert_eq!(asked(&commons, "early", Action::Describe, day(41)).clause, Clause::Catalogue);
    let error = asked(&commons, "early", Action::Read, day(41)).demand().unwrap_err();
    let fault = error.fault();
    assert!(fault.place.is_some() && fault.hint.as_ref().is_some_and(|h| h.ja != h.en));
    let feedback = Cause::Feedback { duty: id("d1"), units: 2, evidence: Digest::of(b"accepted") };
    ledger.post(Transaction { id: id("t2"), at: day(42), cause: feedback }).unwrap();
    commons.take_duties(&ledger, day(42));
    assert_eq!(read(&commons, "early", day(42)), Clause::Agreement);

    // The term ends; a clock set back does not bring it again.
    assert_eq!(read(&commons, "late", day(100)), Clause::NotInForce);
    assert_eq!(read(&commons, "owner", day(100)), Clause::Own);
    commons.note_time(day(100));
    commons.note_time(day(50));
    assert_eq!(read(&commons, "late", day(99)), Clause::ClockSetBack);
    assert_eq!(read(&commons, "owner", day(99)), Clause::ClockSetBack);
}

#[test]
fn every_clause_speaks_two_languages() {
    for clause in [
        "clock-set-back",
        "unknown",
        "covered-person",
        "open",
        "no-account",
        "separation-of-duties",
        "role",
        "own",
        "write-own-only",
        "listed",
        "listing-review",
        "clean-room",
        "never-exported",
        "membership",
        "feedback-overdue",
        "catalogue",
        "no-agreement",
        "not-in-force",
        "territory",
        "not-granted",
        "purpose",
        "embargo",
        "agreement",
    ] {
        let clause: Clause = serde_json::from_value(clause.into()).unwrap();
        for text in [clause.reason(), clause.remedy()] {
            assert!(!text.ja.is_empty() && !text.en.is_empty() && text.ja != text.en && !text.ja.is_ascii());
        }
    }
}

#[derive(Debug)]
struct Runs(BTreeSet<(Id, Id)>);
impl Places for Runs {
    fn named(&self, _kind: &str) -> bool {
        true
    }
    fn place(&self, what: Resource<'_>) -> Place {
        match what {
            Resource::Record { kind: "agreement", .. } => Place::Parties(BTreeSet::from([id("kura")])),
            Resource::Record { kind: "membership", .. } => Place::Members,
            Resource::Record { kind: "aggregate-cell", .. } => Place::Closed,
            Resource::Series { run, .. } | Resource::Record { id: run, .. } => {
                Id::parse(run).map_or(Place::Nowhere, Place::DataSet)
            }
            Resource::Blob { .. } | Resource::Store | Resource::Question => Place::Nowhere,
        }
    }
    /// Taken by the data set, or under one agreement by its name.
    fn taken(&self, member: &Id, data_set: &Id, agreement: &Id) -> bool {
        [data_set, agreement].into_iter().any(|by| self.0.contains(&(member.clone(), by.clone())))
    }
    fn secret(&self, data_set: &Id) -> bool {
        data_set.as_str() == "recipe"
    }
    fn approved(&self, person: &Id, _data_set: &Id, now: Instant) -> bool {
        person.as_str() == "toji" && now < day(10)
    }
}

/// A house with a depositor, a member and two names nobody knows.
fn house() -> World {
    let mut world = World {
        organisations: ["kura", "amino", "stranger"].map(|n| organisation(n, "JP")).to_vec(),
        persons: vec![
            person("toji", "kura", &[Role::Scientist, Role::Steward]),
            person("taro", "amino", &[Role::Scientist]),
            person("kansa", "amino", &[Role::Auditor]),
            person("soto", "stranger", &[Role::Scientist]),
        ],
        ..World::default()
    };
    world.organisations[2].joined = None;
    let areas =
        [("shared", Area::Cooperative), ("secret", Area::Competitive), ("open", Area::Public), ("recipe", Area::Competitive)];
    for (name, area) in areas {
        world.data_sets.push(DataSet { id: id(name), owner: id("kura"), area, embargo: None, human_derived: false });
    }
    world.agreements.push(agreement("gi", &["kura", "amino"], &["shared"]));
    world.agreements[0].terms.feedback = Some(Feedback { units: 2, within_days: 120 });
    world
}

fn seat(world: &World, taken: &[(&str, &str)]) -> Seat {
    let taken = taken.iter().map(|(member, set)| (id(member), id(set))).collect();
    Seat::new(Arc::new(world.commons()), Arc::new(Runs(taken)), Purpose::Research, day(0))
}

fn asks(seat: &Seat, who: &str, action: toji_core::Action, what: Resource<'_>) -> toji_core::Decision {
    Access { who: Principal { id: who.into(), organisation: None }, gate: Arc::new(seat.clone()) }.decide(action, what)
}

fn series(run: &str) -> Resource<'_> {
    Resource::Series { run, channel: "pH", of: Belongs::default() }
}

/// The engine answers the house's gate: the same question by depositor, member and outsider.
#[test]
fn it_answers_the_gate_of_the_house() {
    let world = house();
    let seen = |seat: &Seat, who: &str| -> Vec<&str> {
        let runs = ["shared", "secret", "open"].into_iter();
        runs.filter(|run| asks(seat, who, toji_core::Action::Read, series(run)).allow).collect()
    };
    let before = seat(&world, &[]);
    assert_eq!(seen(&before, "toji"), ["shared", "secret", "open"]);
    // A duty is not owed unasked: nothing of it is read before its use is registered.
    assert_eq!(seen(&before, "taro"), ["open"]);
    let told = asks(&before, "taro", toji_core::Action::Read, series("shared")).remedy.unwrap();
    assert!(told.en.contains("toji commons use shared") && told.ja.contains("toji commons use shared"), "{told:?}");
    let after = seat(&world, &[("amino", "shared")]);
    assert_eq!(seen(&after, "taro"), ["shared", "open"]);
    for nobody in ["somebody", "soto", "not an identifier"] {
        let open: &[&str] = if nobody.contains(' ') { &[] } else { &["open"] };
        assert_eq!(seen(&after, nobody), open, "{nobody}");
    }
}

/// Of several agreements that permit it one is enough, if its duty was taken on or it brings none.
#[test]
fn one_agreement_whose_duty_was_taken_on_is_enough() {
    let mut world = house();
    world.agreements.push(agreement("jo", &["kura", "amino"], &["shared"]));
    world.agreements[1].terms.feedback = Some(Feedback { units: 1, within_days: 30 });
    let reads = |world: &World, taken: &[(&str, &str)]| {
        let told = asks(&seat(world, taken), "taro", toji_core::Action::Read, series("shared"));
        (told.allow, told.reason.en)
    };
    assert!(!reads(&world, &[]).0);
    for name in ["gi", "jo"] {
        let (allowed, reason) = reads(&world, &[("amino", name)]);
        assert!(allowed && reason.contains(&format!("agreement {name}")), "{name}: {reason}");
    }
    assert!(!reads(&world, &[("kura", "jo")]).0, "what another took on");
    // What was taken on counts only where that agreement permits.
    world.agreements[1].terms.grants.remove(&Granted::Read);
    assert!(!reads(&world, &[("amino", "jo")]).0);
    world.agreements[1].terms.grants.insert(Granted::Read);
    world.agreements[1].terms.feedback = None;
    assert!(reads(&world, &[]).0, "one that brings no duty");
    // The one decision names the first that permits; asked for one agreement, the others do not count.
    let commons = world.commons();
    let (who, set) = (id("taro"), id("shared"));
    let request = Request { who: &who, action: Action::Train, data_set: &set, purpose: Purpose::Research, now: day(0) };
    assert_eq!(commons.decide_under(&request, &id("nix")).clause, Clause::NoAgreement);
    for name in ["gi", "jo"] {
        let under = commons.decide_under(&request, &id(name));
        assert_eq!(under.agreement, Some(id(name)));
        assert_eq!(under.obligations.iter().any(|o| matches!(o, Obligation::Feedback { .. })), name == "gi" && under.allow());
    }
    assert_eq!(commons.covering(&set).map(|a| a.id.as_str()).collect::<Vec<_>>(), ["gi", "jo"]);
}

/// What is no data: records of the commons, the house, work, questions.
#[test]
fn the_seat_judges_what_is_no_data() {
    let world = house();
    let seat = seat(&world, &[]);
    let record = |kind: &'static str| Resource::Record { kind, id: "x", of: Belongs::default() };
    let may = |who: &str, what: Resource<'_>| asks(&seat, who, toji_core::Action::Read, what).allow;
    for (what, may_read) in [
        (record("agreement"), ["toji", "kansa"].as_slice()),
        (record("membership"), &["toji", "taro", "kansa"]),
        (record("aggregate-cell"), &[]),
        (Resource::Store, &["kansa"]),
        (Resource::Question, &["toji", "taro", "kansa", "soto", "somebody"]),
    ] {
        for who in ["toji", "taro", "kansa", "soto", "somebody"] {
            assert_eq!(may(who, what), may_read.contains(&who), "{who} {what:?}");
            let written = asks(&seat, who, toji_core::Action::Write, what);
            assert!(!written.allow && written.reason.ja != written.reason.en, "{who} {what:?}");
        }
    }
}

/// A secret of one's own leaves only after somebody approved it, and only until that ends.
#[test]
fn a_secret_leaves_when_it_was_approved() {
    let world = house();
    let now = seat(&world, &[]);
    let later = Seat::new(Arc::new(world.commons()), Arc::new(Runs(BTreeSet::new())), Purpose::Research, day(10));
    for (seat, who, allow) in [(&now, "toji", true), (&later, "toji", false), (&now, "taro", false)] {
        assert_eq!(asks(seat, who, toji_core::Action::Export, series("recipe")).allow, allow, "{who}");
    }
    assert!(asks(&later, "toji", toji_core::Action::Read, series("recipe")).allow, "reading asks for no approval");
}

/// A computing seat reads where computing is granted and nowhere else.
#[test]
fn a_computing_seat_reads_as_computing() {
    let mut world = house();
    world.data_sets[0].area = Area::CleanRoom;
    world.agreements[0].terms.feedback = None;
    world.agreements[0].terms.grants = BTreeSet::from([Granted::Compute]);
    let seat = seat(&world, &[]);
    let reads = |seat: &Seat, run| asks(seat, "taro", toji_core::Action::Read, series(run)).allow;
    assert!(!reads(&seat, "shared") && reads(&seat.computing(), "shared"));
    assert!(!reads(&seat.computing(), "secret"));
}

/// What a change gives and takes is told with a case, and every case told is one that changes.
#[test]
fn a_change_tells_who_gains_and_who_loses() {
    use toji_commons::decide::compare;
    let before = house();
    let mut after = house();
    after.agreements[0].version = 2;
    after.agreements[0].terms.grants = BTreeSet::from([Granted::Compute]);
    after.agreements[0].terms.purposes = BTreeSet::from([Purpose::Research, Purpose::Benchmark]);
    let (before, after) = (before.commons(), after.commons());
    let changes = compare(&before, &after, &[day(0), day(400)]);
    assert!(changes.iter().any(|c| c.gained) && changes.iter().any(|c| !c.gained));
    for change in &changes {
        let Changed { who, action, data_set, purpose, at, .. } = change;
        let request = Request { who, action: *action, data_set, purpose: *purpose, now: *at };
        let (was, is) = (before.decide(&request), after.decide(&request));
        assert_eq!((was.clause, is.clause), (change.before, change.after), "{change:?}");
        assert!(was.allow() != is.allow() && is.allow() == change.gained && change.cases > 0, "{change:?}");
        assert_eq!((data_set.as_str(), change.organisation.as_ref().map(Id::as_str)), ("shared", Some("amino")), "{change:?}");
    }
    let lost: Vec<Action> = changes.iter().filter(|c| !c.gained).map(|c| c.action).collect();
    assert!(lost.contains(&Action::Read), "{changes:?}");
    assert_eq!(compare(&before, &before, &[day(0)]), []);
    let mut without = house().commons();
    without.without_agreement(&id("gi"));
    assert!(compare(&before, &without, &[day(0)]).iter().all(|c| !c.gained));
}
