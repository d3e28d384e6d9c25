//! Makes the folder of the built pages when it is absent, so that the crate compiles before `make ui`.
//! Only the folder: the server itself says what to do when it holds no page.

#![allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=../../ui/dist");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist");
    if let Err(fault) = std::fs::create_dir_all(&folder) {
        println!("cargo:warning=cannot make {}: {fault}", folder.display());
    }
}
