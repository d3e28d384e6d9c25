//! Where records are at home: whose each run is and in which area, and of which run a sample is.
//!
//! Every question about a part of a run asks for it, so it is gathered once and again when a run or a sample changed,
//! also when another process changed it. Nobody is asked here: it is what the gate is told.

use crate::fault;
use crate::sight::area_of;
use crate::store::Store;
use sqlx::Row as _;
use std::collections::HashMap;
use std::sync::Arc;
use toji_core::Result;
use toji_core::record::FieldMap;

/// Owner and area of a run.
pub(crate) type Home = (Option<String>, Option<String>);

#[derive(Debug, Default)]
pub(crate) struct Homes {
    runs: HashMap<String, Home>,
    samples: HashMap<String, Vec<String>>,
}

impl Homes {
    /// A run that there is.
    pub(crate) fn run(&self, run: &str) -> Option<&Home> {
        self.runs.get(run)
    }
    /// Runs that a sample is of.
    pub(crate) fn of_sample(&self, sample: &str) -> &[String] {
        self.samples.get(sample).map_or(&[], Vec::as_slice)
    }
}

impl Store {
    pub(crate) async fn homes(&self) -> Result<Arc<Homes>> {
        // The position first: what is written meanwhile is then read again, and never missed.
        let seq = self.newest_of(&["run", "sample"]).await?;
        if let Ok(kept) = self.homes.lock()
            && let Some((at, homes)) = kept.as_ref()
            && *at == seq
        {
            return Ok(homes.clone());
        }
        let kind = self.kinds.get("run")?;
        let mut homes = Homes::default();
        let rows = sqlx::query("SELECT id, owner, fields FROM versions WHERE kind = 'run' AND latest = 1")
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        for row in &rows {
            let fields: String = row.try_get("fields").map_err(fault::sql)?;
            let fields: FieldMap = crate::records::fields_of(&fields)?;
            let owner: Option<String> = row.try_get("owner").map_err(fault::sql)?;
            homes.runs.insert(row.try_get("id").map_err(fault::sql)?, (owner, area_of(kind, &fields).map(str::to_owned)));
        }
        let rows = sqlx::query("SELECT id, target FROM links WHERE kind = 'sample' AND target_kind = 'run' ORDER BY id, target")
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        for row in &rows {
            let sample: String = row.try_get("id").map_err(fault::sql)?;
            homes.samples.entry(sample).or_default().push(row.try_get("target").map_err(fault::sql)?);
        }
        let homes = Arc::new(homes);
        if let Ok(mut kept) = self.homes.lock() {
            *kept = Some((seq, homes.clone()));
        }
        Ok(homes)
    }
}
