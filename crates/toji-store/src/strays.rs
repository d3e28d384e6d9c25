//! Files in the store's folders that no event names: what an interrupted import or merge left behind.
//! They are harmless and are told, not deleted: a file may belong to work that goes on right now.

use crate::fault;
use crate::series::{replaced_path, rollup_path};
use crate::verify::Checked;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toji_core::{Digest, Result};

/// Most names told; all are counted.
const NAMES_MAX: usize = 100;

/// Paths within the store's folder, in order.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    blobs: Vec<String>,
    parts: Vec<String>,
    rollups: Vec<String>,
    temporary: Vec<String>,
}

/// Looks through the folders of blobs and series. `parts` are the parts the ledger knows, with their places.
pub(crate) fn find(store: &Path, blobs: &BTreeSet<Digest>, parts: &BTreeMap<Digest, PathBuf>) -> Result<Strays> {
    let mut strays = Strays::default();
    let known: BTreeSet<PathBuf> = parts.values().flat_map(|p| [p.clone(), replaced_path(p), rollup_path(p)]).collect();
    for (folder, of_series) in [("blobs", false), ("series", true)] {
        for path in files(&store.join(folder))? {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let shown = path.strip_prefix(store).unwrap_or(&path).to_string_lossy().into_owned();
            let extension = path.extension().and_then(|e| e.to_str());
            if name.starts_with(".tmp") {
                strays.temporary.push(shown);
            } else if !of_series {
                let stray = Digest::parse(&name).is_ok_and(|digest| !blobs.contains(&digest));
                strays.blobs.extend(stray.then_some(shown));
            } else if !known.contains(&path) {
                match extension {
                    Some("parquet") => strays.parts.push(shown),
                    Some("rollup") => strays.rollups.push(shown),
                    _ => {}
                }
            }
        }
    }
    Ok(strays)
}

/// Every file of a folder and those below it, in order; none when there is no such folder.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let (mut open, mut out) = (vec![dir.to_owned()], Vec::new());
    while let Some(dir) = open.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|e| fault::io(&e, &dir))?,
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() => out.push(entry.path()),
                _ => {}
            }
        }
    }
    out.sort();
    Ok(out)
}

impl Strays {
    pub(crate) fn tell(self, checked: &mut Checked) {
        checked.orphans = self.blobs.len() as u64;
        checked.orphan_parts = self.parts.len() as u64;
        checked.orphan_rollups = self.rollups.len() as u64;
        checked.temporary_files = self.temporary.len() as u64;
        let all = [self.blobs, self.parts, self.rollups, self.temporary].into_iter().flatten();
        checked.orphan_names = all.take(NAMES_MAX).collect();
    }
}
