//! The manifest: everything that decides what a data set holds and how it is cut.
//!
//! Two equal manifests over one store give the same bytes. What is left open (the position in the
//! ledger, a query for runs) is settled once and written into the release's own manifest, so that the
//! release can be made again from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::variable::GridRule;
use toji_core::{Error, Place, Result, Text};

/// What a data set is made of. Every part has a default, so that a set can be checked before it is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Manifest {
    /// Short name: a–z, 0–9 and `-`. Names the folder and the files.
    pub(super) name: String,
    /// Version of the data set, e.g. `1.0.0`.
    pub(super) version: String,
    /// Title in both languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<Text>,
    /// What it holds and what it is for, in both languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text>,
    /// Runs by identifier. When there are none, `select` says which; without it all runs are taken.
    pub(super) runs: Vec<String>,
    /// Which runs, by what they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) select: Option<Select>,
    /// Step of the aligned view, s.
    pub(super) grid_s: f64,
    /// Rule of the aligned view by column: `mean`, `last`, `linear` or `sum`. Others follow their variable.
    pub(super) rules: BTreeMap<String, GridRule>,
    /// Units of channels: as stored, or those of their variables, so that devices of different makers agree.
    #[serde(skip_serializing_if = "Units::is_stored")]
    pub(super) units: Units,
    /// How the runs are divided.
    pub(super) split: Split,
    /// Terms of use, as a record of kind `licence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) licence: Option<String>,
    /// Further terms of use in the Data Use Ontology, e.g. `DUO:0000042`.
    pub(super) duo: Vec<String>,
    /// Deposit the data belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deposit: Option<String>,
    /// Who made the data set.
    pub(super) creators: Vec<Creator>,
    /// Who publishes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) publisher: Option<String>,
    /// Address where it can be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    /// Words on responsible use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) responsible: Option<Responsible>,
    /// Position in the ledger: the data as they were known then. The newest when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<i64>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            name: String::new(),
            version: "1.0.0".into(),
            title: None,
            description: None,
            runs: Vec::new(),
            select: None,
            grid_s: 60.0,
            rules: BTreeMap::new(),
            units: Units::Stored,
            split: Split::default(),
            licence: None,
            duo: Vec::new(),
            deposit: None,
            creators: Vec::new(),
            publisher: None,
            url: None,
            responsible: None,
            as_of: None,
        }
    }
}

/// Which runs, by what they are. All conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Select {
    /// Words in title, vessel, strain or format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// Strain: identifier or name in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strain: Option<String>,
    /// Vessel: identifier or name in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vessel: Option<String>,
    /// Format the run came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    /// Only simulated runs, or only real ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) simulated: Option<bool>,
    /// Started at or after this instant (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// Started before this instant (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
}

/// Units of channels in a data set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Units {
    /// As the sources gave them.
    #[default]
    Stored,
    /// The usual unit of each channel's variable; channels without a variable, or in a unit of something else, stay.
    Canonical,
}

impl Units {
    /// Left out of manifests, so that those made before there was a choice read the same.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    fn is_stored(&self) -> bool {
        *self == Self::Stored
    }
}

/// What never falls into two parts of the split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unit {
    /// A run with its seed cultures.
    #[default]
    Run,
    /// All runs of a strain.
    Strain,
    /// All runs of one strain and inoculum.
    StrainLot,
    /// All runs of a site.
    Site,
}

/// How the runs are divided into training, validation and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Split {
    /// What never falls into two parts.
    pub(super) unit: Unit,
    /// Seed of the order in which the units are dealt out.
    pub(super) seed: u64,
    /// Share of the runs for validation, %.
    pub(super) validation_percent: u32,
    /// Share of the runs for the test, %.
    pub(super) test_percent: u32,
}

impl Default for Split {
    fn default() -> Self {
        Self { unit: Unit::Run, seed: 1, validation_percent: 10, test_percent: 20 }
    }
}

/// Who made a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Creator {
    /// Name of the person or organisation.
    pub(super) name: String,
    /// A person rather than an organisation.
    #[serde(default)]
    pub(super) person: bool,
    /// Identifier: ORCID or ROR, as a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
}

/// Words on responsible use that no figure can give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Responsible {
    /// What it may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uses: Option<Text>,
    /// Known biases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) biases: Option<Text>,
    /// Known limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limitations: Option<Text>,
}

/// Most cells of the aligned view of one data set (rows × columns).
pub(super) const CELLS_MAX: usize = 60_000_000;
/// Most points of one data set; they are in memory at once.
pub(super) const POINTS_MAX: usize = 40_000_000;

impl Manifest {
    /// What a release needs beyond a check.
    pub(super) fn must_be_releasable(&self) -> Result<()> {
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(slug) || self.name.starts_with('-') {
            return Err(Error::input(
                "E-DATASET-001",
                format!("データセット名「{}」は使えません", self.name),
                format!("the data set cannot be named \"{}\"", self.name),
            )
            .at(Place::field("name"))
            .hint("英小文字・数字・ハイフンで 64 字まで", "use a–z, 0–9 and -, at most 64 letters"));
        }
        let version_ok = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        if self.version.is_empty() || self.version.len() > 32 || !self.version.chars().all(version_ok) {
            return Err(Error::input(
                "E-DATASET-002",
                format!("版「{}」は使えません", self.version),
                format!("\"{}\" is not a version", self.version),
            )
            .at(Place::field("version"))
            .hint("例: 1.0.0", "for example 1.0.0"));
        }
        self.must_be_sound()
    }

    /// What a check needs too.
    pub(super) fn must_be_sound(&self) -> Result<()> {
        if !(self.grid_s.is_finite() && self.grid_s >= 0.001) {
            return Err(Error::input("E-DATASET-003", "格子の間隔が正しくありません", "the grid step is not usable")
                .at(Place::field("grid_s"))
                .hint("0.001 s 以上にしてください", "give at least 0.001 s"));
        }
        if self.split.validation_percent.saturating_add(self.split.test_percent) > 100 {
            return Err(Error::input(
                "E-DATASET-004",
                "検証と試験の割合の和が 100 % を超えています",
                "validation and test together exceed 100 %",
            )
            .at(Place::field("split"))
            .hint("和を 100 % 以下にしてください", "let them sum to at most 100 %"));
        }
        Ok(())
    }

    /// Title, or the name where there is none.
    pub(super) fn title(&self) -> Text {
        self.title.clone().unwrap_or_else(|| Text::same(if self.name.is_empty() { "data set" } else { &self.name }))
    }
}
