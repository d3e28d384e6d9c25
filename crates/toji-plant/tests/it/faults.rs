//! Faults show in what the devices say and not in the truth, at the times of their labels.

use crate::one;
use toji_core::{Instant, Status};
use toji_plant::{Fault, FaultKind, Plant, PlantConfig, Scale, SignalId};

fn with(from_h: f64, until_h: f64, kind: FaultKind) -> Plant {
    one(Scale::L1, |r| r.faults.push(Fault { from_h, until_h, kind }))
}

fn said(plant: &Plant, reactor: usize, signal: SignalId) -> Option<f64> {
    plant.read(reactor)[signal.index()].value
}

#[test]
fn a_stuck_probe_keeps_its_value_and_the_loop_follows_it() {
    let signal = SignalId::Temperature;
    let mut plant = with(0.1, 1.0, FaultKind::Stuck { signal });
    plant.step(0.5 * 3600.0);
    let kept = said(&plant, 0, signal);
    plant.step(600.0);
    assert_eq!(said(&plant, 0, signal), kept);
    // It stuck while heating up: the controller went on heating.
    assert!(plant.truth(0).unwrap().temperature_c > 40.0);
    plant.step(3600.0);
    assert!((said(&plant, 0, signal).unwrap() - plant.truth(0).unwrap().temperature_c).abs() < 0.3);
}

#[test]
fn a_drifting_probe_leaves_the_truth() {
    let signal = SignalId::DissolvedOxygen;
    let mut plant = with(1.0, 20.0, FaultKind::Drift { signal, per_h: -5.0 });
    plant.step(2.5 * 3600.0);
    let gap = said(&plant, 0, signal).unwrap() - plant.truth(0).unwrap().oxygen_percent;
    assert!((gap + 7.5).abs() < 4.0, "{gap}");
}

#[test]
fn a_drop_out_has_no_value_and_bad_quality() {
    let mut plant = with(0.1, 0.2, FaultKind::DropOut { signal: SignalId::Ph });
    plant.step(500.0);
    let reading = plant.read(0)[SignalId::Ph.index()];
    assert_eq!((reading.value, reading.quality.status), (None, Status::Bad));
    plant.step(400.0);
    assert!(plant.read(0)[SignalId::Ph.index()].quality.is_good());
}

#[test]
fn spikes_come_and_go() {
    let mut plant = with(0.5, 1.5, FaultKind::Spikes { signal: SignalId::Temperature, size: 20.0 });
    plant.step(1800.0);
    let mut spikes = 0;
    for _ in 0..3600 {
        plant.step(1.0);
        if (said(&plant, 0, SignalId::Temperature).unwrap() - plant.truth(0).unwrap().temperature_c).abs() > 10.0 {
            spikes += 1;
        }
    }
    assert!((30..100).contains(&spikes), "{spikes}");
}

#[test]
fn swapped_probes_tell_of_each_other() {
    let mut config = PlantConfig::parallel("P", Instant(0), Scale::L1, 2);
    config.reactors[1].recipe.temperature_c = 28.0;
    let kind = FaultKind::Swapped { signal: SignalId::OffgasCo2, with: 1 };
    config.reactors[0].faults.push(Fault { from_h: 0.0, until_h: 9.0, kind });
    config.reactors[1].recipe.biomass_g_per_l = 8.0;
    let mut plant = Plant::new(config, 1).unwrap();
    plant.step(3.0 * 3600.0);
    assert!(said(&plant, 0, SignalId::OffgasCo2).unwrap() > 3.0 * said(&plant, 1, SignalId::OffgasCo2).unwrap());
    assert!(plant.truth(0).unwrap().exit_co2_percent < plant.truth(1).unwrap().exit_co2_percent);
}

#[test]
fn a_blocked_feed_is_counted_but_does_not_flow() {
    let mut plant = one(Scale::L1, |r| {
        let start = toji_plant::FeedStart::Hour { h: 1.0 };
        r.recipe.feed = toji_plant::FeedPlan::Constant { rate_ml_per_l_h: 10.0, start };
        r.faults.push(Fault { from_h: 2.0, until_h: 3.0, kind: FaultKind::FeedBlocked });
    });
    plant.step(4.0 * 3600.0);
    let (counted, flowed) = (said(&plant, 0, SignalId::FeedTotal).unwrap(), plant.truth(0).unwrap().feed_ml);
    assert!((counted - 15.0).abs() < 0.1 && (flowed - 10.0).abs() < 0.1, "{counted} {flowed}");
}

#[test]
fn a_re_zeroed_totaliser_counts_from_zero() {
    let signal = SignalId::BaseTotal;
    let mut plant = with(4.0, 4.1, FaultKind::ReZeroed { signal });
    plant.step(4.0 * 3600.0 - 10.0);
    let before = said(&plant, 0, signal).unwrap();
    assert!(before > 0.5, "{before}");
    plant.step(20.0);
    assert!(said(&plant, 0, signal).unwrap() < 0.2);
    plant.step(7200.0);
    let truth = plant.truth(0).unwrap().base_ml;
    let shown = said(&plant, 0, signal).unwrap();
    assert!((truth - before - shown).abs() < 0.2, "{truth} {before} {shown}");
}

#[test]
fn a_wrong_clock_moves_the_times_and_nothing_else() {
    let mut plant = with(1.0, 2.0, FaultKind::ClockOffset { seconds: 90.0 });
    let mut drifting = with(1.0, 3.0, FaultKind::ClockDrift { ppm: 1000.0 });
    let error = |plant: &Plant| (plant.read(0)[0].t_ns - plant.now().0) as f64 / 1e9;
    plant.step(1800.0);
    assert_eq!(error(&plant), 0.0);
    plant.step(3600.0);
    drifting.step(2.0 * 3600.0);
    assert_eq!(error(&plant), 90.0);
    assert!((error(&drifting) - 3.6).abs() < 0.01, "{}", error(&drifting));
}
