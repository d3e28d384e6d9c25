//! A learnt factor: exp(g(z)), g a Gaussian process of squared exponential covariance on inducing points.
//!
//! With L the Cholesky factor of the covariance among the points and φ(z) = L⁻¹ k(points, z), g(z) = Σ vᵢ φᵢ(z), where
//! the vᵢ are standard normal before any data. What is open beyond the points, k(z, z) − φ·φ, is drawn by random waves
//! (Rahimi and Recht, "Random features for large-scale kernel machines", NIPS 2007), corrected at the points as by
//! Wilson et al., "Efficiently sampling functions from Gaussian process posteriors", ICML 2020.

use crate::kernel::{Elementary, Expression, Function};
use crate::linear::{Cholesky, Matrix, dot};
use serde::{Deserialize, Serialize};
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result, Text};

/// Most inducing points and waves of a file.
const POINTS_MAX: usize = 64;
/// What is added to the covariance among the points, as a share of the variance, so that it can be factored.
const JITTER: f64 = 1e-8;
/// Seed of the waves: part of what a factor is, so that a file means the same everywhere.
const WAVES: u64 = 0x0a7e_5eed;

/// A learnt factor, as it stands in a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The reaction or the defined quantity whose rate it multiplies.
    pub on: String,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Text>,
    /// Standard deviation of g before any data, squared.
    pub variance: f64,
    /// What g is a function of.
    pub input: Vec<FactorInput>,
    /// Inducing points, each in the units of the inputs.
    pub points: Vec<Vec<f64>>,
    /// vᵢ.
    pub values: Vec<f64>,
    /// Lower triangle of the Cholesky factor of their covariance, row by row; none: as before any data.
    #[serde(default)]
    pub spread: Vec<Vec<f64>>,
    /// Waves that draw what is open beyond the points; their amplitudes are constants of the model, 0 unless drawn.
    #[serde(default)]
    pub waves: usize,
    /// The runs it was learnt from.
    #[serde(default)]
    pub learnt_from: Vec<LearntFrom>,
}

/// An input of a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorInput {
    /// Quantity of the model, or `time`.
    pub of: String,
    /// Unit of the points and of the length, UCUM: that of the quantity.
    pub unit: String,
    /// Over how much of it the factor stays alike.
    pub length: f64,
}

/// A run that a factor was learnt from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearntFrom {
    /// Name.
    pub run: String,
    /// SHA-256 of what was learnt from it.
    pub hash: String,
}

/// What a factor says at a point: of g, the logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
}

impl Factor {
    /// Is it whole?
    ///
    /// # Errors
    /// Points, values or spread that do not fit together, that are not finite, or too many.
    pub fn check(&self, name: &str) -> Result<()> {
        let n = self.points.len();
        let finite = |v: &f64| v.is_finite();
        let spread = self.spread.is_empty()
            || self.spread.len() == n
                && self.spread.iter().enumerate().all(|(i, row)| row.len() == i + 1 && row.iter().all(finite));
        let whole = self.variance > 0.0
            && self.variance.is_finite()
            && !self.input.is_empty()
            && self.input.iter().all(|i| i.length > 0.0 && i.length.is_finite())
            && (1..=POINTS_MAX).contains(&n)
            && self.waves <= POINTS_MAX
            && self.points.iter().all(|p| p.len() == self.input.len() && p.iter().all(finite))
            && self.values.len() == n
            && self.values.iter().all(finite);
        if whole && spread {
            return Ok(());
        }
        Err(Error::input(
            "E-HYBRID-001",
            format!("学習した係数 «{name}» の点・値・長さ・分散が整っていません（点は 1〜{POINTS_MAX} 個）"),
            format!("points, values, lengths and variance of the factor «{name}» do not fit (1 to {POINTS_MAX} points)"),
        )
        .at(Place::field(format!("factor.{name}")))
        .hint("学習で書かれた節をそのまま使ってください", "use the section as it was learnt and written"))
    }

    /// Covariance at a squared distance in lengths.
    fn alike(&self, a: &[f64], b: &[f64]) -> f64 {
        let squared: f64 = a.iter().zip(b).zip(&self.input).map(|((a, b), i)| ((a - b) / i.length).powi(2)).sum();
        self.variance * libm::exp(-0.5 * squared)
    }

    /// Cholesky factor of the covariance among the points.
    ///
    /// # Errors
    /// Points that are the same.
    pub(crate) fn root(&self) -> Result<Cholesky> {
        let n = self.points.len();
        Cholesky::new(&Matrix::from_fn(n, n, |i, j| {
            self.alike(&self.points[i], &self.points[j]) + if i == j { JITTER * self.variance } else { 0.0 }
        }))
    }

    /// φ(z).
    pub(crate) fn features(&self, root: &Cholesky, z: &[f64]) -> Vec<f64> {
        let mut k: Vec<f64> = self.points.iter().map(|p| self.alike(p, z)).collect();
        root.solve_lower(&mut k);
        k
    }

    /// What is expected of g at a point, in the units of the inputs.
    ///
    /// # Errors
    /// Points that are the same.
    pub fn at(&self, z: &[f64]) -> Result<At> {
        let features = self.features(&self.root()?, z);
        let open = (self.variance - dot(&features, &features)).max(0.0);
        let known: f64 = if self.spread.is_empty() {
            dot(&features, &features)
        } else {
            // |Sᵀ φ|².
            (0..features.len())
                .map(|j| (j..features.len()).map(|i| self.spread[i][j] * features[i]).sum::<f64>())
                .map(|v| v * v)
                .sum()
        };
        Ok(At { mean: dot(&features, &self.values), sd: (open + known).sqrt() })
    }

    /// Names of the constants of its values, and of the amplitudes of its waves.
    #[must_use]
    pub fn constants(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let of = |what: &str, n: usize| (1..=n).map(|i| format!("{name}_{what}{i}")).collect();
        (of("", self.points.len()), of("wave", self.waves))
    }

    /// Directions and phases of the waves.
    fn waves(&self) -> Vec<(Vec<f64>, f64)> {
        let mut chance = Chance::new(WAVES);
        let of = |chance: &mut Chance| {
            let direction = self.input.iter().map(|i| chance.normal() / i.length).collect();
            (direction, 2.0 * std::f64::consts::PI * chance.uniform())
        };
        (0..self.waves).map(|_| of(&mut chance)).collect()
    }

    fn wave(&self, (direction, phase): &(Vec<f64>, f64), z: &[f64]) -> f64 {
        libm::sqrt(2.0 * self.variance / self.waves.max(1) as f64) * libm::cos(dot(direction, z) + phase)
    }

    /// The factor exp(g) over the quantities of the model.
    ///
    /// # Errors
    /// Points that are the same.
    pub fn expression(&self, name: &str) -> Result<Expression> {
        let root = self.root()?;
        let n = self.points.len();
        let (values, amplitudes) = self.constants(name);
        let number = Expression::Number;
        let times = |a: Expression, b: Expression| Expression::apply(Function::Multiply, [a, b]);
        let of = |function: Elementary, a: Expression| Expression::apply(Function::Of(function), [a]);
        let inputs: Vec<Expression> =
            self.input.iter().map(|i| if i.of == "time" { Expression::Time } else { Expression::name(i.of.as_str()) }).collect();
        let scaled: Vec<Expression> =
            inputs.iter().zip(&self.input).map(|(z, i)| times(z.clone(), number(1.0 / i.length))).collect();
        // L⁻ᵀ, of which column m says what the value m adds at every point.
        let inverse: Vec<Vec<f64>> = (0..n)
            .map(|m| {
                let mut unit = vec![0.0; n];
                unit[m] = 1.0;
                root.solve_upper(&mut unit);
                unit
            })
            .collect();
        let mut parts = Vec::new();
        for (l, point) in self.points.iter().enumerate() {
            let squares: Vec<Expression> = scaled
                .iter()
                .zip(point.iter().zip(&self.input))
                .map(|(z, (p, i))| {
                    let off = Expression::apply(Function::Subtract, [z.clone(), number(p / i.length)]);
                    times(off.clone(), off)
                })
                .collect();
            let squared = Expression::Apply(Function::Add, squares);
            let alike = of(Elementary::Exp, times(number(-0.5), squared));
            let weights = (0..n)
                .filter(|m| inverse[*m][l] != 0.0)
                .map(|m| times(number(self.variance * inverse[m][l]), Expression::name(values[m].as_str())));
            parts.push(times(Expression::Apply(Function::Add, weights.collect()), alike));
        }
        for (wave, amplitude) in self.waves().iter().zip(&amplitudes) {
            let mut phase: Vec<Expression> = wave.0.iter().zip(&inputs).map(|(w, z)| times(number(*w), z.clone())).collect();
            phase.push(number(wave.1));
            let swing = of(Elementary::Cos, Expression::Apply(Function::Add, phase));
            let size = libm::sqrt(2.0 * self.variance / self.waves.max(1) as f64);
            parts.push(times(times(number(size), Expression::name(amplitude.as_str())), swing));
        }
        Ok(of(Elementary::Exp, Expression::Apply(Function::Add, parts)))
    }

    /// One draw of the function: values of the constants, then amplitudes of the waves.
    ///
    /// # Errors
    /// Points that are the same.
    pub fn draw(&self, chance: &mut Chance) -> Result<(Vec<f64>, Vec<f64>)> {
        let n = self.points.len();
        let normals: Vec<f64> = (0..n).map(|_| chance.normal()).collect();
        let mut values: Vec<f64> = (0..n)
            .map(|i| {
                let off = if self.spread.is_empty() { normals[i] } else { dot(&self.spread[i], &normals[..=i]) };
                self.values[i] + off
            })
            .collect();
        let amplitudes: Vec<f64> = (0..self.waves).map(|_| chance.normal()).collect();
        if self.waves > 0 {
            // What the waves say at the points is taken back there.
            let waves = self.waves();
            let mut at: Vec<f64> =
                self.points.iter().map(|p| waves.iter().zip(&amplitudes).map(|(w, a)| a * self.wave(w, p)).sum()).collect();
            self.root()?.solve_lower(&mut at);
            values.iter_mut().zip(at).for_each(|(v, a)| *v -= a);
        }
        Ok((values, amplitudes))
    }

    /// g of a draw at a point.
    ///
    /// # Errors
    /// Points that are the same.
    pub fn drawn_at(&self, draw: &(Vec<f64>, Vec<f64>), z: &[f64]) -> Result<f64> {
        let features = self.features(&self.root()?, z);
        let waves: f64 = self.waves().iter().zip(&draw.1).map(|(w, a)| a * self.wave(w, z)).sum();
        Ok(dot(&features, &draw.0) + waves)
    }
}
