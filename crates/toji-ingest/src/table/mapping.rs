//! What a table's columns mean, as a document that can be saved, edited and used again.

use serde::{Deserialize, Serialize};
use toji_core::clock::DateOrder;
use toji_core::culture::Origin;
use toji_core::value::NumberStyle;
use toji_core::{Error, Place, Result, Text, Unit};

/// Version of the mapping document that this program writes.
pub const MAPPING_VERSION: u32 = 1;

/// How a table is laid out, and what each column means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Name, for finding it again.
    pub name: String,
    /// Version of this document's form, [`MAPPING_VERSION`].
    pub version: u32,
    /// Shape of the table.
    pub layout: Layout,
    /// Sheets to read; empty for text files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sheets: Vec<String>,
    /// What separates fields in a text file; `None` finds it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Line or row of the header, from 1.
    pub header_row: u64,
    /// How many header lines there are, the last of them in `header_row`.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub header_rows: u64,
    /// Line or row with the units, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_row: Option<u64>,
    /// Zone of the clock where the file states none, e.g. `Asia/Tokyo`. `None`: the site's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Name of the run where no column tells it. `None`: the file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The time column. `None` for tables without time (facts of runs, undated samples).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeColumn>,
    /// All columns.
    pub columns: Vec<Column>,
}

fn one() -> u64 {
    1
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(n: &u64) -> bool {
    *n == 1
}

/// Shape of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// One row a time, one column a quantity.
    Wide,
    /// One row a value: which quantity, when, how much.
    Long,
    /// One row a sample, one column an analyte.
    Samples,
    /// One row a run, with its facts.
    Runs,
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// When.
    Time,
    /// A measured, controlled or calculated series.
    Channel,
    /// Name of a sample.
    SampleId,
    /// Name of a run.
    RunKey,
    /// A result of a sample.
    Assay,
    /// Something done or something that happened.
    Event,
    /// What somebody sensed.
    Observation,
    /// Free words.
    Note,
    /// A fact of the run or the sample (strain, medium, operator …).
    Fact,
    /// Not read; listed in what was not read.
    Ignore,
    /// Long tables: which quantity.
    Variable,
    /// Long tables: how much.
    Value,
    /// Long tables: in which unit.
    Unit,
    /// Quality of the value (of the channel to its left in wide tables).
    Quality,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Position when the mapping was made, from 1. Columns are found by header; the position tells
    /// apart columns of the same header.
    pub column: u64,
    /// Header as written; several header lines are joined by ` / `.
    pub header: String,
    /// What it is.
    pub role: Role,
    /// Term of the vocabulary of variables.
    #[serde(default, rename = "quantity", skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// Unit, UCUM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Unit as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_unit: Option<String>,
    /// How numbers are written in this column.
    #[serde(default, skip_serializing_if = "is_point")]
    pub numbers: NumberStyle,
    /// Where the values come from.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub origin: Origin,
    /// Run this column belongs to, when the header tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Position of the column's own time column, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u64>,
    /// The file may lack this column.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// How sure the proposal is, 0 to 1.
    #[serde(default)]
    pub confidence: f64,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Text>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_point(style: &NumberStyle) -> bool {
    *style == NumberStyle::Point
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_unknown(origin: &Origin) -> bool {
    *origin == Origin::Unknown
}

/// The time column and how it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeColumn {
    /// Position when the mapping was made, from 1.
    pub column: u64,
    /// Header as written.
    pub header: String,
    /// How it is read.
    pub rule: TimeRule,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Text>,
}

/// How times are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum TimeRule {
    /// Date and time in one cell (or a date alone).
    Clock {
        /// Order of day and month; `None`: decided by the column, then the site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<DateOrder>,
    },
    /// Date in this column, time of day in another.
    DateAndTime {
        /// Header of the column with the time of day.
        time: String,
        /// Order of day and month; `None`: decided by the column, then the site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<DateOrder>,
    },
    /// A number since the start.
    Elapsed {
        /// Of what.
        unit: TimeUnit,
        /// The file does not say so; somebody should.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        assumed: bool,
    },
}

/// Units of elapsed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
    /// Minutes.
    Min,
    /// Hours.
    H,
    /// Days.
    D,
    /// Written `hh:mm:ss`.
    Hms,
}

impl TimeUnit {
    /// Nanoseconds of one.
    #[must_use]
    pub fn ns(self) -> i64 {
        match self {
            Self::Ms => 1_000_000,
            Self::S | Self::Hms => 1_000_000_000,
            Self::Min => 60_000_000_000,
            Self::H => 3_600_000_000_000,
            Self::D => 86_400_000_000_000,
        }
    }
    /// The unit of time that this unit is.
    #[must_use]
    pub fn of(unit: &Unit) -> Option<Self> {
        match unit.code() {
            "ms" => Some(Self::Ms),
            "s" => Some(Self::S),
            "min" => Some(Self::Min),
            "h" => Some(Self::H),
            "d" => Some(Self::D),
            _ => None,
        }
    }
}

impl Mapping {
    /// Reads a saved mapping.
    ///
    /// # Errors
    /// Not JSON of this form (with the line), or of a later version.
    pub fn from_json(text: &str) -> Result<Self> {
        let mapping: Self = serde_json::from_str(text).map_err(|e| {
            Error::input("E-TABLE-010", format!("対応付けとして読めません: {e}"), format!("not readable as a mapping: {e}"))
                .at(Place::line(e.line() as u64).at_column(e.column() as u64))
                .hint("`toji run propose FILE --json` の出力と比べてください", "compare it with `toji run propose FILE --json`")
        })?;
        mapping.check()?;
        Ok(mapping)
    }

    /// Is the mapping of a version this program knows, and does it hang together?
    ///
    /// # Errors
    /// A later version; rows counted from 0; a long table without a value column, and so on.
    pub fn check(&self) -> Result<()> {
        let fault = |field: &str, ja: String, en: String| Err(Error::input("E-TABLE-011", ja, en).at(Place::field(field)));
        if self.version != MAPPING_VERSION {
            return fault(
                "version",
                format!("対応付けの版 {} は知りません（この版は {MAPPING_VERSION}）", self.version),
                format!("the mapping has version {}, this program knows {MAPPING_VERSION}", self.version),
            );
        }
        if self.header_row == 0 || self.header_rows == 0 || self.header_rows > self.header_row {
            return fault(
                "header_row",
                "見出しの行は 1 から数えます".into(),
                "header rows count from 1, and there cannot be more of them than rows".into(),
            );
        }
        let has = |role| self.columns.iter().any(|c| c.role == role);
        let needs: &[(Role, &str)] = match self.layout {
            Layout::Long => &[(Role::Variable, "variable"), (Role::Value, "value")],
            Layout::Samples => &[(Role::SampleId, "sample-id")],
            Layout::Runs => &[(Role::RunKey, "run-key")],
            Layout::Wide => &[(Role::Channel, "channel")],
        };
        for (role, word) in needs {
            let spared = *role == Role::Channel && [Role::Event, Role::Observation, Role::Note].into_iter().any(has);
            if !has(*role) && !spared {
                return fault(
                    "columns",
                    format!("役割 {word} の列がありません"),
                    format!("no column has the role {word}, which this layout needs"),
                );
            }
        }
        if self.time.is_none() && self.layout == Layout::Wide {
            return fault("time", "時間の列が指定されていません".into(), "no time column is given".into());
        }
        Ok(())
    }
}
