//! The units to fill.

use super::space::Space;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// Most units of a batch.
const UNITS_MAX: usize = 384;

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Position {
    /// Name of its place, such as `A1`.
    pub name: String,
    /// Does it stand on the outermost ring, where other conditions may reign?
    pub edge: bool,
}

/// Units that share the factors which are hard to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Units.
    pub positions: Vec<Position>,
    /// Factors that are already decided for the group: index of the factor and its value.
    pub fixed: Vec<(usize, f64)>,
}

/// What the edge is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// Like any other place.
    #[default]
    AsAny,
    /// For trying what is uncertain; repeats and what is expected to be best stand inside as far as there is room.
    ForTrying,
    /// Left free.
    Free,
}

/// A batch to fill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Batch {
    /// Groups.
    pub groups: Vec<Group>,
    /// Units that repeat points which were tried, so that the best of them is known better.
    pub replicates: usize,
    /// What the edge is used for.
    pub edge: Edge,
}

impl Batch {
    /// So many units that share nothing.
    #[must_use]
    pub fn of_units(units: usize) -> Self {
        Self::of_groups(1, units)
    }
    /// So many groups of so many units each.
    #[must_use]
    pub fn of_groups(groups: usize, units: usize) -> Self {
        let group = |g: usize| Group {
            name: format!("{}", g + 1),
            positions: (0..units).map(|u| Position { name: format!("{}-{}", g + 1, u + 1), edge: false }).collect(),
            fixed: Vec::new(),
        };
        Self { groups: (0..groups).map(group).collect(), replicates: 0, edge: Edge::AsAny }
    }
    /// Units of a group that are filled.
    pub(super) fn seats(&self, group: &Group) -> usize {
        group.positions.iter().filter(|p| self.edge != Edge::Free || !p.edge).count()
    }
    /// Units that are filled.
    #[must_use]
    pub fn units(&self) -> usize {
        self.groups.iter().map(|g| self.seats(g)).sum()
    }
    pub(super) fn check(&self, space: &Space) -> Result<()> {
        let units = self.units();
        if !(1..=UNITS_MAX).contains(&units) || self.replicates > units {
            return Err(Error::input(
                "E-CAMPAIGN-020",
                format!("使える培養槽は 1〜{UNITS_MAX} 基、反復はその数以下です: {units} 基、反復 {}", self.replicates),
                format!(
                    "a batch has 1 to {UNITS_MAX} units to fill and no more repeats than units: {units}, {}",
                    self.replicates
                ),
            )
            .at(Place::field("batch"))
            .hint("端を空けすぎていないか確認してください", "see whether leaving the edge free leaves anything"));
        }
        for group in &self.groups {
            for (factor, value) in &group.fixed {
                let mut cube = vec![0.5; space.dimensions()];
                let inside = |cube: &[f64]| cube.iter().all(|c| (-1e-9..=1.0 + 1e-9).contains(c));
                if !space.fix(*factor, *value, &mut cube) || !inside(&cube) {
                    return Err(Error::input(
                        "E-CAMPAIGN-021",
                        format!("群「{}」に決めた値 {value} は因子の範囲にありません", group.name),
                        format!("the value {value} decided for the group \"{}\" is not one of the factor's", group.name),
                    )
                    .at(Place::field(group.name.clone()))
                    .hint("因子の番号、単位と範囲を確認してください", "check the index, the unit and the range of the factor"));
                }
            }
        }
        Ok(())
    }
}
