//! The twin keeps its secrets apart: what a run meets depends on its number, never on what is done in it.

use super::*;
use crate::model::{Model, shipped};

fn model() -> Model {
    Model::read(shipped("luedeking-piret-fed-batch").unwrap()).unwrap()
}

fn hidden() -> Hidden {
    let spread = |constant: &str, share: f64| Spread { constant: constant.into(), share };
    Hidden {
        plant: vec![spread("mu_max", 0.1)],
        reactor: vec![spread("OTR_max", 0.05)],
        run: vec![spread("beta", 0.1), spread("X_0", 0.2)],
        wander: vec![Wander { profile: "vigour".into(), share: 0.1, memory: 0.7 }],
        sensors: vec![Sensor { quantity: "titre".into(), share: 0.03, least: 0.01 }],
    }
}

#[test]
fn the_same_run_meets_the_same_disturbances_whatever_is_done_in_it() {
    let model = model();
    let twin = Twin::new(&model, &hidden(), 60.0, 5).unwrap();
    let recipe = model.system.constants();
    let calm = |run: u64| twin.live(&recipe, 1, run, &[24.0], |_, _, _| Ok(Vec::new())).unwrap();
    let one = calm(1);
    assert_eq!(one, calm(1));
    assert_ne!(one.end, calm(2).end);
    // Fed more from a look on: what was seen before is the same, the end is not.
    let more = model.system.constant("F_6").unwrap();
    let fed = twin.live(&recipe, 1, 1, &[24.0], |_, _, now| Ok(vec![(more, now[more] * 2.0)])).unwrap();
    assert_eq!(fed.seen[0], one.seen[0]);
    let titre = model.system.quantity("titre").unwrap();
    assert!(fed.end[titre] > one.end[titre] * 1.01);
    assert!((fed.recipe[more] - 2.0 * recipe[more]).abs() < 1e-12);
    // What was cannot be changed.
    let early = model.system.constant("F_2").unwrap();
    let error = twin.live(&recipe, 1, 1, &[24.0], |_, _, now| Ok(vec![(early, now[early] * 2.0)])).unwrap_err();
    assert_eq!(error.code(), "E-TWIN-002");
}

#[test]
fn what_the_model_does_not_have_is_refused() {
    let model = model();
    let code = |change: fn(&mut Hidden)| {
        let mut hidden = hidden();
        change(&mut hidden);
        Twin::new(&model, &hidden, 60.0, 1).unwrap_err().code()
    };
    assert_eq!(code(|h| h.plant[0].constant = "none".into()), "E-MODEL-002");
    assert_eq!(code(|h| h.plant[0].constant = "X".into()), "E-MODEL-003");
    assert_eq!(code(|h| h.run[0].share = -0.1), "E-TWIN-001");
    assert_eq!(code(|h| h.wander[0].profile = "beta".into()), "E-TWIN-001");
    assert_eq!(code(|h| h.wander[0].memory = 1.5), "E-TWIN-001");
    assert_eq!(code(|h| h.sensors[0].quantity = "none".into()), "E-MODEL-002");
    assert_eq!(Twin::new(&model, &hidden(), 0.0, 1).unwrap_err().code(), "E-TWIN-001");
}

/// The disturbances have the size they are said to have.
#[test]
fn runs_spread_as_they_are_told_to() {
    let model = model();
    let hidden = Hidden { run: vec![Spread { constant: "X_0".into(), share: 0.2 }], ..Hidden::default() };
    let hidden = Hidden { sensors: vec![Sensor { quantity: "X".into(), share: 0.0, least: 0.0 }], ..hidden };
    let twin = Twin::new(&model, &hidden, 60.0, 9).unwrap();
    let recipe = model.system.constants();
    let starts: Vec<f64> =
        (0..400).map(|run| twin.live(&recipe, 0, run, &[0.0], |_, _, _| Ok(Vec::new())).unwrap().seen[0].value.ln()).collect();
    let mean = starts.iter().sum::<f64>() / 400.0;
    let sd = (starts.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / 399.0).sqrt();
    // Standard errors: 0.01 and 0.007.
    assert!(mean.abs() < 0.04 && (sd - 0.2).abs() < 0.03, "{mean} {sd}");
}
