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
    ///
    /// 短い名前：a–z、0–9、`-`。フォルダーとファイルの名前になる。
    pub(super) name: String,
    /// Version of the data set, e.g. `1.0.0`.
    ///
    /// データセットの版。例：`1.0.0`。
    pub(super) version: String,
    /// Title in both languages.
    ///
    /// 日英の標題。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<Text>,
    /// What it holds and what it is for, in both languages.
    ///
    /// 内容と用途の説明。日英。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text>,
    /// Runs by identifier. When there are none, `select` says which; without it all runs are taken.
    ///
    /// 培養の識別子。なければ `select` で選び、それもなければすべての培養。
    pub(super) runs: Vec<String>,
    /// Which runs, by what they are.
    ///
    /// 性質による培養の選択。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) select: Option<Select>,
    /// Step of the aligned view, s.
    ///
    /// 整列版の間隔（s）。
    pub(super) grid_s: f64,
    /// Rule of the aligned view by column: `mean`, `last`, `linear` or `sum`. Others follow their variable.
    ///
    /// 整列版の列ごとの規則：`mean`（平均）、`last`（直前値）、`linear`（直線補間）、`sum`（合計）。ほかは変数の既定。
    pub(super) rules: BTreeMap<String, GridRule>,
    /// Units of channels: as stored, or those of their variables, so that devices of different makers agree.
    ///
    /// 系列の単位：保存されたまま、または変数の単位（メーカーの異なる装置の間で単位がそろう）。
    #[serde(skip_serializing_if = "Units::is_stored")]
    pub(super) units: Units,
    /// How the runs are divided.
    ///
    /// 培養の分割。
    pub(super) split: Split,
    /// Terms of use, as a record of kind `licence`.
    ///
    /// 利用条件（種別 `licence` の記録）。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) licence: Option<String>,
    /// Further terms of use in the Data Use Ontology, e.g. `DUO:0000042`.
    ///
    /// さらに付ける利用条件（Data Use Ontology の用語）。例：`DUO:0000042`。
    pub(super) duo: Vec<String>,
    /// Deposit the data belong to.
    ///
    /// データが属する寄託。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deposit: Option<String>,
    /// Who made the data set.
    ///
    /// 作成者。
    pub(super) creators: Vec<Creator>,
    /// Who publishes it.
    ///
    /// 公開者。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) publisher: Option<String>,
    /// Address where it can be found.
    ///
    /// 所在の URL。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    /// Words on responsible use.
    ///
    /// 責任ある利用についての説明。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) responsible: Option<Responsible>,
    /// Position in the ledger: the data as they were known then. The newest when it is not given.
    ///
    /// 台帳の位置：その時点で知られていたデータ。省略時は最新。
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
    ///
    /// 標題・槽・株・形式に含まれる語。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// Strain: identifier or name in the source.
    ///
    /// 株：識別子、または取込元での名前。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strain: Option<String>,
    /// Vessel: identifier or name in the source.
    ///
    /// 槽：識別子、または取込元での名前。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vessel: Option<String>,
    /// Format the run came in.
    ///
    /// 取込形式。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    /// Only simulated runs, or only real ones.
    ///
    /// 模擬の培養だけ、または実測の培養だけ。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) simulated: Option<bool>,
    /// Started at or after this instant (RFC 3339).
    ///
    /// この時刻以降に開始（RFC 3339）。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// Started before this instant (RFC 3339).
    ///
    /// この時刻より前に開始（RFC 3339）。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
}

/// Units of channels in a data set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Units {
    /// As the sources gave them.
    ///
    /// 取込元が示したまま。
    #[default]
    Stored,
    /// The usual unit of each channel's variable; channels without a variable, or in a unit of something else, stay.
    ///
    /// 変数ごとの標準の単位。変数のない系列と、別の種類の量の単位の系列はそのまま。
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
    ///
    /// 培養とその種培養。
    #[default]
    Run,
    /// All runs of a strain.
    ///
    /// 一つの株のすべての培養。
    Strain,
    /// All runs of one strain and inoculum.
    ///
    /// 同じ株・同じ種菌のすべての培養。
    StrainLot,
    /// All runs of a site.
    ///
    /// 一つの拠点のすべての培養。
    Site,
}

/// How the runs are divided into training, validation and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Split {
    /// What never falls into two parts.
    ///
    /// 二つの組に分かれることのない単位。
    pub(super) unit: Unit,
    /// Seed of the order in which the units are dealt out.
    ///
    /// 単位を割り当てる順序を決める乱数の種。
    pub(super) seed: u64,
    /// Share of the runs for validation, %.
    ///
    /// 検証に回す培養の割合（%）。
    pub(super) validation_percent: u32,
    /// Share of the runs for the test, %.
    ///
    /// 試験に回す培養の割合（%）。
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
    ///
    /// 人または組織の名前。
    pub(super) name: String,
    /// A person rather than an organisation.
    ///
    /// 組織ではなく人か。
    #[serde(default)]
    pub(super) person: bool,
    /// Identifier: ORCID or ROR, as a URL.
    ///
    /// 識別子：ORCID または ROR の URL。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
}

/// Words on responsible use that no figure can give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Responsible {
    /// What it may be used for.
    ///
    /// 想定する用途。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uses: Option<Text>,
    /// Known biases.
    ///
    /// 分かっている偏り。
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) biases: Option<Text>,
    /// Known limits.
    ///
    /// 分かっている限界。
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
