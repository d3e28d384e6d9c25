//! Factors, what of them can be set, and their place in a cube.

use libm::{exp, log as ln};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Range;
use toji_core::unit::Unit;
use toji_core::{Error, Place, Result};

/// Most dimensions of the cube.
const DIMENSIONS_MAX: usize = 64;

/// What values a factor takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Any value between two bounds.
    Continuous {
        /// Lowest.
        low: f64,
        /// Highest.
        high: f64,
        /// Smallest step that can be set, counted from the lowest.
        step: Option<f64>,
        /// Do equal ratios count as equal distances?
        logarithmic: bool,
    },
    /// Whole numbers.
    Integer {
        /// Lowest.
        low: i32,
        /// Highest.
        high: i32,
    },
    /// One of some options without order.
    Choice {
        /// Names of the options.
        options: Vec<String>,
    },
}

/// Something that is set for a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Factor {
    /// Name, unique in the space.
    pub name: String,
    /// Unit of its values; `1` for a choice.
    pub unit: Unit,
    /// What values it takes.
    pub kind: Kind,
    /// Do the units of a group share one value, as with the temperature of a block of reactors?
    pub hard_to_change: bool,
}

impl Factor {
    /// A factor between two bounds.
    #[must_use]
    pub fn continuous(name: &str, unit: Unit, low: f64, high: f64) -> Self {
        let kind = Kind::Continuous { low, high, step: None, logarithmic: false };
        Self { name: name.into(), unit, kind, hard_to_change: false }
    }
    /// The same, shared by the units of a group.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.hard_to_change = true;
        self
    }
    /// Columns of the cube it takes.
    fn width(&self) -> usize {
        match &self.kind {
            Kind::Choice { options } => options.len(),
            Kind::Continuous { .. } | Kind::Integer { .. } => 1,
        }
    }
    fn fault(&self) -> Option<(&'static str, &'static str)> {
        match &self.kind {
            Kind::Continuous { low, high, step, logarithmic } => {
                let bounds = low.is_finite() && high.is_finite() && low < high;
                if !bounds {
                    return Some((
                        "下限は上限より小さい有限の値にしてください",
                        "the lower bound must be finite and below the upper one",
                    ));
                }
                if step.is_some_and(|s| !(s > 0.0 && s <= high - low)) {
                    return Some(("刻みは 0 より大きく範囲以下にしてください", "the step must be above 0 and within the range"));
                }
                (*logarithmic && *low <= 0.0)
                    .then_some(("対数の下限は 0 より大きくしてください", "a logarithmic factor must be above 0"))
            }
            Kind::Integer { low, high } => {
                (low >= high).then_some(("下限は上限より小さくしてください", "the lower bound must be below the upper one"))
            }
            Kind::Choice { options } => {
                let different: BTreeSet<&str> = options.iter().map(|o| o.trim()).filter(|o| !o.is_empty()).collect();
                (options.len() < 2 || different.len() != options.len())
                    .then_some(("選択肢は名前の異なる二つ以上にしてください", "give at least two options with different names"))
            }
        }
    }
    /// Place in the cube of a value; a choice is the index of its option.
    fn place(&self, value: f64, cube: &mut [f64]) {
        match &self.kind {
            Kind::Continuous { low, high, logarithmic: true, .. } => cube[0] = (ln(value) - ln(*low)) / (ln(*high) - ln(*low)),
            Kind::Continuous { low, high, .. } => cube[0] = (value - low) / (high - low),
            Kind::Integer { low, high } => cube[0] = (value - f64::from(*low)) / (f64::from(*high) - f64::from(*low)),
            Kind::Choice { .. } => {
                for (i, c) in cube.iter_mut().enumerate() {
                    *c = f64::from(u8::from(i as f64 == value));
                }
            }
        }
    }
    /// The value that can be set nearest to a place in the cube.
    fn value(&self, cube: &[f64]) -> f64 {
        match &self.kind {
            Kind::Continuous { low, high, step, logarithmic } => {
                let u = cube[0].clamp(0.0, 1.0);
                let raw = if *logarithmic { exp(ln(*low) + u * (ln(*high) - ln(*low))) } else { low + u * (high - low) };
                step.map_or(raw, |step| stepped(raw, *low, *high, step)).clamp(*low, *high)
            }
            Kind::Integer { low, high } => {
                let (low, high) = (f64::from(*low), f64::from(*high));
                (low + cube[0].clamp(0.0, 1.0) * (high - low)).round().clamp(low, high)
            }
            Kind::Choice { .. } => {
                let largest =
                    cube.iter().enumerate().fold((0, f64::NEG_INFINITY), |(k, m), (i, c)| if *c > m { (i, *c) } else { (k, m) });
                largest.0 as f64
            }
        }
    }
}

/// The multiple of `step` above `low` that is nearest, written as the decimal number it is meant to be.
fn stepped(raw: f64, low: f64, high: f64, step: f64) -> f64 {
    let most = ((high - low) / step * (1.0 + 1e-12)).floor();
    let k = ((raw - low) / step).round().clamp(0.0, most);
    let parts = (1.0 / step).round();
    let start = (low * parts).round();
    if parts >= 1.0 && (parts * step - 1.0).abs() < 1e-9 && (low * parts - start).abs() < 1e-6 {
        (start + k) / parts
    } else {
        low + k * step
    }
}

/// The factors of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    factors: Vec<Factor>,
    columns: Vec<Range<usize>>,
    dimensions: usize,
}

impl Space {
    /// From factors.
    ///
    /// # Errors
    /// No factor, a name that is empty or used twice, a factor whose values make no sense, or too many of them.
    pub fn new(factors: Vec<Factor>) -> Result<Self> {
        let mut names = BTreeSet::new();
        for factor in &factors {
            if factor.name.trim().is_empty() || !names.insert(factor.name.as_str()) {
                return Err(Error::input(
                    "E-CAMPAIGN-001",
                    format!("因子名「{}」が空か重複しています", factor.name),
                    format!("the name of a factor is empty or used twice: \"{}\"", factor.name),
                )
                .at(Place::field("factors"))
                .hint("因子ごとに違う名前を付けてください", "give every factor a name of its own"));
            }
            if let Some((ja, en)) = factor.fault() {
                return Err(Error::input(
                    "E-CAMPAIGN-002",
                    format!("因子「{}」の値の範囲が使えません", factor.name),
                    format!("the values of the factor \"{}\" cannot be used", factor.name),
                )
                .at(Place::field(factor.name.clone()))
                .hint(ja, en));
            }
        }
        let mut dimensions = 0_usize;
        let columns = factors
            .iter()
            .map(|f| {
                let begin = dimensions;
                dimensions = dimensions.saturating_add(f.width());
                begin..dimensions
            })
            .collect();
        if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
            return Err(Error::input(
                "E-CAMPAIGN-003",
                format!("因子は 1〜{DIMENSIONS_MAX} 次元にしてください（選択肢は一つで 1 次元）: {dimensions} 次元"),
                format!("the factors must make 1 to {DIMENSIONS_MAX} dimensions, an option being one: {dimensions}"),
            )
            .at(Place::field("factors"))
            .hint("重要な因子に絞ってください", "keep the factors that matter"));
        }
        Ok(Self { factors, columns, dimensions })
    }
    /// Factors.
    #[must_use]
    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }
    /// Dimensions of the cube.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }
    /// Columns of the cube of each factor.
    #[must_use]
    pub fn columns(&self) -> &[Range<usize>] {
        &self.columns
    }
    /// Place in the cube of a point in the units of the factors; a choice is the index of its option. Runs outside
    /// the bounds have their place outside the cube.
    ///
    /// # Errors
    /// Another number of values than factors, or a value that its factor cannot have.
    pub fn place(&self, point: &[f64]) -> Result<Vec<f64>> {
        let mut cube = vec![0.0; self.dimensions];
        if point.len() == self.factors.len() {
            for ((factor, columns), value) in self.factors.iter().zip(&self.columns).zip(point) {
                factor.place(*value, &mut cube[columns.clone()]);
                let chosen = !matches!(factor.kind, Kind::Choice { .. }) || cube[columns.clone()].contains(&1.0);
                if !chosen || cube[columns.clone()].iter().any(|c| !c.is_finite()) {
                    return Err(Error::input(
                        "E-CAMPAIGN-005",
                        format!("因子「{}」は値 {value} を取れません", factor.name),
                        format!("the factor \"{}\" cannot have the value {value}", factor.name),
                    )
                    .at(Place::field(factor.name.clone()))
                    .hint("単位と値を確認してください", "check the unit and the value"));
                }
            }
            return Ok(cube);
        }
        Err(Error::input(
            "E-CAMPAIGN-004",
            format!("点の値が {} 個ですが、因子は {} 個です", point.len(), self.factors.len()),
            format!("the point has {} values, but there are {} factors", point.len(), self.factors.len()),
        )
        .at(Place::field("point"))
        .hint("因子ごとに一つの値を指定してください", "give one value for every factor"))
    }
    /// The point that can be set nearest to a place in the cube.
    #[must_use]
    pub fn point(&self, cube: &[f64]) -> Vec<f64> {
        self.factors.iter().zip(&self.columns).map(|(f, columns)| f.value(&cube[columns.clone()])).collect()
    }
    /// Moves a place in the cube to the nearest one that can be set, and says the point there.
    pub fn settle(&self, cube: &mut [f64]) -> Vec<f64> {
        let point = self.point(cube);
        for ((factor, columns), value) in self.factors.iter().zip(&self.columns).zip(&point) {
            let part = &mut cube[columns.clone()];
            match &factor.kind {
                // What can be set without steps stays as it is, so that no rounding moves it.
                Kind::Continuous { step: None, .. } => part[0] = part[0].clamp(0.0, 1.0),
                _ => factor.place(*value, part),
            }
        }
        point
    }
    /// Sets one factor of a place in the cube; says whether it can have the value.
    pub(super) fn fix(&self, factor: usize, value: f64, cube: &mut [f64]) -> bool {
        let (Some(columns), Some(factor)) = (self.columns.get(factor), self.factors.get(factor)) else { return false };
        let part = &mut cube[columns.clone()];
        factor.place(value, part);
        part.iter().all(|c| c.is_finite()) && (!matches!(factor.kind, Kind::Choice { .. }) || part.contains(&1.0))
    }
    /// Can a search slide along this column, rather than jump?
    pub(super) fn slides(&self, column: usize) -> bool {
        self.factors.iter().zip(&self.columns).any(|(f, c)| c.contains(&column) && matches!(f.kind, Kind::Continuous { .. }))
    }
    /// Levels of a factor that jumps, as values; the two neighbours of a whole number with many levels.
    pub(super) fn jumps(&self, factor: usize, now: f64) -> Vec<f64> {
        match &self.factors[factor].kind {
            Kind::Continuous { .. } => Vec::new(),
            Kind::Choice { options } => (0..options.len()).map(|i| i as f64).collect(),
            Kind::Integer { low, high } => {
                let (low, high) = (f64::from(*low), f64::from(*high));
                if high - low <= 8.0 {
                    let mut level = low;
                    std::iter::from_fn(|| {
                        let now = level;
                        level += 1.0;
                        (now <= high).then_some(now)
                    })
                    .collect()
                } else {
                    [now - 1.0, now + 1.0].into_iter().filter(|v| (low..=high).contains(v)).collect()
                }
            }
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use proptest::prelude::*;

    fn space() -> Space {
        let unit = |u: &str| Unit::parse(u).unwrap();
        let mut feed = Factor::continuous("feed", unit("g/L/h"), 0.5, 8.0);
        feed.kind = Kind::Continuous { low: 0.5, high: 8.0, step: None, logarithmic: true };
        let mut ph = Factor::continuous("pH", unit("[pH]"), 6.5, 7.3);
        ph.kind = Kind::Continuous { low: 6.5, high: 7.3, step: Some(0.1), logarithmic: false };
        let stage =
            Factor { name: "shifts".into(), unit: unit("1"), kind: Kind::Integer { low: 0, high: 3 }, hard_to_change: false };
        let options = vec!["glucose".into(), "glycerol".into(), "sucrose".into()];
        let carbon = Factor { name: "carbon".into(), unit: unit("1"), kind: Kind::Choice { options }, hard_to_change: false };
        let temperature = Factor::continuous("temperature", unit("Cel"), 28.0, 37.0).shared();
        Space::new(vec![feed, ph, stage, carbon, temperature]).unwrap()
    }

    #[test]
    fn points_have_their_place_and_steps_are_the_decimal_numbers_meant() {
        let space = space();
        assert_eq!(space.dimensions(), 7);
        let cube = space.place(&[2.0, 6.9, 3.0, 1.0, 37.0]).unwrap();
        assert!((cube[0] - 0.5).abs() < 1e-15);
        assert_eq!(&cube[2..], [1.0, 0.0, 1.0, 0.0, 1.0]);
        let points: Vec<f64> = (0..=8).map(|i| space.point(&[0.5, f64::from(i) / 8.0, 0.0, 1.0, 0.0, 0.0, 0.0])[1]).collect();
        assert_eq!(points, [6.5, 6.6, 6.7, 6.8, 6.9, 7.0, 7.1, 7.2, 7.3]);
        assert_eq!(space.place(&[2.0, 6.9, 3.0, 7.0, 37.0]).unwrap_err().code(), "E-CAMPAIGN-005");
        assert_eq!(space.place(&[-1.0, 6.9, 3.0, 1.0, 37.0]).unwrap_err().code(), "E-CAMPAIGN-005");
        assert_eq!(space.place(&[2.0]).unwrap_err().code(), "E-CAMPAIGN-004");
    }

    #[test]
    fn factors_that_make_no_sense_are_refused_where_they_stand() {
        let one = Unit::parse("1").unwrap();
        let make = |kind: Kind| Space::new(vec![Factor { name: "x".into(), unit: one.clone(), kind, hard_to_change: false }]);
        for kind in [
            Kind::Continuous { low: 1.0, high: 1.0, step: None, logarithmic: false },
            Kind::Continuous { low: 0.0, high: 1.0, step: None, logarithmic: true },
            Kind::Continuous { low: 0.0, high: 1.0, step: Some(2.0), logarithmic: false },
            Kind::Continuous { low: 0.0, high: f64::NAN, step: None, logarithmic: false },
            Kind::Integer { low: 2, high: 2 },
            Kind::Choice { options: vec!["a".into(), "a".into()] },
        ] {
            let error = make(kind).unwrap_err();
            assert_eq!(error.code(), "E-CAMPAIGN-002");
        }
        assert_eq!(Space::new(vec![]).unwrap_err().code(), "E-CAMPAIGN-003");
        let twice = Factor::continuous("x", one, 0.0, 1.0);
        assert_eq!(Space::new(vec![twice.clone(), twice]).unwrap_err().code(), "E-CAMPAIGN-001");
    }

    proptest! {
        #[test]
        fn what_is_settled_stays_and_lies_inside(cube in proptest::collection::vec(-0.2_f64..1.2, 7)) {
            let space = space();
            let mut settled = cube.clone();
            let point = space.settle(&mut settled);
            prop_assert!((0.5..=8.0).contains(&point[0]) && (6.5..=7.3).contains(&point[1]) && (28.0..=37.0).contains(&point[4]));
            prop_assert!([0.0, 1.0, 2.0, 3.0].contains(&point[2]) && [0.0, 1.0, 2.0].contains(&point[3]));
            let mut again = settled.clone();
            prop_assert_eq!(&space.settle(&mut again), &point);
            for (a, b) in again.iter().zip(&settled) {
                prop_assert!((a - b).abs() < 1e-14);
            }
            for (a, b) in space.place(&point).unwrap().iter().zip(&settled) {
                prop_assert!((a - b).abs() < 1e-12);
            }
        }
    }
}
