//! The little dense algebra that rounding needs.

/// A dense matrix by rows.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
}

impl Dense {
    pub(super) fn zero(rows: usize, columns: usize) -> Self {
        Self { columns, values: vec![0.0; rows * columns] }
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    pub(super) fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.columns..(i + 1) * self.columns]
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut lanes, whole) = ([0.0; 4], a.len() / 4 * 4);
    for (x, y) in a[..whole].chunks_exact(4).zip(b[..whole].chunks_exact(4)) {
        for k in 0..4 {
            lanes[k] += x[k] * y[k];
        }
    }
    let rest: f64 = a[whole..].iter().zip(&b[whole..]).map(|(x, y)| x * y).sum();
    lanes[0] + lanes[1] + lanes[2] + lanes[3] + rest
}
