//! A table whose rows are made when it is scanned.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use futures::future::BoxFuture;
use std::fmt;
use std::sync::Arc;

type Load = dyn Fn() -> BoxFuture<'static, toji_core::Result<Vec<RecordBatch>>> + Send + Sync;

/// Schema and the work that makes the rows.
pub(super) struct LazyTable {
    schema: SchemaRef,
    load: Box<Load>,
}

impl LazyTable {
    pub(super) fn new(
        schema: SchemaRef,
        load: impl Fn() -> BoxFuture<'static, toji_core::Result<Vec<RecordBatch>>> + Send + Sync + 'static,
    ) -> Self {
        Self { schema, load: Box::new(load) }
    }
}

impl fmt::Debug for LazyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyTable")
    }
}

#[async_trait::async_trait]
impl TableProvider for LazyTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
    fn table_type(&self) -> TableType {
        TableType::Base
    }
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let batches = (self.load)().await.map_err(super::engine_error)?;
        MemTable::try_new(self.schema.clone(), vec![batches])?.scan(state, projection, filters, limit).await
    }
}
