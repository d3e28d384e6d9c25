//! Driving forces and energies against `mdf_glycolysis.json` (scipy with HiGHS) and `thermo_equilibrator.json`
//! (eQuilibrator 0.8.1).

use super::shared;
use serde_json::Value;
use toji_flux::lp::Outcome;
use toji_flux::thermo::{Concentration, Direction, Pathway, Ratio, Step, driving_force, energies, restrict, thermal_energy};
use toji_flux::{Column, Network, Sense};

/// Reactions of the reference by name, with the names of their compounds; water is left out.
fn steps(names: &[&str], reference: &Value) -> (Vec<Step>, Vec<String>) {
    let mut compounds: Vec<String> = Vec::new();
    let steps = names
        .iter()
        .map(|name| {
            let reaction = &reference["reactions"][*name];
            let (left, right) = reaction["formula"].as_str().unwrap().split_once(" = ").unwrap();
            let mut stoichiometry = Vec::new();
            for (side, sign) in [(left, -1.0), (right, 1.0)] {
                for part in side.split(" + ") {
                    let (count, name) = part.split_once(' ').map_or((1.0, part), |(c, n)| (c.parse().unwrap(), n));
                    let name = name.strip_prefix("bigg.metabolite:").unwrap();
                    if name == "h2o" {
                        continue;
                    }
                    let at = compounds.iter().position(|c| c == name).unwrap_or_else(|| {
                        compounds.push(name.to_owned());
                        compounds.len() - 1
                    });
                    stoichiometry.push((at, sign * count));
                }
            }
            let number = |key: &str| reaction[key].as_f64().unwrap();
            Step { stoichiometry, standard: number("dG0prime_kJ"), deviation: number("sd") }
        })
        .collect();
    (steps, compounds)
}

fn references() -> Option<(Value, Value)> {
    let read = |name: &str| shared(name).map(|bytes| serde_json::from_slice(&bytes).unwrap());
    Some((read("mdf_glycolysis.json")?, read("thermo_equilibrator.json")?))
}

/// The pathway of the reference.
fn glycolysis(want: &Value, energies: &Value) -> (Pathway, Vec<String>) {
    let names: Vec<&str> = want["reactions"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    let (steps, names_of) = steps(&names, energies);
    for (step, name) in steps.iter().zip(&names) {
        assert_eq!(step.standard, want["dG0prime"][*name].as_f64().unwrap(), "{name}");
    }
    let bound = |at: usize| want["bounds_M"][at].as_f64().unwrap();
    let compounds = names_of
        .iter()
        .map(|name| match want["fixed_M"][name.as_str()].as_f64() {
            Some(fixed) => Concentration { lower: fixed, upper: fixed },
            None => Concentration { lower: bound(0), upper: bound(1) },
        })
        .collect();
    let thermal = want["RT_kJ"].as_f64().unwrap();
    (Pathway { steps, compounds, ratios: Vec::new(), thermal, spread: 0.0 }, names_of)
}

#[test]
fn glycolysis_has_the_driving_force_of_the_reference() {
    let Some((want, table)) = references() else { return };
    let (pathway, names) = glycolysis(&want, &table);
    let best = driving_force(&pathway).unwrap().unwrap();
    let mdf = want["MDF_kJ_per_mol"].as_f64().unwrap();
    assert!((best.force - mdf).abs() < 1e-9 * mdf, "{} but {mdf}", best.force);
    let least = best.driving.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best.is_feasible() && (least - mdf).abs() < 1e-8, "{:?}", best.driving);
    let shares: f64 = best.bottlenecks.iter().sum();
    assert!((shares - 1.0).abs() < 1e-9 && best.bottlenecks.iter().all(|&b| b > -1e-9));
    for (driving, share) in best.driving.iter().zip(&best.bottlenecks) {
        assert!(*share < 1e-9 || (driving - mdf).abs() < 1e-8);
    }
    // A bottleneck made easier by 0.1 kJ/mol raises the force by its share.
    let tight = (0..best.driving.len()).max_by(|&a, &b| best.bottlenecks[a].total_cmp(&best.bottlenecks[b])).unwrap();
    let mut easier = pathway.clone();
    easier.steps[tight].standard -= 0.1;
    let gain = driving_force(&easier).unwrap().unwrap().force - best.force;
    assert!((gain - 0.1 * best.bottlenecks[tight]).abs() < 1e-9, "{gain}");
    // The gas constant as it is today, and the deviations of the energies, to the pathway's favour.
    let today = Pathway { thermal: thermal_energy(298.15), ..pathway.clone() };
    assert!((driving_force(&today).unwrap().unwrap().force - mdf).abs() < 1e-4);
    let doubtful = Pathway { spread: 1.96, ..pathway.clone() };
    assert!(driving_force(&doubtful).unwrap().unwrap().force > mdf + 0.1);
    // A ratio that binds costs force; one that contradicts the fixed concentrations is a conflict.
    let at = |name: &str| names.iter().position(|n| n == name).unwrap();
    let kept = |over, under, lower, upper| Pathway { ratios: vec![Ratio { over, under, lower, upper }], ..pathway.clone() };
    let bound = driving_force(&kept(at("f6p"), at("g6p"), 1.0, 2.0)).unwrap().unwrap();
    assert!(bound.force < 0.0 && !bound.is_feasible(), "{}", bound.force);
    assert!(matches!(driving_force(&kept(at("atp"), at("adp"), 1.0, 2.0)).unwrap(), Err(Outcome::Infeasible(_))));
    // Gluconeogenesis by the same enzymes is not feasible.
    let mut back = pathway.clone();
    for step in &mut back.steps {
        step.standard = -step.standard;
        step.stoichiometry.iter_mut().for_each(|t| t.1 = -t.1);
    }
    assert!(!driving_force(&back).unwrap().unwrap().is_feasible());
}

#[test]
fn energies_at_one_millimolar_are_those_of_the_reference() {
    let Some((_, table)) = references() else { return };
    let names: Vec<&str> = table["reactions"].as_object().unwrap().keys().map(String::as_str).collect();
    let (steps, compounds) = steps(&names, &table);
    let kelvin = table["conditions"]["T_K"].as_f64().unwrap();
    // The tool of the reference rounds the gas constant to 8.31 J/(mol·K).
    let thermal = 8.31e-3 * kelvin;
    assert!((thermal_energy(kelvin) / thermal - 1.0).abs() < 6e-4);
    let milli = vec![Concentration { lower: 1e-3, upper: 1e-3 }; compounds.len()];
    let found = energies(&steps, &milli, thermal, 0.0).unwrap();
    for ((name, energy), step) in names.iter().zip(&found).zip(&steps) {
        let want = table["reactions"][*name]["dGm_prime_kJ"].as_f64().unwrap();
        assert!((energy.lowest - want).abs() < 1e-9, "{name}: {energy:?} but {want}");
        assert!((energy.highest - energy.lowest).abs() < 1e-12);
        let sure = energies(std::slice::from_ref(step), &milli, thermal, 2.0).unwrap()[0];
        assert!((sure.highest - sure.lowest - 4.0 * step.deviation).abs() < 1e-9);
    }
    // Within 1 µM to 10 mM: hydrolysis of ATP runs one way, isomerisation either way.
    let wide = vec![Concentration { lower: 1e-6, upper: 1e-2 }; compounds.len()];
    let direction = |name: &str| {
        let at = names.iter().position(|n| *n == name).unwrap();
        energies(&steps, &wide, thermal, 1.96).unwrap()[at].direction
    };
    assert_eq!((direction("PGI"), direction("ATPM"), direction("RBPC")), (Direction::Both, Direction::Forward, Direction::Both));
}

#[test]
fn directions_narrow_bounds_and_wrong_numbers_are_refused() {
    let column = Column { stoichiometry: &[(0, 1.0)], lower: -5.0, upper: 5.0, objective: 0.0 };
    let network = Network::new(1, Sense::Maximize, [column.clone(), column.clone(), column]).unwrap();
    let step = |standard| Step { stoichiometry: vec![(0, -1.0), (1, 1.0), (0, 0.0)], standard, deviation: 0.0 };
    let compounds = [Concentration { lower: 1e-3, upper: 1e-2 }; 2];
    let found = energies(&[step(-20.0), step(20.0), step(1.0)], &compounds, 2.5, 0.0).unwrap();
    let span = 2.5 * 10_f64.ln();
    assert!((found[2].lowest - (1.0 - span)).abs() < 1e-12 && (found[2].highest - (1.0 + span)).abs() < 1e-12);
    let numbered: Vec<_> = found.iter().copied().enumerate().collect();
    let narrowed = restrict(&network, &numbered).unwrap();
    assert_eq!((narrowed.lower, narrowed.upper), (vec![0.0, -5.0, -5.0], vec![5.0, 0.0, 5.0]));
    assert_eq!(restrict(&network, &[(9, found[0])]).unwrap_err().code(), "E-FLUX-034");
    let zero = [Concentration { lower: 0.0, upper: 1.0 }; 2];
    assert_eq!(energies(&[step(1.0)], &zero, 2.5, 0.0).unwrap_err().code(), "E-FLUX-034");
    assert_eq!(energies(&[step(f64::NAN)], &compounds, 2.5, 0.0).unwrap_err().code(), "E-FLUX-034");
    assert_eq!(energies(&[step(1.0)], &compounds[..1], 2.5, 0.0).unwrap_err().code(), "E-FLUX-034");
    assert_eq!(energies(&[step(1.0)], &compounds, 0.0, 0.0).unwrap_err().code(), "E-FLUX-034");
    let empty = Pathway { steps: Vec::new(), compounds: compounds.to_vec(), ratios: Vec::new(), thermal: 2.5, spread: 0.0 };
    assert_eq!(driving_force(&empty).unwrap_err().code(), "E-FLUX-034");
}
