//! Lists the policy tables of `seeds/`, so that the program carries them.

use std::fmt::Write as _;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let dir = Path::new("../../seeds");
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut files: Vec<_> = std::fs::read_dir(dir)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|f| f.extension().is_some_and(|e| e == "csv"));
    files.sort();
    let mut out = String::from("&[\n");
    for file in files {
        let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let path = file.canonicalize()?;
        let _ = writeln!(out, "    ({name:?}, include_bytes!({:?})),", path.display());
    }
    out.push_str("]\n");
    let dir = std::env::var_os("OUT_DIR").ok_or_else(|| std::io::Error::other("OUT_DIR is not set"))?;
    std::fs::write(Path::new(&dir).join("seeds.rs"), out)
}
