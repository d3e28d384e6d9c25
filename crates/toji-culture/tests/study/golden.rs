//! Golden batches on a simulated plant: the recipe replayed, and the recipe kept on its course, through the same
//! disturbances. The plant differs from the corrector's model by constants it is told may differ, and by a vigour that
//! wanders in a way it knows nothing of.

use toji_culture::correction::{Aim, Belief, Golden, Lever, Settings};
use toji_culture::model::Model;
use toji_culture::twin::{Hidden, Seen, Sensor, Spread, Twin, Wander};

const UNTIL: f64 = 60.0;

/// Titres of the batches of a campaign, g/L, by how they were run.
pub(crate) struct Titres {
    pub(crate) replayed: Vec<f64>,
    pub(crate) corrected: Vec<f64>,
    /// What the corrector foretold at its last decision, in the same order.
    pub(crate) foretold: Vec<f64>,
}

fn spread(constant: &str, share: f64) -> Spread {
    Spread { constant: constant.into(), share }
}

fn hidden() -> Hidden {
    Hidden {
        plant: vec![spread("mu_max", 0.05), spread("beta", 0.08), spread("Y_XS", 0.04)],
        reactor: Vec::new(),
        run: vec![
            spread("X_0", 0.18),
            spread("S_0", 0.1),
            spread("mu_max", 0.08),
            spread("beta", 0.15),
            spread("Y_XS", 0.08),
            spread("pump", 0.04),
            spread("OTR_max", 0.05),
        ],
        wander: vec![Wander { profile: "vigour".into(), share: 0.12, memory: 0.7 }],
        sensors: vec![
            Sensor { quantity: "X".into(), share: 0.05, least: 0.05 },
            Sensor { quantity: "S".into(), share: 0.04, least: 0.05 },
            Sensor { quantity: "P".into(), share: 0.03, least: 0.02 },
            Sensor { quantity: "V".into(), share: 0.003, least: 0.0005 },
        ],
    }
}

/// Batches of one plant, each replayed and corrected.
pub(crate) fn batches(model: &Model, looks: &[f64], count: u64, seed: u64) -> Titres {
    let twin = Twin::new(model, &hidden(), UNTIL, seed).unwrap();
    let recipe = model.system.constants();
    let titre = model.system.quantity("titre").unwrap();
    // What the golden batch gave on this plant.
    let target = twin.truth(&recipe).unwrap()[titre];
    let belief = |constant: &str, plants: f64, runs: f64| Belief { constant: constant.into(), plants, runs };
    let beliefs = [
        belief("X_0", 0.0, 0.18),
        belief("S_0", 0.0, 0.1),
        belief("mu_max", 0.05, 0.08),
        belief("beta", 0.08, 0.15),
        belief("Y_XS", 0.04, 0.08),
        belief("pump", 0.0, 0.04),
    ];
    let levers: Vec<Lever> =
        (3..=10).map(|k| Lever { constant: format!("F_{k}"), from: 6.0 * f64::from(k - 1), low: 0.0, high: 18.0 }).collect();
    let aim = Aim { quantity: "titre".into(), target, until: UNTIL };
    let mut golden = Golden::new(&model.system, recipe.clone(), &beliefs, &levers, aim, Settings::default()).unwrap();
    let mut out = Titres { replayed: Vec::new(), corrected: Vec::new(), foretold: Vec::new() };
    for run in 0..count {
        let alone = twin.live(&recipe, 0, run, looks, |_, _, _| Ok(Vec::new())).unwrap();
        out.replayed.push(alone.end[titre]);
        let mut foretold = f64::NAN;
        let kept = twin
            .live(&recipe, 0, run, looks, |now, seen, as_it_stands| {
                let found = golden.correct(now, as_it_stands, seen)?;
                foretold = found.corrected;
                Ok(found.moved.iter().map(|(at, _, after)| (*at, *after)).collect())
            })
            .unwrap();
        out.corrected.push(kept.end[titre]);
        out.foretold.push(foretold);
        // From run to run: what the finished batch tells of the plant.
        let seen: Vec<Seen> = kept.seen.clone();
        let settled = golden.estimate(&kept.recipe, &seen).unwrap();
        golden.learn(&settled);
    }
    out
}
