//! The safety envelope: verdicts by the numbers of the sources, paths against an independent simulation, and campaigns
//! at random.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

#[path = "safety/truth.rs"]
mod truth;

use toji_core::chance::Chance;
use toji_culture::envelope::path::{Broth, Faults, Range, Taken, head_space_mol};
use toji_culture::envelope::rule::{LOC, MARGIN_FUEL, MARGIN_OXYGEN};
use toji_culture::envelope::{
    Fault, Inflow, Kind, Mixture, Phase, Plan, Rule, Rules, Spot, Standing, check, crosses, judge, permitted,
};
use truth::{could_burn_or_nearly, live_through, uniform};

fn could_burn(h: f64, o: f64) -> bool {
    // The rich edge runs from 75 % in air to 94 % in oxygen.
    let (air, pure) = (0.25 * 0.2095, 0.06);
    h >= 0.04 && o >= 0.046 && o >= air + (h - 0.75) * (pure - air) / 0.19
}

fn standing(h: f64, o: f64, co2: f64) -> Standing {
    judge(&Mixture::percent(h, o, co2, 100.0 - h - o - co2).unwrap(), &Rules::standard()).unwrap().standing
}

#[test]
fn mixtures_by_the_numbers_of_the_sources() {
    let in_air = |h: f64| standing(h, (100.0 - h) * 0.2095, 0.0);
    assert_eq!([0.9, 1.1, 3.9, 4.1, 30.0, 74.9, 75.5, 86.0, 87.5].map(in_air), {
        use Standing::{Inside, Near, Outside};
        [Outside, Near, Near, Inside, Inside, Inside, Near, Near, Outside]
    });
    // The trap: handbooks' 5.0 % (N2) and 5.2 % (CO2) would pass these two. The standard's note does not.
    assert_eq!(standing(20.0, 4.8, 0.0), Standing::Inside);
    assert_eq!(standing(20.0, 5.1, 74.9), Standing::Inside);
    assert_eq!(standing(20.0, 4.5, 0.0), Standing::Near);
    assert_eq!(standing(20.0, 2.7, 0.0), Standing::Outside);
    // The usual feed of hydrogen-oxidising bacteria, 7:2:1, is explosive.
    let feed = judge(&Mixture::percent(70.0, 20.0, 10.0, 0.0).unwrap(), &Rules::standard()).unwrap();
    assert!(!feed.permitted && feed.standing == Standing::Inside);
    assert!(feed.reason.en.contains("4.6 %") && feed.reason.ja.contains("限界酸素濃度"));
    assert!(feed.rules.contains(&LOC.to_owned()));
    assert_eq!(feed.by, "hydrogen-oxygen v1");
    // Thinned to 2.76 % of oxygen: 20/2.76 = 7.25 times, so 6.25 mol of nitrogen a mol (a thousandth more).
    assert!((feed.nitrogen_to_add - (20.0 / (2.76 * 0.999) - 1.0)).abs() < 1e-12);
    let safe = judge(&feed.safe.unwrap(), &Rules::standard()).unwrap();
    assert!(safe.permitted && safe.safe.is_none());
    for bad in [[50.0, 60.0, 0.0, 0.0], [-1.0, 50.0, 0.0, 51.0], [f64::NAN, 50.0, 0.0, 50.0]] {
        assert_eq!(Mixture::percent(bad[0], bad[1], bad[2], bad[3]).unwrap_err().code(), "E-GAS-012");
    }
}

#[test]
fn rules_are_data() {
    let rules = Rules::standard();
    rules.check().unwrap();
    let loc = rules.rules.iter().find(|r| r.id == LOC).unwrap();
    assert!(loc.value == 4.6 && loc.source.contains("E2079-19") && loc.note.en.contains("5.0 %"));
    for margin in [MARGIN_FUEL, MARGIN_OXYGEN] {
        let rule = rules.rules.iter().find(|r| r.id == margin).unwrap();
        assert!(rule.note.en.contains("qualified person") && rule.note.ja.contains("有資格者"));
    }
    let text = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), rules);
    let with = |id: &str, value: f64| {
        let mut changed = rules.clone();
        changed.rules.iter_mut().find(|r| r.id == id).unwrap().value = value;
        changed
    };
    // A stricter house rule refuses more; a margin beyond the limit itself is no rule.
    let mixture = Mixture::percent(20.0, 2.0, 0.0, 78.0).unwrap();
    assert!(judge(&mixture, &rules).unwrap().permitted);
    assert!(!judge(&mixture, &with(MARGIN_OXYGEN, 0.4)).unwrap().permitted);
    for (id, value) in [(MARGIN_OXYGEN, 1.2), (MARGIN_FUEL, 0.0), (LOC, 30.0), ("h2-lfl-air", 80.0)] {
        assert_eq!(with(id, value).check().unwrap_err().code(), "E-GAS-011", "{id}");
    }
    // A house may be stricter than the shared rules, never laxer.
    let mut house = rules.clone();
    let of = |id: &str, value: f64| Rule { value, ..rules.rules.iter().find(|r| r.id == id).unwrap().clone() };
    for (rule, taken) in [
        (of(LOC, 4.0), true),
        (of(LOC, 5.0), false),
        (of("h2-ufl-air", 74.0), false),
        (of("h2-ufl-air", 76.0), true),
        (of(MARGIN_FUEL, f64::NAN), false),
        (Rule { id: "no-such".into(), ..of(LOC, 1.0) }, false),
    ] {
        assert_eq!(house.tighten(rule.clone()), taken, "{rule:?}");
    }
    assert_eq!(house.rules.iter().find(|r| r.id == LOC).unwrap().value, 4.0);
    house.check().unwrap();
    let mut short = rules.clone();
    short.rules.retain(|r| r.id != LOC);
    assert_eq!(short.check().unwrap_err().code(), "E-GAS-010");
}

fn inflow(name: &str, mixture: Mixture, low: f64, high: f64, sparged: bool) -> Inflow {
    Inflow { name: name.into(), mixture, low_mol_per_h: low, high_mol_per_h: high, sparged }
}

fn phase(name: &str, kind: Kind, minutes: Option<f64>, inflows: Vec<Inflow>) -> Phase {
    Phase { name: name.into(), kind, minutes, inflows, uptake: Taken::default(), premixed: false }
}

fn no_faults() -> Faults {
    Faults { agitation: false, supplies: false, response_minutes: None, trip: vec![] }
}

fn plan(start: Mixture, phases: Vec<Phase>) -> Plan {
    Plan { head_space_mol: 1.0, start, phases, faults: no_faults() }
}

#[test]
fn hydrogen_into_air_enters_at_the_instant_worked_by_hand() {
    // 60 mol/h into 1 mol: τ = 1 min. H2 = 1 − e^-t reaches 1 % at −ln 0.99 and 4 % at −ln 0.96; oxygen is plenty.
    let hydrogen = vec![inflow("H2", Mixture::HYDROGEN, 60.0, 60.0, false)];
    let start_up = plan(Mixture::AIR, vec![phase("start-up", Kind::StartUp, None, hydrogen.clone())]);
    let found = check(&start_up, &Rules::standard()).unwrap();
    assert!(!found.permitted && found.entries.len() == 2);
    let first = found.first.unwrap();
    assert!((first.minutes + 0.99_f64.ln()).abs() < 1e-12 && first.exact, "{first:?}");
    assert_eq!((first.spot, first.standing, first.number, first.fault.clone()), (Spot::HeadSpace, Standing::Near, 1, None));
    assert!((first.hydrogen - 0.01).abs() < 1e-12 && (first.oxygen - 0.99 * 0.2095).abs() < 1e-12);
    let inside = &found.entries[1];
    assert!((inside.minutes + 0.96_f64.ln()).abs() < 1e-12 && inside.standing == Standing::Inside);
    // Both ends are safe: set-points alone would have passed.
    assert!(judge(&Mixture::AIR, &Rules::standard()).unwrap().permitted);
    assert!(judge(&Mixture::HYDROGEN, &Rules::standard()).unwrap().permitted);
    let refusal = permitted(&start_up, &Rules::standard()).unwrap_err();
    assert_eq!(refusal.code(), "E-GAS-014");
    assert!(refusal.fault().message.ja.contains("ヘッドスペース"));

    // Purged first until oxygen is below 2.76 %: −ln(0.0276/0.2095) = 2.0270 min at the same flow.
    let purge = |minutes: f64| {
        let nitrogen = vec![inflow("N2", Mixture::NITROGEN, 60.0, 60.0, false)];
        let purge = phase("purge", Kind::Purge, Some(minutes), nitrogen);
        plan(Mixture::AIR, vec![purge, phase("start-up", Kind::StartUp, None, hydrogen.clone())])
    };
    let enough = -(0.0276_f64 / 0.2095).ln();
    assert!(check(&purge(enough + 1e-2), &Rules::standard()).unwrap().permitted);
    // A second too short: by the time hydrogen reaches 1 %, oxygen has fallen by another per cent of itself.
    assert!(check(&purge(enough - 0.009), &Rules::standard()).unwrap().permitted);
    let short = check(&purge(enough - 0.02), &Rules::standard()).unwrap();
    let first = short.first.unwrap();
    assert_eq!((first.phase.as_str(), first.number), ("start-up", 2));
    assert!((first.minutes - (enough - 0.02 - 0.99_f64.ln())).abs() < 1e-9, "{first:?}");
}

/// A culture with separate spargers: 10 mol/h of hydrogen, 1 of oxygen and 2 of carbon dioxide, nearly all taken up.
fn culture(oxygen: f64, response: Option<f64>, trip: Vec<Phase>) -> Plan {
    let mut steady = phase(
        "culture",
        Kind::Steady,
        None,
        vec![
            inflow("H2", Mixture::HYDROGEN, 10.0, 10.0, true),
            inflow("O2", Mixture::OXYGEN, oxygen, oxygen, true),
            inflow("CO2", Mixture::CARBON_DIOXIDE, 2.0, 2.0, true),
            inflow("N2", Mixture::NITROGEN, 3.0, 3.0, false),
        ],
    );
    let exact = |v: f64| Range { low: v, high: v };
    steady.uptake = Taken { hydrogen: exact(3.4), oxygen: exact(oxygen * 0.95), carbon_dioxide: exact(0.6) };
    let mut plan = plan(Mixture::percent(80.0, 0.0, 10.0, 10.0).unwrap(), vec![steady]);
    plan.head_space_mol = 5.0;
    plan.faults = Faults { agitation: true, supplies: false, response_minutes: response, trip };
    plan
}

#[test]
fn loss_of_agitation_lets_unreacted_oxygen_into_the_head_space() {
    // Running it is safe: 0.05 of 12.05 mol/h, 0.4 % of oxygen.
    let mut running = culture(1.0, None, vec![]);
    running.faults.agitation = false;
    assert!(check(&running, &Rules::standard()).unwrap().permitted);
    // Without uptake it tends to 1/16 = 6.25 % of oxygen.
    let found = check(&culture(1.0, None, vec![]), &Rules::standard()).unwrap();
    let first = found.first.unwrap();
    assert_eq!((first.fault.clone(), first.spot), (Some(Fault::Agitation), Spot::HeadSpace));
    assert!(found.entries.iter().any(|e| e.standing == Standing::Inside));
    assert!(first.reason.en.contains("agitation lost") && first.reason.ja.contains("撹拌停止"));
    // With 5 mol and at most 16 mol/h it takes a while; a trip in a minute that blows nitrogen in is in time.
    let nitrogen = vec![inflow("purge N2", Mixture::NITROGEN, 60.0, 60.0, false)];
    let trip = vec![phase("trip", Kind::Shutdown, Some(30.0), nitrogen)];
    assert!(check(&culture(1.0, Some(1.0), trip.clone()), &Rules::standard()).unwrap().permitted);
    let late = check(&culture(1.0, Some(15.0), trip), &Rules::standard()).unwrap();
    assert!(!late.permitted);
    // Little oxygen needs no trip: 0.3/15.3 = 2 %.
    assert!(check(&culture(0.3, None, vec![]), &Rules::standard()).unwrap().permitted);
}

#[test]
fn a_lost_supply_is_found_by_its_name() {
    let mut plan = culture(0.2, None, vec![]);
    plan.faults.supplies = true;
    // Of 15.2 mol/h that is 1.3 %, and at most 2.4 % without nitrogen and with all other uptake going on. Without
    // hydrogen it is 0.2 of 4.6 mol/h, 4.3 %, while hydrogen is still there.
    let found = check(&plan, &Rules::standard()).unwrap();
    assert!(!found.permitted);
    assert!(found.entries.iter().all(|e| e.fault == Some(Fault::Supply("H2".into()))), "{:?}", found.entries);
    assert!(found.entries[0].reason.en.contains("supply of H2 lost"));
}

#[test]
fn a_premixed_feed_and_suction_are_found() {
    let mut premixed = culture(1.0, None, vec![]);
    premixed.faults.agitation = false;
    premixed.phases[0].premixed = true;
    let found = check(&premixed, &Rules::standard()).unwrap();
    assert_eq!(found.entries.iter().filter(|e| e.spot == Spot::Feed).count(), 2, "near and inside");
    assert!(found.entries.iter().all(|e| e.spot == Spot::Feed), "{:?}", found.entries);
    let mut starved = culture(1.0, None, vec![]);
    starved.phases[0].inflows.retain(|f| f.name != "N2");
    starved.phases[0].uptake.hydrogen = Range { low: 0.0, high: 50.0 };
    starved.phases[0].uptake.oxygen = Range { low: 0.0, high: 50.0 };
    starved.phases[0].uptake.carbon_dioxide = Range { low: 0.0, high: 50.0 };
    let found = check(&starved, &Rules::standard()).unwrap();
    assert!(found.entries.iter().any(|e| e.spot == Spot::Suction && e.reason.ja.contains("吸い込む")));
    // A supply that is itself explosive is refused as such.
    let mixed = Mixture::percent(50.0, 25.0, 0.0, 25.0).unwrap();
    let bottle =
        plan(Mixture::NITROGEN, vec![phase("bottle", Kind::StartUp, Some(1e-6), vec![inflow("mix", mixed, 1.0, 1.0, true)])]);
    assert!(check(&bottle, &Rules::standard()).unwrap().entries.iter().any(|e| e.spot == Spot::Supply));
}

/// Uptake is bounded by transfer: kLa 100 1/h, 2 L, pure oxygen at 1.3 bar and 30 °C give 100·0.002·1.196e-5·1.3e5 mol/h.
#[test]
fn transfer_bounds_the_uptake_a_path_reckons_with() {
    let at = Broth { temperature_c: 30.0, pressure_bar: 1.3 };
    let poor = Taken::by_transfer([5.0, 5.0, 5.0], [1.0, 1.0, 1.0], 100.0, 2.0, at);
    let by_hand = 0.2 * 1.3e-5 * (1500.0 * (1.0 / 303.15 - 1.0 / 298.15_f64)).exp() * 1.3e5;
    assert!((poor.oxygen.high / by_hand - 1.0).abs() < 1e-12 && poor.oxygen.low == 0.0);
    let rich = Taken::by_transfer([0.05, 0.05, 0.05], [1.0, 1.0, 1.0], 100.0, 2.0, at);
    assert_eq!((rich.hydrogen.high, rich.oxygen.high), (0.05, 0.05));
    // What looks safe if the cells take all of it is not when transfer cannot carry it.
    let mut hoped = culture(0.9, None, vec![]);
    hoped.faults.agitation = false;
    assert!(check(&hoped, &Rules::standard()).unwrap().permitted);
    hoped.phases[0].uptake = poor;
    assert!(!check(&hoped, &Rules::standard()).unwrap().permitted);
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    let sound = culture(0.3, None, vec![]);
    let refused = |plan: Plan| check(&plan, &Rules::standard()).unwrap_err().code();
    assert_eq!(refused(Plan { head_space_mol: 0.0, ..sound.clone() }), "E-GAS-013");
    assert_eq!(refused(Plan { phases: vec![], ..sound.clone() }), "E-GAS-013");
    let mut endless = sound.clone();
    endless.phases.push(endless.phases[0].clone());
    assert_eq!(refused(endless), "E-GAS-013");
    let mut reversed = sound.clone();
    reversed.phases[0].inflows[0].low_mol_per_h = 20.0;
    assert_eq!(refused(reversed), "E-GAS-013");
    let mut twice = sound.clone();
    twice.phases[0].inflows[1].name = "H2".into();
    assert_eq!(refused(twice), "E-GAS-013");
    let mut impossible = sound;
    impossible.start.nitrogen = 0.7;
    assert_eq!(refused(impossible), "E-GAS-012");
    assert!((head_space_mol(22.413_969_54, 1.01325, 0.0) - 1.0).abs() < 1e-9);
}

fn random_mixture(chance: &mut Chance) -> Mixture {
    let raw: [f64; 4] = [0; 4].map(|_| -uniform(chance).max(1e-300).ln() * f64::from(u8::from(chance.below(4) > 0)));
    let sum: f64 = raw.iter().sum();
    if sum <= 0.0 {
        return Mixture::NITROGEN;
    }
    let [hydrogen, oxygen, carbon_dioxide, nitrogen] = raw.map(|v| v / sum);
    Mixture { hydrogen, oxygen, carbon_dioxide, nitrogen }
}

/// 10⁵ mixtures: the verdict is that of the plain formula, and inert gas never takes safety away.
#[test]
fn inert_gas_never_makes_a_safe_mixture_unsafe() {
    let (rules, mut chance) = (Rules::standard(), Chance::new(2));
    let mut seen = [0; 3];
    for _ in 0..100_000 {
        let mixture = random_mixture(&mut chance);
        let verdict = judge(&mixture, &rules).unwrap();
        seen[verdict.standing as usize] += 1;
        let (h, o) = (mixture.hydrogen, mixture.oxygen);
        let wanted = if could_burn(h, o) {
            Standing::Inside
        } else if could_burn_or_nearly(h, o) {
            Standing::Near
        } else {
            Standing::Outside
        };
        assert_eq!(verdict.standing, wanted, "{mixture:?}");
        let inert = if chance.below(2) == 0 { Mixture::NITROGEN } else { Mixture::CARBON_DIOXIDE };
        let thinned = mixture.blended(uniform(&mut chance), &inert);
        assert!(judge(&thinned, &rules).unwrap().standing <= verdict.standing, "{mixture:?} {thinned:?}");
        if let Some(safe) = verdict.safe {
            assert!(judge(&safe, &rules).unwrap().permitted);
        }
    }
    assert!(seen.iter().all(|n| *n > 1000), "{seen:?}");
}

/// The chord between two compositions, by the path and by 10⁵ points on chords.
#[test]
fn a_chord_found_safe_has_no_unsafe_point() {
    let (rules, mut chance) = (Rules::standard(), Chance::new(3));
    let (mut safe, mut crossed) = (0, 0);
    for _ in 0..8000 {
        let (from, to) = (random_mixture(&mut chance), random_mixture(&mut chance));
        let chord = plan(from, vec![phase("change", Kind::SetPoint, None, vec![inflow("gas", to, 5.0, 5.0, false)])]);
        let found = check(&chord, &rules).unwrap();
        assert_eq!(crosses(&chord, &rules).unwrap(), !found.permitted);
        let on = |s: f64| to.blended(s, &from);
        if found.permitted {
            safe += 1;
            for _ in 0..100 {
                let at = on(uniform(&mut chance));
                assert!(!could_burn_or_nearly(at.hydrogen, at.oxygen), "{from:?} {to:?} {at:?}");
            }
        } else if let Some(entry) = found.entries.iter().find(|e| e.spot == Spot::HeadSpace && e.standing == Standing::Near) {
            crossed += 1;
            // 60 mol an hour per mol and hour: the share replaced at the entry, and nothing unsafe before it.
            let share = -(-entry.minutes * 5.0 / 60.0).exp_m1();
            let at = on(share);
            assert!((at.hydrogen - entry.hydrogen).abs() < 1e-9 && (at.oxygen - entry.oxygen).abs() < 1e-9, "{entry:?}");
            for k in 0..20 {
                let before = on(share * 0.999_999 * f64::from(k) / 20.0);
                assert!(share < 1e-6 || !could_burn_or_nearly(before.hydrogen, before.oxygen));
            }
        }
    }
    assert!(safe >= 1000 && crossed >= 500, "{safe} safe (100 points each), {crossed} crossed");
}

/// A campaign at random. Half are sensible (purged, little oxygen), so that filters have something to let through.
fn campaign(chance: &mut Chance) -> Plan {
    let sensible = chance.below(2) == 0;
    let flow = |chance: &mut Chance, most: f64| {
        let high = most * uniform(chance);
        if chance.below(3) == 0 { (high * uniform(chance), high) } else { (high, high) }
    };
    let oxygen_most = if sensible { 0.4 } else { 6.0 };
    let source = if chance.below(2) == 0 { Mixture::AIR } else { Mixture::OXYGEN };
    let mut phases = Vec::new();
    let count = 2 + chance.below(3);
    for i in 0..count {
        let mut inflows = Vec::new();
        let (low, high) = flow(chance, 10.0);
        let floor = if sensible { 6.0 } else { 0.0 };
        inflows.push(inflow("N2", Mixture::NITROGEN, low + floor, high + floor, false));
        if i > 0 {
            let (low, high) = flow(chance, 15.0);
            inflows.push(inflow("H2", Mixture::HYDROGEN, low, high, true));
            let (low, high) = flow(chance, oxygen_most);
            inflows.push(inflow("O2", source, low, high, chance.below(4) > 0));
            let (low, high) = flow(chance, 3.0);
            inflows.push(inflow("CO2", Mixture::CARBON_DIOXIDE, low, high, true));
        }
        let minutes = if i == 0 && sensible { 60.0 + 60.0 * uniform(chance) } else { 40.0 * uniform(chance) };
        let mut next = phase(&format!("phase {i}"), Kind::SetPoint, Some(minutes), inflows);
        if i > 0 && chance.below(4) > 0 {
            let range = |chance: &mut Chance, most: f64| {
                let high = most * uniform(chance);
                Range { low: if chance.below(2) == 0 { high } else { high * uniform(chance) }, high }
            };
            next.uptake =
                Taken { hydrogen: range(chance, 8.0), oxygen: range(chance, oxygen_most), carbon_dioxide: range(chance, 2.0) };
        }
        next.premixed = chance.below(10) == 0;
        phases.push(next);
    }
    let purge = vec![inflow("N2", Mixture::NITROGEN, 60.0, 60.0, false)];
    Plan {
        head_space_mol: 0.5 + 5.0 * uniform(chance),
        start: if chance.below(2) == 0 { Mixture::AIR } else { Mixture::NITROGEN },
        phases,
        faults: Faults {
            agitation: true,
            supplies: chance.below(2) == 0,
            response_minutes: (chance.below(3) > 0).then(|| 3.0 * uniform(chance)),
            trip: vec![phase("trip", Kind::Shutdown, Some(30.0), purge)],
        },
    }
}

/// 10⁵ campaigns at random, filtered. None that is let through comes within the margins, whatever its ranges and faults
/// do; and the filter is not one that refuses everything.
#[test]
fn no_campaign_that_is_proposed_crosses_the_envelope() {
    let (rules, mut chance) = (Rules::standard(), Chance::new(4));
    let (mut proposed, mut looked_at) = (0, 0);
    for i in 0..100_000 {
        let plan = campaign(&mut chance);
        if crosses(&plan, &rules).unwrap() {
            continue;
        }
        proposed += 1;
        looked_at += live_through(&plan, &mut chance);
        if i % 50 == 0 {
            assert!(check(&plan, &rules).unwrap().permitted, "both ways of asking agree");
        }
    }
    assert!((5_000..95_000).contains(&proposed), "{proposed} proposed");
    assert!(looked_at > 100_000, "{looked_at} points looked at");
}

/// The other way round: of plans that are refused although nothing is a range, the entry is real. The head space is
/// followed to the stated minute.
#[test]
fn an_exact_entry_is_where_the_simulation_finds_it() {
    let (rules, mut chance) = (Rules::standard(), Chance::new(6));
    let mut compared = 0;
    for _ in 0..3000 {
        let mut plan = campaign(&mut chance);
        plan.faults = no_faults();
        for phase in &mut plan.phases {
            phase.premixed = false;
            for f in &mut phase.inflows {
                f.low_mol_per_h = f.high_mol_per_h;
            }
            let u = &mut phase.uptake;
            for range in [&mut u.hydrogen, &mut u.oxygen, &mut u.carbon_dioxide] {
                range.low = range.high;
            }
        }
        let found = check(&plan, &rules).unwrap();
        let Some(entry) = found.entries.iter().find(|e| e.spot == Spot::HeadSpace && e.standing == Standing::Near) else {
            continue;
        };
        assert!(entry.exact, "{entry:?}");
        let n = plan.head_space_mol;
        let mut y = plan.start.shares();
        let mut left = entry.minutes / 60.0;
        for phase in plan.phases.iter().take(entry.number) {
            let (mut sparged, mut g) = ([0.0; 4], [0.0; 4]);
            for f in &phase.inflows {
                for (i, share) in f.mixture.shares().into_iter().enumerate() {
                    if f.sparged { sparged[i] += f.high_mol_per_h * share } else { g[i] += f.high_mol_per_h * share }
                }
            }
            let u = phase.uptake;
            for (i, high) in [u.hydrogen.high, u.oxygen.high, u.carbon_dioxide.high, 0.0].into_iter().enumerate() {
                g[i] += (sparged[i] - high).max(0.0);
            }
            let hours = left.min(phase.minutes.unwrap() / 60.0);
            left -= hours;
            // Euler, twenty thousand steps: first order, independent of any exponential.
            let (all, steps) = (g.iter().sum::<f64>(), 20_000);
            for _ in 0..steps {
                for i in 0..4 {
                    y[i] += hours / f64::from(steps) / n * (g[i] - all * y[i]);
                }
            }
        }
        assert!((y[0] - entry.hydrogen).abs() < 1e-3 && (y[1] - entry.oxygen).abs() < 1e-3, "{entry:?} {y:?}");
        compared += 1;
        if compared == 100 {
            break;
        }
    }
    assert_eq!(compared, 100);
}
