//! Lists the declarations of `kinds/` and `vocabularies/` so that adding one is adding one file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    list("kinds")?;
    list("vocabularies")
}

/// Writes `FOLDER.rs`: (file name, text) of every TOML file of the folder, by name.
fn list(folder: &str) -> std::io::Result<()> {
    println!("cargo::rerun-if-changed={folder}");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|f| f.extension().is_some_and(|e| e == "toml"));
    files.sort();
    let mut out = String::from("&[\n");
    for file in files {
        let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let path = std::env::current_dir()?.join(&file);
        let _ = writeln!(out, "    ({name:?}, include_str!({:?})),", path.display());
    }
    out.push_str("]\n");
    let dir = std::env::var_os("OUT_DIR").ok_or_else(|| std::io::Error::other("OUT_DIR is not set"))?;
    std::fs::write(Path::new(&dir).join(format!("{folder}.rs")), out)
}
