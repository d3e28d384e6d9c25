//! The shape of what a network allows: phases and couplings.

use super::model;
use toji_flux::analyse::{Coupling, couplings, phase_plane};
use toji_flux::lp::{Outcome, Problem, Solver};
use toji_flux::{Network, Sense};

#[test]
fn the_glucose_and_oxygen_plane_is_that_of_the_reference() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let network = model.network().unwrap();
    let (glucose, oxygen) = (model.reaction("EX_glc__D_e").unwrap(), model.reaction("EX_o2_e").unwrap());
    let plane = phase_plane(&network, glucose, oxygen).unwrap().unwrap();
    let sum: f64 = plane.phases.iter().map(|p| p.share).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    for phase in &plane.phases {
        eprintln!("{:.4} slopes {:?} corners {:?}", phase.share, phase.slopes, phase.corners);
        // A plane through its own corners.
        for (corner, value) in phase.corners.iter().zip(&phase.values) {
            let at = phase.values[0]
                + phase.slopes.0 * (corner.0 - phase.corners[0].0)
                + phase.slopes.1 * (corner.1 - phase.corners[0].1);
            assert!((at - value).abs() < 1e-7, "{phase:?}");
        }
    }
    let height = |x: f64, y: f64| {
        let of =
            |p: &toji_flux::analyse::Phase| p.values[0] + p.slopes.0 * (x - p.corners[0].0) + p.slopes.1 * (y - p.corners[0].1);
        plane.phases.iter().map(of).fold(f64::INFINITY, f64::min)
    };
    // COBRApy 0.32.1 with GLPK: growth with both exchanges held.
    let reference = [
        (-5.0, -5.0, 0.234_084_159_267),
        (-10.0, -5.0, 0.391_648_451_211),
        (-10.0, -15.0, 0.717_837_224_594),
        (-10.0, -40.0, 0.457_544_450_443),
        (-8.0, -2.0, 0.222_738_980_595),
        (-6.0, -12.0, 0.465_329_104_800),
    ];
    for (x, y, want) in reference {
        assert!((height(x, y) - want).abs() < 1e-7, "{x} {y}: {} but {want}", height(x, y));
    }
    // A grid: feasible inside the region alone, and the optimum there.
    let mut solver = Solver::new(Problem::from(&network)).unwrap();
    let inside = |x: f64, y: f64| {
        let n = plane.region.len();
        (0..n)
            .map(|k| {
                let (a, b) = (plane.region[k], plane.region[(k + 1) % n]);
                ((b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0)) / (b.0 - a.0).hypot(b.1 - a.1)
            })
            .fold(f64::INFINITY, f64::min)
    };
    let mut seen = 0;
    for i in 0..=20 {
        for k in 0..=24 {
            let (x, y) = (-0.5 * f64::from(i) - 0.01, -2.5 * f64::from(k) - 0.003);
            let deep = inside(x, y);
            if deep.abs() < 1e-6 || x < -10.0 {
                continue;
            }
            solver.set_bounds(glucose, x, x);
            solver.set_bounds(oxygen, y, y);
            match solver.solve().unwrap() {
                Outcome::Optimal(best) => {
                    assert!(deep > 0.0 && (best.objective - height(x, y)).abs() < 1e-7, "{x} {y}: {}", best.objective);
                    seen += 1;
                }
                _ => assert!(deep < 0.0, "{x} {y}: {deep}"),
            }
        }
    }
    assert!(seen > 200, "{seen}");
}

/// How two reactions are coupled, straight from the definition: held at ±1, does the other ever rest, and at which ratios?
struct Definition {
    solver: Solver,
    bounds: Vec<(f64, f64)>,
}

impl Definition {
    fn new(network: &Network) -> Self {
        let mut problem = Problem::from(network);
        for j in 0..network.reactions() {
            problem.lower[j] = if network.lower[j] < 0.0 { f64::NEG_INFINITY } else { 0.0 };
            problem.upper[j] = if network.upper[j] > 0.0 { f64::INFINITY } else { 0.0 };
        }
        problem.cost.fill(0.0);
        let bounds = problem.lower.iter().zip(&problem.upper).map(|(l, u)| (*l, *u)).collect();
        Self { solver: Solver::new(problem).unwrap(), bounds }
    }

    fn units(&self, j: usize) -> Vec<f64> {
        let (low, high) = self.bounds[j];
        [1.0, -1.0].into_iter().filter(|&u| u >= low && u <= high).collect()
    }

    /// Can `a` run, with `b` at rest if there is one?
    fn runs(&mut self, a: usize, b: Option<usize>) -> bool {
        if let Some(b) = b {
            self.solver.set_bounds(b, 0.0, 0.0);
        }
        let mut runs = false;
        for unit in self.units(a) {
            if Some(a) != b && !runs {
                self.solver.set_bounds(a, unit, unit);
                runs = matches!(self.solver.solve().unwrap(), Outcome::Optimal(_));
                self.solver.set_bounds(a, self.bounds[a].0, self.bounds[a].1);
            }
        }
        if let Some(b) = b {
            self.solver.set_bounds(b, self.bounds[b].0, self.bounds[b].1);
        }
        runs
    }

    fn constant(&mut self, a: usize, b: usize) -> bool {
        let mut ratios: Vec<f64> = Vec::new();
        for unit in self.units(a) {
            self.solver.set_bounds(a, unit, unit);
            for sense in [Sense::Minimize, Sense::Maximize] {
                self.solver.set_objective(sense, &[(b, 1.0)]);
                match self.solver.solve().unwrap() {
                    Outcome::Optimal(best) => ratios.push(best.objective * unit),
                    Outcome::Unbounded(_) => ratios.extend([f64::INFINITY, 0.0]),
                    Outcome::Infeasible(_) => {}
                }
            }
            self.solver.set_bounds(a, self.bounds[a].0, self.bounds[a].1);
        }
        self.solver.set_objective(Sense::Minimize, &[]);
        let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        most - least <= 1e-7 * most.abs().max(least.abs())
    }
}

#[test]
fn couplings_of_the_textbook_are_those_of_the_definition() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let network = model.network().unwrap();
    let found = couplings(&network, 1).unwrap();
    assert_eq!(found, couplings(&network, 3).unwrap());
    eprintln!(
        "{} groups, {} partial, {} directional, {} programmes",
        found.groups.len(),
        found.partial.len(),
        found.directional.len(),
        found.programmes
    );
    let n = network.reactions();
    let mut direct = Definition::new(&network);
    let live: Vec<bool> = (0..n).map(|j| direct.runs(j, None)).collect();
    let needs: Vec<Vec<bool>> = (0..n).map(|a| (0..n).map(|b| live[a] && !direct.runs(a, Some(b))).collect()).collect();
    let mut counts = [0; 4];
    for a in 0..n {
        assert_eq!(found.blocked.contains(&a), !live[a], "{}", model.reactions[a].id);
        for b in 0..a {
            let want = match (live[a] && live[b], needs[a][b], needs[b][a]) {
                (false, ..) => Coupling::Blocked,
                (_, true, true) if direct.constant(a, b) => Coupling::Full,
                (_, true, true) => Coupling::Partial,
                (_, true, false) => Coupling::Forward,
                (_, false, true) => Coupling::Backward,
                _ => Coupling::None,
            };
            assert_eq!(found.between(a, b), want, "{} {}", model.reactions[a].id, model.reactions[b].id);
            counts[match want {
                Coupling::Full => 0,
                Coupling::Partial => 1,
                Coupling::Forward | Coupling::Backward => 2,
                _ => 3,
            }] += 1;
        }
    }
    eprintln!("full, partial, directional, none: {counts:?}");
    assert!(counts[0] > 0 && counts[2] > 0);
    // A group's ratios are those of any flux.
    let Outcome::Optimal(best) = toji_flux::analyse::fba(&network).unwrap() else { panic!("no optimum") };
    for group in &found.groups {
        for &(j, ratio) in group {
            let unit = best.primal[group[0].0];
            assert!((best.primal[j] - ratio * unit).abs() < 1e-7 * (1.0 + unit.abs()), "{}", model.reactions[j].id);
        }
    }
}
