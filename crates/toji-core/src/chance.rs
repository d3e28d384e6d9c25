//! Seeded chance of the engines: the same seed gives the same numbers on every machine.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// A whole number below `n` (0 when `n` is 0), every one as likely to within 2⁻⁶⁴·n.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
    /// A number of at least 0 and less than 1, on a grid of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// Standard normal, near enough for a spread: twelve uniform numbers of 16 bits less six, so never beyond 6.
    pub fn normal(&mut self) -> f64 {
        let mut sum = 0;
        for _ in 0..3 {
            let bits = self.next();
            sum += (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        }
        sum as f64 / 65_536.0 - 6.0 + 6.0 / 65_536.0
    }
    /// Puts things into an order in which every order is as likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_comes_about_as_often() {
        let mut chance = Chance::new(7);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut four = [0, 1, 2, 3];
            chance.shuffle(&mut four);
            *seen.entry(four).or_insert(0_u32) += 1;
        }
        // 1,000 each; the standard deviation is 31.
        assert_eq!(seen.len(), 24);
        assert!(seen.values().all(|n| (850..1150).contains(n)), "{seen:?}");
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut chance = Chance::new(1);
        let values: Vec<f64> = (0..200_000).map(|_| chance.normal()).collect();
        let mean = values.iter().sum::<f64>() / 200_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 200_000.0;
        // Standard errors: 0.0022 and 0.0032.
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.015, "{mean} {variance}");
    }

    #[test]
    fn the_first_number_of_a_seed_is_the_published_one() {
        // Seed 0 of the reference implementation (Vigna, splitmix64.c).
        assert_eq!(Chance::new(0).next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(Chance::new(0).below(0), 0);
    }
}
