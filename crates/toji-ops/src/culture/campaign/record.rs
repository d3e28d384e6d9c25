//! A campaign as it is stored, its proposals, and what their runs gave.

use super::super::experiment::Experiment;
use super::super::gas_safety::rules;
use super::super::response::{Answer, response};
use super::super::system::system;
use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Id, Place, Record, Result, Text, Unit};
use toji_culture::campaign::{
    Batch, Direction, Factor, Goal, Group, History, Kind, Limit, Measured, Output, Position, Problem, Proposed, Run, Space,
    StopRule,
};
use toji_culture::envelope::{Filter, Template};
use toji_culture::plan::{position_name, read_position};

/// A factor as people give it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FactorInput {
    /// Name: a variable (`temperature`, `ph` …), or a constant of the model for a simulated plant.
    ///
    /// 名前。変数（`temperature`、`ph` など）、または模擬プラントではモデルの定数。
    pub(super) name: String,
    /// Unit, UCUM.
    ///
    /// 単位（UCUM）。
    #[serde(default = "plain")]
    pub(super) unit: String,
    /// Lowest value.
    ///
    /// 下限。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) low: Option<f64>,
    /// Highest value.
    ///
    /// 上限。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) high: Option<f64>,
    /// Smallest step that can be set.
    ///
    /// 設定できる刻み。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<f64>,
    /// Do equal ratios count as equal distances?
    ///
    /// 対数で等間隔とみなすか。
    #[serde(default)]
    pub(super) logarithmic: bool,
    /// Options without order, instead of a range.
    ///
    /// 範囲の代わりの選択肢。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) options: Vec<String>,
    /// Do the units of a group share one value?
    ///
    /// 群の槽が一つの値を共有するか。
    #[serde(default)]
    pub(super) shared: bool,
}

fn plain() -> String {
    "1".into()
}

impl FactorInput {
    pub(super) fn factor(&self) -> Result<Factor> {
        let unit = Unit::parse(&self.unit).map_err(|e| e.at(Place::field(format!("factors.{}", self.name))))?;
        let kind = match (self.options.is_empty(), self.low, self.high) {
            (true, Some(low), Some(high)) => Kind::Continuous { low, high, step: self.step, logarithmic: self.logarithmic },
            (false, None, None) => Kind::Choice { options: self.options.clone() },
            _ => {
                return Err(Error::input(
                    "E-CAMPAIGN-040",
                    format!("因子「{}」には low と high、または options のどちらかが要ります", self.name),
                    format!("the factor \"{}\" needs either low and high, or options", self.name),
                )
                .at(Place::field("factors"))
                .hint(
                    "例: {\"name\":\"ph\",\"unit\":\"[pH]\",\"low\":6.5,\"high\":7.5}",
                    "example: {\"name\":\"ph\",\"unit\":\"[pH]\",\"low\":6.5,\"high\":7.5}",
                ));
            }
        };
        Ok(Factor { name: self.name.clone(), unit, kind, hard_to_change: self.shared })
    }
}

/// A quantity that is measured, with its limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputInput {
    /// Code of the quantity (`titre-final`, `acetate` …), or a quantity of the model for a simulated plant.
    ///
    /// 量のコード（`titre-final`、`acetate` など）、または模擬プラントではモデルの量。
    pub(super) name: String,
    /// Unit, UCUM.
    ///
    /// 単位（UCUM）。
    pub(super) unit: String,
    /// Least value it should keep.
    ///
    /// 守るべき下限。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_least: Option<f64>,
    /// Greatest value it should keep.
    ///
    /// 守るべき上限。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_most: Option<f64>,
}

/// What a run at a place gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// Place, as the sheet names it; any name for runs of the default recipe.
    ///
    /// 計画表の位置。既定のレシピの培養では任意の名前。
    pub(super) position: String,
    /// Values by output, in the units of the campaign.
    ///
    /// 量ごとの値（計画の単位）。
    pub(super) values: BTreeMap<String, f64>,
    /// Where they come from.
    ///
    /// 出所。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
}

/// A campaign.
pub(super) struct Campaign {
    pub(super) record: Record,
    pub(super) name: String,
    pub(super) system: Option<String>,
    pub(super) space: Space,
    pub(super) outputs: Vec<Output>,
    pub(super) goal: Goal,
    pub(super) limits: Vec<Limit>,
    pub(super) stop: StopRule,
    pub(super) default: Vec<f64>,
    pub(super) default_results: Vec<Given>,
    pub(super) units: usize,
    pub(super) group_size: usize,
    pub(super) budget: Option<usize>,
    pub(super) seed: u64,
    template: Option<Template>,
}

/// A proposal of a campaign.
pub(super) struct Proposal {
    pub(super) record: Record,
    pub(super) number: usize,
    pub(super) runs: Vec<Proposed>,
    pub(super) results: Vec<Given>,
    pub(super) experiment: Option<String>,
    pub(super) made_at: String,
}

fn part<T: serde::de::DeserializeOwned + Default>(record: &Record, name: &str) -> Result<T> {
    let Some(json) = record.fields.get(name) else { return Ok(T::default()) };
    serde_json::from_value(json.clone()).map_err(|e| {
        Error::input(
            "E-CAMPAIGN-041",
            format!("{} の {name} を読めません: {e}", record.id),
            format!("{name} of {} is not readable: {e}", record.id),
        )
        .at(Place::field(name))
        .hint("`toji culture campaign` で作り直してください", "start it again with `toji culture campaign`")
    })
}

fn count(record: &Record, name: &str) -> Option<usize> {
    record.fields.get(name).and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok())
}

/// The identifier of a campaign by its name.
pub(super) fn id_of(name: &str) -> Id {
    Id::derive("cam", &[name.trim()])
}

impl Campaign {
    /// By identifier or name.
    pub(super) async fn load(context: &Context, named: &str) -> Result<Self> {
        let store = &context.session.store;
        let derived = id_of(named);
        let by_id = if Id::parse(named).is_ok() {
            store.record(&context.access, "campaign", named, None).await
        } else {
            store.record(&context.access, "campaign", derived.as_str(), None).await
        };
        let record = match by_id {
            Err(error) if error.code() == "E-RECORD-004" => {
                store.record(&context.access, "campaign", derived.as_str(), None).await.map_err(|e| {
                    e.at(Place::field("campaign"))
                        .hint("`toji record list campaign` で一覧できます", "list them with `toji record list campaign`")
                })?
            }
            other => other?,
        };
        Self::of(record)
    }

    pub(super) fn of(record: Record) -> Result<Self> {
        let factors: Vec<FactorInput> = part(&record, "factors")?;
        let outputs: Vec<OutputInput> = part(&record, "outputs")?;
        let space = Space::new(factors.iter().map(FactorInput::factor).collect::<Result<_>>()?)?;
        let mut limits = Vec::new();
        for (output, given) in outputs.iter().enumerate() {
            if given.at_least.is_some() || given.at_most.is_some() {
                limits.push(Limit { output, at_least: given.at_least, at_most: given.at_most });
            }
        }
        let less = record.fields.get("lower_is_better").and_then(Json::as_bool).unwrap_or(false);
        let goal = Goal { output: 0, direction: if less { Direction::Minimise } else { Direction::Maximise } };
        let outputs = outputs
            .iter()
            .map(|o| Ok(Output { name: o.name.clone(), unit: Unit::parse(&o.unit).map_err(|e| e.at(Place::field("outputs")))? }))
            .collect::<Result<Vec<_>>>()?;
        let recipe: BTreeMap<String, Json> = part(&record, "default_recipe")?;
        let units = count(&record, "units").unwrap_or(1);
        Ok(Self {
            name: text(&record.fields, "name").unwrap_or_default(),
            system: text(&record.fields, "system"),
            default: point_of(&space, &recipe)?,
            default_results: part(&record, "default_results")?,
            template: part(&record, "envelope")?,
            stop: part(&record, "stop_rule")?,
            group_size: count(&record, "group_size").unwrap_or(units),
            budget: count(&record, "budget_runs"),
            seed: record.fields.get("seed").and_then(Json::as_u64).unwrap_or(0),
            units,
            space,
            outputs,
            goal,
            limits,
            record,
        })
    }

    /// The envelope under the rules in force, if the campaign has one.
    pub(super) async fn filter(&self, context: &Context) -> Result<Option<Filter>> {
        match &self.template {
            Some(template) => Ok(Some(template.filter(&self.space, &rules(context).await?)?)),
            None => Ok(None),
        }
    }

    /// The problem under an envelope.
    pub(super) fn problem<'a>(&'a self, allowed: &'a dyn Fn(&[f64]) -> Result<(), Text>) -> Problem<'a> {
        Problem { space: &self.space, outputs: &self.outputs, goal: self.goal, limits: &self.limits, allowed, stop: self.stop }
    }

    /// The units of a batch, in groups.
    pub(super) async fn batch(&self, context: &Context, units: usize, replicates: usize) -> Result<Batch> {
        let mut positions: Vec<Position> = match &self.system {
            Some(id) => {
                let (_, grid) = system(context, id).await?;
                let cells = (0..grid.rows).flat_map(|row| (0..grid.columns).map(move |column| (row, column)));
                cells
                    .map(|(row, column)| Position {
                        name: position_name(row, column),
                        edge: grid.has_middle() && grid.is_edge(row, column),
                    })
                    .collect()
            }
            None => (1..=units).map(|i| Position { name: i.to_string(), edge: false }).collect(),
        };
        if units == 0 || units > positions.len() {
            let has = positions.len();
            return Err(Error::input(
                "E-CAMPAIGN-042",
                format!("{units} 基を求められましたが、装置には {has} 基です"),
                format!("{units} units are asked for, but the system has {has}"),
            )
            .at(Place::field("units"))
            .hint("槽数を減らしてください", "ask for fewer units"));
        }
        positions.truncate(units);
        let groups = positions
            .chunks(self.group_size.max(1))
            .enumerate()
            .map(|(i, chunk)| Group { name: (i + 1).to_string(), positions: chunk.to_vec(), fixed: Vec::new() })
            .collect();
        Ok(Batch { groups, replicates: replicates.min(units), edge: toji_culture::campaign::Edge::AsAny })
    }

    /// Its proposals, the first one first.
    pub(super) async fn proposals(&self, context: &Context) -> Result<Vec<Proposal>> {
        let store = &context.session.store;
        let mut out = Vec::new();
        for record in store.linked(&context.access, "proposal", "campaign", self.record.id.as_str()).await? {
            out.push(Proposal {
                number: count(&record, "number").unwrap_or(0),
                runs: part(&record, "runs")?,
                results: part(&record, "results")?,
                experiment: text(&record.fields, "experiment"),
                made_at: text(&record.fields, "made_at").unwrap_or_default(),
                record,
            });
        }
        out.sort_by_key(|p| p.number);
        Ok(out)
    }

    fn measured(&self, values: &BTreeMap<String, f64>) -> Vec<Option<Measured>> {
        self.outputs.iter().map(|o| values.get(&o.name).map(|value| Measured { value: *value, sd: None })).collect()
    }

    /// What the runs of a proposal gave, place by place: what was told, else what its run in the store answers.
    pub(super) async fn results(&self, context: &Context, proposal: &Proposal) -> Result<Vec<Option<Vec<Option<Measured>>>>> {
        let runs = match &proposal.experiment {
            Some(id) => Experiment::load(context, id).await?.runs(context).await?,
            None => Vec::new(),
        };
        let mut out = Vec::new();
        for planned in &proposal.runs {
            if let Some(given) = proposal.results.iter().find(|g| g.position == planned.position) {
                out.push(Some(self.measured(&given.values)));
                continue;
            }
            let here = read_position(&planned.position);
            let on = |r: &&Record| here.is_some() && text(&r.fields, "position").as_deref().and_then(read_position) == here;
            let Some(run) = runs.iter().rfind(on) else {
                out.push(None);
                continue;
            };
            let mut values = BTreeMap::new();
            for output in &self.outputs {
                if let Answer::Value { value, unit } = response(context, run, &output.name).await? {
                    let unit = unit.map_or_else(|| Ok(output.unit.clone()), |code| Unit::parse(&code))?;
                    values.insert(output.name.clone(), unit.convert(value, &output.unit)?);
                }
            }
            // A run without any of them is still under way.
            out.push((!values.is_empty()).then(|| self.measured(&values)));
        }
        Ok(out)
    }

    /// All that is known: runs of the default recipe, runs of all proposals, and what is under way.
    pub(super) async fn history(&self, context: &Context, proposals: &[Proposal]) -> Result<History> {
        let mut history = History::default();
        for given in &self.default_results {
            history.runs.push(Run { point: self.default.clone(), results: self.measured(&given.values) });
        }
        for proposal in proposals {
            let results = self.results(context, proposal).await?;
            for (planned, results) in proposal.runs.iter().zip(results) {
                match results {
                    Some(results) => history.runs.push(Run { point: planned.point.clone(), results }),
                    None => history.pending.push(planned.point.clone()),
                }
            }
        }
        Ok(history)
    }
}

/// A point from values by name: numbers in the unit of the factor, text with a unit, or an option.
pub(super) fn point_of(space: &Space, recipe: &BTreeMap<String, Json>) -> Result<Vec<f64>> {
    let wrong = |name: &str, ja: String, en: String| {
        Error::input("E-CAMPAIGN-043", ja, en).at(Place::field(name)).hint(
            "既定のレシピにすべての因子の値を、単位に合わせて与えてください",
            "give the default recipe a value of every factor, in its unit",
        )
    };
    if let Some(name) = recipe.keys().find(|name| !space.factors().iter().any(|f| f.name == **name)) {
        return Err(wrong(name, format!("「{name}」という因子はありません"), format!("there is no factor \"{name}\"")));
    }
    space
        .factors()
        .iter()
        .map(|factor| {
            let name = &factor.name;
            let given = recipe.get(name).ok_or_else(|| {
                wrong(name, format!("因子「{name}」の値がありません"), format!("the factor \"{name}\" has no value"))
            })?;
            let value = match (&factor.kind, given) {
                (Kind::Choice { options }, Json::String(text)) => options.iter().position(|o| o == text).map(|i| i as f64),
                (Kind::Choice { .. }, _) => None,
                (_, Json::String(text)) => Some(super::super::model::quantity(text, &factor.unit, name)?),
                (_, other) => other.as_f64(),
            };
            value.filter(|v| v.is_finite()).ok_or_else(|| {
                wrong(
                    name,
                    format!("因子「{name}」は {given} を取れません"),
                    format!("the factor \"{name}\" cannot have {given}"),
                )
            })
        })
        .collect()
}

/// A value of a recipe, as people read it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Set {
    /// Factor.
    pub(super) name: String,
    /// Value; null for a choice.
    pub(super) value: Option<f64>,
    /// Option, for a choice.
    pub(super) option: Option<String>,
    /// Unit, UCUM.
    pub(super) unit: String,
}

/// A point as people read it.
pub(super) fn recipe_of(space: &Space, point: &[f64]) -> Vec<Set> {
    let one = |(factor, value): (&Factor, &f64)| {
        let option = match &factor.kind {
            Kind::Choice { options } => options.get(*value as usize).cloned(),
            _ => None,
        };
        Set { name: factor.name.clone(), value: option.is_none().then_some(*value), option, unit: factor.unit.code().to_owned() }
    };
    space.factors().iter().zip(point).map(one).collect()
}

/// What is expected of an output, as people read it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct ExpectedView {
    /// Output.
    pub(super) name: String,
    /// Expected value.
    pub(super) mean: f64,
    /// Lower end of the interval in which the measurement is expected.
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
    /// Unit, UCUM.
    pub(super) unit: String,
}

pub(super) fn expected_of(outputs: &[Output], expected: &[toji_culture::campaign::Expected]) -> Vec<ExpectedView> {
    expected
        .iter()
        .filter_map(|e| {
            let output = outputs.get(e.output)?;
            Some(ExpectedView {
                name: output.name.clone(),
                mean: e.mean,
                low: e.low,
                high: e.high,
                unit: output.unit.code().to_owned(),
            })
        })
        .collect()
}
