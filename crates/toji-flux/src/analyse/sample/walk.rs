//! The walk: along one coordinate at a time, to a place chosen evenly between the sides.

use super::body::Body;
use super::round::Rounded;
use toji_core::chance::Chance;

/// Numbers that are worked on side by side.
pub(super) const LANES: usize = 8;
/// Room below this is none; keeps zero times the largest number from being no step at all.
const ROOM: f64 = 1e-280;

pub(super) struct Walk<'a> {
    body: &'a Body,
    rounded: &'a Rounded,
    chance: Chance,
    z: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    /// The walk's own coordinates, kept only by pilots.
    y: Vec<f64>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(body: &'a Body, rounded: &'a Rounded, seed: u64, stream: u64) -> Self {
        let stride = rounded.directions.columns;
        let padded = |values: &[f64], with: f64| {
            let mut list = values.to_vec();
            list.resize(stride, with);
            list
        };
        // Streams far apart: the second argument of the mixing is odd.
        let chance = Chance::new(seed.wrapping_add(stream.wrapping_mul(0xd134_2543_de82_ef95)));
        let (z, low, high) = (padded(&rounded.centre, 0.0), padded(&body.low, -1.0), padded(&body.high, 1.0));
        Self { body, rounded, chance, z, low, high, y: Vec::new() }
    }

    /// From now on the walk's own coordinates are kept.
    pub(super) fn follow(&mut self) {
        self.y = vec![0.0; self.body.dimensions()];
    }

    pub(super) fn coordinates(&self) -> Vec<f64> {
        self.y.clone()
    }

    /// Goes near the sides, so that chains start apart.
    pub(super) fn scatter(&mut self) {
        for _ in 0..4 * self.body.dimensions() {
            let share = if self.chance.uniform() < 0.5 { 0.02 } else { 0.98 };
            self.step(Some(share));
        }
    }

    pub(super) fn go(&mut self, steps: usize) {
        if self.body.dimensions() > 0 {
            for _ in 0..steps {
                self.step(None);
            }
        }
    }

    /// The columns of the compressed problem, freed of the walk's rounding.
    pub(super) fn point(&mut self) -> Vec<f64> {
        let n = self.body.low.len();
        self.body.restore(&mut self.z[..n]);
        self.body.columns(&self.z[..n])
    }

    fn step(&mut self, share: Option<f64>) {
        let k = self.chance.below(self.body.dimensions());
        let (back, forth) = reach(&self.z, &self.low, &self.high, self.rounded.inverses.row(k));
        let share = share.unwrap_or_else(|| self.chance.uniform());
        let by = back + share * (forth - back);
        if by.is_finite() {
            for (z, t) in self.z.iter_mut().zip(self.rounded.directions.row(k)) {
                *z += by * t;
            }
            if let Some(y) = self.y.get_mut(k) {
                *y += by;
            }
        }
    }
}

/// How far back (not above zero) and forth the sides leave room along a direction.
fn reach(z: &[f64], low: &[f64], high: &[f64], inverse: &[f64]) -> (f64, f64) {
    let (mut back, mut forth) = ([f64::MIN; LANES], [f64::MAX; LANES]);
    let blocks = z.chunks_exact(LANES).zip(low.chunks_exact(LANES)).zip(high.chunks_exact(LANES));
    for (((z, low), high), inverse) in blocks.zip(inverse.chunks_exact(LANES)) {
        for k in 0..LANES {
            let (below, above) = (z[k] - low[k], high[k] - z[k]);
            let below = if below > ROOM { below } else { ROOM };
            let above = if above > ROOM { above } else { ROOM };
            let (a, b) = (above * inverse[k], -below * inverse[k]);
            let (least, most) = if a < b { (a, b) } else { (b, a) };
            back[k] = if least > back[k] { least } else { back[k] };
            forth[k] = if most < forth[k] { most } else { forth[k] };
        }
    }
    (back.into_iter().fold(f64::MIN, f64::max), forth.into_iter().fold(f64::MAX, f64::min))
}
