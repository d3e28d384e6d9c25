//! Simulated normal batches: three smooth sources of difference between batches, and noise with a memory.

use toji_core::chance::Chance;
use toji_culture::monitor::{Aligned, Axis, Batch, Matrix, align};

pub(crate) const VARIABLES: usize = 5;
pub(crate) const POINTS: usize = 30;

pub(crate) fn names() -> Vec<String> {
    ["biomass", "oxygen", "base", "cer", "titre"].map(str::to_owned).to_vec()
}

/// One batch; `change` acts on its values by point and variable.
pub(crate) fn batch(name: &str, chance: &mut Chance, change: impl Fn(usize, usize, f64) -> f64) -> Batch {
    let sources = [2.0, 1.3, 0.8].map(|sd| sd * chance.normal());
    let mut noise = [0.0; VARIABLES];
    let rows: Vec<Vec<Option<f64>>> = (0..POINTS)
        .map(|point| {
            let s = point as f64 / (POINTS - 1) as f64;
            (0..VARIABLES)
                .map(|var| {
                    let v = var as f64;
                    noise[var] = 0.6 * noise[var] + 0.8 * 0.4 * chance.normal();
                    let shapes = [s * (1.0 + 0.2 * v), (3.0 * s + v).sin(), (5.0 * s - 2.0 * v).cos()];
                    let together: f64 = sources.iter().zip(shapes).map(|(a, f)| a * f).sum();
                    let value = (10.0 + 8.0 * s * (1.0 + v) + together + noise[var]) * 10_f64.powi(var as i32 - 2);
                    Some(change(point, var, value))
                })
                .collect()
        })
        .collect();
    let times = (0..POINTS).map(|point| point as f64).collect();
    Batch { name: name.into(), times, values: Matrix::from_rows(&rows).unwrap(), marks: Vec::new(), ended: true }
}

pub(crate) fn axis() -> Axis {
    Axis::Time { points: POINTS, end: (POINTS - 1) as f64 }
}

pub(crate) fn normal(n: usize, chance: &mut Chance) -> Aligned {
    let batches: Vec<Batch> = (0..n).map(|i| batch(&format!("{i}"), chance, |_, _, v| v)).collect();
    align(&batches, &names(), &axis()).unwrap()
}
