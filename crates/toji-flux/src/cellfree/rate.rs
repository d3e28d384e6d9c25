//! Rate laws, compiled: concentrations and enzyme in mmol/L, rates in mmol/(L·h).

use super::cascade::InhibitionKind;
use super::number::Number;

/// A compound of a law with its Michaelis constant (mmol/L) and how many of it bind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Site {
    pub(super) species: usize,
    pub(super) km: f64,
    pub(super) count: u32,
}

/// The shape of a law.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Orders of substrates and products.
    MassAction { forward: Vec<(usize, u32)>, backward: Vec<(usize, u32)> },
    /// Irreversible, one substrate.
    Saturating(Site),
    /// Pairs of substrate and product.
    Pairs(Vec<(Site, Site)>),
    /// Substrates, products.
    Convenience(Vec<Site>, Vec<Site>),
    /// A, B, P, Q with their constants of inhibition.
    Ordered([Site; 4], [f64; 4]),
}

/// A compiled rate law.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rate {
    pub(super) shape: Shape,
    /// 1/h with an enzyme, else of the order of the reaction.
    pub(super) constant: f64,
    /// Equilibrium constant over the compounds of the law, in powers of mmol/L; infinite: irreversible.
    pub(super) equilibrium: f64,
    pub(super) enzyme: Option<usize>,
    /// Inhibitor, constant (mmol/L), kind.
    pub(super) inhibitions: Vec<(usize, f64, InhibitionKind)>,
}

fn product<N: Number>(terms: impl Iterator<Item = N>) -> N {
    terms.fold(N::of(1.0), |product, term| product * term)
}

impl Rate {
    /// The rate at concentrations and an amount of active enzyme.
    pub(super) fn at<N: Number>(&self, c: impl Fn(usize) -> N, enzyme: N) -> N {
        let share = |site: &Site| c(site.species) / N::of(site.km);
        let one = N::of(1.0);
        // 1/Keq is zero where nothing goes back.
        let back = N::of(1.0 / self.equilibrium);
        let driven = |forward: N, backward: N| if self.equilibrium.is_infinite() { forward } else { forward - backward * back };
        let (above, rest) = match &self.shape {
            Shape::MassAction { forward, backward } => {
                let side = |terms: &[(usize, u32)]| product(terms.iter().map(|(i, n)| c(*i).power(*n)));
                return N::of(self.constant) * driven(side(forward), side(backward));
            }
            Shape::Saturating(site) => (share(site), share(site)),
            Shape::Pairs(pairs) => {
                let forward = product(pairs.iter().map(|(s, _)| c(s.species)));
                let backward = product(pairs.iter().map(|(_, p)| c(p.species)));
                let scale = N::of(pairs.iter().map(|(s, _)| 1.0 / s.km).product());
                let below = product(pairs.iter().map(|(s, p)| one + share(s) + share(p)));
                (driven(forward, backward) * scale, below - one)
            }
            Shape::Convenience(substrates, products) => {
                let side = |sites: &[Site]| product(sites.iter().map(|s| c(s.species).power(s.count)));
                let binding =
                    |sites: &[Site]| product(sites.iter().map(|s| (1..=s.count).fold(one, |sum, n| sum + share(s).power(n))));
                let scale = N::of(substrates.iter().map(|s| 1.0 / s.km.power(s.count)).product());
                let below = binding(substrates) + binding(products) - one;
                (driven(side(substrates), side(products)) * scale, below - one)
            }
            Shape::Ordered([a, b, p, q], [kia, kib, kip, kiq]) => {
                let [ka, kb, kp, kq] = [a, b, p, q].map(|s| s.km);
                let [a, b, p, q] = [a, b, p, q].map(|s| c(s.species));
                let n = N::of;
                let scale = n(1.0 / (kia * kb));
                let rest = a / n(*kia)
                    + b * n(ka / (kia * kb))
                    + p * n(kq / (kiq * kp))
                    + q / n(*kiq)
                    + a * b * scale
                    + a * p * n(kq / (kia * kiq * kp))
                    + b * q * n(ka / (kia * kb * kiq))
                    + p * q * n(1.0 / (kiq * kp))
                    + a * b * p * n(1.0 / (kia * kb * kip))
                    + b * p * q * n(1.0 / (kib * kiq * kp));
                (driven(a * b, p * q) * scale, rest)
            }
        };
        let (mut free, mut bound, mut both) = (one, rest, one);
        for (species, ki, kind) in &self.inhibitions {
            let share = c(*species) / N::of(*ki);
            match kind {
                InhibitionKind::Competitive => free = free + share,
                InhibitionKind::Uncompetitive => bound = bound + rest * share,
                InhibitionKind::Noncompetitive => both = both * (one + share),
            }
        }
        N::of(self.constant) * enzyme * above / ((free + bound) * both)
    }

    /// Species the rate depends on, each once, ascending.
    pub(super) fn depends_on(&self) -> Vec<usize> {
        let mut found: Vec<usize> = self.inhibitions.iter().map(|i| i.0).collect();
        match &self.shape {
            Shape::MassAction { forward, backward } => found.extend(forward.iter().chain(backward).map(|t| t.0)),
            Shape::Saturating(site) => found.push(site.species),
            Shape::Pairs(pairs) => found.extend(pairs.iter().flat_map(|(s, p)| [s.species, p.species])),
            Shape::Convenience(s, p) => found.extend(s.iter().chain(p).map(|s| s.species)),
            Shape::Ordered(sites, _) => found.extend(sites.iter().map(|s| s.species)),
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::Dual;
    use super::*;
    use proptest::prelude::*;

    fn site(species: usize, km: f64, count: u32) -> Site {
        Site { species, km, count }
    }

    fn laws() -> Vec<Shape> {
        vec![
            Shape::MassAction { forward: vec![(0, 1), (1, 1)], backward: vec![(2, 1), (3, 1)] },
            Shape::Pairs(vec![(site(0, 0.4, 1), site(2, 1.0, 1)), (site(1, 0.023, 1), site(3, 0.93, 1))]),
            Shape::Convenience(vec![site(0, 0.3, 1), site(1, 2.0, 1)], vec![site(2, 0.7, 1), site(3, 1.5, 1)]),
            Shape::Ordered([site(0, 0.17, 1), site(1, 17.0, 1), site(2, 1.11, 1), site(3, 0.11, 1)], [0.92, 90.0, 1.1, 0.031]),
        ]
    }

    fn rate(shape: Shape, equilibrium: f64) -> Rate {
        let inhibitions = vec![
            (0, 3.0, InhibitionKind::Uncompetitive),
            (2, 0.4, InhibitionKind::Competitive),
            (4, 1.3, InhibitionKind::Noncompetitive),
        ];
        Rate { shape, constant: 3.0, equilibrium, enzyme: Some(0), inhibitions }
    }

    proptest! {
        /// At Keq every reversible law stands still, and leaves it in the right direction (Haldane).
        #[test]
        fn laws_stand_still_at_equilibrium(c in proptest::array::uniform5(1e-3..50.0f64), keq in 1e-5..1e5f64) {
            for shape in laws() {
                let rate = rate(shape, keq);
                let mut at = c;
                at[3] = keq * c[0] * c[1] / c[2];
                let still = rate.at(|i| at[i], 1.0);
                let forward = Rate { equilibrium: f64::INFINITY, ..rate.clone() }.at(|i| at[i], 1.0);
                prop_assert!(still.abs() <= 1e-12 * forward.abs(), "{still} of {forward}");
                at[3] *= 0.9;
                prop_assert!(rate.at(|i| at[i], 1.0) > 0.0);
                at[3] *= 1.3;
                prop_assert!(rate.at(|i| at[i], 1.0) < 0.0);
            }
        }

        /// Derivatives by duals are those of differences.
        #[test]
        fn slopes_are_those_of_differences(c in proptest::array::uniform5(0.05..5.0f64)) {
            for shape in laws().into_iter().chain([Shape::Saturating(site(0, 0.5, 1))]) {
                let rate = rate(shape, 2.0);
                for k in rate.depends_on() {
                    let seeded = |i: usize| Dual { value: c[i], slope: f64::from(u8::from(i == k)) };
                    let have = rate.at(seeded, Dual::of(0.7)).slope;
                    let h = 1e-5 * c[k];
                    let moved = |d: f64| rate.at(|i| if i == k { c[i] + d } else { c[i] }, 0.7);
                    let want = (moved(h) - moved(-h)) / (2.0 * h);
                    let size = rate.at(|i| c[i], 0.7).abs() / c[k];
                    prop_assert!((have - want).abs() <= 1e-6 * (want.abs() + size + 1e-3), "{have} but {want}");
                }
            }
        }
    }

    /// The closed forms of textbooks, written out.
    #[test]
    fn inhibitions_are_those_of_textbooks() {
        let (s, i, vmax, km, ki) = (0.7, 0.3, 2.0, 0.5, 0.2);
        let with = |by: usize, kind| Rate {
            shape: Shape::Saturating(site(0, km, 1)),
            constant: vmax,
            equilibrium: f64::INFINITY,
            enzyme: Some(0),
            inhibitions: vec![(by, ki, kind)],
        };
        let check = |by, kind, want: f64| {
            let have = with(by, kind).at(|k| [s, i][k], 1.0);
            assert!((have - want).abs() < 1e-14, "{have} but {want}");
        };
        check(1, InhibitionKind::Competitive, vmax * s / (km * (1.0 + i / ki) + s));
        check(1, InhibitionKind::Uncompetitive, vmax * s / (km + s * (1.0 + i / ki)));
        check(1, InhibitionKind::Noncompetitive, vmax * s / ((km + s) * (1.0 + i / ki)));
        check(0, InhibitionKind::Uncompetitive, vmax * s / (km + s + s * s / ki));
        let convenience = Rate {
            shape: Shape::Convenience(vec![site(0, km, 2)], vec![site(1, 0.4, 1)]),
            constant: vmax,
            equilibrium: 5.0,
            enzyme: Some(0),
            inhibitions: vec![],
        };
        let (x, y) = (s / km, i / 0.4);
        let want = vmax * (s * s - i / 5.0) / (km * km) / (1.0 + x + x * x + 1.0 + y - 1.0);
        assert!((convenience.at(|k| [s, i][k], 1.0) - want).abs() < 1e-14);
    }
}
