//! CPU time of a step of predictive control: the batch reactor of do-mpc's example (horizon 20, step 1 h, 150 h), for one
//! model and for nine.
//!
//! `cargo run --release -p toji-culture --example nmpc`; one line of JSON a case.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example that prints")]

mod clock;

use clock::cpu_s;
use toji_culture::control::bed::Bed;
use toji_culture::control::{Aim, Controller, Input};
use toji_culture::model::{Model, shipped};
use toji_culture::profile::{Limit, Over, Segment};

fn main() {
    let model = Model::read(shipped("srinivasan-2003").unwrap()).unwrap();
    let segment = Segment::new(&model.definition, &["feed"]).unwrap();
    let constants = model.system.constants();
    let states = segment.system.states().to_vec();
    let place = |name: &str| segment.system.quantity(name).unwrap();
    let nine = [0.75, 1.0, 1.25].iter().flat_map(|y| [0.9, 1.0, 1.1].map(|s| (*y, s))).filter(|p| *p != (1.0, 1.0));
    let nine: Vec<Vec<(String, f64)>> = nine.map(|(y, s)| vec![("Y_x".to_owned(), y), ("S_in".to_owned(), s)]).collect();
    for (name, scenarios) in [("one model", Vec::new()), ("nine models", nine)] {
        let limits = vec![Limit { quantity: "X".into(), low: None, high: Some(3.7), over: Over::Course }];
        let aim = Aim { quantity: "P".into(), greatest: true, each: true, limits, horizon: 20, step: 1.0, end: None, scenarios };
        let input = Input { name: "feed".into(), low: 0.0, high: 0.2, rate_max: None, move_cost: 1.0 };
        let mut controller = Controller::new(&model, &segment, &[input], &aim).unwrap();
        let feed = segment.state(place("feed")).unwrap();
        let mut bed = Bed::new(&segment, &constants, &[feed], &[], (&[], &[], &aim.limits), 1).unwrap();
        let (mut held, mut took) = (0.0, Vec::new());
        let mut iterations = 0;
        for k in 0..150 {
            let state = bed.truth(&states).unwrap();
            let begin = cpu_s();
            let plan = controller.plan(f64::from(k), &state, &constants, &[held]).unwrap();
            took.push(1e3 * (cpu_s() - begin));
            iterations += plan.iterations;
            held = plan.inputs[0][0];
            bed.go(1.0, &[held]).unwrap();
        }
        took.sort_by(f64::total_cmp);
        let mean = took.iter().sum::<f64>() / took.len() as f64;
        let end = bed.truth(&[place("P"), place("V")]).unwrap();
        let iterations = f64::from(u32::try_from(iterations).unwrap()) / 150.0;
        println!(
            "{{\"case\":\"{name}\",\"ms_mean\":{mean:.3},\"ms_median\":{:.3},\"ms_most\":{:.3},\"iterations\":{iterations:.1},\"P\":{:.5},\"V\":{:.3},\"over\":{:.2e}}}",
            took[75], took[149], end[0], end[1], bed.excess[0],
        );
    }
}
