//! The point worth most: many even points and some near the best, then the steepest way up from the best of them.

use super::fantasy::{Fantasy, Outlook};
use super::space::{Kind, Space};
use crate::optimise::{Limits, Sobol, minimise};
use std::cell::Cell;
use toji_core::Text;
use toji_core::chance::Chance;

/// Rounds of points that are drawn in search of ones that the envelope allows.
const ROUNDS: u64 = 64;
/// Spread of the points near the best, in the cube.
const NEAR: f64 = 0.12;
/// Two units of a batch whose places lie closer than this in every direction of the cube say the same.
const SAME: f64 = 0.01;
/// Standard deviations above its mean that a place may well lie.
const MAY_WELL: f64 = 2.0;
/// Steps up from one start.
const STEPS: usize = 40;

/// A search in a space, under an envelope.
pub(super) struct Search<'a> {
    pub(super) space: &'a Space,
    /// Places that were tried or are under way.
    pub(super) tried: &'a [Vec<f64>],
    pub(super) allowed: &'a dyn Fn(&[f64]) -> Result<(), Text>,
    pub(super) raw: usize,
    pub(super) polish: usize,
    pub(super) seed: u64,
    /// The last reason for which a point was refused, and how many were.
    pub(super) refused: Cell<usize>,
    pub(super) reason: Cell<Option<Text>>,
}

/// Factors with a decided value.
pub(super) type Fixed = Vec<(usize, f64)>;

/// A point found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) cube: Vec<f64>,
    pub(super) value: f64,
}

/// Does a place lie farther than that from all of these, in one direction at least?
fn lies_apart(cube: &[f64], from: &[Vec<f64>], by: f64) -> bool {
    from.iter().all(|other| other.iter().zip(cube).any(|(a, b)| (a - b).abs() > by))
}

impl Search<'_> {
    /// Is a place neither one that was tried nor beside one that is taken? Any is where nothing is said of taken ones.
    fn is_new(&self, cube: &[f64], taken: Option<&[Vec<f64>]>) -> bool {
        taken.is_none_or(|taken| lies_apart(cube, taken, SAME) && lies_apart(cube, self.tried, 1e-9))
    }
    /// Is a point allowed? Every refusal is counted.
    pub(super) fn may(&self, point: &[f64]) -> bool {
        match (self.allowed)(point) {
            Ok(()) => true,
            Err(reason) => {
                self.refused.set(self.refused.get() + 1);
                self.reason.set(Some(reason));
                false
            }
        }
    }
    /// Brings a place to one that can be set and is allowed.
    pub(super) fn settle(&self, mut cube: Vec<f64>, fixed: &Fixed) -> Option<Vec<f64>> {
        for (factor, value) in fixed {
            self.space.fix(*factor, *value, &mut cube);
        }
        let point = self.space.settle(&mut cube);
        self.may(&point).then_some(cube)
    }
    /// Allowed candidates: even ones, and some around the hot places. Empty only when the envelope refuses all.
    pub(super) fn candidates(&self, n: usize, fixed: &Fixed, hot: &[Vec<f64>], salt: u64) -> Vec<Vec<f64>> {
        let seed = self.seed.wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut sobol = Sobol::scrambled(self.space.dimensions(), seed);
        let mut chance = Chance::new(seed ^ 0x0ca0_d1da);
        let mut found = Vec::with_capacity(n + n / 3);
        for place in hot {
            for _ in 0..(n / 3).div_ceil(hot.len()) {
                found.extend(self.settle(self.near(place, &mut chance), fixed));
            }
        }
        let wanted = n + found.len();
        for _ in 0..ROUNDS {
            for _ in 0..n {
                if found.len() < wanted {
                    found.extend(self.settle(sobol.point(), fixed));
                }
            }
            if found.len() >= wanted.div_ceil(4) {
                break;
            }
        }
        found
    }
    /// A place near another: some of its factors moved.
    fn near(&self, place: &[f64], chance: &mut Chance) -> Vec<f64> {
        let mut cube = place.to_vec();
        let factors = self.space.factors().len();
        let sure = chance.below(factors);
        for (f, columns) in self.space.columns().iter().enumerate() {
            if f != sure && chance.below(2) == 0 {
                continue;
            }
            if let Kind::Choice { options } = &self.space.factors()[f].kind {
                // Mostly the option stays: another one is another place altogether.
                if chance.below(4) == 0 {
                    self.space.fix(f, chance.below(options.len()) as f64, &mut cube);
                }
            } else {
                let column = columns.start;
                cube[column] = (cube[column].clamp(0.0, 1.0) + NEAR * chance.normal()).clamp(0.0, 1.0);
            }
        }
        cube
    }
    /// Candidates with their values, the best first.
    pub(super) fn ranked(&self, fantasy: &Fantasy, fixed: &Fixed, hot: &[Vec<f64>], salt: u64) -> Vec<Found> {
        let candidates = self.candidates(self.raw, fixed, hot, salt);
        let mut ranked: Vec<Found> =
            candidates.into_iter().map(|cube| Found { value: fantasy.ln_value(&cube, None), cube }).collect();
        // Stable, so equal values keep the order of the draw.
        ranked.sort_by(|a, b| b.value.total_cmp(&a.value));
        ranked
    }
    /// The best place apart from those that are taken; `None` when the envelope refuses every candidate. Where factors have
    /// so few levels that all places are taken, one of them once more.
    pub(super) fn best(
        &self,
        fantasy: &Fantasy,
        fixed: &Fixed,
        hot: &[Vec<f64>],
        salt: u64,
        taken: &[Vec<f64>],
    ) -> Option<Found> {
        let ranked = self.ranked(fantasy, fixed, hot, salt);
        let apart: Vec<Found> = ranked.iter().filter(|f| self.is_new(&f.cube, Some(taken))).cloned().collect();
        if apart.is_empty() {
            return self.climbed(&ranked, fantasy, fixed, None);
        }
        self.climbed(&apart, fantasy, fixed, Some(taken))
    }
    /// The place of which least is known, among those apart from what is taken that may well be the best there is, or among
    /// all where none may.
    pub(super) fn most_open(
        &self,
        fantasy: &Fantasy,
        fixed: &Fixed,
        hot: &[Vec<f64>],
        salt: u64,
        taken: &[Vec<f64>],
    ) -> Option<Found> {
        let mut candidates = self.candidates(self.raw, fixed, hot, salt);
        candidates.retain(|cube| self.is_new(cube, Some(taken)));
        let told: Vec<Outlook> = candidates.iter().map(|cube| fantasy.outlook(cube)).collect();
        let may_be_best = |o: &Outlook| o.lead + MAY_WELL * o.sd >= 0.0;
        let any = told.iter().any(may_be_best);
        let open = candidates.into_iter().zip(told).filter(|(_, o)| !any || may_be_best(o));
        open.map(|(cube, o)| Found { cube, value: o.ln_open }).reduce(|a, b| if b.value > a.value { b } else { a })
    }
    /// The best place that the steepest way leads to from the best of the ranked ones, apart from what is taken.
    pub(super) fn climbed(
        &self,
        ranked: &[Found],
        fantasy: &Fantasy,
        fixed: &Fixed,
        taken: Option<&[Vec<f64>]>,
    ) -> Option<Found> {
        let apart = 0.05 * (self.space.dimensions() as f64).sqrt();
        let mut starts: Vec<&Found> = Vec::new();
        for found in ranked {
            let far = |other: &&Found| {
                let squared: f64 = other.cube.iter().zip(&found.cube).map(|(a, b)| (a - b) * (a - b)).sum();
                squared.sqrt() > apart
            };
            if starts.len() < self.polish && starts.iter().all(far) {
                starts.push(found);
            }
        }
        let mut best: Option<Found> = ranked.first().cloned();
        for start in starts {
            let climbed = self.jump(self.climb(start.clone(), fantasy, fixed, taken), fantasy, fixed, taken);
            if best.as_ref().is_none_or(|b| climbed.value > b.value) {
                best = Some(climbed);
            }
        }
        best
    }
    /// Up the steepest way over the factors that slide.
    fn climb(&self, start: Found, fantasy: &Fantasy, fixed: &Fixed, taken: Option<&[Vec<f64>]>) -> Found {
        let d = self.space.dimensions();
        let held = |column: usize| fixed.iter().any(|(f, _)| self.space.columns()[*f].contains(&column));
        let slides: Vec<bool> = (0..d).map(|c| self.space.slides(c) && !held(c)).collect();
        let bound = |free: f64| slides.iter().zip(&start.cube).map(|(s, x)| if *s { free } else { *x }).collect::<Vec<f64>>();
        let limits = Limits { iterations: STEPS, gradient: 1e-4, decrease: 1e-7 };
        let found = minimise(&start.cube, &bound(0.0), &bound(1.0), &limits, |x, slope| {
            if !self.may(&self.space.point(x)) {
                return f64::INFINITY;
            }
            let value = fantasy.ln_value(x, Some(slope));
            slope.iter_mut().for_each(|s| *s = -*s);
            -value
        });
        let Some(cube) = self.settle(found.x, fixed).filter(|cube| self.is_new(cube, taken)) else { return start };
        let value = fantasy.ln_value(&cube, None);
        if value > start.value { Found { cube, value } } else { start }
    }
    /// Over the levels of factors that jump, one factor after the other, and up again from where that leads.
    fn jump(&self, mut found: Found, fantasy: &Fantasy, fixed: &Fixed, taken: Option<&[Vec<f64>]>) -> Found {
        for _ in 0..2 {
            let mut moved = false;
            for factor in 0..self.space.factors().len() {
                if fixed.iter().any(|(f, _)| *f == factor) {
                    continue;
                }
                let now = self.space.point(&found.cube)[factor];
                for level in self.space.jumps(factor, now).into_iter().filter(|l| *l != now) {
                    let mut cube = found.cube.clone();
                    self.space.fix(factor, level, &mut cube);
                    let Some(cube) = self.settle(cube, fixed).filter(|cube| self.is_new(cube, taken)) else { continue };
                    let value = fantasy.ln_value(&cube, None);
                    if value > found.value {
                        found = Found { cube, value };
                        moved = true;
                    }
                }
            }
            if !moved {
                break;
            }
            found = self.climb(found, fantasy, fixed, taken);
        }
        found
    }
}
