//! The files of a release as one thing: their hashes, the root hash, a folder, a ZIP.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::Path;
use toji_core::{Category, Digest, Error, Place, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Name of the list of hashes.
pub(super) const MANIFEST: &str = "MANIFEST.sha256";

/// Files by path, in order.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    pub(super) fn add(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        self.0.insert(path.into(), bytes);
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }
    pub(super) fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }
    /// Hash of a file as 64 hex digits.
    pub(super) fn hash(&self, path: &str) -> String {
        self.get(path).map(|bytes| Digest::of(bytes).hex()).unwrap_or_default()
    }

    /// Adds the list of hashes, as `sha256sum -c` reads it, and answers the root hash: that of the list.
    pub(super) fn seal(&mut self) -> Digest {
        let list: String = self.iter().map(|(path, bytes)| format!("{}  {path}\n", Digest::of(bytes).hex())).collect();
        let root = Digest::of(list.as_bytes());
        self.add(MANIFEST, list.into_bytes());
        root
    }

    /// One ZIP under a folder of this name. Every entry has the same time and rights, so that equal files
    /// give equal bytes; Parquet is compressed already and stored as it is.
    pub(super) fn zip(&self, folder: &str) -> Result<Vec<u8>> {
        let fault = |e: zip::result::ZipError| Error::bug("E-DATASET-031", e);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let base = SimpleFileOptions::default().last_modified_time(DateTime::default()).unix_permissions(0o644);
        for (path, bytes) in self.iter() {
            let method = if path.ends_with(".parquet") { CompressionMethod::Stored } else { CompressionMethod::Deflated };
            let options = base.compression_method(method).large_file(bytes.len() as u64 >= u64::from(u32::MAX));
            zip.start_file(format!("{folder}/{path}"), options).map_err(fault)?;
            zip.write_all(bytes).map_err(|e| Error::bug("E-DATASET-031", e))?;
        }
        Ok(zip.finish().map_err(fault)?.into_inner())
    }

    /// Writes the files into a folder that is empty or not there yet.
    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        let fault = |e: std::io::Error| {
            let shown = dir.display();
            Error::storage("E-DATASET-032", format!("「{shown}」に書けません: {e}"), format!("cannot write to {shown}: {e}"))
                .at(Place::field("dir"))
                .hint("書けるフォルダーを指定してください", "give a folder that can be written")
        };
        if dir.exists() && std::fs::read_dir(dir).map_err(fault)?.next().is_some() {
            return Err(Error::new(
                Category::Conflict,
                "E-DATASET-033",
                format!("「{}」は空ではありません", dir.display()),
                format!("{} is not empty", dir.display()),
            )
            .at(Place::field("dir"))
            .hint("空のフォルダーか新しい名前を指定してください", "give an empty folder or a new name"));
        }
        for (path, bytes) in self.iter() {
            let file = dir.join(path);
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder).map_err(fault)?;
            }
            std::fs::write(&file, bytes).map_err(fault)?;
        }
        Ok(())
    }
}
