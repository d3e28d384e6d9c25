//! `sql query`: read-only SQL over everything.

use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::Result;

/// Form of the answer as a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SqlFormat {
    /// For people.
    ///
    /// 人が読む表。
    #[default]
    Table,
    /// Comma-separated.
    ///
    /// カンマ区切り。
    Csv,
    /// JSON.
    ///
    /// JSON 文書。
    Json,
    /// Arrow IPC file.
    ///
    /// Arrow IPC ファイル。
    Arrow,
    /// Parquet file.
    ///
    /// Parquet ファイル。
    Parquet,
}

/// Input of `sql query`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// One SELECT statement.
    ///
    /// 一つの SELECT 文。
    query: String,
    /// Most rows returned.
    ///
    /// 返す行の最大数。
    #[serde(default)]
    limit: Option<usize>,
    /// Form of the answer.
    ///
    /// 結果の形式。
    #[serde(default)]
    format: SqlFormat,
}

/// A column of an answer.
#[derive(Debug, Serialize, JsonSchema)]
struct Column {
    /// Name.
    name: String,
    /// Arrow type.
    #[serde(rename = "type")]
    data_type: String,
}

/// Output of `sql query`.
#[derive(Debug, Serialize, JsonSchema)]
struct Rows {
    /// Columns.
    columns: Vec<Column>,
    /// Rows, in order of the columns.
    rows: Vec<Vec<Json>>,
    /// More rows were there than asked for.
    truncated: bool,
}

/// Rows returned when nobody asks for a number; files hold more than a screen.
const ROWS_SHOWN: usize = 1000;
const ROWS_FILED: usize = 50_000_000;

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "sql query",
            label: ["SQL", "SQL"],
            about: [
                "すべての種別と系列に SQL で問い合わせます (読取り専用)。series は全点、aligned('培養', 秒) は格子への整列、asof('培養') は試料と槽の状態です。",
                "Queries every kind and all series by SQL, read-only. `series` holds every point, aligned('RUN', step_s) brings channels onto a grid, asof('RUN') joins samples with the tank's state.",
            ],
            positional: &["query"],
            example: "toji sql \"SELECT kind, count(*) FROM facility GROUP BY kind\" --format csv",
        },
        Effect::Read,
        query,
    )
}

async fn query(context: Context, input: Input) -> Result<Answer<Rows>> {
    let filed = matches!(input.format, SqlFormat::Csv | SqlFormat::Arrow | SqlFormat::Parquet);
    let limit = input.limit.unwrap_or(if filed { ROWS_FILED } else { ROWS_SHOWN });
    let table = context.session.store.sql(&context.access, &input.query, limit).await?;
    let columns = table.columns().into_iter().map(|(name, data_type)| Column { name, data_type }).collect();
    let file = |name: &str, media_type, bytes| Some(Attachment { name: name.to_owned(), media_type, bytes });
    let attachment = match input.format {
        SqlFormat::Csv => file("query.csv", "text/csv; charset=utf-8", table.csv()?),
        SqlFormat::Arrow => file("query.arrow", "application/vnd.apache.arrow.file", table.arrow()?),
        SqlFormat::Parquet => file("query.parquet", "application/vnd.apache.parquet", table.parquet()?),
        SqlFormat::Json => {
            let document =
                serde_json::json!({ "columns": table.columns().iter().map(|c| &c.0).collect::<Vec<_>>(), "rows": table.rows()? });
            file("query.json", "application/json", document.to_string().into_bytes())
        }
        SqlFormat::Table => None,
    };
    // A file carries its rows itself; the typed output then only describes them.
    let rows = if filed { Vec::new() } else { table.rows()? };
    Ok(Answer { output: Rows { columns, rows, truncated: table.truncated }, attachment })
}
