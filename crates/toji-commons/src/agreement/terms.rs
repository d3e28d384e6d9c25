//! Terms that a machine can hold to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_core::{Id, Instant, Text};

/// For what data is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Research (DUO:0000042).
    ///
    /// 研究。
    Research,
    /// Better strains.
    ///
    /// 菌株改良。
    StrainImprovement,
    /// From the flask to the plant.
    ///
    /// スケールアップ。
    ScaleUp,
    /// Techno-economic and life-cycle assessment.
    ///
    /// TEA・LCA 評価。
    Assessment,
    /// Training of models.
    ///
    /// モデル学習。
    ModelTraining,
    /// Comparison with the field.
    ///
    /// 業界比較。
    Benchmark,
    /// Dossiers for authorities.
    ///
    /// 規制対応。
    Regulatory,
    /// An incident of safety.
    ///
    /// 事故対応。
    Incident,
    /// Making and selling: the industrial use that an agreement permits or not.
    ///
    /// 産業利用（生産）。
    Production,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 9] = [
        Self::Research,
        Self::StrainImprovement,
        Self::ScaleUp,
        Self::Assessment,
        Self::ModelTraining,
        Self::Benchmark,
        Self::Regulatory,
        Self::Incident,
        Self::Production,
    ];

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Research => "research",
            Self::StrainImprovement => "strain-improvement",
            Self::ScaleUp => "scale-up",
            Self::Assessment => "assessment",
            Self::ModelTraining => "model-training",
            Self::Benchmark => "benchmark",
            Self::Regulatory => "regulatory",
            Self::Incident => "incident",
            Self::Production => "production",
        }
    }

    /// How people call it.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::Research => Text::new("研究", "Research"),
            Self::StrainImprovement => Text::new("菌株改良", "Strain improvement"),
            Self::ScaleUp => Text::new("スケールアップ", "Scale-up"),
            Self::Assessment => Text::new("TEA・LCA 評価", "Assessment of cost and life cycle"),
            Self::ModelTraining => Text::new("モデル学習", "Model training"),
            Self::Benchmark => Text::new("業界比較", "Benchmark"),
            Self::Regulatory => Text::new("規制対応", "Regulatory dossiers"),
            Self::Incident => Text::new("事故対応", "Incident"),
            Self::Production => Text::new("産業利用(生産)", "Industrial use (production)"),
        }
    }
}

/// What an agreement grants. Seeing that a data set exists and what it is comes with any agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Granted {
    /// Computing upon it; only checked results leave.
    ///
    /// 計算。
    Compute,
    /// Reading rows.
    ///
    /// 閲覧。
    Read,
    /// Training models.
    ///
    /// 学習。
    Train,
    /// Taking rows out of the platform.
    ///
    /// 持出し。
    Export,
}

/// What is said of patents on what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "patents", rename_all = "kebab-case")]
pub enum Patents {
    /// Nothing is asked.
    Free,
    /// The owner is told of an application.
    Notice {
        /// Within so many days after it.
        within_days: u32,
    },
    /// No patent may rest on the data.
    None,
}

/// Whether data may serve production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IndustrialUse {
    /// Not (DUO:0000046).
    Forbidden,
    /// It may.
    Permitted,
}

/// What is owed for taking (還元義務, DUO:0000029).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Feedback {
    /// Units of feedback for each data set.
    pub units: u32,
    /// By when after the taking, in days.
    pub within_days: u32,
}

/// The terms of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// In force from.
    pub from: Instant,
    /// In force until before (DUO:0000025).
    pub until: Instant,
    /// Purposes (DUO:0000012).
    pub purposes: BTreeSet<Purpose>,
    /// What is granted.
    pub grants: BTreeSet<Granted>,
    /// Industrial use.
    pub industrial_use: IndustrialUse,
    /// Patents.
    pub patents: Patents,
    /// Parties that do not wait for an embargo to end.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub early_access: BTreeSet<Id>,
    /// Countries, ISO 3166-1 alpha-2 (DUO:0000022); `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub countries: Option<BTreeSet<String>>,
    /// Feedback owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Feedback>,
}

impl Terms {
    /// Codes of the Data Use Ontology (GA4GH DUO, duo.csv of EBISPOT/DUO) that say part of these terms, sorted.
    #[must_use]
    pub fn duo(&self, embargoed: bool) -> Vec<&'static str> {
        let mut codes = vec!["DUO:0000025", "DUO:0000028"];
        codes.push(if self.purposes.contains(&Purpose::Research) { "DUO:0000042" } else { "DUO:0000012" });
        if self.industrial_use == IndustrialUse::Forbidden {
            codes.push("DUO:0000046");
        }
        if embargoed {
            codes.push("DUO:0000024");
        }
        if self.countries.is_some() {
            codes.push("DUO:0000022");
        }
        if self.feedback.is_some() {
            codes.push("DUO:0000029");
        }
        codes.sort_unstable();
        codes
    }
}
