//! Noise against its exact probabilities and OpenDP's, losses against OpenDP's, and budgets to their last billionth.

use crate::{day, id};
use std::collections::BTreeMap;
use toji_commons::privacy::{
    Answer, Budget, Bytes, Charge, Charged, Fraction, Loss, Mechanism, NANO, Nano, Promise, Protected, Question, Row, Statistic,
    Stream, advantage_max, delta_of, epsilon_of, rho_of_pure, rho_shared,
};
use toji_core::Text;
use toji_core::special::chi2_quantile;

const OPENDP: &str = include_str!("data/noise.tsv");

fn fraction(over: u128, under: u128) -> Fraction {
    Fraction::at_least(over, under).unwrap()
}

fn golden(kind: &str) -> Vec<[f64; 3]> {
    let rows = OPENDP.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let of_kind = rows.filter(|row| row[0] == kind);
    of_kind.map(|row| [1, 2, 3].map(|i| row[i].parse().unwrap())).collect()
}

fn draws(mechanism: Mechanism, n: usize, key: u8) -> BTreeMap<i64, f64> {
    let mut stream = Stream::new(&[key; 32]);
    let mut counts = BTreeMap::new();
    for _ in 0..n {
        *counts.entry(mechanism.draw(&mut stream).unwrap()).or_insert(0.0) += 1.0;
    }
    counts
}

/// Probabilities that add up to one, from weights over −2000 … 2000.
fn law(weight: impl Fn(f64) -> f64) -> BTreeMap<i64, f64> {
    let weights: BTreeMap<i64, f64> = (-2000..=2000).map(|x| (x, weight(x as f64))).collect();
    let sum: f64 = weights.values().sum();
    weights.into_iter().map(|(x, w)| (x, w / sum)).collect()
}

fn law_of(mechanism: Mechanism) -> BTreeMap<i64, f64> {
    match mechanism {
        Mechanism::DiscreteLaplace { scale } => law(|x| (-x.abs() / scale.value()).exp()),
        Mechanism::DiscreteGaussian { variance } => law(|x| (-x * x / (2.0 * variance.value())).exp()),
    }
}

/// Pearson's statistic and its degrees of freedom; values expected fewer than ten times are pooled with their tail.
fn chi_square(counts: &BTreeMap<i64, f64>, law: &BTreeMap<i64, f64>) -> (f64, f64) {
    let n: f64 = counts.values().sum();
    let (mut statistic, mut cells) = (0.0, 0.0);
    let (mut low, mut high) = ((0.0, 0.0), (0.0, 0.0));
    for (x, p) in law {
        let (seen, expected) = (counts.get(x).copied().unwrap_or(0.0), n * p);
        if expected >= 10.0 {
            statistic += (seen - expected).powi(2) / expected;
            cells += 1.0;
        } else {
            let tail = if *x < 0 { &mut low } else { &mut high };
            *tail = (tail.0 + seen, tail.1 + expected);
        }
    }
    for (seen, expected) in [low, high] {
        if expected > 1.0 {
            statistic += (seen - expected).powi(2) / expected;
            cells += 1.0;
        }
    }
    (statistic, cells - 1.0)
}

fn mechanisms() -> Vec<Mechanism> {
    let laplace = |over, under| Mechanism::DiscreteLaplace { scale: fraction(over, under) };
    let gaussian = |over, under| Mechanism::DiscreteGaussian { variance: fraction(over, under) };
    vec![
        laplace(1, 1),
        laplace(7, 10),
        laplace(5, 2),
        laplace(40, 3),
        gaussian(1, 4),
        gaussian(81, 100),
        gaussian(256, 25),
        gaussian(1000, 1),
    ]
}

/// 200,000 draws each, at the 99.9 % quantile of χ²; and the same draws against a law 3 % wider fail, so the test sees.
#[test]
fn draws_follow_their_law() {
    for (key, mechanism) in mechanisms().into_iter().enumerate() {
        let counts = draws(mechanism, 200_000, key as u8);
        let (statistic, freedom) = chi_square(&counts, &law_of(mechanism));
        assert!(statistic < chi2_quantile(0.999, freedom), "{mechanism:?}: {statistic} with {freedom}");
        let wider = match mechanism {
            Mechanism::DiscreteLaplace { scale } => law(|x| (-x.abs() / (1.03 * scale.value())).exp()),
            Mechanism::DiscreteGaussian { variance } => law(|x| (-x * x / (2.0 * 1.06 * variance.value())).exp()),
        };
        let (statistic, freedom) = chi_square(&counts, &wider);
        assert!(statistic > chi2_quantile(0.999, freedom), "{mechanism:?} fits a wider law: {statistic} with {freedom}");
    }
}

/// Kolmogorov and Smirnov over 200,000 draws: the greatest distance of the distribution functions stays below the 99.9 %
/// point 1.95 / √n, which for discrete laws is on the safe side.
#[test]
fn distribution_functions_stay_near() {
    for (key, mechanism) in mechanisms().into_iter().enumerate() {
        let n = 200_000;
        let counts = draws(mechanism, n, 100 + key as u8);
        let (mut seen, mut expected, mut distance) = (0.0, 0.0, 0.0f64);
        for (x, p) in law_of(mechanism) {
            seen += counts.get(&x).copied().unwrap_or(0.0) / n as f64;
            expected += p;
            distance = distance.max((seen - expected).abs());
        }
        assert!(distance < 1.95 / (n as f64).sqrt(), "{mechanism:?}: {distance}");
    }
}

/// Large noise, as secure sums use it: mean and variance within four standard errors.
#[test]
fn wide_noise_has_its_variance() {
    let variance = 3.0e13;
    let mechanism = Mechanism::DiscreteGaussian { variance: fraction(30_000_000_000_000, 1) };
    let mut stream = Stream::new(&[9; 32]);
    let n = 20_000;
    let drawn: Vec<f64> = (0..n).map(|_| mechanism.draw(&mut stream).unwrap() as f64).collect();
    let mean = drawn.iter().sum::<f64>() / n as f64;
    let seen = drawn.iter().map(|d| d * d).sum::<f64>() / n as f64;
    assert!(mean.abs() < 4.0 * (variance / n as f64).sqrt(), "{mean}");
    assert!((seen / variance - 1.0).abs() < 4.0 * (2.0 / n as f64).sqrt(), "{seen}");
    // Four standard errors about 5 %.
    let beyond = drawn.iter().filter(|d| d.abs() > mechanism.margin_95()).count() as f64 / n as f64;
    assert!((0.0438..0.0562).contains(&beyond), "{beyond}");
}

/// Two samples, ours and OpenDP's, as draws of one law: χ² of two histograms at 99.9 %.
#[test]
fn draws_are_like_those_of_opendp() {
    for (kind, scale, mechanism) in [
        ("laplace-draws", 0.7, Mechanism::DiscreteLaplace { scale: fraction(7, 10) }),
        ("laplace-draws", 2.5, Mechanism::DiscreteLaplace { scale: fraction(5, 2) }),
        ("gaussian-draws", 0.9, Mechanism::DiscreteGaussian { variance: fraction(81, 100) }),
        ("gaussian-draws", 3.2, Mechanism::DiscreteGaussian { variance: fraction(256, 25) }),
    ] {
        let theirs: BTreeMap<i64, f64> =
            golden(kind).into_iter().filter(|row| row[0] == scale).map(|row| (row[1] as i64, row[2])).collect();
        assert_eq!(theirs.values().sum::<f64>(), 200_000.0);
        let ours = draws(mechanism, 200_000, 50);
        let (mut statistic, mut freedom) = (0.0, -1.0);
        for x in -100..=100 {
            let (a, b) = (ours.get(&x).copied().unwrap_or(0.0), theirs.get(&x).copied().unwrap_or(0.0));
            if a + b >= 20.0 {
                statistic += (a - b).powi(2) / (a + b);
                freedom += 1.0;
            }
        }
        assert!(freedom >= 6.0 && statistic < chi2_quantile(0.999, freedom), "{kind} {scale}: {statistic} with {freedom}");
    }
}

/// Losses of mechanisms to 1e-9 (ours are rounded up to billionths), the conversion to (ε, δ) to a part in 10⁶.
#[test]
fn losses_are_those_of_opendp() {
    for [sensitivity, scale, epsilon] in golden("laplace-epsilon") {
        let question = Question {
            about: Text::new("培養", "runs"),
            statistic: Statistic::Count,
            protected: Protected::Run,
            rows_max: sensitivity as u32,
        };
        let loss = Loss::Pure { epsilon: Nano::at_least(epsilon).unwrap() };
        let [Mechanism::DiscreteLaplace { scale: ours }] = question.mechanisms(loss).unwrap()[..] else { panic!() };
        assert!((ours.value() - scale).abs() < 2e-8 * scale, "{} {scale}", ours.value());
    }
    for [sensitivity, scale, rho] in golden("gaussian-rho") {
        let question = Question {
            about: Text::new("培養", "runs"),
            statistic: Statistic::Count,
            protected: Protected::Run,
            rows_max: sensitivity as u32,
        };
        let loss = Loss::Concentrated { rho: Nano::at_least(rho).unwrap() };
        let [Mechanism::DiscreteGaussian { variance }] = question.mechanisms(loss).unwrap()[..] else { panic!() };
        assert!((variance.value().sqrt() - scale).abs() < 2e-8 * scale / rho.min(1.0), "{} {scale}", variance.value());
    }
    let deltas = golden("delta");
    assert_eq!(deltas.len(), 12);
    for [rho, epsilon, delta] in deltas {
        let ours = delta_of(rho, epsilon);
        assert!((ours - delta).abs() <= 1e-6 * delta + 1e-300, "rho {rho}, epsilon {epsilon}: {ours} {delta}");
    }
    for [rho, delta, epsilon] in golden("epsilon") {
        let ours = epsilon_of(rho, delta).unwrap().value();
        assert!((ours - epsilon).abs() < 1e-6 * epsilon + 2e-9, "rho {rho}, delta {delta}: {ours} {epsilon}");
    }
}

/// δ from its definition, for noise of σ = 2 and a count: Σ max(0, P(x) − e^ε P(x − 1)) over the exact law. The conversion
/// bounds it from above, and by less than four times where it matters.
#[test]
fn the_conversion_bounds_the_true_delta() {
    let law = law_of(Mechanism::DiscreteGaussian { variance: fraction(4, 1) });
    let rho = 1.0 / 8.0;
    for epsilon in [0.5, 1.0, 2.0] {
        let truth: f64 =
            law.iter().map(|(x, p)| (p - f64::exp(epsilon) * law.get(&(x - 1)).copied().unwrap_or(0.0)).max(0.0)).sum();
        let bound = delta_of(rho, epsilon);
        assert!(truth > 0.0 && bound >= truth && bound < 8.0 * truth, "{epsilon}: {truth} {bound}");
    }
    // The advantage at ε is reached by randomised response.
    assert!((advantage_max(1.0, 0.0) - (1f64.exp() - 1.0) / (1f64.exp() + 1.0)).abs() < 1e-12);
    assert_eq!((advantage_max(0.0, 0.0), advantage_max(900.0, 0.0)), (0.0, 1.0));
}

/// The exact ratio of probabilities for neighbours never passes e^ε, and reaches it.
#[test]
fn laplace_noise_keeps_its_epsilon() {
    let question =
        Question { about: Text::new("培養", "runs"), statistic: Statistic::Count, protected: Protected::Run, rows_max: 3 };
    let [mechanism] = question.mechanisms(Loss::Pure { epsilon: Nano(NANO / 2) }).unwrap()[..] else { panic!() };
    let law = law_of(mechanism);
    let most = law.iter().filter(|(x, _)| x.abs() < 100).map(|(x, p)| (p / law[&(x - 3)]).ln().abs()).fold(0.0, f64::max);
    assert!((most - 0.5).abs() < 1e-9, "{most}");
}

fn count() -> Question {
    Question {
        about: Text::new("泡の出た培養", "runs with foam"),
        statistic: Statistic::Count,
        protected: Protected::Run,
        rows_max: 1,
    }
}

fn charge(name: &str, loss: Loss) -> Charge {
    let mechanisms = count().mechanisms(loss).unwrap();
    Charge { id: id(name), question: count().words(), mechanisms, loss, member: id("m1"), at: day(0) }
}

fn pure(nano: u64) -> Loss {
    Loss::Pure { epsilon: Nano(nano) }
}

fn concentrated(nano: u64) -> Loss {
    Loss::Concentrated { rho: Nano(nano) }
}

#[test]
fn a_budget_is_spent_to_its_last_billionth_and_not_beyond() {
    let promise = Promise::Pure { epsilon: Nano(NANO) };
    let mut budget = Budget::new(id("agreement"), promise, Protected::Run).unwrap();
    for i in 0..10 {
        budget.charge(charge(&format!("q{i}"), pure(NANO / 10))).unwrap();
    }
    let error = budget.charge(charge("q10", pure(1))).unwrap_err();
    assert_eq!(error.code(), "E-PRIVACY-008");
    assert!(error.fault().hint.is_some() && error.to_string().contains("left 0"));
    assert_eq!((budget.standing().unwrap().spent, budget.standing().unwrap().left), (Nano(NANO), Nano(0)));
    // Sent again it is known; under the same name it is nothing else.
    assert_eq!(budget.charge(charge("q3", pure(NANO / 10))).unwrap().left, Nano(0));
    assert_eq!(budget.charge(charge("q3", pure(NANO / 20))).unwrap_err().code(), "E-PRIVACY-009");
    // The owner sees all of it.
    let lines = budget.statement().unwrap();
    assert_eq!(lines.len(), 10);
    assert_eq!(lines[3].standing.left, Nano(6 * NANO / 10));
    assert!(
        lines[3].charge.question.en.contains("count of runs with foam")
            && lines[3].charge.question.ja.contains("泡の出た培養の件数")
            && lines[3].charge.mechanisms.len() == 1
    );
    // Read again from its charges it is the same.
    let charges: Vec<Charge> = lines.into_iter().map(|l| l.charge).collect();
    let text = serde_json::to_string(&charges).unwrap();
    let again = Budget::resume(id("agreement"), promise, Protected::Run, serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(again, budget);
    assert!(Budget::resume(id("a"), Promise::Pure { epsilon: Nano(NANO / 2) }, Protected::Run, charges).is_err());
}

#[test]
fn a_budget_that_was_tightened_remembers_what_was_told_and_has_nothing_left() {
    let promise = Promise::Pure { epsilon: Nano(NANO) };
    let mut budget = Budget::new(id("a"), promise, Protected::Run).unwrap();
    budget.charge(charge("q", pure(NANO / 2))).unwrap();
    let tighter = promise.tighter(Promise::Pure { epsilon: Nano(NANO / 4) }).unwrap();
    assert_eq!(tighter, Promise::Pure { epsilon: Nano(NANO / 4) });
    assert_eq!(promise.tighter(Promise::Concentrated { rho: Nano(NANO) }), None);
    let approximate = |delta| Promise::Approximate { epsilon: Nano(NANO), delta: Nano(delta) };
    assert_eq!((approximate(1).tighter(approximate(1)), approximate(1).tighter(approximate(2))), (Some(approximate(1)), None));
    let mut again = Budget::new(id("a"), tighter, Protected::Run).unwrap();
    for charge in budget.charges() {
        again.remember(charge.clone());
        again.remember(charge.clone());
    }
    let standing = again.standing().unwrap();
    assert_eq!((standing.spent, standing.left), (Nano(NANO / 2), Nano(0)));
    assert_eq!(again.charge(charge("more", pure(1))).unwrap_err().code(), "E-PRIVACY-008");
}

#[test]
fn losses_of_both_kinds_compose() {
    assert_eq!(rho_of_pure(Nano(NANO / 10)), Nano(NANO / 200));
    assert_eq!(rho_of_pure(Nano(1)), Nano(1));
    let gaussian = charge("g", concentrated(NANO / 100));
    let mut budget = Budget::new(id("a"), Promise::Pure { epsilon: Nano(NANO) }, Protected::Run).unwrap();
    assert_eq!(budget.charge(gaussian.clone()).unwrap_err().code(), "E-PRIVACY-005");
    let mut budget = Budget::new(id("a"), Promise::Concentrated { rho: Nano(NANO / 50) }, Protected::Run).unwrap();
    budget.charge(gaussian.clone()).unwrap();
    budget.charge(charge("l", pure(NANO / 10))).unwrap();
    assert_eq!(budget.standing().unwrap().left, Nano(NANO / 200));
    // (1, 1e-6): as many answers of ρ = 0.001 as the conversion allows, and no more.
    let promise = Promise::Approximate { epsilon: Nano(NANO), delta: Nano(1000) };
    let mut budget = Budget::new(id("a"), promise, Protected::Run).unwrap();
    let afforded = (0..100).take_while(|i| budget.charge(charge(&format!("g{i}"), concentrated(NANO / 1000))).is_ok()).count();
    assert!(delta_of(0.001 * afforded as f64, 1.0) <= 1e-6 && delta_of(0.001 * (afforded + 1) as f64, 1.0) > 1e-6, "{afforded}");
    assert!(afforded > 10, "{afforded}");
    assert!(budget.standing().unwrap().left.value() < 0.05);
    // Pure answers alone may use all of ε.
    let mut budget = Budget::new(id("a"), promise, Protected::Run).unwrap();
    budget.charge(charge("l", pure(NANO))).unwrap();
    assert!(budget.charge(gaussian).is_err());
}

fn rows(n: usize, of: usize, value: impl Fn(usize) -> i64) -> Vec<Row> {
    (0..n).flat_map(|i| (0..of).map(move |_| i)).map(|i| Row { unit: id(&format!("r{i}")), value: value(i) }).collect()
}

#[test]
fn answers_are_near_and_charged_first() {
    let promise = Promise::Approximate { epsilon: Nano(3 * NANO), delta: Nano(1000) };
    let mut budget = Budget::new(id("a"), promise, Protected::Run).unwrap();
    let mut stream = Stream::new(&[3; 32]);
    let mut ask = |name: &str, question: &Question, loss, rows: &[Row]| {
        let (id, member) = (id(name), id("m1"));
        budget.answer(Charged { id: &id, member: &member, question, loss, at: day(1) }, rows, &mut stream)
    };
    // 500 runs of 3 rows, of which one a run counts.
    let Answer::Count { count: told } = ask("q1", &count(), pure(NANO / 5), &rows(500, 3, |_| 1)).unwrap() else { panic!() };
    assert!((told.value - 500.0).abs() <= 60.0 && told.margin_95 == 15.0, "{told:?}");
    // Titres of 10.00 to 14.99 g/L in hundredths; one of 10⁶ is clamped.
    let titres = rows(500, 1, |i| if i == 7 { 1_000_000 } else { 1000 + i as i64 });
    let mean = Question { statistic: Statistic::Mean { low: 0, high: 2000 }, ..count() };
    let loss = concentrated(NANO / 50);
    let Answer::Mean { mean: told, about_middle, count: n } = ask("q2", &mean, loss, &titres).unwrap() else { panic!() };
    let truth = (0..500).map(|i| if i == 7 { 2000.0 } else { 1000.0 + f64::from(i) }).sum::<f64>() / 500.0;
    assert!((told - truth).abs() < 3.0 * (about_middle.margin_95 + 1000.0 * n.margin_95) / 500.0, "{told} {truth}");
    assert!(about_middle.margin_95 / 500.0 < 28.0, "{about_middle:?}");
    let sum = Question { statistic: Statistic::Sum { low: -5, high: 2000 }, ..count() };
    assert_eq!(sum.sensitivities().unwrap(), [2000]);
    let Answer::Sum { sum: told } = ask("q3", &sum, loss, &titres).unwrap() else { panic!() };
    assert!((told.value - 500.0 * truth).abs() < 2.0 * told.margin_95);
    // No second draw, no other protected unit, no bounds out of order; nothing is charged for them.
    assert_eq!(ask("q1", &count(), pure(NANO / 5), &[]).unwrap_err().code(), "E-PRIVACY-009");
    let member = Question { protected: Protected::Member, ..count() };
    assert_eq!(ask("q4", &member, pure(1000), &[]).unwrap_err().code(), "E-PRIVACY-007");
    let wrong = Question { statistic: Statistic::Sum { low: 5, high: 5 }, ..count() };
    let error = ask("q5", &wrong, pure(1000), &[]).unwrap_err();
    assert!(error.code() == "E-PRIVACY-010" && error.fault().place.is_some() && error.fault().hint.is_some());
    assert_eq!(budget.statement().unwrap().len(), 3);
    // A million rows of 10¹² each lose so little only with noise that cannot be drawn.
    let vast = Question { statistic: Statistic::Sum { low: 0, high: 1_000_000_000_000 }, rows_max: 1_000_000, ..count() };
    assert_eq!(vast.mechanisms(concentrated(1000)).unwrap_err().code(), "E-PRIVACY-002");
}

#[test]
fn shared_noise_counts_like_one_when_steps_are_fine() {
    // Ten parties of variance 10 each are one of 100, up to the gap that the theorem states.
    let one = 1.0 / 200.0;
    assert!((rho_shared(1.0, 10.0, 10, 100) - one).abs() < 1e-12);
    let coarse = rho_shared(1.0, 0.25, 10, 100);
    assert!(coarse > 0.25, "{coarse}");
}

#[test]
fn the_stream_is_that_of_rfc_8439() {
    // Test vector #1 of RFC 8439, A.1: key and nonce of zeros.
    let mut bytes = [0; 16];
    Stream::new(&[0; 32]).fill(&mut bytes);
    assert_eq!(bytes, [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28]);
}
