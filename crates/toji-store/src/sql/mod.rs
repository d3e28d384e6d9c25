//! SQL over everything, read-only, through the gate.
//!
//! Every kind is a table (`culture_run` is written `run`, `lca-study` is `lca_study`). Further tables:
//!
//! * `series`: every point of every channel, with run, key, variable, unit, time, elapsed_s, value, quality;
//! * `aligned('RUN', step_s)`: the channels of a run on one grid, with the mask;
//! * `asof('RUN')`: every sample of a run with the latest good value of every channel and its age.

mod answer;
mod functions;
mod kinds;
mod lazy;
mod points;

pub use answer::Table;

use crate::store::Store;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionConfig, SessionContext};
use futures::StreamExt as _;
use std::sync::Arc;
use toji_core::{Access, Action, Category, Error, Place, Resource, Result};

impl Store {
    /// A session that sees what the asker may see.
    pub(crate) fn sql_session(self: &Arc<Self>, access: &Access) -> Result<SessionContext> {
        let config = SessionConfig::new().with_information_schema(true).with_target_partitions(2);
        let context = SessionContext::new_with_config(config);
        let register = |name: String, table| context.register_table(name, table).map(|_| ()).map_err(|e| sql_error(&e));
        let schemas = self.tables.get_or_init(|| self.kinds.iter().map(kinds::schema).collect());
        for (kind, schema) in self.kinds.iter().zip(schemas) {
            register(kind.kind.replace('-', "_"), kinds::table(self, access, kind, schema))?;
        }
        register("series".into(), points::table(self, access))?;
        context.register_udtf("aligned", functions::aligned(self, access));
        context.register_udtf("asof", functions::as_of_join(self, access));
        Ok(context)
    }

    /// Runs a query and returns at most `limit` rows.
    ///
    /// # Errors
    /// Faults in the query (with the engine's words), statements that would write, denied access.
    pub async fn sql(self: &Arc<Self>, access: &Access, query: &str, limit: usize) -> Result<Table> {
        self.allow(access, Action::Read, Resource::Question).await?;
        let context = self.sql_session(access)?;
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = context.sql_with_options(query, options).await.map_err(|e| sql_error(&e))?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let mut stream = frame.execute_stream().await.map_err(|e| sql_error(&e))?;
        let (mut batches, mut rows, mut truncated) = (Vec::new(), 0, false);
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(|e| sql_error(&e))?;
            let room = limit - rows;
            if batch.num_rows() > room {
                truncated = true;
                batches.push(batch.slice(0, room));
                break;
            }
            rows += batch.num_rows();
            batches.push(batch);
        }
        Table::new(&schema, batches, truncated)
    }
}

/// The engine's error in ours: a fault of the query unless it says otherwise.
pub(crate) fn sql_error(error: &DataFusionError) -> Error {
    match error.find_root() {
        DataFusionError::External(inner) => match inner.downcast_ref::<Error>() {
            Some(ours) => {
                let fault = ours.fault();
                Error::new(fault.category, fault.code, fault.message.ja.clone(), fault.message.en.clone())
            }
            None => {
                Error::storage("E-SQL-002", format!("問い合わせに失敗しました: {inner}"), format!("the query failed: {inner}"))
            }
        },
        DataFusionError::ResourcesExhausted(what) => Error::new(
            Category::Limit,
            "E-SQL-003",
            format!("問い合わせに要する資源が足りません: {what}"),
            format!("the query needs more than there is: {what}"),
        )
        .hint("期間や列を絞ってください", "narrow the time span or the columns"),
        root => Error::input("E-SQL-001", format!("SQL の誤り: {root}"), format!("fault in the SQL: {root}"))
            .at(Place::field("query"))
            .hint(
                "表の一覧は SHOW ではなく `SELECT * FROM information_schema.tables`、書き込みは `toji record put` を使います",
                "list tables with `SELECT * FROM information_schema.tables`; write with `toji record put`",
            ),
    }
}

/// Our error inside the engine's.
pub(crate) fn engine_error(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
