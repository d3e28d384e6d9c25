//! An experiment as it is stored: its conditions, its layout, and the runs that belong to it.

use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Record, Result, Unit, variable};
use toji_culture::plan::Unit as Laid;
use toji_plant::Recipe;

/// A setting of a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setting {
    /// Value.
    ///
    /// 値。
    pub(crate) value: f64,
    /// Unit, UCUM.
    ///
    /// 単位（UCUM）。
    pub(crate) unit: String,
}

/// A condition of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    /// Name, unique in the experiment.
    ///
    /// 条件の名前。実験の中で重複しないもの。
    pub(crate) name: String,
    /// Is it what the others are compared with?
    ///
    /// ほかと比べる対照か。
    #[serde(default)]
    pub(crate) control: bool,
    /// Replicates; the experiment's own when missing.
    ///
    /// 反復数。省略時は実験の反復数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replicates: Option<usize>,
    /// Settings by variable (`temperature`, `ph`, `glucose` …), over those of the recipe.
    ///
    /// 変数ごとの設定（`temperature`、`ph`、`glucose` など）。レシピより優先。
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) settings: BTreeMap<String, Setting>,
    /// Recipe, as simulated plants know it: feed profile, inoculum, set-points.
    ///
    /// 模擬プラントのレシピ：流加、植菌、設定値。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recipe: Option<Recipe>,
    /// Who runs it (pseudonym).
    ///
    /// 担当の受講者（仮名）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) learner: Option<String>,
}

impl Condition {
    /// The recipe with the settings, over a base for conditions without a recipe.
    ///
    /// # Errors
    /// A setting that a recipe does not have, or whose unit does not convert.
    pub(crate) fn recipe_over(&self, base: &Recipe) -> Result<Recipe> {
        let mut recipe = self.recipe.clone().unwrap_or_else(|| base.clone());
        for (name, setting) in &self.settings {
            let slot = match name.as_str() {
                "ph" => &mut recipe.ph,
                "temperature" => &mut recipe.temperature_c,
                "dissolved-oxygen" => &mut recipe.dissolved_oxygen_percent,
                "glucose" => &mut recipe.glucose_g_per_l,
                "dry-weight" => &mut recipe.biomass_g_per_l,
                _ => {
                    let condition = &self.name;
                    return Err(Error::input(
                        "E-SIM-012",
                        format!("条件「{condition}」の設定 {name} は模擬できません"),
                        format!("the setting {name} of the condition \"{condition}\" cannot be simulated"),
                    )
                    .at(Place::field("conditions"))
                    .hint(
                        "ph、temperature、dissolved-oxygen、glucose、dry-weight（植菌量）が使えます。流加などは recipe で指定します",
                        "ph, temperature, dissolved-oxygen, glucose and dry-weight (inoculum) can; feeds and the rest stand in the recipe",
                    ));
                }
            };
            *slot = converted(&self.name, name, setting)?;
        }
        Ok(recipe)
    }
}

/// A setting in the usual unit of its variable; as it is for what the vocabulary does not know.
pub(super) fn converted(condition: &str, name: &str, setting: &Setting) -> Result<f64> {
    let place = || Place::field("conditions");
    let own = Unit::parse(&setting.unit).map_err(|e| e.at(place()))?;
    let Some(known) = variable::get(name) else { return Ok(setting.value) };
    let usual = Unit::parse(&known.unit)?;
    own.convert(setting.value, &usual).map_err(|_| {
        Error::input(
            "E-PLAN-008",
            format!("条件「{condition}」の {} の単位 {} は {} に換算できません", known.label.ja, setting.unit, usual.label()),
            format!(
                "the unit {} of {} in the condition \"{condition}\" cannot be converted to {}",
                setting.unit,
                known.label.en,
                usual.label()
            ),
        )
        .at(place())
        .hint(format!("{} で書いてください", known.unit), format!("write it in {}", known.unit))
    })
}

/// A unit of the layout, with who runs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PlannedUnit {
    /// Where it stands and what it does.
    ///
    /// 位置と役割。
    #[serde(flatten)]
    pub(crate) unit: Laid,
    /// Who runs it (pseudonym).
    ///
    /// 担当の受講者（仮名）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) learner: Option<String>,
}

/// An experiment.
pub(crate) struct Experiment {
    /// Its record.
    pub(crate) record: Record,
    /// Name.
    pub(crate) name: String,
    /// Identifier of the system.
    pub(crate) system: String,
    /// Code of the quantity that is compared.
    pub(crate) response: Option<String>,
    /// Conditions.
    pub(crate) conditions: Vec<Condition>,
    /// Layout.
    pub(crate) units: Vec<PlannedUnit>,
}

impl Experiment {
    /// The experiment of this identifier.
    ///
    /// # Errors
    /// There is none, or its conditions or layout are not readable.
    pub(crate) async fn load(context: &Context, id: &str) -> Result<Self> {
        let found = context.session.store.record(&context.access, "experiment", id, None).await;
        let record = found.map_err(|e| {
            e.at(Place::field("experiment"))
                .hint("`toji record list experiment` で一覧できます", "list them with `toji record list experiment`")
        })?;
        Ok(Self {
            name: text(&record.fields, "name").unwrap_or_default(),
            system: text(&record.fields, "system").unwrap_or_default(),
            response: text(&record.fields, "response"),
            conditions: part(&record, "conditions")?,
            units: part(&record, "units")?,
            record,
        })
    }
    /// The runs of it that the asker may see.
    ///
    /// # Errors
    /// Storage faults.
    pub(crate) async fn runs(&self, context: &Context) -> Result<Vec<Record>> {
        context.session.store.linked(&context.access, "run", "experiment", self.record.id.as_str()).await
    }
}

fn part<T: serde::de::DeserializeOwned>(record: &Record, name: &str) -> Result<Vec<T>> {
    let json = record.fields.get(name).cloned().unwrap_or(Json::Array(Vec::new()));
    serde_json::from_value(json).map_err(|e| {
        Error::input(
            "E-EXPERIMENT-001",
            format!("実験計画 {} の {name} を読めません: {e}", record.id),
            format!("{name} of the experiment {} is not readable: {e}", record.id),
        )
        .at(Place::field(name))
        .hint("`toji culture plan` で計画し直してください", "plan it again with `toji culture plan`")
    })
}
