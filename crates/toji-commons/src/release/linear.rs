//! Exact linear algebra over integers: rank, reduced rows, null space. What would not fit 128 bits is told,
//! never rounded.

/// Rows of integers, all of one length.
pub(super) type Rows = Vec<Vec<i128>>;

/// Rows in reduced echelon form, each divided by its common divisor, with the column of each row's pivot.
/// Pivots are positive; columns of pivots are zero elsewhere. `None` when a number outgrows 128 bits.
pub(super) fn reduced(mut rows: Rows) -> Option<(Rows, Vec<usize>)> {
    let columns = rows.first().map_or(0, Vec::len);
    let mut pivots = Vec::new();
    for column in 0..columns {
        let top = pivots.len();
        // The smallest pivot keeps numbers small.
        let best = (top..rows.len()).filter(|&r| rows[r][column] != 0).min_by_key(|&r| rows[r][column].unsigned_abs());
        let Some(best) = best else { continue };
        rows.swap(top, best);
        normalise(&mut rows[top], column);
        let pivot_row = rows[top].clone();
        for (r, row) in rows.iter_mut().enumerate() {
            if r != top && row[column] != 0 {
                eliminate(row, &pivot_row, column)?;
            }
        }
        pivots.push(column);
    }
    rows.truncate(pivots.len());
    Some((rows, pivots))
}

/// The rank of the rows. `None` as in [`reduced`].
pub(super) fn rank(rows: Rows) -> Option<usize> {
    reduced(rows).map(|(_, pivots)| pivots.len())
}

/// Directions that change none of the rows' products: one for each column without pivot.
pub(super) fn null_space(rows: &[Vec<i128>], pivots: &[usize], columns: usize) -> Option<Rows> {
    let free = (0..columns).filter(|c| !pivots.contains(c));
    free.map(|column| {
        let mut direction = vec![0i128; columns];
        let touched = || rows.iter().zip(pivots).filter(move |(row, _)| row[column] != 0);
        let mut scale: i128 = 1;
        for (row, &pivot) in touched() {
            scale = scale.checked_mul(row[pivot] / gcd(scale, row[pivot]))?;
        }
        direction[column] = scale;
        for (row, &pivot) in touched() {
            direction[pivot] = row[column].checked_mul(scale / row[pivot])?.checked_neg()?;
        }
        Some(direction)
    })
    .collect()
}

/// Takes as much of the pivot row as makes the column zero.
fn eliminate(row: &mut [i128], pivot_row: &[i128], column: usize) -> Option<()> {
    let common = gcd(row[column], pivot_row[column]);
    let (times, take) = (pivot_row[column] / common, row[column] / common);
    for (value, pivot) in row.iter_mut().zip(pivot_row) {
        *value = value.checked_mul(times)?.checked_sub(pivot.checked_mul(take)?)?;
    }
    let divisor = common_divisor(row);
    if divisor > 1 {
        row.iter_mut().for_each(|v| *v /= divisor);
    }
    Some(())
}

/// Divides by the common divisor and makes the pivot positive.
fn normalise(row: &mut [i128], pivot: usize) {
    let divisor = common_divisor(row);
    let divisor = if row[pivot] < 0 { -divisor } else { divisor };
    row.iter_mut().for_each(|v| *v /= divisor);
}

/// The greatest common divisor of a row.
fn common_divisor(row: &[i128]) -> i128 {
    let mut divisor = 0;
    for value in row.iter().filter(|v| **v != 0) {
        divisor = gcd(divisor, *value);
        if divisor == 1 {
            break;
        }
    }
    divisor
}

/// The greatest common divisor, never negative.
fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_textbook_matrix() {
        // By hand: rows 1 and 2 are independent, row 3 is their sum.
        let rows = vec![vec![1, 2, 1, 0], vec![0, 2, 0, 4], vec![1, 4, 1, 4]];
        let (echelon, pivots) = reduced(rows).unwrap();
        assert_eq!((echelon, pivots.clone()), (vec![vec![1, 0, 1, -4], vec![0, 1, 0, 2]], vec![0, 1]));
        let null = null_space(&[vec![1, 0, 1, -4], vec![0, 1, 0, 2]], &pivots, 4).unwrap();
        assert_eq!(null, vec![vec![-1, 0, 1, 0], vec![4, -2, 0, 1]]);
    }

    #[test]
    fn numbers_that_outgrow_are_told() {
        let big = i128::MAX / 2;
        assert_eq!(rank(vec![vec![big, 1], vec![big - 1, big]]), None);
        assert_eq!(rank(vec![]), Some(0));
    }

    proptest! {
        #[test]
        fn null_space_is_null_and_rank_adds_up(rows in proptest::collection::vec(proptest::collection::vec(-3i128..4, 6), 0..7)) {
            let (echelon, pivots) = reduced(rows.clone()).unwrap();
            let null = null_space(&echelon, &pivots, 6).unwrap();
            prop_assert_eq!(pivots.len() + null.len(), 6);
            for row in rows.iter().chain(&echelon) {
                for direction in &null {
                    prop_assert_eq!(row.iter().zip(direction).map(|(a, b)| a * b).sum::<i128>(), 0);
                }
            }
            // The rank does not depend on the order of the rows, and the null space is as large as it says.
            let mut back = rows.clone();
            back.reverse();
            prop_assert_eq!(rank(back).unwrap(), pivots.len());
            prop_assert_eq!(rank(null.clone()).unwrap(), null.len());
        }
    }
}
