//! `sql query`: read-only SQL over everything.

use crate::commons::{Content, CopyView, handing};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_commons::mark::{LABEL_COLUMN, read_parted};
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
    /// Organisation the file is given to: its copy is marked. In a commons, files of members are marked anyway.
    ///
    /// ファイルの渡し先の組織。複製に透かしを入れる。共有基盤では、会員が取り出すファイルには指定がなくても入れる。
    #[serde(default)]
    recipient: Option<String>,
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
    /// The mark of the copy, when it carries one.
    #[serde(rename = "marked_copy", skip_serializing_if = "Option::is_none")]
    mark: Option<CopyView>,
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
    let leaves = input.format != SqlFormat::Table;
    let mut table = context.session.store.sql(&context.access, &input.query, limit).await?;
    let (mut mark, mut csv) = (None, None);
    let what = format!("sql query {:?}: {}", input.format, input.query);
    if leaves && let Some(handing) = handing(&context, what, input.recipient.as_deref(), Content::Anything).await? {
        let texts = read_parted(&String::from_utf8_lossy(&table.csv()?), ',')?;
        let rows: Vec<Vec<String>> = texts.rows.into_iter().map(|row| row.into_iter().map(|cell| cell.text).collect()).collect();
        // A question that asks for an order gets it.
        let asked = input.query.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").contains("order by");
        let bands: Vec<i64> = (0..rows.len()).map(|i| if asked { i64::try_from(i).unwrap_or(i64::MAX) } else { 0 }).collect();
        let marked = handing.mark(&texts.header, &rows, &bands)?;
        let (header, rows) = marked.arrange(&texts.header, &rows);
        table = table.arranged(&marked.order, LABEL_COLUMN, &marked.labels)?;
        csv = Some(marked.csv(&header, &rows));
        mark = Some(handing.keep(&context, &marked).await?);
    }
    let columns = table.columns().into_iter().map(|(name, data_type)| Column { name, data_type }).collect();
    let file = |name: &str, media_type, bytes| Some(Attachment { name: name.to_owned(), media_type, bytes });
    let attachment = match input.format {
        SqlFormat::Csv => file(
            "query.csv",
            "text/csv; charset=utf-8",
            match csv {
                Some(marked) => marked,
                None => table.csv()?,
            },
        ),
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
    Ok(Answer { output: Rows { columns, rows, truncated: table.truncated, mark }, attachment })
}
