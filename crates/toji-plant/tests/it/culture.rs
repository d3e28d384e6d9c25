//! The culture: balances, growth, scales, determinism.

use crate::one;
use proptest::prelude::*;
use toji_core::Instant;
use toji_plant::{
    Command, Disturbance, DisturbanceKind, FeedPlan, FeedStart, FeedStep, OrganismName, Plant, PlantConfig, Recipe, Scale,
    SignalId, Stage, Truth,
};

fn hourly(plant: &mut Plant, hours: usize) -> Vec<Truth> {
    (0..hours)
        .map(|_| {
            plant.step(3600.0);
            plant.truth(0).unwrap()
        })
        .collect()
}

#[test]
fn a_fed_batch_of_coli_goes_as_such_fed_batches_go() {
    for scale in [Scale::L025, Scale::L1, Scale::L30, Scale::L3000] {
        let mut plant = one(scale, |_| {});
        let path = hourly(&mut plant, 24);
        for t in &path {
            println!(
                "{scale:?} {:4.1} X {:6.2} S {:6.3} A {:5.2} pH {:.2} T {:.2} DO {:5.1} N {:5.0} F {:.2} xO2 {:.1} OUR {:5.1} kLa {:6.1} feed {:8.1} base {:7.1} acid {:6.1} NH4 {:5.1} V {:.3} foam {:.0} mu {:.3} out {:.2}/{:.2}",
                t.elapsed_h,
                t.biomass_g_per_l,
                t.glucose_g_per_l,
                t.overflow_g_per_l,
                t.ph,
                t.temperature_c,
                t.oxygen_percent,
                t.agitation_per_min,
                t.gas_l_per_min,
                t.inlet_oxygen_percent,
                t.our_mmol_per_l_h,
                t.kla_per_h,
                t.feed_ml,
                t.base_ml,
                t.acid_ml,
                t.ammonium_mmol_per_l,
                t.volume_l,
                t.foam_percent,
                t.growth_per_h,
                t.exit_oxygen_percent,
                t.exit_co2_percent
            );
        }
        let last = path[23];
        assert!((20.0..70.0).contains(&last.biomass_g_per_l), "{scale:?}: {last:?}");
        assert!(path.iter().any(|t| t.overflow_g_per_l > 0.5), "{scale:?}: overflow in the batch phase");
        assert!(last.feed_ml > 0.0 && last.base_ml > 0.0, "{scale:?}: {last:?}");
        assert!((last.ph - 7.0).abs() < 0.1 && (last.temperature_c - 37.0).abs() < 0.3, "{scale:?}: {last:?}");
        // Overall yield of biomass on glucose.
        let volume = plant.vessel(0).unwrap().volume_start_l;
        let glucose = 15.0 * volume + last.feed_ml * 0.5 - last.glucose_g_per_l * last.volume_l;
        let yield_xs = last.biomass_g_per_l * last.volume_l / glucose;
        assert!((0.3..0.5).contains(&yield_xs), "{scale:?}: yield {yield_xs}");
    }
}

#[test]
fn yeast_makes_ethanol_and_eats_it() {
    let mut plant = one(Scale::L1, |r| {
        r.organism = OrganismName::Yeast;
        r.recipe.temperature_c = 30.0;
        r.recipe.ph = 5.0;
        r.recipe.feed = FeedPlan::None;
    });
    let path = hourly(&mut plant, 24);
    let most = path.iter().map(|t| t.overflow_g_per_l).fold(0.0, f64::max);
    assert!((3.0..7.0).contains(&most), "ethanol {most}");
    assert!(path[23].overflow_g_per_l < 0.5 * most);
}

#[test]
fn the_integrator_is_fine_enough() {
    let run = |step: f64| {
        let mut plant = one(Scale::L1, |r| {
            r.recipe.feed = FeedPlan::Exponential { growth_rate_per_h: 0.15, start: FeedStart::Hour { h: 10.0 } }
        });
        for _ in 0..(16.0 * 3600.0 / step) as u64 {
            plant.step(step);
        }
        plant.truth(0).unwrap().biomass_g_per_l
    };
    let (coarse, fine) = (run(1.0), run(0.5));
    assert!((coarse / fine - 1.0).abs() < 1e-3, "{coarse} {fine}");
}

#[test]
fn a_feed_in_steps_gives_what_its_steps_say() {
    let mut plant = one(Scale::L1, |r| {
        let steps = [(2.0, 5.0), (4.0, 0.0), (5.0, 20.0), (6.0, 60.0)];
        let steps = steps.into_iter().map(|(from_h, rate_ml_per_l_h)| FeedStep { from_h, rate_ml_per_l_h }).collect();
        r.recipe.feed = FeedPlan::Steps { steps };
    });
    let fed: Vec<f64> = hourly(&mut plant, 6).iter().map(|t| t.feed_ml).collect();
    // mL: half a litre at the rates, hour by hour.
    for (fed, wanted) in fed.iter().zip([0.0, 0.0, 2.5, 5.0, 5.0, 15.0]) {
        assert!((fed - wanted).abs() < 0.02, "{fed} instead of {wanted}");
    }
    // A person holds it, and lets half of it flow.
    plant.command(0, Command::Feed { on: false }, None).unwrap();
    let held = hourly(&mut plant, 1)[0].feed_ml;
    assert!((held - 15.0).abs() < 0.1, "{held}");
    plant.command(0, Command::Feed { on: true }, None).unwrap();
    plant.command(0, Command::FeedShare { share: 0.5 }, None).unwrap();
    let half = hourly(&mut plant, 1)[0].feed_ml - held;
    assert!((half - 15.0).abs() < 0.05, "{half}");
    let starts = plant.take_happenings().iter().filter(|h| format!("{:?}", h.what).contains("feed started")).count();
    assert_eq!(starts, 1);
}

#[test]
fn the_same_seed_gives_the_same_plant_however_time_is_cut() {
    let start = Instant::parse("2026-10-05T00:00:00Z").unwrap();
    let config = PlantConfig::parallel("P", start, Scale::L025, 3);
    let run = |seed: u64, step: f64| {
        let mut plant = Plant::new(config.clone(), seed).unwrap();
        for _ in 0..(7200.0 / step) as u64 {
            plant.step(step);
        }
        let readings: Vec<_> = (0..3).flat_map(|r| plant.read(r)).map(|r| (r.t_ns, r.value)).collect();
        (readings, plant.truth(1).unwrap())
    };
    assert_eq!(run(5, 1.0), run(5, 60.0));
    assert_ne!(run(5, 60.0).0, run(6, 60.0).0);
}

#[test]
fn a_plant_that_waits_does_nothing_by_itself_and_all_it_is_told() {
    let mut plant = one(Scale::L1, |r| r.recipe = Recipe::waiting());
    plant.step(36.0 * 3600.0);
    let truth = plant.truth(0).unwrap();
    assert_eq!((plant.stage(0), truth.age_h, truth.feed_ml), (Some(Stage::Ready), None, 0.0));
    assert!((truth.temperature_c - 37.0).abs() < 0.2 && (truth.ph - 7.0).abs() < 0.1, "the loops work: {truth:?}");
    plant.command(0, Command::Inoculate, None).unwrap();
    assert_eq!(plant.stage(0), Some(Stage::Running));
    // A rate that is set flows as set: 6 mL/h for two hours.
    plant.command(0, Command::FeedRate { ml_per_h: 6.0 }, None).unwrap();
    plant.step(7200.0);
    assert!((plant.truth(0).unwrap().feed_ml - 12.0).abs() < 0.02, "{}", plant.truth(0).unwrap().feed_ml);
    plant.command(0, Command::Feed { on: false }, None).unwrap();
    plant.step(3600.0);
    assert!((plant.truth(0).unwrap().feed_ml - 12.0).abs() < 0.02);
    // 0.5 L of medium are fed 30 mL/h at most.
    assert_eq!(plant.command(0, Command::FeedRate { ml_per_h: 30.5 }, None).unwrap_err().code(), "E-PLANT-004");
    plant.command(0, Command::Stop, None).unwrap();
    assert_eq!((plant.stage(0), plant.stage(1)), (Some(Stage::Ended), None));
}

#[test]
fn commands_are_done_and_senseless_ones_refused() {
    let mut plant = one(Scale::L1, |r| r.recipe.inoculate_at_h = 5.0);
    plant.command(0, Command::Inoculate, Some("early")).unwrap();
    assert_eq!(plant.command(0, Command::Inoculate, None).unwrap_err().code(), "E-PLANT-004");
    let before = plant.truth(0).unwrap().volume_l;
    plant.command(0, Command::Sample { ml: 5.0 }, None).unwrap();
    assert!((before - plant.truth(0).unwrap().volume_l - 0.005).abs() < 1e-12);
    assert_eq!(plant.command(0, Command::Sample { ml: 5000.0 }, None).unwrap_err().code(), "E-PLANT-004");
    assert_eq!(plant.command(9, Command::Stop, None).unwrap_err().code(), "E-PLANT-005");
    plant.command(0, Command::Feed { on: true }, None).unwrap();
    plant.step(600.0);
    assert!(plant.truth(0).unwrap().feed_ml > 0.0);
    plant.command(0, Command::Stop, None).unwrap();
    assert_eq!(plant.command(0, Command::Feed { on: true }, None).unwrap_err().code(), "E-PLANT-004");
    let labels: Vec<String> = plant
        .take_happenings()
        .into_iter()
        .filter_map(|h| if let toji_plant::What::Event(e) = h.what { Some(e.sort) } else { None })
        .collect();
    assert_eq!(labels, ["start", "inoculation", "sample", "step", "stop"]);
    assert!(plant.take_happenings().is_empty());
    assert!(plant.read(0)[SignalId::Weight.index()].value.is_some() && plant.read(1).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn carbon_and_volume_are_accounted_for(
        glucose in 0.0..60.0f64, biomass in 0.05..20.0f64, growth in 0.0..0.4f64, temperature in 15.0..45.0f64,
        acid in 0.0..20.0f64, pulse in 0.0..10.0f64, gas in 0.0..1.0f64, yeast: bool, seed: u64,
    ) {
        let start = Instant::parse("2026-10-05T00:00:00Z").unwrap();
        let mut config = PlantConfig::parallel("P", start, Scale::L1, 1);
        let r = &mut config.reactors[0];
        if yeast { r.organism = OrganismName::Yeast; }
        r.faults_per_day = 10.0;
        r.recipe.glucose_g_per_l = glucose;
        r.recipe.biomass_g_per_l = biomass;
        r.recipe.temperature_c = temperature;
        r.recipe.feed = FeedPlan::Exponential { growth_rate_per_h: growth, start: FeedStart::Hour { h: 1.0 } };
        r.recipe.disturbances = vec![
            Disturbance { at_h: 2.0, for_h: 0.0, kind: DisturbanceKind::AcidPulse { mmol_per_l: acid } },
            Disturbance { at_h: 3.0, for_h: 0.0, kind: DisturbanceKind::GlucosePulse { g_per_l: pulse } },
            Disturbance { at_h: 1.5, for_h: 2.0, kind: DisturbanceKind::GasSupply { share: gas } },
        ];
        let mut plant = Plant::new(config, seed).unwrap();
        for _ in 0..60 {
            plant.step(300.0);
            let t = plant.truth(0).unwrap();
            let numbers = [t.biomass_g_per_l, t.glucose_g_per_l, t.overflow_g_per_l, t.product_g_per_l, t.ammonium_mmol_per_l,
                t.carbonate_mmol_per_l, t.oxygen_percent, t.volume_l, t.foam_percent, t.exit_oxygen_percent, t.exit_co2_percent];
            prop_assert!(numbers.iter().all(|n| n.is_finite() && *n >= -1e-9), "{t:?}");
            prop_assert!((0.5..13.5).contains(&t.ph) && (0.0..80.0).contains(&t.temperature_c), "{t:?}");
            prop_assert!(t.carbon_gap_mmol.abs() < 1e-6, "carbon {}", t.carbon_gap_mmol);
            prop_assert!(t.volume_gap_l.abs() < 1e-9, "volume {}", t.volume_gap_l);
        }
    }
}

#[test]
fn an_operator_smells_acetate_feeds_less_and_the_acetate_goes() {
    let run = |acts: bool| {
        let mut plant = one(Scale::L1, |r| {
            r.recipe.feed = FeedPlan::Exponential { growth_rate_per_h: 0.42, start: FeedStart::OxygenRise };
            r.recipe.stop_at_h = 18.0;
            r.operator = Some(toji_plant::OperatorConfig { acts, ..Default::default() });
        });
        // Mean acetate from the start of the feed, which comes at about nine hours, on.
        let path = hourly(&mut plant, 17);
        let mean = path.iter().skip(9).map(|t| t.overflow_g_per_l).sum::<f64>() / 8.0;
        (mean, plant.take_happenings())
    };
    let (left, _) = run(false);
    let (cared, happenings) = run(true);
    assert!(cared < 0.6 * left, "{cared} {left}");
    // Every decision follows from what was sensed at that minute, by the rule.
    let mut acid = 0;
    let mut lowered = 0;
    for h in &happenings {
        match &h.what {
            toji_plant::What::Observation(s) if s.term == Some("sake:830") && s.blind_sample.is_none() => acid = s.level,
            toji_plant::What::Decision(d) if d.action == "feed-less" => {
                lowered += 1;
                assert!(acid >= toji_plant::CRAFT.acid_less_feed, "{d:?}");
                assert!(d.seen.contains(&format!("酸臭 {acid}")), "{d:?}");
            }
            _ => {}
        }
    }
    assert!(lowered > 0);
    // The command left an event with the reason.
    assert!(happenings.iter().any(
        |h| matches!(&h.what, toji_plant::What::Event(e) if e.sort == "setpoint" && e.reason.as_deref().is_some_and(|r| r.contains("酢酸")))
    ));
}
