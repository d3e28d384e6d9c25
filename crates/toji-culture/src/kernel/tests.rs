//! Solutions that are known in closed form, stiff problems with published values, and what must hold of every
//! simulation.

use super::*;
use proptest::prelude::*;

/// Lines `name = value` (constant), `name' = rate from initial` (state), `name := expression` (assigned) and
/// `when trigger: name = value, …` (event).
fn model(text: &str) -> System {
    let read = |text: &str| notation::read(text).unwrap();
    let mut definition = Definition::default();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if let Some(rest) = line.strip_prefix("when ") {
            let (trigger, sets) = rest.split_once(": ").unwrap();
            let sets = sets.split(", ").map(|s| s.split_once(" = ").unwrap()).map(|(n, v)| (n.into(), read(v))).collect();
            definition.events.push(Event {
                name: trigger.into(),
                trigger: read(trigger),
                was_true: true,
                persistent: true,
                delay: None,
                priority: None,
                at_trigger: true,
                sets,
            });
        } else if let Some((name, value)) = line.split_once(" := ") {
            definition.quantities.push(Quantity { name: name.into(), role: Role::Assigned(read(value)) });
        } else if let Some((name, rest)) = line.split_once("' = ") {
            let (rate, initial) = rest.split_once(" from ").unwrap();
            definition
                .quantities
                .push(Quantity { name: name.into(), role: Role::State { initial: read(initial), rate: read(rate) } });
        } else {
            let (name, value) = line.split_once(" = ").unwrap();
            definition.quantities.push(Quantity { name: name.into(), role: Role::Constant(read(value)) });
        }
    }
    System::compile(&definition).unwrap()
}

fn run(system: &System, times: &[f64], relative: f64) -> Trajectory<f64> {
    let options = Options { relative, absolute: vec![relative * 1e-3], ..Options::default() };
    system.simulate(&system.constants(), times, &options).unwrap()
}

fn last(system: &System, trajectory: &Trajectory<f64>, name: &str) -> f64 {
    trajectory.at(trajectory.times.len() - 1)[system.quantity(name).unwrap()]
}

#[track_caller]
fn near(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs().max(1e-300), "{a} is not {b}");
}

/// Batch growth by Monod has t as a closed form of S: half, nine tenths and 99 % of the substrate are gone at these
/// times (computed from that form with mpmath).
#[test]
fn batch_growth_consumes_at_the_known_times() {
    for (share, time) in [(0.5, 7.412_382_011_227_756), (0.9, 8.775_247_830_519_692), (0.99, 9.087_049_397_499_625)] {
        let text = format!(
            "mu = 0.45
             K = 0.2
             Y = 0.5
             S' = -mu * S / (K + S) * X / Y from 10
             X' = mu * S / (K + S) * X from 0.1
             at' = 0 from 0
             when S < {}: at = time",
            10.0 * (1.0 - share)
        );
        let system = model(&text);
        let trajectory = run(&system, &[0.0, 12.0], 1e-9);
        near(last(&system, &trajectory, "at"), time, 1e-7);
        assert_eq!(trajectory.happened.len(), 1);
    }
}

#[test]
fn the_chemostat_and_perfusion_come_to_rest_where_they_must() {
    let chemostat = model(
        "mu := 0.5 * S / (0.1 + S)
         D = 0.3
         S' = D * (10 - S) - mu * X / 0.5 from 10
         X' = (mu - D) * X from 0.1",
    );
    let rest = run(&chemostat, &[0.0, 400.0], 1e-10);
    near(last(&chemostat, &rest, "S"), 0.15, 1e-8);
    near(last(&chemostat, &rest, "X"), 4.925, 1e-8);

    let perfusion = model(
        "D = 1.5
         bleed = 0.08
         mu := 0.9 * S / (0.3 + S)
         X' = (mu - 0.03 - bleed * D) * X from 1
         S' = D * (8 - S) - mu * X / 5 from 8",
    );
    let rest = run(&perfusion, &[0.0, 600.0], 1e-10);
    near(last(&perfusion, &rest, "S"), 0.06, 1e-7);
    // mu 0.15: D (8 - 0.06) 5 / 0.15.
    near(last(&perfusion, &rest, "X"), 397.0, 1e-7);
}

#[test]
fn exponential_feed_holds_the_growth_rate_and_the_volume_is_exact() {
    let system = model(
        "mu_set = 0.15
         S0 = 0.05 * mu_set / (0.5 - mu_set)
         F0 = mu_set * 5 / 0.5 / (500 - S0)
         F := F0 * exp(mu_set * time)
         mu := 0.5 * S / (0.05 + S)
         V' = F from 1
         X' = mu * X - F / V * X from 5
         S' = F / V * (500 - S) - mu * X / 0.5 from S0",
    );
    let trajectory = run(&system, &[0.0, 12.0], 1e-9);
    near(last(&system, &trajectory, "V"), 1.100_997_277_743_019_3, 1e-9);
    near(last(&system, &trajectory, "X"), 27.473_489_656_642_805, 1e-8);
    near(last(&system, &trajectory, "S"), 0.021_428_571_428_571_43, 1e-6);
    near(trajectory.at(0)[system.quantity("F0").unwrap()], 0.003_000_128_576_939_011_7, 1e-12);
}

/// Robertson's reactions; values of the test set for initial value problems (ROBER, Mazzia and Magherini 2008).
#[test]
fn stiff_reactions_end_at_the_published_values() {
    let system = model(
        "a' = -0.04 * a + 1e4 * b * c from 1
         b' = 0.04 * a - 1e4 * b * c - 3e7 * b ^ 2 from 0
         c' = 3e7 * b ^ 2 from 0",
    );
    let options = Options { relative: 1e-9, absolute: vec![1e-14], ..Options::default() };
    let trajectory = system.simulate(&system.constants(), &[0.0, 1e11], &options).unwrap();
    near(last(&system, &trajectory, "a"), 0.208_334_014_970_122e-7, 1e-5);
    near(last(&system, &trajectory, "b"), 0.833_336_077_033_471_8e-13, 1e-5);
    near(last(&system, &trajectory, "c"), 0.999_999_979_166_507, 1e-9);
    assert!(trajectory.steps.0 < 4_000, "{:?}", trajectory.steps);
}

/// A ball that keeps 0.8 of its speed touches the ground at v/g · (2 + …) exactly.
#[test]
fn a_ball_bounces_at_the_known_times() {
    let system = model(
        "g = 9.81
         h' = v from 0
         v' = -g from 10
         n' = 0 from 0
         when h < 0: v = -0.8 * v, h = 0, n = n + 1",
    );
    let trajectory = run(&system, &[0.0, 6.0], 1e-9);
    let mut expected = 0.0;
    for (i, (time, _)) in trajectory.happened.iter().enumerate() {
        expected += 20.0 / 9.81 * 0.8f64.powi(i as i32);
        near(*time, expected, 1e-9);
    }
    assert_eq!(trajectory.happened.len(), 3);
}

#[test]
fn doses_at_set_times_are_exact_and_outputs_at_their_time_come_after() {
    let system = model(
        "k = 0.3
         x' = -k * x from 1
         when time >= 2: x = x + 1
         when time > 5: x = x + 2",
    );
    let trajectory = run(&system, &[0.0, 2.0, 5.0, 7.0], 1e-10);
    let x = system.quantity("x").unwrap();
    let decay = |t: f64| (-0.3 * t).exp();
    near(trajectory.at(1)[x], decay(2.0) + 1.0, 1e-9);
    near(trajectory.at(2)[x], decay(5.0) + decay(3.0) + 2.0, 1e-9);
    near(trajectory.at(3)[x], decay(7.0) + decay(5.0) + 2.0 * decay(2.0), 1e-9);
    assert_eq!(trajectory.happened, [(2.0, 0), (5.0, 1)]);
}

/// x falls by k until it is ½, then by 2k; a dose at the time t₀ adds d: the derivatives of the end by k, t₀ and d are
/// known, and have jumps at both events.
#[test]
fn sensitivities_pass_through_events() {
    let system = model(
        "k = 0.4
         t0 = 3
         d = 0.7
         r' = 0 from 1
         x' = -k * r * x from 1
         when x < 0.5: r = 2
         when time > t0: x = x + d",
    );
    let at = |k: f64, t0: f64, d: f64, t: f64| {
        let turn = 2.0f64.ln() / k;
        (0.5 * (-2.0 * k * (t0 - turn)).exp() + d) * (-2.0 * k * (t - t0)).exp()
    };
    let (k, t0, d, t) = (0.4, 3.0, 0.7, 5.0);
    let constants: Vec<Dual<3>> = [k, t0, d].iter().enumerate().map(|(i, v)| Dual::along(*v, i)).collect();
    let options = Options { relative: 1e-10, absolute: vec![1e-12], ..Options::default() };
    let trajectory = system.simulate(&constants, &[0.0, t], &options).unwrap();
    let x = trajectory.at(1)[system.quantity("x").unwrap()];
    near(x.value, at(k, t0, d, t), 1e-8);
    let h = 1e-6;
    let expected = [
        (at(k + h, t0, d, t) - at(k - h, t0, d, t)) / (2.0 * h),
        (at(k, t0 + h, d, t) - at(k, t0 - h, d, t)) / (2.0 * h),
        (at(k, t0, d + h, t) - at(k, t0, d - h, t)) / (2.0 * h),
    ];
    for (slope, expected) in x.slopes.iter().zip(expected) {
        near(*slope, expected, 1e-6);
    }
}

const FED_BATCH: &str = "
    mu_max = 0.5
    K = 0.1
    Y = 0.45
    kLa = 300
    qO = 12
    F := if(time < 8, 0, min(0.3, 0.01 * exp(0.2 * (time - 8))))
    O := max(0, C)
    mu := mu_max * S / (K + S) * O / (0.001 + O)
    V' = F from 1
    X' = mu * X - F / V * X from 0.5
    S' = F / V * (400 - S) - mu * X / Y from 12
    C' = kLa * (0.21 - C) - qO * mu * X / 30 - F / V * C from 0.21
    when time >= 6: S = S + 2, V = V + 0.01";

#[test]
fn side_by_side_is_what_each_gives_alone() {
    let system = model(FED_BATCH);
    let times: Vec<f64> = (0..=20).map(f64::from).collect();
    let options = Options { relative: 1e-8, absolute: vec![1e-10], ..Options::default() };
    let alone: Vec<Trajectory<f64>> = (0..4)
        .map(|i| {
            let mut constants = system.constants();
            constants[0] = 0.4 + 0.05 * f64::from(i);
            system.simulate(&constants, &times, &options).unwrap()
        })
        .collect();
    let mut constants: Vec<Lanes<4>> = system.constants().iter().map(|c| Lanes([*c; 4])).collect();
    constants[0] = Lanes([0.4, 0.45, 0.5, 0.55]);
    let together = system.simulate(&constants, &times, &options).unwrap();
    for (l, alone) in alone.iter().enumerate() {
        for (a, b) in alone.values.iter().zip(&together.values) {
            assert!((a - b.0[l]).abs() < 1e-5 * (1.0 + a.abs()), "{a} {}", b.0[l]);
        }
    }
}

#[test]
fn an_ensemble_is_the_same_on_any_number_of_threads() {
    let system = model(FED_BATCH);
    let times: Vec<f64> = (0..=10).map(|i| 2.0 * f64::from(i)).collect();
    let settings: Vec<Vec<f64>> = (0..21)
        .map(|i| {
            let mut constants = system.constants();
            constants[0] = 0.4 + 0.01 * f64::from(i);
            constants
        })
        .collect();
    let values = |threads: usize| -> Vec<Vec<f64>> {
        let all = system.ensemble(&settings, &times, &Options::default(), threads);
        all.into_iter().map(|t| t.unwrap().values).collect()
    };
    let one = values(1);
    assert_eq!(one.len(), 21);
    assert_eq!(values(3), one);
    for (constants, together) in settings.iter().zip(&one) {
        assert_eq!(&system.simulate(constants, &times, &Options::default()).unwrap().values, together);
    }
}

/// The sugar is used up at another time in each, which takes short steps there: sharing them, each would take those of
/// all. One of them begins with what is no number, and harms nobody.
#[test]
fn in_an_ensemble_each_takes_the_steps_that_it_takes_alone() {
    let falling = "k = 1\nx' = -k * x from 1\nwhen x < 0.5: x = 1";
    for (text, constant) in [(FED_BATCH, 0), (falling, 0)] {
        let system = model(text);
        let times: Vec<f64> = (0..=40).map(|i| 0.5 * f64::from(i)).collect();
        let settings: Vec<Vec<f64>> = (0..13)
            .map(|i| {
                let mut constants = system.constants();
                constants[constant] = if i == 5 { f64::NAN } else { 0.35 + 0.05 * f64::from(i) };
                constants
            })
            .collect();
        let together = system.ensemble(&settings, &times, &Options::default(), 1);
        for (i, (constants, together)) in settings.iter().zip(together).enumerate() {
            match (system.simulate(constants, &times, &Options::default()), together) {
                (Ok(alone), Ok(together)) => {
                    assert_eq!(alone, together);
                    assert!(alone.steps.0 > 20 && i != 5);
                }
                (Err(alone), Err(together)) => {
                    assert_eq!(alone.code(), together.code());
                    assert_eq!(i, 5);
                }
                (alone, together) => panic!("{i}: {alone:?} {together:?}"),
            }
        }
    }
}

#[test]
fn lanes_with_events_of_the_state_refuse_to_part() {
    let system = model("k = 1\nx' = -k * x from 1\nwhen x < 0.5: x = 1");
    let error = system.simulate(&[Lanes([1.0, 2.0])], &[0.0, 2.0], &Options::default()).unwrap_err();
    assert_eq!(error.code(), "E-SIM-006");
}

#[test]
fn what_cannot_be_simulated_is_refused_by_name() {
    let declared = |quantities: Vec<(&str, Role)>| {
        let quantities = quantities.into_iter().map(|(name, role)| Quantity { name: name.into(), role }).collect();
        System::compile(&Definition { quantities, events: Vec::new() })
            .map(|_| ())
            .unwrap_err()
            .fault()
            .place
            .as_ref()
            .unwrap()
            .field
            .clone()
    };
    let name = |n: &str| Expression::name(n);
    assert_eq!(declared(vec![("a", Role::Assigned(name("b"))), ("b", Role::Assigned(name("a")))]).as_deref(), Some("a"));
    assert_eq!(declared(vec![("a", Role::Assigned(name("nowhere")))]).as_deref(), Some("a"));
    assert_eq!(
        declared(vec![("a", Role::Constant(Expression::Time)), ("a", Role::Constant(Expression::Time))]).as_deref(),
        Some("a")
    );
    let system = model("x' = ln(x) / 0 * 0 from -1");
    assert_eq!(system.simulate(&system.constants(), &[0.0, 1.0], &Options::default()).unwrap_err().code(), "E-SIM-004");
    assert_eq!(system.simulate(&system.constants(), &[1.0, 0.0], &Options::default()).unwrap_err().code(), "E-SIM-001");
    assert!(system.constant("x").is_err() && system.quantity("y").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// What a closed system of reactions holds is the same at all times, whatever the rates; and the same input gives
    /// the same bits.
    #[test]
    fn a_closed_system_keeps_what_it_holds(k in proptest::collection::vec(1e-3..1e3f64, 4), x in proptest::collection::vec(0.0..5.0f64, 3)) {
        let system = model(&format!(
            "a' = -{0} * a + {1} * b - {2} * a * c from {4}
             b' = {0} * a - {1} * b from {5}
             c' = {2} * a * c - {3} * c from {6}
             d' = {3} * c from 0",
            k[0], k[1], k[2], k[3], x[0], x[1], x[2]
        ));
        let trajectory = run(&system, &[0.0, 0.5, 10.0], 1e-6);
        let total: f64 = x.iter().sum();
        for time in 0..3 {
            prop_assert!((trajectory.at(time).iter().sum::<f64>() - total).abs() < 1e-9 * (1.0 + total));
        }
        prop_assert_eq!(run(&system, &[0.0, 0.5, 10.0], 1e-6), trajectory);
    }
}
