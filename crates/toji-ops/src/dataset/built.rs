//! A release in the making: the content, its split and account, and the files written so far.

use super::arrays::{self, Grids};
use super::card;
use super::content::{Content, text};
use super::package::Files;
use super::score::Account;
use super::split::Dealt;
use super::tables::{self, Table};
use super::{check, croissant, datacite, frictionless, ro_crate};
use serde_json::Value as Json;
use toji_core::strain::to_dsmz;
use toji_core::{Digest, Error, Result};

/// Everything the descriptions speak about.
pub(super) struct Built<'a> {
    pub(super) content: &'a Content,
    pub(super) dealt: &'a [Dealt],
    pub(super) account: &'a Account,
    pub(super) tables: Vec<Table>,
    pub(super) grids: Grids,
    /// Name, path and run of every file of series.
    pub(super) series: Vec<(String, String, String)>,
    pub(super) files: Files,
}

impl Built<'_> {
    /// The day the newest thing in it was acknowledged.
    pub(super) fn date(&self) -> &str {
        self.content.at.get(..10).unwrap_or("1970-01-01")
    }
    /// Address of the terms of use: SPDX, URL, or nothing.
    pub(super) fn licence_url(&self) -> Option<String> {
        let fields = &self.content.licence.as_ref()?.fields;
        let spdx = text(fields, "spdx").map(|id| format!("https://spdx.org/licenses/{id}"));
        spdx.or_else(|| text(fields, "url").map(str::to_owned))
    }
    /// Name of the terms of use in English.
    pub(super) fn licence_name(&self) -> Option<&str> {
        self.content.licence.as_ref().and_then(|l| text(&l.fields, "name_en"))
    }
    /// Adds a JSON document.
    fn document(&mut self, path: &str, document: &Json) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(document).map_err(|e| Error::bug("E-DATASET-034", e))?;
        bytes.push(b'\n');
        self.files.add(path, bytes);
        Ok(())
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Json> {
    serde_json::to_value(value).map_err(|e| Error::bug("E-DATASET-034", e))
}

/// Name of the resource of a file of series.
pub(super) fn series_name(stem: &str) -> String {
    let plain: String = stem.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("series-{plain}")
}

/// All files of a release with their root hash. Pure: equal content gives equal files.
pub(super) fn build(content: &Content, dealt: &[Dealt], account: &Account) -> Result<(Files, Digest, Facts)> {
    let grids = arrays::grids(content, dealt)?;
    let mut tables = tables::all(content, dealt)?;
    tables.push(arrays::columns_table(&grids.columns));
    let mut built = Built { content, dealt, account, tables, grids, series: Vec::new(), files: Files::default() };
    for table in &built.tables {
        built.files.add(table.path(), table.csv()?);
    }
    for run in &content.runs {
        let stem = arrays::stem(run.record.id.as_str());
        let path = format!("series/{stem}.parquet");
        built.files.add(path.clone(), arrays::series(run)?);
        built.series.push((series_name(&stem), path, run.record.id.to_string()));
    }
    built.files.add("aligned/values.parquet", std::mem::take(&mut built.grids.values));
    built.files.add("aligned/mask.parquet", std::mem::take(&mut built.grids.mask));
    for strain in content.of("strain") {
        built.document(&format!("strains/{}.json", arrays::stem(strain.id.as_str())), &to_dsmz(&strain.fields))?;
    }
    built.document("manifest.json", &json(&content.manifest)?)?;
    let readiness = check::readiness(content, dealt, account.clone());
    built.document("readiness.json", &json(&readiness)?)?;
    built.files.add("loader.py", include_bytes!("loader.py").to_vec());
    built.files.add("README.md", card::english(&built).into_bytes());
    built.files.add("README.ja.md", card::japanese(&built).into_bytes());
    // The descriptions name the hashes of what they describe, so they come last, RO-Crate after all.
    let datapackage = frictionless::describe(&built);
    built.document("datapackage.json", &datapackage)?;
    let croissant = croissant::describe(&built);
    built.document("croissant.json", &croissant)?;
    let datacite = datacite::describe(&built);
    built.document("datacite.json", &datacite)?;
    let crate_ = ro_crate::describe(&built);
    built.document("ro-crate-metadata.json", &crate_)?;
    let root = built.files.seal();
    let facts = Facts { rows: built.grids.rows, columns: built.grids.columns.len() };
    Ok((built.files, root, facts))
}

/// Figures of the aligned view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) rows: usize,
    pub(super) columns: usize,
}
