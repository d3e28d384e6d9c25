//! A course from law to law.

use super::Join;
use crate::kernel::Options;
use toji_core::{Category, Error, Kinetics, Law, Place, Result};

/// Events of the source are located to this, in the unit of time.
const MOMENT: f64 = 1e-10;
/// Growth below this is none, 1/h.
const STILL: f64 = 1e-6;
/// Laws and pieces of way of one course.
const PIECES_MAX: usize = 200_000;
/// Where along a piece of way the region is looked at.
const LOOKS: [f64; 4] = [0.25, 0.5, 0.75, 1.0];

/// Why a course ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "CellsEnd")]
pub enum End {
    /// The last time asked for was reached.
    Time,
    /// Growth came to an end (below 1e-6 1/h).
    Growth,
    /// The cells cannot live on what the vessel allows, as a rule for want of maintenance.
    Starved,
}

/// A time in which the same limits bind.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Start.
    pub from: f64,
    /// End.
    pub to: f64,
    /// Limits that bind, by their place.
    pub limiting: Vec<usize>,
    /// Growth at the start, 1/h.
    pub growth: f64,
}

/// What happened in the vessel.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// The start, the times asked for as far as the course went, the instants at which a law ended, and the end.
    pub times: Vec<f64>,
    /// All quantities of the system at each time.
    pub values: Vec<Vec<f64>>,
    /// Pieces between changes of what limits.
    pub pieces: Vec<Piece>,
    /// Events of the model that happened: time and place in its definition.
    pub happened: Vec<(f64, usize)>,
    /// Why it ended.
    pub end: End,
    /// Laws that were asked for.
    pub laws: usize,
}

struct Run<'a> {
    join: &'a Join,
    options: &'a Options,
    constants: Vec<f64>,
    state: Vec<f64>,
    /// All quantities now.
    now: Vec<f64>,
    time: f64,
    ways: usize,
    /// How far the next piece of way is tried.
    length: f64,
    course: Course,
}

/// Follows the vessel up to the last of `times` (ascending; the first is the start), or until growth ends or the cells cannot
/// live. `settings` are values of constants of the model, by name. Deterministic.
///
/// # Errors
/// `E-SIM-001` for times that do not ascend, `E-MODEL-003` for a constant that cannot be set, `E-MODEL-071` when the course
/// gets stuck between laws; those of the source and of [`crate::kernel::System::resume`].
pub fn follow(
    join: &Join,
    kinetics: &mut dyn Kinetics,
    settings: &[(&str, f64)],
    times: &[f64],
    options: &Options,
) -> Result<Course> {
    let ascend = times.windows(2).all(|w| w[0] < w[1]) && times.iter().all(|t| t.is_finite());
    let Some(&start) = times.first().filter(|_| ascend) else {
        return Err(Error::input("E-SIM-001", "時刻が昇順ではありません", "the times do not ascend")
            .at(Place::field("times"))
            .hint("時刻を小さい順に渡してください", "give times in ascending order"));
    };
    let mut constants = join.system.constants();
    for (name, value) in settings {
        constants[join.system.constant(name)?] = *value;
    }
    let first = join.system.simulate(&constants, &[start], options)?;
    let now = first.at(0).to_vec();
    let state = join.system.states().iter().map(|&q| now[q]).collect();
    let course = Course {
        times: Vec::new(),
        values: Vec::new(),
        pieces: Vec::new(),
        happened: first.happened.clone(),
        end: End::Time,
        laws: 0,
    };
    let mut run = Run { join, options, constants, state, now, time: start, ways: 0, length: 1e-3, course };
    run.course.end = run.all(kinetics, &times[1..])?;
    Ok(run.course)
}

impl Run<'_> {
    fn record(&mut self) {
        if self.course.times.last() != Some(&self.time) {
            self.course.times.push(self.time);
            self.course.values.push(self.now.clone());
        }
    }

    fn all(&mut self, kinetics: &mut dyn Kinetics, times: &[f64]) -> Result<End> {
        let mut due = times.iter().copied().peekable();
        loop {
            let limits = self.join.limits_of(&self.now);
            self.course.laws += 1;
            let Some(law) = kinetics.law(&limits)? else {
                self.record();
                return Ok(End::Starved);
            };
            self.join.obey(&law, &mut self.constants);
            self.now = self.join.system.resume(&self.constants, &self.state, &[self.time], self.options)?.at(0).to_vec();
            self.record();
            let growth = self.now[self.join.growth];
            if growth <= STILL {
                return Ok(End::Growth);
            }
            let from = self.time;
            let ended = self.stay(&law, &mut due)?;
            match self.course.pieces.last_mut() {
                Some(piece) if piece.limiting == law.limiting => piece.to = self.time,
                _ => self.course.pieces.push(Piece { from, to: self.time, limiting: law.limiting, growth }),
            }
            if ended {
                return Ok(End::Time);
            }
        }
    }

    /// Goes on while the law holds, then just past the instant that ends it; `true` when the last time was reached.
    fn stay(&mut self, law: &Law, due: &mut std::iter::Peekable<impl Iterator<Item = f64>>) -> Result<bool> {
        loop {
            let Some(&target) = due.peek() else { return Ok(true) };
            let lands = self.length >= target - self.time;
            let h = if lands { target - self.time } else { self.length };
            if !self.go(law, h, lands.then_some(target), false)? {
                self.cross(law, h)?;
                return Ok(false);
            }
            self.length = if lands { self.length } else { 2.0 * h };
            if lands {
                due.next();
                self.record();
            }
        }
    }

    /// Tries a piece of way of length `h`; goes it and says `true` if the law holds all along, or if it is to be gone anyway.
    fn go(&mut self, law: &Law, h: f64, land: Option<f64>, anyway: bool) -> Result<bool> {
        self.ways += 1;
        if self.ways > PIECES_MAX {
            return Err(stuck(self.time));
        }
        let mut times = vec![self.time];
        times.extend(LOOKS.iter().map(|part| self.time + part * h));
        if let (Some(land), Some(last)) = (land, times.last_mut()) {
            *last = land;
        }
        let way = self.join.system.resume(&self.constants, &self.state, &times, self.options)?;
        let good = (1..times.len()).all(|k| {
            let here = way.at(k);
            law.holds(&self.join.limits_of(here)) && here[self.join.growth] > STILL
        });
        if good || anyway {
            self.now = way.at(LOOKS.len()).to_vec();
            self.state = self.join.system.states().iter().map(|&q| self.now[q]).collect();
            self.time = times[LOOKS.len()];
            self.course.happened.extend(&way.happened);
        }
        Ok(good || anyway)
    }

    /// Moves to just past the instant within `h` at which the law ends.
    fn cross(&mut self, law: &Law, h: f64) -> Result<()> {
        let mut span = h;
        loop {
            let least = MOMENT.max(8.0 * f64::EPSILON * self.time.abs());
            if span <= least {
                self.length = (100.0 * least).max(self.length * 0.1);
                return self.go(law, span, None, true).map(|_| ());
            }
            // What is good is gone at once, so that no part of the way is integrated twice.
            let half = 0.5 * span;
            self.go(law, half, None, false)?;
            span = half;
        }
    }
}

fn stuck(time: f64) -> Error {
    Error::new(
        Category::Model,
        "E-MODEL-071",
        format!("細胞の速度則が時刻 {time} で次々に替わり、計算が進みません"),
        format!("the laws of the cells follow each other at {time} without end"),
    )
    .hint(
        "取込みの上限が濃度とともに滑らかに 0 になるか、飽和定数の桁を見直してください",
        "see whether uptakes fall smoothly to nothing with their concentrations, and look at the half saturations",
    )
}
