//! What is sought, within which limits, and what is known so far.

use serde::{Deserialize, Serialize};
use toji_core::unit::Unit;
use toji_core::{Error, Place, Result, Text};

use super::space::Space;

/// Something that is measured of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Output {
    /// Name, such as `titre`.
    pub name: String,
    /// Unit of its values.
    pub unit: Unit,
}

/// Is more better?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More is better.
    Maximise,
    /// Less is better.
    Minimise,
}

/// What is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Goal {
    /// Index of the output.
    pub output: usize,
    /// Direction.
    pub direction: Direction,
}

/// A limit that an output should keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Limit {
    /// Index of the output.
    pub output: usize,
    /// Least value, in the unit of the output.
    pub at_least: Option<f64>,
    /// Greatest value, in the unit of the output.
    pub at_most: Option<f64>,
}

/// When a campaign should end. Each rule that is given can end it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StopRule {
    /// The batch promises less than this share of the standard deviation of the noise.
    ///
    /// 提案の見込みが、ばらつきの標準偏差のこの割合より小さい。
    pub noise_share: Option<f64>,
    /// The batch promises less than this, in the unit of the goal.
    ///
    /// 提案の見込みがこの値（目的の単位）より小さい。
    pub gain_min: Option<f64>,
    /// A unit of the goal is worth so much, in the currency of the cost of a run.
    ///
    /// 目的の 1 単位の価値（培養の費用と同じ通貨）。
    pub worth_of_unit: Option<f64>,
    /// A run costs so much; with the worth of a unit, a batch that costs more than it promises ends the campaign.
    ///
    /// 培養 1 回の費用。価値と合わせ、費用が見込みを超える提案で終える。
    pub cost_of_run: Option<f64>,
}

/// A campaign.
pub struct Problem<'a> {
    /// Factors.
    pub space: &'a Space,
    /// What is measured.
    pub outputs: &'a [Output],
    /// What is sought.
    pub goal: Goal,
    /// Limits of outputs, weighed by their probability.
    pub limits: &'a [Limit],
    /// The envelope: whether a point, in the units of the factors, may be run at all, or the reason why not. It is
    /// asked of every candidate before anything else.
    pub allowed: &'a dyn Fn(&[f64]) -> Result<(), Text>,
    /// When to end.
    pub stop: StopRule,
}

/// A measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Measured {
    /// Value, in the unit of the output.
    pub value: f64,
    /// Standard deviation that is known of this value alone and comes on top of the noise between runs.
    pub sd: Option<f64>,
}

/// A run that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Run {
    /// Values of the factors, in their units; a choice is the index of its option.
    pub point: Vec<f64>,
    /// One for each output; `None` where it was not measured.
    pub results: Vec<Option<Measured>>,
}

/// What is known so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct History {
    /// Runs that were made.
    pub runs: Vec<Run>,
    /// Points of runs that are under way.
    pub pending: Vec<Vec<f64>>,
}

impl Problem<'_> {
    /// Does the problem make sense with this history?
    pub(super) fn check(&self, history: &History) -> Result<()> {
        let outputs = self.outputs.len();
        let fault = |field: &str, ja: String, en: String| Err(Error::input("E-CAMPAIGN-010", ja, en).at(Place::field(field)));
        if self.goal.output >= outputs || self.limits.iter().any(|l| l.output >= outputs) {
            return fault(
                "goal",
                "目的か制約が存在しない出力を指しています".into(),
                "the goal or a limit names an output that does not exist".into(),
            )
            .map_err(|e| e.hint("出力の一覧を確認してください", "see the list of outputs"));
        }
        let bound = |v: Option<f64>| v.is_none_or(f64::is_finite);
        let limit = self.limits.iter().find(|l| {
            !bound(l.at_least) || !bound(l.at_most) || l.at_least.zip(l.at_most).is_some_and(|(low, high)| low >= high)
        });
        if let Some(limit) = limit {
            let name = &self.outputs[limit.output].name;
            return fault(name, format!("「{name}」の制約の範囲が空です"), format!("the limits of \"{name}\" leave nothing"))
                .map_err(|e| e.hint("下限を上限より小さくしてください", "make the lower limit smaller than the upper one"));
        }
        for (i, run) in history.runs.iter().enumerate() {
            let finite =
                run.results.iter().flatten().all(|m| m.value.is_finite() && m.sd.is_none_or(|s| s.is_finite() && s >= 0.0));
            if run.results.len() != outputs || !finite {
                return fault(
                    &format!("runs[{i}]"),
                    format!("{} 番目の培養の結果が出力と合わないか、有限の値ではありません", i + 1),
                    format!("the results of run {} do not fit the outputs or are not finite", i + 1),
                )
                .map_err(|e| e.hint("測っていない出力は空にしてください", "leave outputs that were not measured empty"));
            }
        }
        Ok(())
    }
}
