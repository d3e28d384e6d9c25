//! Simulations side by side: one pass of the tapes for all of them, but each on its own way, with its own instant,
//! length of step and events.
//!
//! Sharing steps would make every simulation take the difficult steps of all the others, and what is difficult (a
//! substance used up, a limit reached) comes at another time in each. Whatever is not a step is done for each alone;
//! whoever is at its end makes room for the next. Nothing that one gives depends on its neighbours, to the last bit.

use super::super::number::{Lanes, Number};
use super::super::rodas::{Rodas, Step, Tolerances};
use super::super::system::System;
use super::course::Course;
use super::{Options, Registers, Run, Trajectory};
use toji_core::Result;

/// A simulation on its way.
struct Lane<'s> {
    /// Its place among the settings.
    setting: usize,
    run: Run<'s, f64>,
    course: Course<f64>,
    /// Is its next step another one than the last that was tried?
    moved: bool,
}

/// `L` simulations on their way.
struct Side<'s, const L: usize> {
    lanes: [Option<Lane<'s>>; L],
    registers: Registers<'s, Lanes<L>>,
    solver: Rodas<Lanes<L>>,
    y: Vec<Lanes<L>>,
    /// Instants at which the beginnings of their steps were looked at.
    begun: [f64; L],
    /// Instants, lengths of the steps that are tried, and where their slopes at the end are looked at.
    t: [f64; L],
    h: [f64; L],
    to: [f64; L],
    /// The step of one of them.
    step: Step<f64>,
}

impl System {
    /// Simulates settings side by side, with the bits that each gives alone.
    pub(in super::super) fn side_by_side<const L: usize>(
        &self,
        settings: &[Vec<f64>],
        times: &[f64],
        options: &Options,
    ) -> Vec<Result<Trajectory<f64>>> {
        let absolute = self.absolute(options);
        let asked = Tolerances { relative: options.relative, absolute: &absolute };
        let mut done: Vec<Option<Result<Trajectory<f64>>>> = settings.iter().map(|_| None).collect();
        let mut waiting = 0..settings.len();
        let mut side = Side::<L>::new(self);
        loop {
            for l in 0..L {
                while side.lanes[l].is_none()
                    && let Some(i) = waiting.next()
                {
                    match self.depart(i, &settings[i], times, options) {
                        Ok(lane) if lane.run.is_over(&lane.course) => done[i] = Some(Ok(lane.run.finish(lane.course))),
                        Ok(lane) => side.fill(l, lane),
                        Err(error) => done[i] = Some(Err(error)),
                    }
                }
            }
            if side.lanes.iter().all(Option::is_none) {
                break;
            }
            let errors = side.advance(asked);
            for (l, error) in errors.into_iter().enumerate() {
                if let Some((i, one)) = side.judge(l, error) {
                    done[i] = Some(one);
                }
            }
        }
        done.into_iter().flatten().collect()
    }

    fn depart(&self, setting: usize, constants: &[f64], times: &[f64], options: &Options) -> Result<Lane<'_>> {
        let mut run = self.ready(constants, times)?;
        let course = run.set_out(times, options)?;
        Ok(Lane { setting, run, course, moved: true })
    }
}

impl<'s, const L: usize> Side<'s, L> {
    fn new(system: &'s System) -> Self {
        let n = system.order();
        Self {
            lanes: std::array::from_fn(|_| None),
            registers: Registers::empty(system),
            solver: Rodas::new(n),
            y: vec![Lanes::of(0.0); n],
            begun: [0.0; L],
            t: [0.0; L],
            h: [1.0; L],
            to: [1.0; L],
            step: Step::new(n),
        }
    }

    fn fill(&mut self, l: usize, lane: Lane<'s>) {
        self.registers.fill_lane(l, &lane.run.registers);
        self.lanes[l] = Some(lane);
    }

    /// Tries a step of each, and tells their errors. Lanes without a simulation compute what nobody looks at.
    fn advance(&mut self, asked: Tolerances<'_>) -> [f64; L] {
        let mut moved = false;
        for (l, lane) in self.lanes.iter_mut().enumerate() {
            let Some(lane) = lane else { continue };
            lane.run.aim(&mut lane.course);
            if lane.moved {
                moved = true;
                self.begun[l] = lane.course.begin(lane.run.t, lane.run.nudge);
                self.y.iter_mut().zip(&lane.run.y).for_each(|(to, y)| to.0[l] = *y);
            }
        }
        if moved {
            self.solver.begin(&mut self.registers, Lanes(self.begun), &self.y);
        }
        for (l, lane) in self.lanes.iter_mut().enumerate() {
            let Some(lane) = lane else { continue };
            if lane.course.is_fresh() {
                self.solver.step.lane(l, false, &mut self.step);
                lane.run.first_step(&mut lane.course, &self.step.slopes, asked);
            }
            lane.course.choose(lane.run.t);
            self.t[l] = lane.run.t;
            (self.h[l], self.to[l]) = lane.course.step(lane.run.t, lane.run.nudge);
        }
        self.solver.attempt_apart(&mut self.registers, (self.t, self.h, self.to), asked)
    }

    /// Goes on with one of them. What it gave, where it is at its end.
    fn judge(&mut self, l: usize, error: f64) -> Option<(usize, Result<Trajectory<f64>>)> {
        let lane = self.lanes[l].as_mut()?;
        let inside = lane.run.system.watched > 0 || lane.course.looks_inside(lane.run.t);
        self.solver.step.lane(l, inside && error <= 1.0, &mut self.step);
        let judged = lane.run.judge(&mut lane.course, error, &mut self.step);
        lane.moved = matches!(judged, Ok(true));
        if judged.is_ok() && !lane.run.is_over(&lane.course) {
            return None;
        }
        let Lane { setting, run, course, .. } = self.lanes[l].take()?;
        Some((setting, judged.map(|_| run.finish(course))))
    }
}
