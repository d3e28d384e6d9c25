//! What truly happens in a head space, written apart from the engine: the limits in one line, moles by Runge and
//! Kutta, flows, uptake and faults drawn at random within what a plan says of them.

use toji_core::chance::Chance;
use toji_culture::envelope::{Fault, Phase, Plan};

pub(crate) fn uniform(chance: &mut Chance) -> f64 {
    chance.below(1 << 53) as f64 / (1_u64 << 53) as f64
}

/// The limits once more, as plainly as they can be written: the reference for every path.
pub(crate) fn could_burn_or_nearly(h: f64, o: f64) -> bool {
    h >= 0.25 * 0.04 && o >= 0.60 * 0.046
}
/// What truly happens in one course of a plan: amounts in the head space by Runge-Kutta, flows and uptake drawn anew at
/// every piece of time, one fault at an instant drawn at random. Written apart from the engine: moles, not chords.
struct Course {
    moles: [f64; 4],
    total: f64,
    looked_at: usize,
}

impl Course {
    fn go(&mut self, enters: [f64; 4], hours: f64) {
        // Eight steps to each replacement of the head space; after 25 of them nothing moves any more.
        let rate = enters.iter().sum::<f64>() / self.total;
        let hours = if rate > 0.0 { hours.min(25.0 / rate) } else { 0.0 };
        let steps = 4 + (hours * rate * 8.0) as usize;
        let dt = hours / steps as f64;
        for _ in 0..steps {
            let slope = |m: [f64; 4]| {
                let (all, out) = (m.iter().sum::<f64>(), enters.iter().sum::<f64>());
                [0, 1, 2, 3].map(|i| enters[i] - out * m[i] / all)
            };
            let m = self.moles;
            let add = |m: [f64; 4], k: [f64; 4], s: f64| [0, 1, 2, 3].map(|i| m[i] + s * k[i]);
            let k1 = slope(m);
            let k2 = slope(add(m, k1, dt / 2.0));
            let k3 = slope(add(m, k2, dt / 2.0));
            let k4 = slope(add(m, k3, dt));
            self.moles = [0, 1, 2, 3].map(|i| m[i] + dt / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
            self.look();
        }
    }
    fn look(&mut self) {
        self.looked_at += 1;
        let all: f64 = self.moles.iter().sum();
        let (h, o) = (self.moles[0] / all, self.moles[1] / all);
        // Runge-Kutta is off by less than 1e-6 at these steps.
        assert!(!could_burn_or_nearly(h - 1e-6, o - 1e-6), "H2 {h} O2 {o}");
    }
    fn phase(&mut self, phase: &Phase, fault: Option<&Fault>, minutes: f64, chance: &mut Chance) {
        let mut left = minutes / 60.0;
        let pieces = 1 + chance.below(4);
        for piece in 0..pieces {
            let hours = if piece + 1 == pieces { left } else { left * uniform(chance) };
            left -= hours;
            let (mut sparged, mut direct) = ([0.0; 4], [0.0; 4]);
            for f in &phase.inflows {
                let mut flow = f.low_mol_per_h + (f.high_mol_per_h - f.low_mol_per_h) * uniform(chance);
                if matches!(fault, Some(Fault::Supply(name)) if *name == f.name) {
                    flow *= if chance.below(2) == 0 { 0.0 } else { uniform(chance) };
                }
                let to = if f.sparged { &mut sparged } else { &mut direct };
                for (sum, share) in to.iter_mut().zip(f.mixture.shares()) {
                    *sum += flow * share;
                }
            }
            let stopped = match fault {
                None => 1.0,
                Some(_) if chance.below(2) == 0 => 0.0,
                Some(_) => uniform(chance),
            };
            let u = phase.uptake;
            for (i, range) in [u.hydrogen, u.oxygen, u.carbon_dioxide].into_iter().enumerate() {
                let taken = (range.low + (range.high - range.low) * uniform(chance)) * stopped;
                sparged[i] = (sparged[i] - taken).max(0.0);
            }
            self.go([0, 1, 2, 3].map(|i| sparged[i] + direct[i]), hours);
        }
    }
}

/// Lives through one course of a plan and looks at every instant; says at how many.
pub(crate) fn live_through(plan: &Plan, chance: &mut Chance) -> usize {
    let n = plan.head_space_mol;
    let mut course = Course { moles: plan.start.shares().map(|y| y * n), total: n, looked_at: 0 };
    course.look();
    let failing = chance.below(plan.phases.len());
    for (i, phase) in plan.phases.iter().enumerate() {
        let minutes = phase.minutes.unwrap_or(600.0);
        if i < failing {
            course.phase(phase, None, minutes, chance);
            continue;
        }
        let before = minutes * uniform(chance);
        course.phase(phase, None, before, chance);
        let names: Vec<&str> = phase.inflows.iter().map(|f| f.name.as_str()).collect();
        let fault = if plan.faults.supplies && chance.below(2) == 0 {
            Fault::Supply(names[chance.below(names.len())].into())
        } else {
            Fault::Agitation
        };
        let response = plan.faults.response_minutes;
        let mut left = response.unwrap_or(1000.0) * if chance.below(2) == 0 { 1.0 } else { uniform(chance) };
        // The phase is held, or the programme goes on.
        if chance.below(2) == 0 {
            course.phase(phase, Some(&fault), left, chance);
        } else {
            for (j, next) in plan.phases.iter().enumerate().skip(i) {
                let last = j + 1 == plan.phases.len();
                let stay = if j == i { minutes - before } else { next.minutes.unwrap_or(600.0) };
                let stay = if last { left } else { stay.min(left) };
                course.phase(next, Some(&fault), stay, chance);
                left -= stay;
                if left <= 0.0 {
                    break;
                }
            }
        }
        if response.is_some() {
            for trip in &plan.faults.trip {
                course.phase(trip, Some(&fault), trip.minutes.unwrap_or(600.0), chance);
            }
        }
        break;
    }
    course.looked_at
}
