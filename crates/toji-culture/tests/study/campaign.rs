//! A campaign on a simulated plant whose truth it does not know: the default recipe, batches of proposed runs, and the
//! recipe that is recommended in the end, judged by the hidden truth.

use toji_core::{Text, Unit};
use toji_culture::campaign::{
    Batch, Direction, Factor, Goal, History, Kind, Limit, Measured, Output, Problem, Run, Settings, Space, StopRule, Told, Why,
    propose, recommend,
};
use toji_culture::model::{Model, shipped};
use toji_culture::twin::{Hidden, Sensor, Spread, Twin, Wander};

/// What becomes of a campaign.
pub(crate) struct Outcome {
    /// Titre of the default recipe in truth, g/L.
    pub(crate) default: f64,
    /// Titre in truth of the recipe that is recommended after each batch, g/L.
    pub(crate) recommended: Vec<f64>,
    /// Predictions of all runs of batches that were proposed by a model: the batch, counted from 1, why the run was proposed,
    /// and what was foretold and came.
    pub(crate) told: Vec<(usize, Why, Told)>,
}

pub(crate) fn plant() -> Model {
    Model::read(shipped("luedeking-piret-fed-batch").unwrap()).unwrap()
}

fn spread(constant: &str, share: f64) -> Spread {
    Spread { constant: constant.into(), share }
}

fn hidden() -> Hidden {
    Hidden {
        plant: vec![
            spread("mu_max", 0.1),
            spread("beta", 0.15),
            spread("alpha", 0.15),
            spread("Y_XS", 0.05),
            spread("OTR_max", 0.1),
            spread("K_I", 0.2),
            // About 1 K and 0.1 pH.
            spread("thermometer", 0.003),
            spread("pH_probe", 0.015),
        ],
        reactor: vec![spread("OTR_max", 0.03), spread("pump", 0.02)],
        run: vec![spread("beta", 0.04), spread("X_0", 0.1), spread("Y_XS", 0.02)],
        wander: vec![Wander { profile: "vigour".into(), share: 0.05, memory: 0.7 }],
        sensors: vec![
            Sensor { quantity: "titre".into(), share: 0.03, least: 0.02 },
            Sensor { quantity: "sugar".into(), share: 0.05, least: 0.1 },
        ],
    }
}

/// Factors: constants of the model, in ranges in which a culture grows and produces. The temperature of growth is shared by the four reactors of a block.
fn space() -> Space {
    let unit = |code: &str| Unit::parse(code).unwrap();
    let mut ph = Factor::continuous("pH", unit("1"), 6.5, 7.6);
    ph.kind = Kind::Continuous { low: 6.5, high: 7.6, step: Some(0.05), logarithmic: false };
    Space::new(vec![
        Factor::continuous("T_growth", unit("K"), 304.15, 312.15).shared(),
        Factor::continuous("T_production", unit("K"), 298.15, 307.15),
        Factor::continuous("shift", unit("h"), 10.0, 34.0),
        ph,
        Factor::continuous("feed_scale", unit("1"), 0.5, 1.8),
        Factor::continuous("S_0", unit("g/L"), 8.0, 30.0),
    ])
    .unwrap()
}

/// A recipe as one is handed down: reasonable in everything, best in nothing.
const DEFAULT: [f64; 6] = [306.15, 305.15, 24.0, 6.7, 0.8, 20.0];

/// A campaign of so many batches of blocks of four reactors.
pub(crate) fn campaign(model: &Model, blocks: usize, batches: usize, seed: u64) -> Outcome {
    let twin = Twin::new(model, &hidden(), 60.0, seed).unwrap();
    let space = space();
    let names: Vec<String> = space.factors().iter().map(|f| f.name.clone()).collect();
    let [titre, sugar] = ["titre", "sugar"].map(|name| model.system.quantity(name).unwrap());
    let recipe = |point: &[f64]| {
        let mut constants = model.system.constants();
        for (name, value) in names.iter().zip(point) {
            constants[model.system.constant(name).unwrap()] = *value;
        }
        constants
    };
    let outputs = ["titre", "sugar"].map(|name| Output { name: name.into(), unit: Unit::parse("g/L").unwrap() });
    let limits = [Limit { output: 1, at_least: None, at_most: Some(5.0) }];
    let anything = |_: &[f64]| Ok::<(), Text>(());
    let problem = Problem {
        space: &space,
        outputs: &outputs,
        goal: Goal { output: 0, direction: Direction::Maximise },
        limits: &limits,
        allowed: &anything,
        stop: StopRule::default(),
    };
    let settings = Settings { draws: 64, raw: 96, polish: 2, ..Settings::default() };
    let mut count = 0;
    let mut run = |point: Vec<f64>, reactor: u64| {
        count += 1;
        let batch = twin.live(&recipe(&point), reactor, count, &[], |_, _, _| Ok(Vec::new())).unwrap();
        let of = |quantity: usize| batch.seen.iter().find(|s| s.quantity == quantity).map(|s| s.value);
        let results = [titre, sugar].map(|q| of(q).map(|value| Measured { value, sd: None })).to_vec();
        Run { point, results }
    };
    // What was run before: the default, three times.
    let mut history = History::default();
    history.runs.extend((0..3).map(|reactor| run(DEFAULT.to_vec(), reactor)));
    let mut out = Outcome { default: twin.truth(&recipe(&DEFAULT)).unwrap()[titre], recommended: Vec::new(), told: Vec::new() };
    for round in 0..batches {
        let mut batch = Batch::of_groups(blocks, 4);
        batch.replicates = if round == 0 { 0 } else { blocks.div_ceil(3) };
        let proposed = propose(&problem, &history, &batch, &settings, seed * 100 + round as u64).unwrap();
        assert_eq!(proposed.runs.len(), 4 * blocks);
        for (reactor, next) in (0..).zip(proposed.runs) {
            let made = run(next.point, reactor);
            if let (Some(e), Some(came)) = (next.expected.first(), made.results[0]) {
                let told = Told { mean: e.mean, low: e.low, high: e.high, came: came.value };
                out.told.push((round + 1, next.why, told));
            }
            history.runs.push(made);
        }
        let best = recommend(&problem, &history, &settings, seed).unwrap().unwrap();
        out.recommended.push(twin.truth(&recipe(&best.point)).unwrap()[titre]);
    }
    out
}
