//! Sobol's sequence with Owen's scrambling: points that fill a cube more evenly than chance, different for every
//! seed, each by itself uniform.

use super::joe_kuo::{DIMENSIONS_MAX, ROWS};
use toji_core::chance::Chance;

const BITS: usize = 32;

/// The points of a scrambled Sobol sequence, one after the other.
///
/// The scrambling is the hash of Laine and Karras with the constants of Burley, "Practical hash-based Owen
/// scrambling", J. Comput. Graph. Tech. 9(4), 2020. Dimensions beyond [`DIMENSIONS_MAX`] are chance.
#[derive(Debug, Clone)]
pub struct Sobol {
    directions: Vec<[u32; BITS]>,
    seeds: Vec<Option<u32>>,
    state: Vec<u32>,
    index: u32,
    beyond: usize,
    chance: Chance,
}

/// An even number between 0 and 1, neither of them included.
pub fn fraction(chance: &mut Chance) -> f64 {
    (f64::from(word(chance)) + 0.5) / 4_294_967_296.0
}

fn word(chance: &mut Chance) -> u32 {
    let half = |chance: &mut Chance| u32::try_from(chance.below(65_536)).unwrap_or(0);
    half(chance) << 16 | half(chance)
}

impl Sobol {
    /// Scrambled by a seed.
    #[must_use]
    pub fn scrambled(dimensions: usize, seed: u64) -> Self {
        let mut sobol = Self::plain(dimensions);
        let mut chance = Chance::new(seed ^ 0x0050_b01e);
        sobol.seeds.iter_mut().for_each(|s| *s = Some(word(&mut chance)));
        sobol.chance = chance;
        sobol
    }
    /// The sequence as published, whose first point is the corner.
    #[must_use]
    pub fn plain(dimensions: usize) -> Self {
        let tabled = dimensions.min(DIMENSIONS_MAX);
        Self {
            directions: (0..tabled).map(directions).collect(),
            seeds: vec![None; tabled],
            state: vec![0; tabled],
            index: 0,
            beyond: dimensions - tabled,
            chance: Chance::new(0),
        }
    }
    /// The next point.
    pub fn point(&mut self) -> Vec<f64> {
        let mut point: Vec<f64> = self
            .state
            .iter()
            .zip(&self.seeds)
            .map(|(state, seed)| match seed {
                // The middle of the cell, so that no number is 0 or 1.
                Some(seed) => (f64::from(owen(*state, *seed)) + 0.5) / 4_294_967_296.0,
                None => f64::from(*state) / 4_294_967_296.0,
            })
            .collect();
        point.extend((0..self.beyond).map(|_| fraction(&mut self.chance)));
        self.index = self.index.wrapping_add(1);
        let bit = self.index.trailing_zeros() as usize;
        for (state, directions) in self.state.iter_mut().zip(&self.directions) {
            *state ^= directions[bit.min(BITS - 1)];
        }
        point
    }
    /// The next points.
    pub fn points(&mut self, n: usize) -> Vec<Vec<f64>> {
        (0..n).map(|_| self.point()).collect()
    }
}

/// Direction numbers of a dimension, counted from 0.
fn directions(dimension: usize) -> [u32; BITS] {
    let mut v = [0_u32; BITS];
    let Some((polynomial, first)) = dimension.checked_sub(1).and_then(|i| ROWS.get(i)) else {
        for (i, v) in v.iter_mut().enumerate() {
            *v = 1 << (BITS - 1 - i);
        }
        return v;
    };
    let degree = first.len();
    for i in 0..BITS {
        v[i] = if i < degree {
            first[i] << (BITS - 1 - i)
        } else {
            let mut next = v[i - degree] ^ (v[i - degree] >> degree);
            for k in 1..degree {
                if polynomial >> (degree - k) & 1 == 1 {
                    next ^= v[i - k];
                }
            }
            next
        };
    }
    v
}

/// A nested uniform permutation of the digits of a number.
fn owen(x: u32, seed: u32) -> u32 {
    let mut x = x.reverse_bits().wrapping_add(seed);
    for factor in [0x6c50_b47c_u32, 0xb82f_1e52, 0xc7af_e638, 0x8d22_f6e6] {
        x ^= x.wrapping_mul(factor);
    }
    x.reverse_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_sequence_is_the_published_one() {
        // scipy.stats.qmc.Sobol(192, scramble=False) of SciPy 1.17.1.
        let points = Sobol::plain(DIMENSIONS_MAX).points(1024);
        let wanted =
            [(1, 0, 0.5), (5, 3, 0.375), (100, 17, 0.742_187_5), (777, 40, 0.721_679_687_5), (513, 191, 0.336_914_062_5)];
        for (i, j, value) in wanted {
            assert_eq!(points[i][j], value, "{i} {j}");
        }
        assert_eq!(points[1023][99], 0.530_273_437_5);
    }

    #[test]
    fn every_elementary_interval_of_a_net_holds_one_point() {
        // 2⁶ points: each of 64 slices of every dimension, and each cell of 8 × 8 of the first two.
        for seed in 0..20 {
            let points = Sobol::scrambled(7, seed).points(64);
            for k in 0..7 {
                let mut seen = [0; 64];
                points.iter().for_each(|p| seen[(p[k] * 64.0) as usize] += 1);
                assert_eq!(seen, [1; 64]);
            }
            let mut cells = [0; 64];
            points.iter().for_each(|p| cells[(p[0] * 8.0) as usize * 8 + (p[1] * 8.0) as usize] += 1);
            assert_eq!(cells, [1; 64]);
        }
    }

    #[test]
    fn seeds_differ_and_repeat_and_more_dimensions_than_tabled_are_chance() {
        let (a, b) = (Sobol::scrambled(200, 1).points(3), Sobol::scrambled(200, 1).points(3));
        assert_eq!(a, b);
        assert_ne!(a, Sobol::scrambled(200, 2).points(3));
        assert!(a.iter().flatten().all(|u| *u > 0.0 && *u < 1.0) && a[0].len() == 200);
    }
}
