//! Table functions: the aligner and the as-of join.

use super::lazy::LazyTable;
use super::points::Chunk;
use crate::align::{Grid, align};
use crate::series::{Base, Want};
use crate::store::Store;
use crate::tail::silence;
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt8Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{TableFunctionImpl, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::logical_expr::Expr;
use futures::FutureExt as _;
use std::sync::Arc;
use toji_core::variable::{self, GridRule};
use toji_core::{Access, Category, Error, Instant, Record, Result};

/// Most cells of one aligned channel.
pub(crate) const GRID_CELLS_MAX: usize = 5_000_000;

#[derive(Debug)]
enum Which {
    Aligned,
    AsOf,
}

#[derive(Debug)]
struct Function {
    store: Arc<Store>,
    access: Access,
    which: Which,
}

pub(super) fn aligned(store: &Arc<Store>, access: &Access) -> Arc<dyn TableFunctionImpl> {
    Arc::new(Function { store: store.clone(), access: access.clone(), which: Which::Aligned })
}

pub(super) fn as_of_join(store: &Arc<Store>, access: &Access) -> Arc<dyn TableFunctionImpl> {
    Arc::new(Function { store: store.clone(), access: access.clone(), which: Which::AsOf })
}

impl TableFunctionImpl for Function {
    fn call_with_args(&self, args: datafusion::catalog::TableFunctionArgs<'_, '_>) -> EngineResult<Arc<dyn TableProvider>> {
        let texts: Vec<&ScalarValue> =
            args.exprs().iter().filter_map(|e| if let Expr::Literal(v, _) = e { Some(v) } else { None }).collect();
        let run = match texts.first() {
            Some(ScalarValue::Utf8(Some(run)) | ScalarValue::Utf8View(Some(run))) => run.clone(),
            _ => return Err(DataFusionError::Plan("the first argument is the run's identifier, as text".into())),
        };
        let (store, access) = (self.store.clone(), self.access.clone());
        match self.which {
            Which::Aligned => {
                let step_s = match texts.get(1) {
                    Some(ScalarValue::Int64(Some(s))) => *s as f64,
                    Some(ScalarValue::Float64(Some(s))) => *s,
                    _ => return Err(DataFusionError::Plan("the second argument is the grid's step in seconds".into())),
                };
                Ok(Arc::new(LazyTable::new(aligned_schema(), move || {
                    let (store, access, run) = (store.clone(), access.clone(), run.clone());
                    async move { aligned_rows(&store, &access, &run, step_s).await }.boxed()
                })))
            }
            Which::AsOf => Ok(Arc::new(LazyTable::new(as_of_schema(), move || {
                let (store, access, run) = (store.clone(), access.clone(), run.clone());
                async move { as_of_rows(&store, &access, &run).await }.boxed()
            }))),
        }
    }
}

fn aligned_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("elapsed_s", DataType::Float64, false),
        Field::new("channel", DataType::Utf8, false),
        Field::new("key", DataType::Utf8, false),
        Field::new("variable", DataType::Utf8, true),
        Field::new("unit", DataType::Utf8, true),
        Field::new("value", DataType::Float64, true),
        Field::new("mask", DataType::UInt8, false),
    ]))
}

async fn aligned_rows(store: &Arc<Store>, access: &Access, run: &str, step_s: f64) -> Result<Vec<RecordBatch>> {
    let chunks = store.chunks(access, Some(&[run.to_owned()]), |_, _, _| true).await?;
    let records = store.linked(access, "channel", "run", run).await?;
    let outages = match chunks.first() {
        Some(chunk) => store.outages(access, &chunk.run).await?,
        None => Vec::new(),
    };
    crate::blocking::in_place(|| {
        let mut out = Vec::new();
        let step = (step_s * 1e9) as i64;
        let span = |f: fn(&crate::series::Block) -> i64, g: fn(i64, i64) -> i64| {
            chunks.iter().flat_map(|c| c.blocks.iter().map(move |b| f(b) - origin(c, b.base))).reduce(g)
        };
        let (Some(from), Some(to)) = (span(|b| b.t_min, i64::min), span(|b| b.t_max, i64::max)) else { return Ok(out) };
        let grid = Grid::covering(0, from, to, step, GRID_CELLS_MAX).ok_or_else(|| grid_fault(step_s))?;
        for chunk in &chunks {
            let base = chunk.blocks.first().map_or(Base::Utc, |b| b.base);
            let series = store.read_blocks(&chunk.run, &chunk.blocks, base, Want::Numbers, i64::MIN, i64::MAX)?;
            let holds = holds(records.iter().find(|r| r.id.as_str() == chunk.channel));
            let moved = Grid { start: grid.start.saturating_add(origin(chunk, base)), ..grid };
            let mut aligned = align(&series, moved, rule_of(chunk.variable.as_deref(), holds), holds);
            if base == Base::Utc {
                silence(&mut aligned, moved, &outages);
            }
            out.push(aligned_batch(chunk, grid, aligned)?);
        }
        Ok(out)
    })
}

fn grid_fault(step_s: f64) -> Error {
    Error::new(
        Category::Limit,
        "E-ALIGN-001",
        format!("格子の間隔 {step_s} s は使えません (最大 {GRID_CELLS_MAX} 点)"),
        format!("a grid step of {step_s} s is not usable (at most {GRID_CELLS_MAX} cells)"),
    )
    .hint("間隔を広げてください", "use a wider step")
}

fn origin(chunk: &Chunk, base: Base) -> i64 {
    match base {
        Base::Utc => chunk.zero.unwrap_or_default(),
        Base::Elapsed => 0,
    }
}

/// Is the channel written only when it changes?
pub(crate) fn holds(record: Option<&Record>) -> bool {
    record.and_then(|r| r.fields.get("sampling")).and_then(|v| v.as_str()) == Some("on-change")
}

/// The rule of a variable; channels written on change carry their value.
pub(crate) fn rule_of(variable: Option<&str>, holds: bool) -> GridRule {
    match variable.and_then(variable::get) {
        Some(known) => known.rule,
        None if holds => GridRule::Last,
        None => GridRule::Mean,
    }
}

fn aligned_batch(chunk: &Chunk, grid: Grid, aligned: crate::align::Aligned) -> Result<RecordBatch> {
    let n = grid.cells;
    let same = |text: &str| Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, n))) as ArrayRef;
    let maybe = |text: &Option<String>| Arc::new(std::iter::repeat_n(text.as_deref(), n).collect::<StringArray>()) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from_iter_values((0..n).map(|i| (grid.start + i as i64 * grid.step) as f64 / 1e9))),
        same(&chunk.channel),
        same(&chunk.key),
        maybe(&chunk.variable),
        maybe(&chunk.unit),
        Arc::new(aligned.value.into_iter().collect::<Float64Array>()),
        Arc::new(UInt8Array::from(aligned.mask)),
    ];
    RecordBatch::try_new(aligned_schema(), columns).map_err(|e| Error::bug("E-SQL-012", e))
}

fn as_of_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("sample", DataType::Utf8, false),
        Field::new("elapsed_s", DataType::Float64, true),
        Field::new("channel", DataType::Utf8, false),
        Field::new("key", DataType::Utf8, false),
        Field::new("variable", DataType::Utf8, true),
        Field::new("unit", DataType::Utf8, true),
        Field::new("value", DataType::Float64, true),
        Field::new("age_s", DataType::Float64, true),
    ]))
}

/// The time of a sample on the axis of a channel's base, or nothing when the two cannot be compared.
fn sample_time(sample: &Record, base: Base, zero: Option<i64>) -> Option<i64> {
    let clock = sample.fields.get("time").and_then(|v| v.as_str()).and_then(|t| Instant::parse(t).ok()).map(|i| i.0);
    let elapsed = sample.fields.get("elapsed_s").and_then(serde_json::Value::as_f64).map(|s| (s * 1e9) as i64);
    match base {
        Base::Utc => clock.or_else(|| zero?.checked_add(elapsed?)),
        Base::Elapsed => elapsed.or_else(|| clock?.checked_sub(zero?)),
    }
}

async fn as_of_rows(store: &Arc<Store>, access: &Access, run: &str) -> Result<Vec<RecordBatch>> {
    let samples = store.linked(access, "sample", "run", run).await?;
    let chunks = store.chunks(access, Some(&[run.to_owned()]), |_, _, _| true).await?;
    crate::blocking::in_place(|| chunks.iter().map(|chunk| as_of_batch(store, chunk, &samples)).collect())
}

fn as_of_batch(store: &Store, chunk: &Chunk, samples: &[Record]) -> Result<RecordBatch> {
    let base = chunk.blocks.first().map_or(Base::Utc, |b| b.base);
    let mut rows: Vec<(i64, &Record)> = samples.iter().filter_map(|s| Some((sample_time(s, base, chunk.zero)?, s))).collect();
    rows.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    let times: Vec<i64> = rows.iter().map(|r| r.0).collect();
    let found = store.as_of_blocks(&chunk.run, &chunk.blocks, base, &times)?;
    let n = rows.len();
    let same = |text: &str| Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, n))) as ArrayRef;
    let maybe = |text: &Option<String>| Arc::new(std::iter::repeat_n(text.as_deref(), n).collect::<StringArray>()) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.1.id.as_str()))),
        Arc::new(
            times
                .iter()
                .map(|t| Some((t - origin(chunk, base)) as f64 / 1e9).filter(|_| base == Base::Elapsed || chunk.zero.is_some()))
                .collect::<Float64Array>(),
        ),
        same(&chunk.channel),
        same(&chunk.key),
        maybe(&chunk.variable),
        maybe(&chunk.unit),
        Arc::new(found.iter().map(|f| f.map(|f| f.0)).collect::<Float64Array>()),
        Arc::new(found.iter().map(|f| f.map(|f| f.1 as f64 / 1e9)).collect::<Float64Array>()),
    ];
    RecordBatch::try_new(as_of_schema(), columns).map_err(|e| Error::bug("E-SQL-013", e))
}
