//! Attacks: reconstruction from all released tables, and membership in the data of models with and without noise.

use crate::train::{participant, plan, pooled};
use crate::{day, id};
use std::collections::BTreeSet;
use toji_commons::attack::{Advantage, advantage, likelihood_ratio, reconstruct};
use toji_commons::privacy::{Nano, advantage_max_of_rho};
use toji_commons::release::{Cell, Contribution, Field, Register, Rule};
use toji_commons::train::{Bound, Family, Observation, Participant, Privacy, Ranges, Regression, Site, federate_privately};
use toji_core::chance::Chance;
use toji_core::{Id, Unit};

fn cell(sources: &[(String, String, i64)]) -> Cell {
    let contributions = sources
        .iter()
        .map(|(source, member, value)| Contribution { source: id(source), member: id(member), value: *value, at: day(0) })
        .collect();
    Cell { table: id("titre"), field: Field::Process, unit: Unit::parse("g/L").unwrap(), decimals: 2, contributions }
}

fn named(sources: &[(&str, i64)]) -> Cell {
    cell(&sources.iter().map(|(m, v)| ((*m).to_owned(), (*m).to_owned(), *v)).collect::<Vec<_>>())
}

fn of(cells: &[Cell], knowing: &[&str], member: &str) -> Vec<(f64, f64)> {
    let knowing: BTreeSet<Id> = knowing.iter().map(|m| id(m)).collect();
    let all = reconstruct(cells, &knowing).unwrap();
    all.iter().filter(|e| e.member == id(member)).map(|e| (e.low, e.high)).collect()
}

fn near(a: &[(f64, f64)], b: &[(f64, f64)]) {
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    assert!(a.iter().zip(b).all(|(x, y)| (x.0 - y.0).abs() < 1e-6 && (x.1 - y.1).abs() < 1e-6), "{a:?} {b:?}");
}

/// Programmes whose solution is seen at once.
#[test]
fn bounds_that_are_known_by_hand() {
    // One total of 60: each from 0 to 60; who has 20 of it knows that the others lie within 40.
    let one = named(&[("a", 10), ("b", 20), ("c", 30)]);
    near(&of(std::slice::from_ref(&one), &[], "a"), &[(0.0, 60.0)]);
    near(&of(std::slice::from_ref(&one), &["b"], "a"), &[(0.0, 40.0)]);
    near(&of(std::slice::from_ref(&one), &["b", "c"], "a"), &[(10.0, 10.0)]);
    // A difference of two totals tells d.
    let two = named(&[("a", 10), ("b", 20), ("c", 30), ("d", 7)]);
    near(&of(&[one.clone(), two.clone()], &[], "d"), &[(7.0, 7.0)]);
    // a + b = 30, b + c = 50, a + c = 40: three totals tell all three; without the third b lies within 0 to 30.
    let pairs = [named(&[("a", 10), ("b", 20)]), named(&[("b", 20), ("c", 30)]), named(&[("a", 10), ("c", 30)])];
    near(&of(&pairs, &[], "b"), &[(20.0, 20.0)]);
    near(&of(&pairs[..2], &[], "b"), &[(0.0, 30.0)]);
    near(&of(&pairs[..2], &[], "c"), &[(20.0, 50.0)]);
    // A total given twice says nothing new, and no total says nothing at all.
    near(&of(&[one.clone(), one], &[], "a"), &[(0.0, 60.0)]);
    assert!(reconstruct(&[], &BTreeSet::new()).unwrap().is_empty());
}

/// Consortia with up to four sources a member, asked for 25 totals (all, classes by two marks and by both, random halves):
/// 12 to 24 members under the default rule, 6 to 9 under one loose enough that figures come near its p. Whatever is let out is attacked by an outsider and by every member: no figure comes within
/// ±20 %. The same attack on totals that nobody checked comes near, so it can.
#[test]
fn no_programme_comes_near_what_the_rule_let_out() {
    let loose = Rule { contributors_min: 3, top_share_percent_max: 70, dominance_percent_max: 95, ..Rule::default() };
    let (mut let_out, mut figures, mut nearest, mut unchecked) = (0, 0, f64::INFINITY, f64::INFINITY);
    for world in 0..60u64 {
        let mut chance = Chance::new(world);
        let few = world >= 12;
        let rule = if few { loose.clone() } else { Rule::default() };
        let members = if few { 6 + chance.below(4) } else { 12 + chance.below(13) };
        let mut sources: Vec<(String, String, i64, usize, usize)> = Vec::new();
        for m in 0..members {
            for s in 0..1 + chance.below(4) {
                let value = if few { 1 + chance.below(40) } else { 800 + chance.below(800) } as i64;
                sources.push((format!("m{m}-{s}"), format!("m{m}"), value, chance.below(3), chance.below(3)));
            }
        }
        let mut register = Register::new(rule.clone());
        let mut asked = Vec::new();
        for question in 0..25usize {
            let pick = chance.below(1 << 20);
            let chosen: Vec<(String, String, i64)> = sources
                .iter()
                .enumerate()
                .filter(|(i, (_, _, _, host, vessel))| match question {
                    0 => true,
                    1..=3 => *host == question - 1,
                    4..=6 => *vessel == question - 4,
                    7..=15 => *host == (question - 7) / 3 && *vessel == (question - 7) % 3,
                    _ => pick >> (i % 20) & 1 == 1,
                })
                .map(|(_, (s, m, v, _, _))| (s.clone(), m.clone(), *v))
                .collect();
            if chosen.is_empty() {
                continue;
            }
            asked.push(cell(&chosen));
            let_out += usize::from(register.release(cell(&chosen), day(400)).unwrap().is_ok());
        }
        let cells = register.cells(&id("titre"));
        let lookers = (0..members).map(|m| BTreeSet::from([id(&format!("m{m}"))])).chain([BTreeSet::new()]);
        for knowing in lookers {
            for estimate in reconstruct(cells, &knowing).unwrap() {
                assert!(estimate.low <= estimate.value + 1e-6 && estimate.value <= estimate.high + 1e-6, "{estimate:?}");
                assert!(estimate.percent() >= f64::from(rule.p_percent) - 1e-6, "world {world}, {knowing:?}: {estimate:?}");
                nearest = nearest.min(estimate.percent());
                figures += 1;
            }
        }
        let freely = reconstruct(&asked, &BTreeSet::new()).unwrap();
        unchecked = freely.iter().map(|e| e.percent()).fold(unchecked, f64::min);
    }
    println!("{let_out} totals let out, {figures} figures attacked, nearest {nearest} %, unchecked {unchecked} %");
    assert!(let_out >= 100 && figures > 10_000, "{let_out} {figures}");
    // The attack is no weaker than the rule: some figure comes near its limit.
    assert!(nearest < 60.0, "{nearest}");
    assert!(unchecked < 1.0, "{unchecked}");
}

#[test]
fn the_measure_of_an_attack_knows_chance_and_certainty() {
    let mut chance = Chance::new(3);
    let scores = |shift: f64, chance: &mut Chance| (0..4000).map(|_| shift + chance.normal()).collect::<Vec<_>>();
    let (a, b, c) = (scores(0.0, &mut chance), scores(0.0, &mut chance), scores(1.0, &mut chance));
    let none = advantage(&a, &b).unwrap();
    assert!(none.advantage.abs() < 0.05 && none.low < 0.0 && none.high > 0.0 && (none.area - 0.5).abs() < 0.02, "{none:?}");
    // Normal laws one apart: 2 Φ(1/2) − 1 = 0.383, area Φ(1/√2) = 0.760.
    let some = advantage(&c, &a).unwrap();
    assert!((some.advantage - 0.383).abs() < 0.05 && (some.area - 0.760).abs() < 0.015, "{some:?}");
    let sure = advantage(&scores(100.0, &mut chance), &a).unwrap();
    assert!(sure.advantage > 0.995 && sure.area == 1.0, "{sure:?}");
    assert_eq!(advantage(&a[..19], &b).unwrap_err().code(), "E-ATTACK-001");
    // ln N(1; 0, 1) − ln N(1; 2, 1) = 0 for points of variance one about 0 and 2.
    let about = |mean: f64| [mean - 0.5f64.sqrt(), mean + 0.5f64.sqrt()];
    assert!(likelihood_ratio(1.0, &about(0.0), &about(2.0)).unwrap().abs() < 1e-12);
    assert!((likelihood_ratio(2.0, &about(2.0), &about(0.0)).unwrap() - 2.0).abs() < 1e-12);
    assert_eq!(likelihood_ratio(1.0, &[1.0], &about(0.0)), None);
}

const RECORDS: usize = 60;
const FEATURES: usize = 20;
const MODELS: usize = 48;

/// Records of which each model sees about a half.
fn records() -> Vec<(Vec<f64>, f64)> {
    let mut chance = Chance::new(77);
    let record = |_| {
        let features: Vec<f64> = (0..FEATURES).map(|_| chance.normal() / (FEATURES as f64).sqrt()).collect();
        let response = features.iter().sum::<f64>() + 0.5 * chance.normal();
        (features, response)
    };
    (0..RECORDS).map(record).collect()
}

/// What each model says of each record (the squared residual), and whether that was in its data.
fn models(rho: Option<f64>) -> Vec<Vec<(f64, bool)>> {
    let records = records();
    let train = |model: usize| {
        let mut chance = Chance::new(9000 + model as u64);
        let inside: Vec<bool> = (0..RECORDS).map(|_| chance.uniform() < 0.5).collect();
        let site = |at: usize| {
            let of_site = (0..RECORDS).filter(|i| inside[*i] && i % 4 == at);
            let observation =
                |i: usize| Observation { unit: id(&format!("run-{i}")), features: records[i].0.clone(), response: records[i].1 };
            Regression::new(Family::Gaussian, of_site.map(observation).collect()).unwrap()
        };
        let sites: Vec<Regression> = (0..4).map(site).collect();
        // A little ridge, so that the overfitted model is determined.
        let bounds = vec![Bound::ridge(1e-3); FEATURES];
        let at = match rho {
            None => pooled(&sites.iter().map(|s| s as &dyn Site).collect::<Vec<_>>(), &bounds).0,
            Some(rho) => {
                let rule = Privacy {
                    rho: Nano::at_least(rho).unwrap(),
                    rounds: 1,
                    gradient_scale: 1.0,
                    curvature_scale: 1.0,
                    clip: 1.0,
                    units_max: RECORDS,
                    honest: 4,
                };
                let participants: Vec<Participant> =
                    sites.iter().enumerate().map(|(i, s)| participant(i, s, model as u8)).collect();
                let ranges = Ranges { n: 1e3, objective: 1e6, gradient: 1e6, curvature: 1e6 };
                let plan = toji_commons::train::Plan { threshold: 4, fewest: 4, ..plan(4, ranges) };
                federate_privately(&plan, &rule, &participants, &bounds).unwrap().at
            }
        };
        let said = |i: usize| {
            let residual = records[i].1 - records[i].0.iter().zip(&at).map(|(a, b)| a * b).sum::<f64>();
            (residual * residual, inside[i])
        };
        (0..RECORDS).map(said).collect::<Vec<_>>()
    };
    (0..MODELS).map(train).collect()
}

fn split(scores: impl Iterator<Item = (f64, bool)>) -> Advantage {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (score, of_member) in scores {
        if of_member { inside.push(score) } else { outside.push(score) }
    }
    advantage(&inside, &outside).unwrap()
}

/// By the loss: a low one is a member's. By the likelihood ratio: the logarithm of the loss against that under all other
/// models, with and without the record.
fn attacks(models: &[Vec<(f64, bool)>]) -> (Advantage, Advantage) {
    let by_loss = split(models.iter().flatten().map(|(loss, inside)| (-loss, *inside)));
    let log = |loss: f64| loss.max(1e-300).ln();
    let ratio = |m: usize, i: usize| {
        let of = |inside: bool| -> Vec<f64> {
            let others = models.iter().enumerate().filter(|(other, model)| *other != m && model[i].1 == inside);
            others.map(|(_, model)| log(model[i].0)).collect()
        };
        likelihood_ratio(log(models[m][i].0), &of(true), &of(false)).unwrap()
    };
    let by_ratio =
        split((0..models.len()).flat_map(|m| (0..RECORDS).map(move |i| (m, i))).map(|(m, i)| (ratio(m, i), models[m][i].1)));
    (by_loss, by_ratio)
}

/// 20 coefficients from about 30 records: without noise, who was in the data is told well above chance by both attacks;
/// with noise for ρ = 0.02 (advantage at most 0.1 for any attack, by Pinsker) neither is told from chance.
#[test]
fn membership_is_told_without_noise_and_not_with_it() {
    let (loss, ratio) = attacks(&models(None));
    println!("without noise: by loss {loss:?}, by ratio {ratio:?}");
    assert!(loss.low > 0.2 && ratio.low > 0.2, "{loss:?} {ratio:?}");
    let rho = 0.02;
    let (loss, ratio) = attacks(&models(Some(rho)));
    println!("with noise of rho = {rho}: by loss {loss:?}, by ratio {ratio:?}");
    let most = advantage_max_of_rho(rho);
    assert!((most - 0.1).abs() < 1e-12);
    for told in [loss, ratio] {
        assert!(told.low <= 0.0 && told.advantage < most && told.high < 2.0 * most && (told.area - 0.5).abs() < 0.05, "{told:?}");
    }
}
