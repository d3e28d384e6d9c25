//! The loops hold their set-points under disturbance, at every scale.

use crate::one;
use toji_plant::{Disturbance, DisturbanceKind as D, Loop, Plant, Scale, SetPointChange, Truth};

/// Everything from outside, once the culture breathes.
fn disturbances() -> Vec<Disturbance> {
    let d = |at_h, for_h, kind| Disturbance { at_h, for_h, kind };
    vec![
        d(5.0, 0.0, D::AcidPulse { mmol_per_l: 3.0 }),
        d(5.5, 0.5, D::WarmCoolingWater { kelvin: 8.0 }),
        d(6.5, 0.5, D::Heat { w_per_l: 5.0 }),
        d(7.0, 0.3, D::StirrerLoad { share: 0.15 }),
        d(7.5, 0.3, D::GasSupply { share: 0.7 }),
        d(12.0, 0.0, D::GlucosePulse { g_per_l: 0.5 }),
    ]
}

/// Largest and mean deviation of something from its set-point between two times, sampled every 10 s.
fn deviation(plant: &mut Plant, from_h: f64, until_h: f64, of: impl Fn(&Truth) -> f64) -> (f64, f64) {
    plant.step((from_h - plant.elapsed_s() / 3600.0) * 3600.0);
    let (mut most, mut sum, mut n) = (0.0f64, 0.0, 0.0);
    while plant.elapsed_s() < until_h * 3600.0 {
        plant.step(10.0);
        let d = of(&plant.truth(0).unwrap()).abs();
        most = most.max(d);
        sum += d;
        n += 1.0;
    }
    (most, sum / n)
}

#[test]
fn ph_temperature_oxygen_and_stirrer_stay_at_their_set_points_under_disturbance() {
    for scale in [Scale::L025, Scale::L1, Scale::L30, Scale::L3000] {
        let plant = || one(scale, |r| r.recipe.disturbances = disturbances());
        let ph = deviation(&mut plant(), 2.0, 12.0, |t| t.ph - 7.0);
        let temperature = deviation(&mut plant(), 2.0, 12.0, |t| t.temperature_c - 37.0);
        // From when the culture asks for more than the lowest stirring gives, until the glucose is gone.
        let oxygen = deviation(&mut plant(), 6.0, 8.0, |t| t.oxygen_percent - 30.0);
        println!("{scale:?} pH {ph:.3?} T {temperature:.3?} DO {oxygen:.2?}");
        assert!(ph.0 < 0.25 && ph.1 < 0.04, "{scale:?}: pH {ph:?}");
        assert!(temperature.0 < 0.6 && temperature.1 < 0.1, "{scale:?}: temperature {temperature:?}");
        assert!(oxygen.0 < 20.0 && oxygen.1 < 3.0, "{scale:?}: oxygen {oxygen:?}");
        // The drive holds the stirrer where it is told, against the load.
        let mut held = one(scale, |r| {
            r.recipe.cascade = false;
            r.recipe.agitation_share = 0.5;
            r.recipe.disturbances = disturbances();
        });
        let v = *held.vessel(0).unwrap();
        let asked = v.agitation_min_per_min + 0.5 * (v.agitation_max_per_min - v.agitation_min_per_min);
        let stirrer = deviation(&mut held, 1.0, 9.0, |t| t.agitation_per_min / asked - 1.0);
        assert!(stirrer.0 < 0.2 && stirrer.1 < 0.01, "{scale:?}: stirrer {stirrer:?}");
    }
}

#[test]
fn new_set_points_are_reached() {
    let change = |at_h, of, value| SetPointChange { at_h, of, value };
    let mut plant = one(Scale::L1, |r| {
        r.recipe.set_points =
            vec![change(3.0, Loop::Temperature, 30.0), change(4.0, Loop::Ph, 6.7), change(5.0, Loop::Agitation, 900.0)];
    });
    plant.step(5.5 * 3600.0);
    let t = plant.truth(0).unwrap();
    assert!((t.temperature_c - 30.0).abs() < 0.2 && (t.ph - 6.7).abs() < 0.06, "{t:?}");
    assert!((t.agitation_per_min - 900.0).abs() < 10.0, "{t:?}");
}
