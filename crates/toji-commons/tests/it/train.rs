//! Federated training: the pooled fit's parameters, against statsmodels; culture-like models on sites that were left out;
//! members that drop out; noise and its price.

use crate::id;
use std::collections::BTreeSet;
use toji_commons::aggregate::Phase;
use toji_commons::log::{KeyKind, SigningKey};
use toji_commons::privacy::{Budget, Charge, Fraction, Loss, Mechanism, NANO, Nano, Promise, Protected};
use toji_commons::train::{
    Bound, Descent, Family, Local, Observation, Participant, Plan, Privacy, Ranges, Regression, Site, Trained, federate,
    federate_privately,
};
use toji_core::Text;
use toji_core::chance::Chance;

const DATA: &str = include_str!("data/train.tsv");

fn lines(kind: &str) -> Vec<Vec<f64>> {
    let of_kind = DATA.lines().filter_map(|line| line.split_once('\t')).filter(|(k, _)| *k == kind);
    of_kind.map(|(_, fields)| fields.split('\t').map(|f| f.parse().unwrap()).collect()).collect()
}

pub(crate) fn participant<'a>(at: usize, site: &'a dyn Site, seed: u8) -> Participant<'a> {
    let name = format!("site-{at}");
    let key = SigningKey::from_seed(&name, KeyKind::Log, &[at as u8 + 1; 32]).unwrap();
    let mut secret = [seed; 32];
    secret[0] = at as u8;
    Participant { id: id(&name), key, seed: secret, site, drops: Vec::new() }
}

pub(crate) fn plan(sites: usize, ranges: Ranges) -> Plan {
    Plan { id: id("culture-model"), threshold: sites / 2 + 1, fewest: 3, ranges, bits: 52, rounds_max: 60 }
}

const RANGES: Ranges = Ranges { n: 1e5, objective: 1e6, gradient: 1e5, curvature: 1e5 };

fn regressions(kind: &str, family: Family) -> Vec<Regression> {
    let rows = lines(kind);
    let site = |at: usize| {
        let of_site = rows.iter().enumerate().filter(|(_, row)| row[0] == at as f64);
        let observation = |(i, row): (usize, &Vec<f64>)| {
            let (response, features) = row[1..].split_last().unwrap();
            Observation { unit: id(&format!("run-{i}")), features: features.to_vec(), response: *response }
        };
        Regression::new(family, of_site.map(observation).collect()).unwrap()
    };
    (0..5).map(site).collect()
}

/// A fit of all data in one place, by the same steps but without sums that hide.
pub(crate) fn pooled(sites: &[&dyn Site], bounds: &[Bound]) -> (Vec<f64>, Local) {
    let mut descent = Descent::new(bounds.to_vec()).unwrap();
    for _ in 0..200 {
        let at = descent.asks().to_vec();
        let units: Vec<Option<Local>> = sites.iter().flat_map(|s| s.units(&at)).collect();
        descent.hear(Local::sum(at.len(), &units), BTreeSet::new()).unwrap();
        if descent.done() {
            break;
        }
    }
    let (at, local) = descent.best().unwrap();
    (at.to_vec(), local.clone())
}

fn near(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(x, y)| (x - y).abs() <= tolerance), "{a:?} {b:?}");
}

fn errors(local: &Local) -> Vec<f64> {
    let p = local.gradient.len();
    // The inverse by Gauss and Jordan.
    let mut rows: Vec<Vec<f64>> = (0..p)
        .map(|i| local.curvature[i * p..][..p].iter().copied().chain((0..p).map(|j| f64::from(u8::from(i == j)))).collect())
        .collect();
    for i in 0..p {
        let by = rows[i][i];
        rows[i].iter_mut().for_each(|v| *v /= by);
        let pivot = rows[i].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(r, _)| *r != i) {
            let factor = row[i];
            row.iter_mut().zip(&pivot).for_each(|(v, q)| *v -= factor * q);
        }
    }
    (0..p).map(|i| rows[i][p + i].sqrt()).collect()
}

/// Parameters to 1e-8 and standard errors to 1e-6 of statsmodels on pooled data, though no row left its site.
#[test]
fn regressions_are_those_of_statsmodels_on_pooled_data() {
    for (kind, family) in [("gaussian", Family::Gaussian), ("bernoulli", Family::Bernoulli), ("poisson", Family::Poisson)] {
        let sites = regressions(kind, family);
        let participants: Vec<Participant> = sites.iter().enumerate().map(|(i, s)| participant(i, s, 7)).collect();
        let reference = &lines(&format!("{kind}-fit"))[0];
        let bounds = vec![Bound::ridge(0.0); reference.len()];
        let trained = federate(&plan(5, RANGES), &participants, Descent::new(bounds.clone()).unwrap()).unwrap();
        assert!(trained.converged && trained.local.n == 120.0);
        near(&trained.at, reference, 1e-8);
        near(&errors(&trained.local), &lines(&format!("{kind}-errors"))[0], 1e-6);
        let all: Vec<&dyn Site> = sites.iter().map(|s| s as &dyn Site).collect();
        near(&trained.at, &pooled(&all, &bounds).0, 1e-10);
        println!("{kind}: {:?}", trained.cost);
        assert!(trained.cost.sums < 20 && trained.cost.up_bytes / trained.cost.sums < 60_000, "{:?}", trained.cost);
    }
    let sites = regressions("gaussian", Family::Gaussian);
    let participants: Vec<Participant> = sites.iter().enumerate().map(|(i, s)| participant(i, s, 7)).collect();
    let descent = Descent::new(vec![Bound::ridge(2.0); 4]).unwrap();
    near(&federate(&plan(5, RANGES), &participants, descent).unwrap().at, &lines("gaussian-ridge")[0], 1e-8);
}

/// A site that drops out for good in round 2: what is found is the fit of the others, exactly.
#[test]
fn training_goes_on_without_who_drops_out() {
    let sites = regressions("poisson", Family::Poisson);
    let mut participants: Vec<Participant> = sites.iter().enumerate().map(|(i, s)| participant(i, s, 7)).collect();
    participants[1].drops = (2..60).map(|round| (round, Phase::Input)).collect();
    participants[3].drops = vec![(1, Phase::Keys), (4, Phase::Unmasking)];
    let bounds = vec![Bound::ridge(0.0); 3];
    let trained = federate(&plan(5, RANGES), &participants, Descent::new(bounds.clone()).unwrap()).unwrap();
    let left: Vec<&dyn Site> = [0, 2, 3, 4].iter().map(|i| &sites[*i] as &dyn Site).collect();
    assert!(trained.converged && trained.local.n == 96.0);
    near(&trained.at, &pooled(&left, &bounds).0, 1e-6);
    // Three of five gone: nothing is told.
    for participant in &mut participants {
        participant.drops = vec![(1, Phase::Shares)];
    }
    participants[0].drops.clear();
    participants[1].drops.clear();
    let error = federate(&plan(5, RANGES), &participants, Descent::new(bounds).unwrap()).unwrap_err();
    assert_eq!(error.code(), "E-AGGREGATE-008");
}

/// Growth of a culture to its capacity (logistic), in closed form: ln x₀, μ (1/h) and capacity (g/L).
pub(crate) struct Growth(Vec<Vec<(f64, f64)>>);

const SPREAD: f64 = 0.15;

fn biomass(at: &[f64], hours: f64) -> (f64, [f64; 3]) {
    let (seed, rate, capacity) = (at[0].exp(), at[1], at[2]);
    let growth = (rate * hours).exp();
    let under = capacity + seed * (growth - 1.0);
    let x = capacity * seed * growth / under;
    let by_seed = x * (1.0 - seed * (growth - 1.0) / under);
    let by_rate = x * hours * (1.0 - seed * growth / under);
    let by_capacity = x * (1.0 / capacity - 1.0 / under);
    (x, [by_seed, by_rate, by_capacity])
}

impl Site for Growth {
    fn units(&self, at: &[f64]) -> Vec<Option<Local>> {
        let run = |points: &Vec<(f64, f64)>| {
            let mut local = Local::nothing(3);
            for (hours, measured) in points {
                let (x, slopes) = biomass(at, *hours);
                let residual = (x - measured) / SPREAD;
                local.add(0.5 * residual * residual, residual / SPREAD, 1.0 / (SPREAD * SPREAD), &slopes);
            }
            local.objective.is_finite().then_some(local)
        };
        self.0.iter().map(run).collect()
    }
}

/// A site whose rate is its own by some per cent, with runs of its own schedule of samples.
fn growth_site(at: usize, runs: usize) -> Growth {
    let mut chance = Chance::new(1000 + at as u64);
    let rate = 0.32 * (1.0 + 0.03 * chance.normal());
    let capacity = 12.0 * (1.0 + 0.03 * chance.normal());
    let run = |_| {
        let seed = -1.6 + 0.1 * chance.normal();
        let points = (0..5).map(|i| 3.0 * f64::from(i) + 4.0 * chance.uniform()).collect::<Vec<_>>();
        points.into_iter().map(|t| (t, biomass(&[seed, rate, capacity], t).0 + SPREAD * chance.normal())).collect()
    };
    Growth((0..runs).map(run).collect())
}

/// 1 − SSE / SST on all points of some sites.
fn skill(at: &[f64], sites: &[Growth]) -> f64 {
    let points: Vec<(f64, f64)> = sites.iter().flat_map(|s| s.0.iter().flatten().copied()).collect();
    let mean = points.iter().map(|p| p.1).sum::<f64>() / points.len() as f64;
    let squares = points.iter().map(|(t, y)| (y - biomass(at, *t).0).powi(2)).sum::<f64>();
    1.0 - squares / points.iter().map(|(_, y)| (y - mean).powi(2)).sum::<f64>()
}

fn growth_bounds() -> Vec<Bound> {
    let free = |start, low, high| Bound { start, low, high, mean: 0.0, precision: 0.0 };
    vec![free(-3.0, -6.0, 2.0), free(0.15, 0.01, 1.5), free(5.0, 0.5, 60.0)]
}

const GROWTH_RANGES: Ranges = Ranges { n: 1e5, objective: 1e7, gradient: 1e8, curvature: 1e9 };

/// Five sites train, four others are forecast: the skill is the pooled model's, and its parameters to 1e-7.
#[test]
fn a_culture_model_is_as_good_as_pooled_on_sites_left_out() {
    let sites: Vec<Growth> = (0..5).map(|at| growth_site(at, 2)).collect();
    let others: Vec<Growth> = (10..14).map(|at| growth_site(at, 3)).collect();
    let participants: Vec<Participant> = sites.iter().enumerate().map(|(i, s)| participant(i, s, 3)).collect();
    let descent = || Descent::new(growth_bounds()).unwrap();
    let Trained { at, converged, cost, .. } = federate(&plan(5, GROWTH_RANGES), &participants, descent()).unwrap();
    let all: Vec<&dyn Site> = sites.iter().map(|s| s as &dyn Site).collect();
    let (whole, _) = pooled(&all, &growth_bounds());
    assert!(converged);
    near(&at, &whole, 1e-6);
    let (federated, together) = (skill(&at, &others), skill(&whole, &others));
    assert!(together > 0.9 && federated >= 0.95 * together, "{federated} {together}");
    let alone: Vec<f64> = all.iter().map(|site| skill(&pooled(&[*site], &growth_bounds()).0, &others)).collect();
    println!("skill on 4 sites left out: federated {federated}, pooled {together}, alone {alone:?}; {cost:?}");
    // A site whose figures do not fit the ranges says that it cannot compute, and the start is refused.
    let narrow = plan(5, Ranges { gradient: 1.0, ..GROWTH_RANGES });
    assert_eq!(federate(&narrow, &participants, descent()).unwrap_err().code(), "E-TRAIN-004");
}

/// Bounds hold, and priors count once, not once a site.
#[test]
fn bounds_and_priors_are_those_of_the_pooled_fit() {
    let sites: Vec<Growth> = (0..4).map(|at| growth_site(at, 1)).collect();
    let participants: Vec<Participant> = sites.iter().enumerate().map(|(i, s)| participant(i, s, 3)).collect();
    let all: Vec<&dyn Site> = sites.iter().map(|s| s as &dyn Site).collect();
    let mut bounds = growth_bounds();
    bounds[2].high = 9.0;
    bounds[1] = Bound { mean: 0.5, precision: 1e4, ..bounds[1] };
    let trained = federate(&plan(4, GROWTH_RANGES), &participants, Descent::new(bounds.clone()).unwrap()).unwrap();
    let (whole, _) = pooled(&all, &bounds);
    near(&trained.at, &whole, 1e-6);
    assert_eq!(trained.at[2], 9.0);
    let free = pooled(&all, &growth_bounds()).0;
    assert!(trained.at[1] > free[1] + 0.01, "{:?} {free:?}", trained.at);
    for wrong in [Bound { low: 2.0, ..bounds[1] }, Bound { precision: -1.0, ..bounds[1] }, Bound { start: f64::NAN, ..bounds[1] }]
    {
        assert_eq!(Descent::new(vec![wrong]).unwrap_err().code(), "E-TRAIN-003");
    }
}

fn privacy(rho: f64) -> Privacy {
    Privacy {
        rho: Nano::at_least(rho).unwrap(),
        rounds: 1,
        gradient_scale: 1.0,
        curvature_scale: 1.0,
        clip: 1.5,
        units_max: 500,
        honest: 4,
    }
}

/// Yields of runs by four factors, the same law at all sites.
fn yields(at: usize, runs: usize) -> (Regression, Vec<(Vec<f64>, f64)>) {
    let mut chance = Chance::new(500 + at as u64);
    let rows: Vec<(Vec<f64>, f64)> = (0..runs)
        .map(|_| {
            let features = vec![1.0, chance.uniform() - 0.5, chance.uniform() - 0.5, chance.uniform() - 0.5];
            let mean = 0.5 + 0.8 * features[1] - 0.6 * features[2] + 0.3 * features[3];
            (features, mean + 0.05 * chance.normal())
        })
        .collect();
    let observation = |(i, (features, response)): (usize, &(Vec<f64>, f64))| Observation {
        unit: id(&format!("run-{i}")),
        features: features.clone(),
        response: *response,
    };
    (Regression::new(Family::Gaussian, rows.iter().enumerate().map(observation).collect()).unwrap(), rows)
}

/// With noise for ρ = 0.05 to each run (ε = 2.0 at δ = 10⁻⁶) over six sites of 400 runs, at least 95 % of the pooled
/// skill is kept in each of eight draws of the noise; at a thousandth of that budget in none. The loss is charged before.
#[test]
fn noise_costs_little_where_runs_are_many() {
    let data: Vec<_> = (0..6).map(|at| yields(at, 400)).collect();
    let participants: Vec<Participant> = data.iter().enumerate().map(|(i, (s, _))| participant(i, s, 5)).collect();
    let held: Vec<(Vec<f64>, f64)> = (20..24).flat_map(|at| yields(at, 100).1).collect();
    let skill = |at: &[f64]| {
        let mean = held.iter().map(|h| h.1).sum::<f64>() / held.len() as f64;
        let miss = |(x, y): &(Vec<f64>, f64)| (y - x.iter().zip(at).map(|(a, b)| a * b).sum::<f64>()).powi(2);
        1.0 - held.iter().map(miss).sum::<f64>() / held.iter().map(|h| (h.1 - mean).powi(2)).sum::<f64>()
    };
    let all: Vec<&dyn Site> = data.iter().map(|(s, _)| s as &dyn Site).collect();
    let bounds = vec![Bound::ridge(0.0); 4];
    let whole = skill(&pooled(&all, &bounds).0);
    let mut budget =
        Budget::new(id("agreement"), Promise::Approximate { epsilon: Nano(2 * NANO), delta: Nano(1000) }, Protected::Run)
            .unwrap();
    let rule = privacy(0.05);
    budget
        .charge(Charge {
            id: id("training-1"),
            question: Text::new("収率の線形モデル", "linear model of yield"),
            mechanisms: vec![Mechanism::DiscreteGaussian { variance: Fraction::at_least(1, 1).unwrap() }],
            loss: Loss::Concentrated { rho: rule.rho },
            member: id("site-0"),
            at: crate::day(0),
        })
        .unwrap();
    let trained = |rule: &Privacy, seed: u8| {
        let participants: Vec<Participant> = data.iter().enumerate().map(|(i, (s, _))| participant(i, s, seed)).collect();
        federate_privately(&plan(6, RANGES), rule, &participants, &bounds).unwrap()
    };
    let private = trained(&rule, 5);
    assert_eq!(private.loss, Loss::Concentrated { rho: rule.rho });
    // √(6/4) of C / √(2ρ) = 4.74, as six add noise of which four are counted on.
    assert!((private.noise - 1.5 * 1.5f64.sqrt() / 0.1f64.sqrt()).abs() < 0.01, "{}", private.noise);
    let skills = |rule: &Privacy| (1..=8).map(|seed| skill(&trained(rule, seed).at)).collect::<Vec<f64>>();
    let (with_noise, starved) = (skills(&rule), skills(&privacy(0.000_05)));
    println!("skill: pooled {whole}, with noise {with_noise:?}, starved {starved:?}; {:?}", private.cost);
    assert!(whole > 0.9 && with_noise.iter().all(|s| *s >= 0.95 * whole), "{with_noise:?} {whole}");
    assert!(starved.iter().all(|s| *s < 0.95 * whole), "{starved:?} {whole}");
    // The accuracy said to be lost is what draws of the noise scatter by (32 values, so within a third of it).
    let drawn: Vec<_> = (1..=8).map(|seed| trained(&rule, seed)).collect();
    let mut square = 0.0;
    for i in 0..4 {
        let mean = drawn.iter().map(|d| d.at[i]).sum::<f64>() / 8.0;
        square += drawn.iter().map(|d| ((d.at[i] - mean) / d.spreads[i]).powi(2)).sum::<f64>() / 7.0;
    }
    let scatter = (square / 4.0).sqrt();
    println!("scatter over what was said: {scatter}");
    assert!((0.66..1.5).contains(&scatter) && drawn.iter().all(|d| !d.damped), "{scatter}");
    assert!(trained(&privacy(0.000_05), 1).damped, "a curvature lost in noise is said to be so");
    // More sites counted on than must stay, or no rounds.
    for wrong in [Privacy { honest: 5, ..rule }, Privacy { rounds: 0, ..rule }, Privacy { clip: f64::NAN, ..rule }] {
        assert_eq!(federate_privately(&plan(6, RANGES), &wrong, &participants, &bounds).unwrap_err().code(), "E-TRAIN-006");
    }
}

/// A run that shouts is heard no louder than the clip allows: it moves the sum by no more than one step of the clip.
#[test]
fn one_run_moves_the_model_no_further_than_the_clip() {
    let (_, rows) = yields(0, 50);
    let site = |shout: Option<f64>| {
        let of = |(i, (x, y)): (usize, &(Vec<f64>, f64))| Observation {
            unit: id(&format!("run-{i}")),
            features: x.clone(),
            response: if i == 0 { shout.unwrap_or(*y) } else { *y },
        };
        Regression::new(Family::Gaussian, rows.iter().enumerate().map(of).collect()).unwrap()
    };
    let (calm, loud) = (site(None), site(Some(1e9)));
    let others: Vec<_> = (1..4).map(|at| yields(at, 50).0).collect();
    let train = |first: &Regression| {
        let sites: Vec<&dyn Site> = [first as &dyn Site].into_iter().chain(others.iter().map(|s| s as &dyn Site)).collect();
        let participants: Vec<Participant> = sites.iter().enumerate().map(|(i, s)| participant(i, *s, 5)).collect();
        let rule = Privacy { honest: 3, ..privacy(100.0) };
        federate_privately(&plan(4, RANGES), &rule, &participants, &[Bound::ridge(0.0); 4]).unwrap().at
    };
    let (a, b) = (train(&calm), train(&loud));
    let moved = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    // 200 runs, curvature of each slope about 17, a clipped run moves slopes by at most 2 · 1.5: far less than 10⁹.
    assert!(moved > 0.0 && moved < 1.0, "{moved}");
}
