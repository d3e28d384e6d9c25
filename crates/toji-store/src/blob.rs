//! Blobs: files exactly as they came, addressed by their SHA-256.

use crate::fault;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use toji_core::{Digest, Error, Result};

/// A folder of blobs.
#[derive(Debug, Clone)]
pub(crate) struct BlobFolder {
    dir: PathBuf,
}

impl BlobFolder {
    pub(crate) fn open(dir: PathBuf) -> Result<Self> {
        make_folder(&dir)?;
        Ok(Self { dir })
    }
    fn path(&self, digest: Digest) -> PathBuf {
        let hex = digest.hex();
        self.dir.join(&hex[..2]).join(&hex)
    }
    /// Keeps bytes durably; the same bytes are kept once.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let path = self.path(digest);
        if path.exists() && self.get(digest).is_ok() {
            return Ok(digest);
        }
        write_durably(&path, bytes)?;
        Ok(digest)
    }
    /// The bytes, checked against their address.
    pub(crate) fn get(&self, digest: Digest) -> Result<Vec<u8>> {
        let path = self.path(digest);
        let bytes = fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::not_found("E-BLOB-001", format!("{digest} はありません"), format!("there is no {digest}"))
            }
            _ => fault::io(&e, &path),
        })?;
        if Digest::of(&bytes) != digest {
            return Err(Error::storage(
                "E-BLOB-002",
                format!("{digest} の内容が変わっています"),
                format!("the content of {digest} was altered"),
            )
            .hint("バックアップから戻してください", "restore it from a backup"));
        }
        Ok(bytes)
    }
}

/// Makes a folder durably: a file is only as durable as the entries of the folders above it.
pub(crate) fn make_folder(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let Some(above) = dir.parent().filter(|p| !p.as_os_str().is_empty()) else {
        return fs::create_dir_all(dir).map_err(|e| fault::io(&e, dir));
    };
    make_folder(above)?;
    match fs::create_dir(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(fault::io(&e, dir)),
        _ => {}
    }
    File::open(above).and_then(|d| d.sync_all()).map_err(|e| fault::io(&e, above))
}

/// Writes a file so that it is either whole and durable under its name, or not there.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = path.parent().ok_or_else(|| Error::bug("E-BLOB-003", "a path without a folder"))?;
    make_folder(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(|e| fault::io(&e, path))?;
    file.write_all(bytes).map_err(|e| fault::io(&e, path))?;
    settle(file, path)
}

/// Writes a file so that it is either whole under its name, or not there. Its name is durable only once
/// the folder is, which is left to the next file made durable there.
pub(crate) fn place(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = path.parent().ok_or_else(|| Error::bug("E-BLOB-003", "a path without a folder"))?;
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(|e| fault::io(&e, path))?;
    file.write_all(bytes).map_err(|e| fault::io(&e, path))?;
    file.as_file().sync_all().map_err(|e| fault::io(&e, path))?;
    file.persist(path).map(|_| ()).map_err(|e| fault::io(&e.error, path))
}

/// Makes a temporary file durable under its final name.
pub(crate) fn settle(file: tempfile::NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_all().map_err(|e| fault::io(&e, path))?;
    file.persist(path).map_err(|e| fault::io(&e.error, path))?;
    let dir = path.parent().unwrap_or(path);
    File::open(dir).and_then(|d| d.sync_all()).map_err(|e| fault::io(&e, dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_any_flipped_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = BlobFolder::open(dir.path().join("blobs")).unwrap();
        let digest = blobs.put("品温 31.2".as_bytes()).unwrap();
        assert_eq!(blobs.put("品温 31.2".as_bytes()).unwrap(), digest);
        let path = blobs.path(digest);
        assert!(path.exists());
        let good = fs::read(&path).unwrap();
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert_eq!(blobs.get(digest).unwrap_err().code(), "E-BLOB-002");
        }
        // Keeping the same bytes again heals a damaged copy.
        blobs.put(&good).unwrap();
        assert_eq!(blobs.get(digest).unwrap(), good);
        assert_eq!(blobs.get(Digest::zero()).unwrap_err().code(), "E-BLOB-001");
    }
}
