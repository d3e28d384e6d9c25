//! The `series` table: every point, read block by block, with run and channel pushed down to the files.

use crate::series::{Base, Block, Series, Want};
use crate::sight::Sight;
use crate::store::Store;
use arrow::array::{ArrayRef, Float64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampNanosecondArray, UInt16Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result as EngineResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use std::sync::Arc;
use toji_core::{Access, Category, Error, Id, Instant, Result};

/// The column of texts.
const TEXT: usize = 9;

pub(super) fn table(store: &Arc<Store>, access: &Access) -> Arc<PointsTable> {
    Arc::new(PointsTable { store: store.clone(), access: access.clone(), schema: schema() })
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("run", DataType::Utf8, false),
        Field::new("channel", DataType::Utf8, false),
        Field::new("key", DataType::Utf8, false),
        Field::new("variable", DataType::Utf8, true),
        Field::new("unit", DataType::Utf8, true),
        Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), true),
        Field::new("elapsed_s", DataType::Float64, true),
        Field::new("value", DataType::Float64, true),
        Field::new("quality", DataType::UInt16, false),
        Field::new("text", DataType::Utf8, true),
    ]))
}

#[derive(Debug)]
pub(super) struct PointsTable {
    store: Arc<Store>,
    access: Access,
    schema: SchemaRef,
}

/// One channel to be read.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) run: Id,
    pub(super) channel: String,
    pub(super) key: String,
    pub(super) variable: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) zero: Option<i64>,
    pub(super) blocks: Vec<Block>,
}

/// The values a column is held equal to, when the filters say so: `a = 'x'`, `a IN (…)`, joined by AND.
fn wanted(filters: &[Expr], column: &str) -> Option<Vec<String>> {
    let is = |expr: &Expr| matches!(expr, Expr::Column(Column { name, .. }) if name == column);
    let text = |expr: &Expr| match expr {
        Expr::Literal(ScalarValue::Utf8(Some(t)) | ScalarValue::Utf8View(Some(t)) | ScalarValue::LargeUtf8(Some(t)), _) => {
            Some(t.clone())
        }
        _ => None,
    };
    filters.iter().find_map(|filter| match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is(left) => text(right).map(|t| vec![t]),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is(right) => text(left).map(|t| vec![t]),
        Expr::InList(list) if !list.negated && is(&list.expr) => list.list.iter().map(text).collect(),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            wanted(&[left.as_ref().clone()], column).or_else(|| wanted(&[right.as_ref().clone()], column))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut both = wanted(&[left.as_ref().clone()], column)?;
            both.extend(wanted(&[right.as_ref().clone()], column)?);
            Some(both)
        }
        _ => None,
    })
}

impl Store {
    /// The channels of some runs that the asker may see, with their blocks.
    pub(super) async fn chunks(
        &self,
        access: &Access,
        runs: Option<&[String]>,
        keep: impl Fn(&str, &str, Option<&str>) -> bool + Send,
    ) -> Result<Vec<Chunk>> {
        let records = match runs {
            Some(ids) => {
                let mut found = Vec::new();
                for id in ids {
                    match self.record(access, "run", id, None).await {
                        Ok(run) => found.push(run),
                        // Neither there nor shown: no rows. Other faults are faults.
                        Err(e) if matches!(e.category(), Category::NotFound | Category::Denied) => {}
                        Err(e) => return Err(e),
                    }
                }
                found
            }
            None => self.records(access, "run", None, false).await?,
        };
        let mut out = Vec::new();
        let mut sight = Sight::new(self, access);
        for run in records {
            let zero = run.fields.get("started").and_then(|v| v.as_str()).and_then(|t| Instant::parse(t).ok()).map(|i| i.0);
            let mut blocks = self.blocks(&run.id, &[], i64::MIN, i64::MAX).await?;
            for channel in self.linked(access, "channel", "run", run.id.as_str()).await? {
                let text = |name: &str| channel.fields.get(name).and_then(|v| v.as_str()).map(str::to_owned);
                let (key, variable) = (text("key").unwrap_or_default(), text("variable"));
                if !keep(channel.id.as_str(), &key, variable.as_deref())
                    || !sight.sees_channel(run.id.as_str(), channel.id.as_str()).await?
                {
                    continue;
                }
                if let Some(blocks) = blocks.remove(channel.id.as_str()) {
                    out.push(Chunk {
                        run: run.id.clone(),
                        channel: channel.id.to_string(),
                        key,
                        variable,
                        unit: text("unit"),
                        zero,
                        blocks,
                    });
                }
            }
        }
        Ok(out)
    }
}

#[async_trait::async_trait]
impl TableProvider for PointsTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
    fn table_type(&self) -> TableType {
        TableType::Base
    }
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let runs = wanted(filters, "run");
        let [channels, keys, variables] = ["channel", "key", "variable"].map(|c| wanted(filters, c));
        let listed = |list: &Option<Vec<String>>, value: Option<&str>| {
            list.as_ref().is_none_or(|l| value.is_some_and(|v| l.iter().any(|x| x == v)))
        };
        let chunks = self
            .store
            .chunks(&self.access, runs.as_deref(), |channel, key, variable| {
                listed(&channels, Some(channel)) && listed(&keys, Some(key)) && listed(&variables, variable)
            })
            .await
            .map_err(super::engine_error)?;
        let columns: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let want = if columns.contains(&TEXT) { Want::All } else { Want::Numbers };
        // Only the columns that are asked for are made.
        let schema = Arc::new(self.schema.project(&columns)?);
        let stream = ChunkStream { store: self.store.clone(), schema: schema.clone(), columns, chunks, want };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(stream)], None, None, false, None)?))
    }
}

#[derive(Debug)]
struct ChunkStream {
    store: Arc<Store>,
    schema: SchemaRef,
    /// Which columns of the table the schema has.
    columns: Vec<usize>,
    chunks: Vec<Chunk>,
    want: Want,
}

impl PartitionStream for ChunkStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }
    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (store, schema, columns, want) = (self.store.clone(), self.schema.clone(), self.columns.clone(), self.want);
        let batches = self.chunks.clone().into_iter().map(move |chunk| {
            let base = chunk.blocks.first().map_or(Base::Utc, |b| b.base);
            let series = store.read_blocks(&chunk.run, &chunk.blocks, base, want, i64::MIN, i64::MAX);
            series.and_then(|s| batch(&schema, &columns, &chunk, base, s)).map_err(super::engine_error)
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), futures::stream::iter(batches)))
    }
}

fn batch(schema: &SchemaRef, columns: &[usize], chunk: &Chunk, base: Base, series: Series) -> Result<RecordBatch> {
    let n = series.len();
    let same = |text: &str| Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, n))) as ArrayRef;
    let maybe = |text: &Option<String>| Arc::new(std::iter::repeat_n(text.as_deref(), n).collect::<StringArray>()) as ArrayRef;
    let time = |t: i64| match base {
        Base::Utc => Some(t),
        Base::Elapsed => chunk.zero.and_then(|z| z.checked_add(t)),
    };
    let elapsed = |t: i64| match base {
        Base::Utc => chunk.zero.map(|z| (t - z) as f64 / 1e9),
        Base::Elapsed => Some(t as f64 / 1e9),
    };
    let texts = || {
        let mut texts: Vec<Option<&str>> = vec![None; n];
        for (i, text) in &series.texts {
            if let Some(slot) = texts.get_mut(*i as usize) {
                *slot = Some(text);
            }
        }
        Arc::new(texts.into_iter().collect::<StringArray>()) as ArrayRef
    };
    let column = |i: &usize| -> ArrayRef {
        match *i {
            0 => same(chunk.run.as_str()),
            1 => same(&chunk.channel),
            2 => same(&chunk.key),
            3 => maybe(&chunk.variable),
            4 => maybe(&chunk.unit),
            5 => Arc::new(series.t_ns.iter().map(|t| time(*t)).collect::<TimestampNanosecondArray>().with_timezone("UTC")),
            6 => Arc::new(series.t_ns.iter().map(|t| elapsed(*t)).collect::<Float64Array>()),
            7 => Arc::new(series.value.iter().map(|v| (!v.is_nan()).then_some(*v)).collect::<Float64Array>()),
            8 => Arc::new(UInt16Array::from(series.quality.clone())),
            _ => texts(),
        }
    };
    // Rows are counted also where no column is asked for.
    let rows = RecordBatchOptions::new().with_row_count(Some(n));
    let columns = columns.iter().map(column).collect();
    RecordBatch::try_new_with_options(schema.clone(), columns, &rows).map_err(|e| Error::bug("E-SQL-011", e))
}
