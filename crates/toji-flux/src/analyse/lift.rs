//! Problems all of whose rows are equations.

use crate::lp::Problem;
use crate::sparse::Matrix;

/// The problem with a column for the activity of every row whose sides differ, and those rows in the order of their columns,
/// which come after the problem's own. The objective is zero.
pub(super) fn lift(problem: &Problem) -> (Problem, Vec<usize>) {
    let (rows, n) = (problem.matrix.rows(), problem.matrix.columns());
    let mut lifted = problem.clone();
    let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
    let open: Vec<usize> = (0..rows).filter(|&i| problem.row_lower[i] != problem.row_upper[i]).collect();
    for &i in &open {
        columns.push(vec![(i, -1.0)]);
        lifted.lower.push(problem.row_lower[i]);
        lifted.upper.push(problem.row_upper[i]);
        (lifted.row_lower[i], lifted.row_upper[i]) = (0.0, 0.0);
    }
    lifted.cost = vec![0.0; columns.len()];
    if let Some(matrix) = Matrix::from_columns(rows, columns.iter().map(Vec::as_slice)) {
        lifted.matrix = matrix;
    }
    (lifted, open)
}
