//! Classical designs, in coded levels from −1 to 1 or as places in the cube; [`points`] brings either to the units
//! of the factors.
//!
//! * `filling`: even points and Latin hypercubes.
//! * `factorial`: fractions of two-level designs with the least confounding.
//! * `screening`: definitive screening designs.
//! * `optimal`: D-optimal choice from candidates, for spaces with holes.

mod factorial;
mod filling;
mod optimal;
mod screening;

pub use factorial::{TwoLevel, two_level};
pub use filling::latin_hypercube;
pub use optimal::{Model, Optimal, d_optimal};
pub use screening::definitive_screening;

use super::space::{Kind, Space};
use crate::linear::Matrix;
use toji_core::{Error, Place, Result};

/// Points in the units of the factors, from coded levels: −1 is the lower bound (or the first of two options), 1 the
/// upper one.
///
/// # Errors
/// Another number of columns than factors, or a factor with more than two options.
pub fn points(space: &Space, coded: &Matrix) -> Result<Vec<Vec<f64>>> {
    let factors = space.factors();
    let many = factors.iter().find(|f| matches!(&f.kind, Kind::Choice { options } if options.len() > 2));
    if coded.columns() != factors.len() || many.is_some() {
        let name = many.map_or("factors", |f| f.name.as_str());
        return Err(Error::input(
            "E-CAMPAIGN-040",
            format!(
                "この計画は {} 列ですが因子は {} 個です。選択肢が三つ以上の因子には使えません",
                coded.columns(),
                factors.len()
            ),
            format!(
                "the design has {} columns and there are {} factors; it takes no factor with more than two options",
                coded.columns(),
                factors.len()
            ),
        )
        .at(Place::field(name))
        .hint("選択肢が多い因子には D 最適計画を使ってください", "use a D-optimal design where a factor has more options"));
    }
    let place = |row: &[f64]| {
        let mut cube = vec![0.0; space.dimensions()];
        for ((factor, columns), level) in factors.iter().zip(space.columns()).zip(row) {
            if matches!(factor.kind, Kind::Choice { .. }) {
                cube[columns.start + usize::from(*level > 0.0)] = 1.0;
            } else {
                cube[columns.start] = f64::midpoint(*level, 1.0);
            }
        }
        space.point(&cube)
    };
    Ok((0..coded.rows()).map(|i| place(coded.row(i))).collect())
}

#[cfg(test)]
mod tests {
    use super::super::Factor;
    use super::*;
    use toji_core::unit::Unit;

    #[test]
    fn coded_levels_become_values_with_units() {
        let unit = |u: &str| Unit::parse(u).unwrap();
        let options = vec!["glucose".to_owned(), "glycerol".to_owned()];
        let carbon = Factor { name: "carbon".into(), unit: unit("1"), kind: Kind::Choice { options }, hard_to_change: false };
        let space = Space::new(vec![Factor::continuous("T", unit("Cel"), 28.0, 37.0), carbon]).unwrap();
        let design = two_level(2, 4).unwrap();
        let values = points(&space, &design.levels).unwrap();
        assert_eq!(values, [vec![28.0, 0.0], vec![37.0, 0.0], vec![28.0, 1.0], vec![37.0, 1.0]]);
        assert_eq!(points(&space, &Matrix::zeros(1, 3)).unwrap_err().code(), "E-CAMPAIGN-040");
        assert_eq!(points(&space, &Matrix::zeros(1, 2)).unwrap()[0][0], 32.5);
    }
}
