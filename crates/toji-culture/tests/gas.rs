//! Gas uptake: solubility, transfer, balances and sensors, beside published values and closed balances.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use toji_core::chance::Chance;
use toji_culture::gas::Known;
use toji_culture::gas::balance::{Analysis, Streams, electron_gap, monte_carlo, rates};
use toji_culture::gas::henry::{Gas, kla_from_oxygen, solubility};
use toji_culture::gas::sensor::{Flow, Humidity, Reading, Shown, dry_flow, dry_fraction, saturation_pa};
use toji_culture::gas::transfer::{Offer, uptake};
use toji_culture::rates::{MOLAR_L_PER_MOL, Moment, exchange};

#[track_caller]
fn near(found: f64, wanted: f64, relative: f64) {
    assert!((found / wanted - 1.0).abs() <= relative, "{found} instead of {wanted}");
}

fn analysis(shares: [f64; 4], error: f64, measured: bool) -> Analysis {
    Analysis {
        hydrogen: Known::new(shares[0], error),
        oxygen: Known::new(shares[1], error),
        carbon_dioxide: Known::new(shares[2], error),
        inert: measured.then(|| Known::new(shares[3], error)),
    }
}

/// Gas out of a culture that takes up `taken` mol/h of H2, O2 and CO2 from `inlet`.
fn closed(flow: f64, inlet: [f64; 4], taken: [f64; 3], error: f64, measured: bool) -> Streams {
    let moles: Vec<f64> = (0..4).map(|i| flow * inlet[i] - taken.get(i).copied().unwrap_or(0.0)).collect();
    let all: f64 = moles.iter().sum();
    let outlet = [moles[0] / all, moles[1] / all, moles[2] / all, moles[3] / all];
    Streams {
        flow_mol_per_h: Known::new(flow, error * flow),
        inlet: analysis(inlet, error * 0.1, measured),
        outlet: analysis(outlet, error * 0.1, measured),
        volume_l: Known::new(2.0, 2.0 * error),
    }
}

/// Water saturated with air at 1 atm (B. B. Benson and D. Krause, Limnol. Oceanogr. 29 (1984) 620, as in the USGS tables):
/// 8.26 mg/L at 25 °C, 7.56 at 30 °C, 6.95 at 35 °C. The compilation's two digits are good to 4 %.
#[test]
fn oxygen_in_water_as_in_the_tables() {
    for (celsius, mg_per_l) in [(25.0, 8.26), (30.0, 7.56), (35.0, 6.95)] {
        let dissolved = solubility(Gas::Oxygen, celsius + 273.15) * 0.2095 * (101_325.0 - saturation_pa(celsius)) * 31.998;
        near(dissolved, mg_per_l, 0.04);
    }
    assert!(solubility(Gas::CarbonDioxide, 298.15) / solubility(Gas::Oxygen, 298.15) > 20.0);
    // Hydrogen diffuses faster, carbon dioxide slower than oxygen: (4.50/2.10)^½ and (1.92/2.10)^½.
    near(kla_from_oxygen(Gas::Hydrogen, 100.0), 146.385_01, 1e-6);
    near(kla_from_oxygen(Gas::CarbonDioxide, 100.0), 95.618_29, 1e-6);
}

/// Vapour pressure of water (IAPWS): 2.3393, 4.2470 and 6.2823 kPa at 20, 30 and 37 °C.
#[test]
fn vapour_as_in_the_tables() {
    for (celsius, kpa) in [(20.0, 2.3393), (30.0, 4.2470), (37.0, 6.2823)] {
        near(saturation_pa(celsius), kpa * 1e3, 4e-3);
    }
}

/// One gas, 10 % CO2 of the dry gas at 35 °C and 110 kPa, as four sensors show it.
#[test]
fn sensors_of_different_kinds_agree() {
    let vapour = saturation_pa(35.0) * 1e-3;
    let wet = Humidity::Wet { relative: 1.0, temperature_c: 35.0 };
    let pressure_kpa = Known::exact(110.0);
    let in_wet = 0.10 * (110.0 - vapour) / 110.0;
    let exact = Known::exact;
    for reading in [
        Reading { shown: Shown::VolumePercent(exact(10.0)), pressure_kpa, humidity: Humidity::Dry },
        Reading { shown: Shown::VolumePercent(exact(in_wet * 100.0)), pressure_kpa, humidity: wet },
        Reading { shown: Shown::PartialPressure(exact(in_wet * 110.0)), pressure_kpa, humidity: wet },
        Reading { shown: Shown::PartialPressure(exact(9.0)), pressure_kpa: exact(90.0), humidity: Humidity::Dry },
    ] {
        near(dry_fraction(&reading).unwrap().value, 0.10, 1e-12);
    }
    // Taking a wet reading for a dry one costs more than 5 %: why humidity is asked for.
    assert!(1.0 - in_wet / 0.10 > 0.05);
    // The uncertainty of the pressure goes into a partial pressure, not into dry per cents.
    let unsure = Known::new(110.0, 1.1);
    let by_pressure = Reading { shown: Shown::PartialPressure(exact(11.0)), pressure_kpa: unsure, humidity: Humidity::Dry };
    near(dry_fraction(&by_pressure).unwrap().error, 0.001, 1e-4);
    let by_volume = Reading { shown: Shown::VolumePercent(exact(10.0)), pressure_kpa: unsure, humidity: Humidity::Dry };
    assert!(dry_fraction(&by_volume).unwrap().error < 1e-12);
    let impossible = Reading { shown: Shown::PartialPressure(exact(120.0)), pressure_kpa, humidity: Humidity::Dry };
    assert_eq!(dry_fraction(&impossible).unwrap_err().code(), "E-GAS-002");
    // A mole at 0 °C and at 25 °C; and with vapour.
    let flow = |l: f64, c: f64, humidity| Flow { l_per_min: exact(l), reference_c: c, reference_kpa: 101.325, humidity };
    near(dry_flow(&flow(MOLAR_L_PER_MOL, 0.0, Humidity::Dry)).unwrap().value, 60.0, 1e-9);
    near(dry_flow(&flow(MOLAR_L_PER_MOL * 298.15 / 273.15, 25.0, Humidity::Dry)).unwrap().value, 60.0, 1e-9);
    let damp = Humidity::Wet { relative: 0.5, temperature_c: 25.0 };
    let less = dry_flow(&flow(MOLAR_L_PER_MOL * 298.15 / 273.15, 25.0, damp)).unwrap().value;
    near(less, 60.0 * (1.0 - 0.5 * saturation_pa(25.0) / 101_325.0), 1e-9);
}

#[test]
fn a_closed_balance_gives_back_what_was_taken() {
    for (inlet, taken) in [
        ([0.60, 0.02, 0.10, 0.28], [2.1, 0.15, 0.4]),
        ([0.0, 0.2095, 0.0004, 0.7901], [0.0, 0.3, -0.3]),
        ([0.30, 0.30, 0.30, 0.10], [1.5, 0.4, 0.35]),
    ] {
        for measured in [true, false] {
            let found = rates(&closed(10.0, inlet, taken, 0.0, measured)).unwrap();
            for (rate, mol) in [found.hydrogen, found.oxygen, found.carbon_dioxide].into_iter().zip(taken) {
                assert!((rate.value - 1e3 * mol / 2.0).abs() < 1e-9, "{rate:?} {mol}");
                assert_eq!(rate.error, 0.0);
            }
            assert!((found.carbon_dioxide_kg_per_h.value - 0.044_009 * taken[2]).abs() < 1e-12);
            assert_eq!(found.closed, measured.then_some(true));
        }
    }
    // The same numbers as the balance of the standard analysis, for air.
    let m = Moment { flow_l_per_h: 600.0, oxygen_in: 0.2095, co2_in: 0.00042, oxygen_out: 0.19, co2_out: 0.0195, volume_l: 10.0 };
    let (our, cer) = exchange(&m).unwrap();
    let side = |oxygen: f64, co2: f64| analysis([0.0, oxygen, co2, 0.0], 0.0, false);
    let streams = Streams {
        flow_mol_per_h: Known::exact(600.0 / MOLAR_L_PER_MOL),
        inlet: side(0.2095, 0.00042),
        outlet: side(0.19, 0.0195),
        volume_l: Known::exact(10.0),
    };
    let found = rates(&streams).unwrap();
    near(found.oxygen.value, our, 1e-12);
    near(-found.carbon_dioxide.value, cer, 1e-12);
}

#[test]
fn first_order_errors_are_those_of_monte_carlo() {
    for measured in [true, false] {
        let streams = closed(10.0, [0.60, 0.02, 0.10, 0.28], [2.1, 0.15, 0.4], 0.01, measured);
        let found = rates(&streams).unwrap();
        let drawn = monte_carlo(&streams, 40_000, 3).unwrap();
        for (first, drawn) in [found.hydrogen, found.oxygen, found.carbon_dioxide].into_iter().zip(drawn) {
            // The standard deviation of 40,000 draws is known to 0.35 %; curvature adds a little.
            near(first.error, drawn.error, 0.03);
            assert!((first.value - drawn.value).abs() < 0.05 * first.error, "{first:?} {drawn:?}");
        }
    }
    // An analysis whose shares do not make a whole is said not to close.
    let mut streams = closed(10.0, [0.60, 0.02, 0.10, 0.28], [2.1, 0.15, 0.4], 0.01, true);
    streams.outlet.inert = streams.outlet.inert.map(|k| Known::new(k.value + 0.02, k.error));
    assert_eq!(rates(&streams).unwrap().closed, Some(false));
}

/// A. Ishizaki and K. Tanaka, J. Ferment. Bioeng. 69 (1990) 170, for a hydrogen-oxidising bacterium:
/// 21.36 H2 + 6.21 O2 + 4.09 CO2 + 0.76 NH3 → C4.09 H7.13 O1.89 N0.76 + 18.7 H2O.
#[test]
fn electrons_of_a_published_stoichiometry() {
    let streams = closed(10.0, [0.60, 0.10, 0.10, 0.20], [2.136, 0.621, 0.409], 0.002, true);
    let electrons = (4.0 * 4.09 + 7.13 - 2.0 * 1.89 - 3.0 * 0.76) / 4.09;
    let gap = electron_gap(&rates(&streams).unwrap(), electrons).unwrap();
    // By hand: 1 − (24.84 + 17.43)/42.72 = 0.010534: the published formula closes to about a per cent.
    near(gap.value, 0.010_533_7, 1e-4);
    assert!(gap.error > 0.0 && gap.value < 3.0 * gap.error);
}

#[test]
fn what_cannot_be_balanced_is_refused() {
    let sound = closed(10.0, [0.60, 0.02, 0.10, 0.28], [2.1, 0.15, 0.4], 0.01, true);
    let one_sided = Streams { inlet: Analysis { inert: None, ..sound.inlet }, ..sound };
    let no_inert = closed(10.0, [0.70, 0.20, 0.0999, 0.0001], [1.0, 0.3, 0.2], 0.0, true);
    for bad in [
        one_sided,
        no_inert,
        Streams { flow_mol_per_h: Known::exact(0.0), ..sound },
        Streams { volume_l: Known::exact(f64::NAN), ..sound },
    ] {
        assert_eq!(rates(&bad).unwrap_err().code(), "E-GAS-003");
    }
}

/// Two projects measure one culture: one with dry per cents and a flow meter at 0 °C, one with partial pressures in wet
/// gas and a flow meter at 20 °C. Their uptakes of CO2 must agree within the errors they state, and the errors must be true.
#[test]
fn two_projects_report_comparable_uptake_of_carbon_dioxide() {
    let (taken, flow) = (0.4, 10.0);
    let truth = closed(flow, [0.60, 0.02, 0.10, 0.28], [2.1, 0.15, taken], 0.0, true);
    let shares = |a: &Analysis| [a.hydrogen.value, a.oxygen.value, a.carbon_dioxide.value, a.inert.unwrap().value];
    let mut chance = Chance::new(21);
    let mut apart_by_two = 0;
    let mut covered = 0;
    let n = 1000;
    for _ in 0..n {
        let mut first = |a: &Analysis| {
            let read = shares(a).map(|y| {
                let shown = Shown::VolumePercent(Known::new(y * 100.0 + 0.03 * chance.normal(), 0.03));
                dry_fraction(&Reading { shown, pressure_kpa: Known::exact(101.3), humidity: Humidity::Dry }).unwrap()
            });
            Analysis { hydrogen: read[0], oxygen: read[1], carbon_dioxide: read[2], inert: Some(read[3]) }
        };
        let (inlet, outlet) = (first(&truth.inlet), first(&truth.outlet));
        let l = flow / 60.0 * MOLAR_L_PER_MOL;
        let shown = Known::new(l * (1.0 + 0.005 * chance.normal()), 0.005 * l);
        let meter = Flow { l_per_min: shown, reference_c: 0.0, reference_kpa: 101.325, humidity: Humidity::Dry };
        let one = rates(&Streams { flow_mol_per_h: dry_flow(&meter).unwrap(), inlet, outlet, ..truth }).unwrap();

        let wet = Humidity::Wet { relative: 1.0, temperature_c: 30.0 };
        let dry_kpa = 108.0 - saturation_pa(30.0) * 1e-3;
        let mut second = |a: &Analysis| {
            let read = shares(a).map(|y| {
                let shown = Shown::PartialPressure(Known::new(y * dry_kpa + 0.05 * chance.normal(), 0.05));
                dry_fraction(&Reading { shown, pressure_kpa: Known::exact(108.0), humidity: wet }).unwrap()
            });
            Analysis { hydrogen: read[0], oxygen: read[1], carbon_dioxide: read[2], inert: Some(read[3]) }
        };
        let (inlet, outlet) = (second(&truth.inlet), second(&truth.outlet));
        let l = flow / 60.0 * MOLAR_L_PER_MOL * 293.15 / 273.15;
        let shown = Known::new(l * (1.0 + 0.01 * chance.normal()), 0.01 * l);
        let meter = Flow { l_per_min: shown, reference_c: 20.0, reference_kpa: 101.325, humidity: Humidity::Dry };
        let two = rates(&Streams { flow_mol_per_h: dry_flow(&meter).unwrap(), inlet, outlet, ..truth }).unwrap();

        let (a, b) = (one.carbon_dioxide_kg_per_h, two.carbon_dioxide_kg_per_h);
        apart_by_two += usize::from(a.apart(b) > 1.96);
        covered += usize::from(b.apart(Known::exact(0.044_009 * taken)) <= 1.96);
    }
    // 5 % and 95 % by chance; the standard error of a share of 1,000 is 0.7 %.
    assert!((25..=80).contains(&apart_by_two), "{apart_by_two} of {n} differ");
    assert!((920..=975).contains(&covered), "{covered} of {n} cover the truth");
}

#[test]
fn uptake_is_limited_by_transfer_when_it_should_be() {
    let offers = |oxygen_bar: f64| {
        [
            Offer { gas: Gas::Hydrogen, kinetic_mmol_per_l_h: 213.6, partial_bar: 0.8, least_mmol_per_l: 0.0 },
            Offer { gas: Gas::Oxygen, kinetic_mmol_per_l_h: 62.1, partial_bar: oxygen_bar, least_mmol_per_l: 0.01 },
            Offer { gas: Gas::CarbonDioxide, kinetic_mmol_per_l_h: 40.9, partial_bar: 0.1, least_mmol_per_l: 0.0 },
        ]
    };
    // Oxygen at 0.04 bar and kLa 300 1/h gives 300·(0.0478 − 0.01) ≈ 11 mmol/(L·h): it limits.
    let found = uptake(&offers(0.04), 300.0, 30.0).unwrap();
    assert_eq!(found.limited_by, Some(Gas::Oxygen));
    let oxygen = found.gases[1];
    near(oxygen.uptake_mmol_per_l_h, 300.0 * (oxygen.saturation_mmol_per_l - 0.01), 1e-12);
    near(found.gases[0].uptake_mmol_per_l_h / found.gases[1].uptake_mmol_per_l_h, 213.6 / 62.1, 1e-12);
    // More kLa, more uptake in proportion, until hydrogen or the cells limit.
    near(uptake(&offers(0.04), 600.0, 30.0).unwrap().share, 2.0 * found.share, 1e-12);
    assert_eq!(uptake(&offers(0.9), 100.0, 30.0).unwrap().limited_by, Some(Gas::Hydrogen));
    let free = uptake(&offers(0.9), 5000.0, 30.0).unwrap();
    assert_eq!((free.limited_by, free.share, free.gases[2].uptake_mmol_per_l_h), (None, 1.0, 40.9));
    assert_eq!(uptake(&offers(-1.0), 300.0, 30.0).unwrap_err().code(), "E-GAS-001");
    assert_eq!(uptake(&offers(0.1), 300.0, 300.0).unwrap_err().code(), "E-GAS-001");
}
