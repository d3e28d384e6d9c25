//! Roll-ups written again from their parts: for stores from before there were any, and after damage.

use crate::series::{describe_part, rollup_path};
use crate::store::Store;
use crate::{blob, fault};
use sqlx::Row as _;
use toji_core::{Access, Action, Digest, Error, Id, Result};

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Rebuilt {
    /// Parts looked at.
    pub parts: u64,
    /// Roll-ups that were sound.
    pub sound: u64,
    /// Roll-ups written.
    pub written: u64,
    /// Roll-ups taken away since their part has no long block.
    pub removed: u64,
}

impl Store {
    /// Writes the roll-ups that are missing or not what their part says, of one run or of all. Derived
    /// data: nothing is noted in the ledger, and repeating it changes nothing.
    ///
    /// # Errors
    /// Denied access, parts that are damaged themselves, disk faults, and whatever `step` returns.
    pub async fn rebuild_rollups(
        &self,
        access: &Access,
        run: Option<&Id>,
        mut step: impl FnMut(u64, Option<u64>) -> Result<()> + Send,
    ) -> Result<Rebuilt> {
        let rows = sqlx::query("SELECT part, run FROM parts WHERE live = 1 AND ($1 = '' OR run = $1) ORDER BY run, part")
            .bind(run.map_or("", Id::as_str))
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let mut done = Rebuilt::default();
        for row in &rows {
            step(done.parts, Some(rows.len() as u64))?;
            let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
            let (run, part) = (Id::parse(&text("run")?)?, Digest::parse(&text("part")?)?);
            self.allow_series(access, Action::Write, run.as_str()).await?;
            crate::blocking::in_place(|| self.rebuild_rollup(&run, part, &mut done))?;
            done.parts += 1;
        }
        Ok(done)
    }

    fn rebuild_rollup(&self, run: &Id, part: Digest, done: &mut Rebuilt) -> Result<()> {
        let file = self.part_file(run, part);
        let bytes = std::fs::read(&file).map_err(|e| fault::io(&e, &file))?;
        if Digest::of(&bytes) != part {
            let name = &part.hex()[..12];
            return Err(Error::storage(
                "E-SERIES-003",
                format!("系列ファイル {name} の内容が変わっています"),
                format!("the series file {name} was altered"),
            )
            .hint("バックアップから戻してください", "restore it from a backup"));
        }
        let (_, wanted) = describe_part(bytes, part)?;
        let path = rollup_path(&file);
        match (wanted, std::fs::read(&path).ok()) {
            (Some(wanted), Some(there)) if wanted == there => done.sound += 1,
            (Some(wanted), _) => {
                blob::write_durably(&path, &wanted)?;
                done.written += 1;
            }
            (None, Some(_)) => {
                std::fs::remove_file(&path).map_err(|e| fault::io(&e, &path))?;
                done.removed += 1;
            }
            (None, None) => {}
        }
        self.rollups.forget(part);
        Ok(())
    }
}
